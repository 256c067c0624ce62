"""A start that is not before its end in the same record."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.lexical import canonical_expr, matches_expr
from validator.pack import Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit("start-not-before-end", table, lambda p: (str(p["start"]), str(p["end"])))
    return tuple(
        replace(u, params={**u.params, "other": u.fields[1],
                           "other_title": table.by_name[u.fields[1]].title.zh})
        for u in found
    )  # fmt: skip


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    """Only where both cells have the form of a date; two plain dates compare as days."""
    names = (text_param(use, "start"), text_param(use, "end"))
    kinds = [table.by_name[name].kind for name in names]
    kind = Kind.DATETIME if all(k is Kind.DATETIME for k in kinds) else Kind.DATE
    start, end = (canonical_expr(kind, pl.col(name)) for name in names)
    formed = [matches_expr(Kind.DATETIME, pl.col(name)) for name in names]
    return (start >= end) & formed[0] & formed[1]


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    # As written, text order can differ from time order only within one day or in ill-formed cells.
    start, end = (pl.col(text_param(use, name)) for name in ("start", "end"))
    return (start.str.slice(0, 10) >= end.str.slice(0, 10)).any()


RULE = Rule(
    name="start-not-before-end",
    scope=Scope.RECORD,
    order=70,
    title=Text("起始时间不早于结束时间", "Start is not before end"),
    message=Text(
        "{field}（{title}）不早于 {other}（{other_title}）：{value}",
        "{field} ({title}) is not before {other} ({other_title}): {value}",
    ),
    help=Text(
        "请核对 {field} 与 {other}，起始须早于结束",
        "Check {field} and {other}: the start must come before the end",
    ),
    notes=Text(
        "任一时间为空或形式不对时不检查。", "Not judged where either cell is empty or ill-formed."
    ),
    params={
        "type": "object",
        "properties": {
            "start": {"type": "string", "format": "field"},
            "end": {"type": "string", "format": "field"},
        },
        "required": ["start", "end"],
        "additionalProperties": False,
    },
    good=Example({"SPGL_XMJBXXB": ({"NKGSJ": "2024-03-01", "NJCSJ": "2025-03-01"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": (
            {"NKGSJ": "2025-03-01", "NJCSJ": "2024-03-01"},
            {"NKGSJ": "2024-03-01", "NJCSJ": "2024-03-01 00:00:00"},
            {"NKGSJ": "2024-03-01"},
        )},
        (
            ("SPGL_XMJBXXB", 1, ("NKGSJ", "NJCSJ")),
            ("SPGL_XMJBXXB", 2, ("NKGSJ", "NJCSJ")),
        ),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
