"""Expressions and JSON Schema parts about one cell that several field rules share.

Blank cells are null here; a field with a separator is judged part by part. It knows no rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import polars as pl

from validator.lexical import BLANK_PATTERN, PATTERNS, canonical_expr
from validator.pack import Code, Condition, Field, Kind, Packs, Table

#: Title of the one list in whose fields a native boolean is taken.
YES_NO = "是否"


def any_part(field: Field, bad: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """True where `bad` holds for the cell, or for any of its parts if the field has a separator."""
    column = pl.col(field.name)
    if field.separator is None:
        return bad(column)
    return column.str.split(field.separator).list.eval(bad(pl.element())).list.any()


def matches(body: str, column: pl.Expr) -> pl.Expr:
    """True where the whole cell matches an unanchored pattern body."""
    return column.str.contains(f"^(?:{body})$")


def perhaps_blank(name: str) -> pl.Expr:
    """True where the cell may be blank, for `may`: cheap, whatever starts with a blank counts."""
    return pl.col(name).is_null() | odd_start(name)


def odd_start(name: str) -> pl.Expr:
    """True where the cell is empty or starts with a blank, so that it may be blank, not null.

    Also true of what sorts between the blanks U+00A0 and U+3000: to compare costs half of looking
    for a prefix, and few texts begin like that. The column keeps its name.
    """
    column = pl.col(name)
    return (column < "!") | ((column >= "\u00a0") & (column < "\u3001"))


def holds(table: Table, condition: Condition) -> pl.Expr:
    """True where the condition's field has one of its values, compared in canonical form."""
    field = table.by_name[condition.field]
    column = pl.col(field.name)
    if field.kind in (Kind.DECIMAL, Kind.DATETIME):
        column = canonical_expr(field.kind, column)
    return column.is_in(list(condition.values)).fill_null(False)


def anchored(body: str) -> str:
    """A JSON Schema pattern that Python, too, reads as a match of the whole text; blank passes."""
    return f"^(?:{BLANK_PATTERN}|(?:{body}))$(?!\\n)"


def parts_body(field: Field, body: str) -> str:
    """Pattern body of a cell whose parts each match `body`."""
    if field.separator is None:
        return body
    separator = re.escape(field.separator)
    return f"(?:{body})(?:{separator}(?:{body}))*"


def form_body(field: Field) -> str | None:
    """Pattern body of a text cell of the field's kind, None where every text is good."""
    body = PATTERNS.get(field.kind)
    return None if body is None else parts_body(field, body)


def listed(packs: Packs, table: Table, field: Field) -> tuple[Code, ...]:
    """The codes of the field's list; empty without a list or without known values."""
    return packs.code_list(table, field.codes.list).codes if field.codes else ()


def is_yes_no(packs: Packs, table: Table, field: Field) -> bool:
    """True where the field draws from the list 是否."""
    return field.codes is not None and (packs.code_list(table, field.codes.list).title.zh == YES_NO)


def holds_schema(packs: Packs, table: Table, condition: Condition) -> dict[str, object]:
    """JSON Schema of a record for which the condition holds, as text or as a native value."""
    yes_no = is_yes_no(packs, table, table.by_name[condition.field])
    values = native_enum(condition.values, yes_no=yes_no)
    return {"required": [condition.field], "properties": {condition.field: {"enum": values}}}


def native_enum(codes: Iterable[str], *, yes_no: bool) -> list[object]:
    """Codes as texts, as integers where a code is the form of one, as booleans of a 是否 list."""
    values: list[object] = []
    for code in codes:
        values.append(code)
        if re.fullmatch(PATTERNS[Kind.INTEGER], code):
            values.append(int(code))
        if yes_no and code in ("0", "1"):
            values.append(code == "1")
    return values


def conditional(
    packs: Packs, table: Table, condition: Condition | None, schema: Mapping[str, object]
) -> dict[str, object]:
    """The schema of a record, demanded only where the condition holds."""
    if condition is None:
        return dict(schema)
    return {"if": holds_schema(packs, table, condition), "then": dict(schema)}


def property_schema(name: str, schema: Mapping[str, object]) -> dict[str, object]:
    """Schema of a record from the schema of one of its values."""
    return {"properties": {name: dict(schema)}}


#: A text of nothing but blanks, for `not`.
BLANK_TEXT = {"type": "string", "pattern": f"^(?:{BLANK_PATTERN})$(?!\\n)"}
#: A value that counts as missing.
MISSING: dict[str, object] = {"anyOf": [{"type": "null"}, BLANK_TEXT]}
