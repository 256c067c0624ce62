"""A part that is larger than the whole it belongs to."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, number, parameters, perhaps
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit("part-exceeds-whole", table, lambda p: (str(p["part"]), str(p["whole"])))
    return tuple(
        replace(u, params={**u.params, "other": u.fields[1],
                           "other_title": table.by_name[u.fields[1]].title.zh})
        for u in found
    )  # fmt: skip


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """A whole of 0 stands for works that have none of it, such as roads."""
    part, whole = (number(name) for name in use.fields)
    return (part > whole) & (whole > 0)


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    part, whole = (perhaps(name) for name in use.fields)
    return (part > whole).any()


RULE = Rule(
    name="part-exceeds-whole",
    scope=Scope.RECORD,
    order=70,
    title=Text("部分大于整体", "Part is larger than the whole"),
    message=Text(
        "{field}（{title}）大于 {other}（{other_title}）：{value}",
        "{field} ({title}) is larger than {other} ({other_title}): {value}",
    ),
    help=Text("请核对两者的数值和单位", "Check both numbers and their units"),
    notes=Text(
        "整体为 0、为空或不是数时不检查。", "Not judged where the whole is 0, empty or no number."
    ),
    params=parameters({"part": FIELD, "whole": FIELD}),
    good=Example({"SPGL_JSGCXFYSXXB": ({"ZXMJ": "100", "ZJZMJ": "100.0"}, {"ZXMJ": "100"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": (
            {"ZXMJ": "99", "ZJZMJ": "100"}, {"ZXMJ": "101", "ZJZMJ": "100"},
        )},
        (("SPGL_JSGCXFYSXXB", 2, ("ZXMJ", "ZJZMJ")),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
