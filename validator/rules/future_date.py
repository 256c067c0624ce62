"""A date of something that has happened, after the day of the run."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.lexical import matches_expr
from validator.numbers import FIELDS, parameters
from validator.pack import Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per field."""
    return tuple(
        replace(use, fields=(name,))
        for use in explicit("future-date", table, lambda _: ())
        for name in texts_param(use, "fields")
    )


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """Compared by day, so that clocks of different machines do not matter."""
    column, today = pl.col(use.fields[0]), str(use.params.get("today", ""))
    if not today:
        return pl.lit(False)
    return (column.str.slice(0, 10) > today) & matches_expr(Kind.DATETIME, column)


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    today = str(use.params.get("today", ""))
    if not today:
        return pl.lit(False)
    return (pl.col(use.fields[0]).str.slice(0, 10) > today).any()


RULE = Rule(
    name="future-date",
    scope=Scope.RECORD,
    order=70,
    dated=True,
    title=Text("日期在未来", "Date lies in the future"),
    message=Text(
        "{field}（{title}）晚于检查当天（{today}）：{value}",
        "{field} ({title}) lies after the day of this check ({today}): {value}",
    ),
    help=Text("请核对 {field}（{title}）", "Check {field} ({title})"),
    notes=Text(
        "只检查已经发生的事的日期，不检查计划日期和有效期。按北京时间的日期比较。",
        "Only dates of what has happened, no plans and no terms; compared with the date in China.",
    ),
    params=parameters({"fields": FIELDS}),
    good=Example({"SPGL_XMSPSXPFWJXXB": ({"PFRQ": "2024-03-01"}, {"PFRQ": None})}),
    bad_example=Example(
        {"SPGL_XMSPSXPFWJXXB": ({"PFRQ": "2024-03-01"}, {"PFRQ": "2999-03-01"})},
        (("SPGL_XMSPSXPFWJXXB", 2, ("PFRQ",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)
