"""A column of a file that its table does not have."""

from __future__ import annotations

from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return (
        Use("unknown-field", table.qualified, (), {"table_name": table.name,
            "table_title": table.title.zh}, table.provenance, Severity.WARNING),
    )  # fmt: skip


RULE = Rule(
    name="unknown-field",
    scope=Scope.SOURCE,
    title=Text("未知的列", "Unknown column"),
    message=Text(
        "列“{value}”不是 {table_name}（{table_title}）的字段，其内容未检查也不报送",
        "The column “{value}” is no field of {table_name} ({table_title}); it is neither checked "
        "nor sent",
    ),
    help=Text(
        "请核对列名，应为字段名或其中文名称", "Check the header: a field name or its Chinese title"
    ),
    notes=Text(
        "每个文件每列报告一次。已知的地方管理列（如 ROWGUID、SYNC）不报告。",
        "Once per file and column; silent for known local columns such as ROWGUID or SYNC.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"GCDM": "A", "ROWGUID": "1"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"GCDM": "A", "BCZDL": "1"},)}, (("SPGL_XMJBXXB", 0, ()),)
    ),
    uses=uses,
)
