"""A record with an error of its own that holds back the records which refer to it.

Found by `validator.standing` once the errors of every record are known.
"""

from __future__ import annotations

from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity

_CODE = "2401-441802-04-01-100126"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """Tables that others refer to."""
    referred = {ref.table for t in packs.tables() for ref in t.references}
    if table.qualified not in referred:
        return ()
    return (
        Use("parent-not-conforming", table.qualified, table.key.fields, {},
            table.key.provenance, Severity.INFO),
    )  # fmt: skip


RULE = Rule(
    name="parent-not-conforming",
    scope=Scope.DATASET,
    title=Text("不合格的记录阻住下级记录", "Record holds back its children"),
    message=Text(
        "此记录不合格，使引用它的 {children} 条记录暂不能报送",
        "This record does not conform and so holds back {children} records that refer to it",
    ),
    help=Text(
        "请先更正此记录的问题，下级记录随后自动放行",
        "Correct this record; the records it holds back then follow by themselves",
    ),
    notes=Text(
        "只因上级不合格而暂缓的记录不单独报告，只在上级记录上报告一次总数（含间接引用）。",
        "Records held only because of their parent are not reported one by one; the parent gives "
        "their number once, indirect ones included.",
    ),
    good=Example({
        "SPGL_XMJBXXB": ({"GCDM": _CODE, "XMDM": _CODE, "NKGSJ": "昨天"},),
        "SPGL_XMYDHXJZXXB": ({"XMDM": None, "JZWJXH": "1"},),
    }),
    bad_example=Example(
        {
            "SPGL_XMJBXXB": ({"GCDM": _CODE, "XMDM": _CODE, "NKGSJ": "昨天"},),
            "SPGL_XMYDHXJZXXB": ({"XMDM": _CODE, "JZWJXH": "1"},),
        },
        (("SPGL_XMJBXXB", 1, ("GCDM",)),),
    ),
    uses=uses,
)  # fmt: skip
