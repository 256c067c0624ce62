"""The target took the record and refused it: its own word, read back after a delivery.

No check of ours finds it: `use_of` is what the application stores when verdicts come in.
"""

from __future__ import annotations

from validator.pack import Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity

NAME = "refused-by-target"


def use_of(table: Table) -> Use:
    """The use under which refusals of a table are stored; the value is the target's reason."""
    return Use(NAME, table.qualified, (), {}, table.provenance, Severity.ERROR)


RULE = Rule(
    name=NAME,
    scope=Scope.TARGET,
    title=Text("国家系统退回", "Refused by the target"),
    message=Text("国家系统退回了这条记录：{value}", "The target refused this record: {value}"),
    help=Text(
        "按退回原因改正后重新报送；spgl ledger show 列出此记录的全部经过",
        "Correct it by the reason and report it again; spgl ledger show tells its whole life",
    ),
    notes=Text(
        "原因是国家系统的原话（SBYY）。[feedback] mapping 把原因与本程序的规则对应起来，"
        "没有对应规则的原因会被列出，可作为新规则。",
        "The reason is the target's own text (SBYY). [feedback] mapping ties reasons to rules of "
        "ours; reasons without one are listed as proposals.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"GCDM": "A", "SJSCZT": "3"},)}),
    bad_example=Example({}, ()),
)
