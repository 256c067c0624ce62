"""Storeys without area, or area without storeys (XF-B03, XF-B04)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, number, parameters, perhaps
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit(
        "area-and-storeys-disagree", table, lambda p: (str(p["storeys"]), str(p["area"]))
    )
    return tuple(
        replace(u, params={**u.params, "other": u.fields[1],
                           "other_title": table.by_name[u.fields[1]].title.zh})
        for u in found
    )  # fmt: skip


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """With storeys an empty area counts as none; without a number of storeys nothing is judged."""
    storeys, area = (number(name) for name in use.fields)
    return ((storeys > 0) & (area.fill_null(0) <= 0)) | ((storeys == 0) & (area > 0))


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    storeys, area = (perhaps(name) for name in use.fields)
    return (((storeys > 0) & (area.fill_null(0) <= 0)) | ((storeys == 0) & (area > 0))).any()


RULE = Rule(
    name="area-and-storeys-disagree",
    scope=Scope.RECORD,
    order=70,
    title=Text("层数与面积不符", "Storeys and area disagree"),
    message=Text(
        "{field}（{title}）与 {other}（{other_title}）不符，一个为 0 而另一个不为 0：{value}",
        "{field} ({title}) and {other} ({other_title}) disagree, one is 0 and the other is not: "
        "{value}",
    ),
    help=Text("请核对层数和面积", "Check the storeys and the area"),
    notes=Text(
        "层数不是数字时不检查。", "Not judged where the storeys are no number, such as a range."
    ),
    params=parameters({"storeys": FIELD, "area": FIELD}),
    good=Example({"SPGL_XMDTXXB": (
        {"DXCS": "1", "DXJZMJ": "300"}, {"DXCS": "0"}, {"DXCS": "局部一层", "DXJZMJ": "0"},
    )}),
    bad_example=Example(
        {"SPGL_XMDTXXB": (
            {"DXCS": "2", "DXJZMJ": "0.00"}, {"DXCS": "0", "DXJZMJ": "300"}, {"DXCS": "0"},
        )},
        (
            ("SPGL_XMDTXXB", 1, ("DXCS", "DXJZMJ")),
            ("SPGL_XMDTXXB", 2, ("DXCS", "DXJZMJ")),
        ),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
