"""A time limit outside the allowed working days (CFG-03)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import matches
from validator.lexical import PATTERNS
from validator.pack import Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(explicit("stage-limit-out-of-range", table, lambda p: (str(p["field"]),)))


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    """The exempting field may hold a list; one listed part is enough."""
    column = pl.col(text_param(use, "field"))
    formed = matches(PATTERNS[Kind.DECIMAL], column)
    number = pl.when(formed).then(column).otherwise(None).cast(pl.Float64, strict=False)
    low, high = float(text_param(use, "minimum")), float(text_param(use, "maximum"))
    outside = (number < low) | (number > high)
    unless = use.params.get("unless")
    if not isinstance(unless, Mapping):
        return outside
    for name, values in unless.items():
        listed = [str(v) for v in values] if isinstance(values, list | tuple) else [str(values)]
        exempt = (
            pl.col(name)
            .str.split(table.by_name[name].separator or ",")
            .list.eval(pl.element().is_in(listed))
            .list.any()
        )
        outside = outside & ~exempt.fill_null(False)
    return outside


RULE = Rule(
    name="stage-limit-out-of-range",
    scope=Scope.RECORD,
    order=70,
    title=Text("阶段时限超出范围", "Stage limit is out of range"),
    message=Text(
        "{field}（{title}）的值“{value}”不在 {minimum} 至 {maximum} 之间",
        "The value “{value}” of {field} ({title}) is not between {minimum} and {maximum}",
    ),
    help=Text(
        "请将 {field}（{title}）改为 {minimum} 至 {maximum} 之间的数",
        "Set {field} ({title}) to a number between {minimum} and {maximum}",
    ),
    notes=Text(
        "unless 给出豁免：例如并行推进阶段不受时限范围约束。",
        "`unless` names what is exempt, such as the parallel stage.",
    ),
    params={
        "type": "object",
        "properties": {
            "field": {"type": "string", "format": "field"},
            "minimum": {"type": "number"},
            "maximum": {"type": "number"},
            "unless": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"format": "field"},
                "additionalProperties": {
                    "anyOf": [
                        {"type": "string"},
                        {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    ]
                },
            },
        },
        "required": ["field", "minimum", "maximum"],
        "additionalProperties": False,
    },
    good=Example(
        {"SPGL_SPJDXXB": (
            {"SPJDSX": "50", "DYBZSPJDXH": "1"}, {"SPJDSX": "0", "DYBZSPJDXH": "3,5"},
        )}
    ),
    bad_example=Example(
        {"SPGL_SPJDXXB": (
            {"SPJDSX": "51", "DYBZSPJDXH": "1"}, {"SPJDSX": "0", "DYBZSPJDXH": "1,2"},
            {"SPJDSX": "1"},
        )},
        (("SPGL_SPJDXXB", 1, ("SPJDSX",)), ("SPGL_SPJDXXB", 2, ("SPJDSX",))),
    ),
    uses=uses,
    bad=bad,
)  # fmt: skip
