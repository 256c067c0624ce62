"""A cell of several values that names one without the other it goes with (XF-S06)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, VALUES, holds_in, parameters
from validator.pack import Condition, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(
        replace(use, params={**use.params, "others": "、".join(texts_param(use, "needs"))})
        for use in explicit("part-without-companion", table, lambda p: (str(p["field"]),))
    )


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    name = use.fields[0]
    listed = holds_in(table, Condition(name, (text_param(use, "part"),)))
    return listed & ~holds_in(table, Condition(name, texts_param(use, "needs")))


RULE = Rule(
    name="part-without-companion",
    scope=Scope.RECORD,
    order=70,
    title=Text("多值字段缺少配套的值", "A value lacks the one it goes with"),
    message=Text(
        "{field}（{title}）含 {part}，但没有 {others} 中的任何一个：{value}",
        "{field} ({title}) names {part} but none of {others}: {value}",
    ),
    help=Text("请补上配套的值，或删去 {part}", "Add the value it goes with, or remove {part}"),
    notes=Text(
        "例如特殊建设工程情形第 11 项指含有第 1 至 6 项的工程。",
        "Situation 11 of special works, for one, means works that contain one of 1 to 6.",
    ),
    params=parameters({"field": FIELD, "part": {"type": "string"}, "needs": VALUES}),
    good=Example({"SPGL_JSGCXFYSXXB": ({"TSJSGCQX": "3,11"}, {"TSJSGCQX": "12"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": ({"TSJSGCQX": "3,11"}, {"TSJSGCQX": "11,12"})},
        (("SPGL_JSGCXFYSXXB", 2, ("TSJSGCQX",)),),
    ),
    uses=uses,
    bad=bad,
)
