"""A cell filled with a placeholder where it should be empty or say something (XF-D10)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELDS, VALUES, number, parameters
from validator.pack import Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per field."""
    return tuple(
        replace(use, fields=(name,))
        for use in explicit("placeholder-value", table, lambda _: ())
        for name in texts_param(use, "fields")
    )


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    """In a number, 0 stands for the placeholders."""
    name = use.fields[0]
    if table.by_name[name].kind in (Kind.DECIMAL, Kind.INTEGER):
        return number(name) == 0
    return pl.col(name).str.strip_chars().is_in(list(texts_param(use, "values")))


RULE = Rule(
    name="placeholder-value",
    scope=Scope.RECORD,
    order=70,
    title=Text("以占位值代替空值", "Placeholder instead of nothing"),
    message=Text(
        "{field}（{title}）填的是占位值“{value}”，应视为未填",
        "{field} ({title}) holds the placeholder “{value}”, which says nothing",
    ),
    help=Text("请填写实际内容，没有则留空", "Fill in the real value, or leave the cell empty"),
    notes=Text(
        "在用程序在没有内容时填“无”或 0.00；数值字段中的 0 同样视为占位。",
        "A deployed program writes 无 or 0.00 where there is nothing; a number 0 counts the same.",
    ),
    params=parameters({"fields": FIELDS, "values": VALUES}),
    good=Example({"SPGL_JSGCXFYSXXB": ({"ZXSZCS": "1-3层"}, {"ZXSZCS": None, "ZXMJ": "120.5"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": ({"ZXSZCS": "无"}, {"ZXMJ": "0.00"}, {"ZXSZCS": "2层"})},
        (("SPGL_JSGCXFYSXXB", 1, ("ZXSZCS",)), ("SPGL_JSGCXFYSXXB", 2, ("ZXMJ",))),
    ),
    uses=uses,
    bad=bad,
)
