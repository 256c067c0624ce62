"""Coordinates with latitude before longitude."""

from __future__ import annotations

import polars as pl

from validator.coordinates import any_pair, coordinate_uses, may_lie_outside
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text

NAME = "coordinates-swapped"


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return coordinate_uses(NAME, table)


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return any_pair(use.fields[0], outside=False)


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return may_lie_outside(use.fields[0])


RULE = Rule(
    name=NAME,
    scope=Scope.RECORD,
    order=70,
    title=Text("经纬度颠倒", "Longitude and latitude are swapped"),
    message=Text(
        "{field}（{title}）的经度和纬度可能颠倒：{value}",
        "Longitude and latitude of {field} ({title}) seem to be swapped: {value}",
    ),
    help=Text("请按“经度,纬度”填写", "Write longitude first, then latitude"),
    notes=Text(
        "坐标不在我国范围内，交换后在范围内的，判为颠倒。",
        "A pair outside the country that lies inside when turned around counts as swapped.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"XMJWDZB": "116.5871,35.4152;116.59,35.42"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"XMJWDZB": "116.5871,35.4152"}, {"XMJWDZB": "35.4152,116.5871"})},
        (("SPGL_XMJBXXB", 2, ("XMJWDZB",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)
