"""Coordinates that lie outside the country, whichever way round they are read."""

from __future__ import annotations

import polars as pl

from validator.coordinates import BOUNDS, any_pair, coordinate_uses, may_lie_outside
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text

NAME = "coordinates-outside-country"
_W, _E, _S, _N = BOUNDS


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return coordinate_uses(NAME, table)


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return any_pair(use.fields[0], outside=True)


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return may_lie_outside(use.fields[0])


RULE = Rule(
    name=NAME,
    scope=Scope.RECORD,
    order=70,
    title=Text("坐标不在我国范围内", "Coordinates lie outside the country"),
    message=Text(
        "{field}（{title}）的坐标不在我国范围内：{value}",
        "The coordinates of {field} ({title}) lie outside the country: {value}",
    ),
    help=Text(
        "请核对坐标，单位为度（不是投影坐标或度分秒）",
        "Check the coordinates; they are degrees, no projected metres and no minutes",
    ),
    notes=Text(
        f"范围：经度 {_W} 至 {_E}，纬度 {_S} 至 {_N}。各行政区划的范围没有可用数据，不作检查。",
        f"Bounds: longitude {_W} to {_E}, latitude {_S} to {_N}. Bounds of single divisions are "
        "not known and not judged.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"XMJWDZB": "116.5871,35.4152"}, {"XMJWDZB": "35.4,116.5"})}),
    bad_example=Example(
        {"SPGL_XMJBXXB": (
            {"XMJWDZB": "39462310.5,3919823.2"}, {"XMJWDZB": "116.5,35.4;0,0"},
            {"XMJWDZB": "116.5,35.4"},
        )},
        (("SPGL_XMJBXXB", 1, ("XMJWDZB",)), ("SPGL_XMJBXXB", 2, ("XMJWDZB",))),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
