"""Cells as numbers and parts of cells, for the rules that compare within a record.

A cell that is missing or does not have the form of a number is null here, so that no rule judges it
(its form is another rule's matter). It knows no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from validator.cells import matches
from validator.lexical import PATTERNS
from validator.pack import Condition, Kind, Table

FIELD: dict[str, object] = {"type": "string", "format": "field"}
FIELDS: dict[str, object] = {"type": "array", "items": FIELD, "minItems": 1}
VALUES: dict[str, object] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "minItems": 1,
}
#: A condition on one field of the same record, as `when = { FIELD = "1" }`.
WHEN: dict[str, object] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "propertyNames": {"format": "field"},
    "additionalProperties": {"anyOf": [{"type": "string"}, VALUES]},
}


def parameters(required: Mapping[str, object], **optional: object) -> dict[str, object]:
    """JSON Schema of a rule's parameters."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def number(name: str) -> pl.Expr:
    """The cell as a number; null where it is missing or none."""
    return pl.when(matches(PATTERNS[Kind.DECIMAL], pl.col(name))).then(perhaps(name))


def perhaps(name: str) -> pl.Expr:
    """The cell as a number by the engine's own, wider reading: cheap, for `may` only."""
    return pl.col(name).cast(pl.Float64, strict=False)


def condition(params: Mapping[str, object], name: str = "when") -> Condition | None:
    """The condition of a rule use, None where it has none."""
    when: Any = params.get(name)
    if not isinstance(when, Mapping):
        return None
    ((field, values),) = when.items()
    return Condition(field, (values,) if isinstance(values, str) else tuple(map(str, values)))


def holds_in(table: Table, of: Condition) -> pl.Expr:
    """True where the condition's field, or one part of it, has one of the values."""
    field, column = table.by_name[of.field], pl.col(of.field)
    values = list(of.values)
    if field.separator is not None:
        found = column.str.split(field.separator).list.eval(pl.element().is_in(values)).list.any()
    elif field.kind is Kind.DECIMAL:
        found = number(of.field).is_in([float(v) for v in values])
    else:
        found = column.is_in(values)
    return found.fill_null(False)


def said(table: Table, of: Condition | None) -> dict[str, str]:
    """Places of a message that tells the condition: `given` and `given_en` (empty without one)."""
    if of is None:
        return {"given": "", "given_en": ""}
    title, values = table.by_name[of.field].title, "、".join(of.values)
    return {
        "given": f"{of.field}（{title.zh}）为 {values} 时，",
        "given_en": f"With {of.field} ({title.en}) {values}: ",
    }
