"""A site whose county does not belong to the reporting city (ENV-05)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit
from validator.text import Text

_DIVISION = "^[0-9]{6}$"


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit("site-outside-division", table, lambda p: (str(p["site"]), str(p["division"])))
    return tuple(
        replace(u, params={**u.params, "other": u.fields[1],
                           "other_title": table.by_name[u.fields[1]].title.zh})
        for u in found
    )  # fmt: skip


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """The first four digits are those of the prefecture."""
    site, division = (pl.col(name) for name in use.fields)
    formed = site.str.contains(_DIVISION) & division.str.contains(_DIVISION)
    return formed & (site.str.slice(0, 4) != division.str.slice(0, 4))


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    site, division = (pl.col(name).str.slice(0, 4) for name in use.fields)
    return (site != division).any()


RULE = Rule(
    name="site-outside-division",
    scope=Scope.RECORD,
    order=70,
    title=Text("建设地点不在报送城市", "Site is outside the reporting city"),
    message=Text(
        "{field}（{title}）不属于 {other}（{other_title}）：{value}",
        "{field} ({title}) does not lie in {other} ({other_title}): {value}",
    ),
    help=Text("请核对两个行政区划代码", "Check both division codes"),
    notes=Text(
        "按前四位比较；跨市项目和省级报送的项目可能合理。",
        "The first four digits are compared; works across cities or reported by a province may be "
        "right.",
    ),
    params=parameters({"site": FIELD, "division": FIELD}),
    good=Example({"SPGL_XMJBXXB": ({"XZQHDM": "370800", "JSDDXZQH": "370811"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": (
            {"XZQHDM": "370800", "JSDDXZQH": "370811"}, {"XZQHDM": "370800", "JSDDXZQH": "371002"},
        )},
        (("SPGL_XMJBXXB", 2, ("JSDDXZQH", "XZQHDM")),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
