"""A cell of several values that names one of them twice (XF-S02)."""

from __future__ import annotations

import polars as pl

from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(explicit("repeated-part", table, lambda p: (str(p["field"]),)))


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    field = table.by_name[use.fields[0]]
    parts = pl.col(field.name).str.split(field.separator or ",")
    return parts.list.n_unique() < parts.list.len()


def may(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    separator = table.by_name[use.fields[0]].separator or ","
    return pl.col(use.fields[0]).str.contains(separator, literal=True).any()


RULE = Rule(
    name="repeated-part",
    scope=Scope.RECORD,
    order=70,
    title=Text("多值字段中有重复值", "One value stands twice in a list"),
    message=Text(
        "{field}（{title}）中有重复的值：{value}", "{field} ({title}) names a value twice: {value}"
    ),
    help=Text("请删去重复的值", "Remove the repetition"),
    notes=Text(
        "按字段声明的分隔符拆分后比较。", "Parts are those of the field's declared separator."
    ),
    params=parameters({"field": FIELD}),
    good=Example({"SPGL_JSGCXFYSXXB": ({"TSJSGCQX": "3,12"}, {"TSJSGCQX": "1"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": ({"TSJSGCQX": "3,12"}, {"TSJSGCQX": "3,12,3"})},
        (("SPGL_JSGCXFYSXXB", 2, ("TSJSGCQX",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)
