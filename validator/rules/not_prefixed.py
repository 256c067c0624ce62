"""A code that does not begin with the code it is made from (PRJ-11)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit("not-prefixed", table, lambda p: (str(p["field"]), str(p["prefix"])))
    return tuple(
        replace(u, params={**u.params, "other": u.fields[1],
                           "other_title": table.by_name[u.fields[1]].title.zh})
        for u in found
    )  # fmt: skip


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return ~pl.col(use.fields[0]).str.starts_with(pl.col(use.fields[1]))


RULE = Rule(
    name="not-prefixed",
    scope=Scope.RECORD,
    order=70,
    title=Text("编码没有以上级编码开头", "Code does not begin with its parent code"),
    message=Text(
        "{field}（{title}）没有以 {other}（{other_title}）的值开头：{value}",
        "{field} ({title}) does not begin with {other} ({other_title}): {value}",
    ),
    help=Text("请核对两个编码", "Check both codes"),
    notes=Text(
        "整个项目的工程代码等于项目代码，拆分的工程在其后加序号。任一为空时不检查。",
        "The works code of a whole project equals the project code; a split unit adds a serial. "
        "Not judged where either is empty.",
    ),
    params=parameters({"field": FIELD, "prefix": FIELD}),
    good=Example({"SPGL_XMJBXXB": (
        {"XMDM": "2401-990102-04-01-100126", "GCDM": "2401-990102-04-01-100126-001"},
        {"GCDM": "2401-990102-04-01-100126"},
    )}),
    bad_example=Example(
        {"SPGL_XMJBXXB": (
            {"XMDM": "2401-990102-04-01-100126", "GCDM": "GC-1"},
            {"XMDM": "2401-990102-04-01-100126", "GCDM": "2401-990102-04-01-100126"},
        )},
        (("SPGL_XMJBXXB", 1, ("GCDM", "XMDM")),),
    ),
    uses=uses,
    bad=bad,
)  # fmt: skip
