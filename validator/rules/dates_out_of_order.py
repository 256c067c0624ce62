"""A date that must not be later than another one of the same record, and is."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.lexical import canonical_expr, matches_expr
from validator.numbers import FIELD, FIELDS, parameters
from validator.pack import Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per earlier date."""
    return tuple(
        replace(
            use,
            fields=(earlier, text_param(use, "later")),
            params={"other": text_param(use, "later"),
                    "other_title": table.by_name[text_param(use, "later")].title.zh},
        )
        for use in explicit("dates-out-of-order", table, lambda p: (str(p["later"]),))
        for earlier in texts_param(use, "earlier")
    )  # fmt: skip


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    """Two datetimes compare as such, all else as days."""
    both = all(table.by_name[name].kind is Kind.DATETIME for name in use.fields)
    kind = Kind.DATETIME if both else Kind.DATE
    earlier, later = (canonical_expr(kind, pl.col(name)) for name in use.fields)
    formed = [matches_expr(Kind.DATETIME, pl.col(name)) for name in use.fields]
    return (earlier > later) & formed[0] & formed[1]


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    earlier, later = (pl.col(name).str.slice(0, 10) for name in use.fields)
    return (earlier >= later).any()


RULE = Rule(
    name="dates-out-of-order",
    scope=Scope.RECORD,
    order=70,
    title=Text("日期先后颠倒", "Dates are out of order"),
    message=Text(
        "{field}（{title}）晚于 {other}（{other_title}）：{value}",
        "{field} ({title}) is later than {other} ({other_title}): {value}",
    ),
    help=Text("请核对 {field} 与 {other}", "Check {field} and {other}"),
    notes=Text(
        "同一天不算颠倒。任一日期为空或形式不对时不检查。",
        "The same day is in order. Not judged where either cell is empty or ill-formed.",
    ),
    params=parameters({"earlier": FIELDS, "later": FIELD}),
    good=Example({"SPGL_JSGCJGYSBAXXB": ({"JGRQ": "2024-03-01", "BARQ": "2024-03-01"},)}),
    bad_example=Example(
        {"SPGL_JSGCJGYSBAXXB": (
            {"JGRQ": "2024-03-01", "BARQ": "2024-03-02"},
            {"JGRQ": "2024-03-02", "BARQ": "2024-03-01"},
        )},
        (("SPGL_JSGCJGYSBAXXB", 2, ("JGRQ", "BARQ")),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
