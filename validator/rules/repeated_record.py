"""The same content of the same key stands in the run again.

Found by `validator.duplicates`, which compares keys and contents as they are in the sources.
"""

from __future__ import annotations

from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    if not table.key.fields:
        return ()
    return (
        Use("repeated-record", table.qualified, table.key.fields,
            {"key_names": ", ".join(table.key.fields)}, table.key.provenance, Severity.INFO),
    )  # fmt: skip


RULE = Rule(
    name="repeated-record",
    scope=Scope.DATASET,
    title=Text("同一记录重复出现", "Record stands again"),
    message=Text(
        "与 {first_file} 第 {first_record} 条内容完全相同（{key_names} 为“{value}”）",
        "The same content as record {first_record} of {first_file} ({key_names} is “{value}”)",
    ),
    help=Text("无需处理；只报送一条", "Nothing to do; it is sent once"),
    notes=Text(
        "内容指业务字段的规范形式，不含交换字段。此类记录计入“重复”，不报送。",
        "Content is the business fields in canonical form, without exchange columns. Such records "
        "are counted as duplicate and not sent.",
    ),
    good=Example({"SPGL_XMJBXXB": (
        {"GCDM": "A", "XMMC": "甲"}, {"GCDM": "B", "XMMC": "甲"},
    )}),
    bad_example=Example(
        {"SPGL_XMJBXXB": (
            {"GCDM": "A", "ZTZE": "1.50"}, {"GCDM": "A", "ZTZE": "1.5", "SJSCZT": "0"},
        )},
        (("SPGL_XMJBXXB", 2, ("GCDM",)),),
    ),
    uses=uses,
)  # fmt: skip
