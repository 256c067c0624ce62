"""A record that could not be read; reading went on after it. Found by the sources."""

from __future__ import annotations

from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return (Use("unreadable-record", table.qualified, (), {}, table.provenance, Severity.ERROR),)


RULE = Rule(
    name="unreadable-record",
    scope=Scope.SOURCE,
    title=Text("记录无法读取", "Record cannot be read"),
    message=Text("这条记录无法读取：{reason}", "This record cannot be read: {reason_en}"),
    help=Text("请修复该行或重新导出", "Repair the line or export again"),
    notes=Text(
        "列数不齐、JSON 行损坏、字节无法解码、记录超过大小上限等。其余记录照常检查。",
        "A ragged row, a broken JSON line, undecodable bytes, a record over the size limit. The "
        "other records are checked as usual.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"GCDM": "A"},)}),
    bad_example=Example({}, ()),
    uses=uses,
)
