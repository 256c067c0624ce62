"""Lexical forms: one pattern body per kind decides, in every engine, before any cast.

The same body is anchored by each compiler: polars `^(?:body)$`, XSD as it is, JSON Schema and
Python `fullmatch`. It uses ASCII digits only and can express calendar dates and 64-bit integers
completely, so no engine's own cast ever decides. Canonical forms are what keys, references, code
lists and content compare. This module knows no rule and no table.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from validator.pack import Kind

if TYPE_CHECKING:
    import polars as pl

#: Characters that make a cell blank: space, tab, CR, LF, no-break space, ideographic space.
BLANK = " \t\r\n\u00a0\u3000"
BLANK_PATTERN = "[ \t\r\n\u00a0\u3000]*"

_INT64_MAX = "9223372036854775807"


def _up_to(limit: str) -> str:
    """A pattern for the numbers of exactly `len(limit)` digits that are not above `limit`."""
    options = [limit]
    for i, digit in enumerate(limit):
        low = 1 if i == 0 else 0
        if int(digit) > low:
            rest = len(limit) - i - 1
            tail = f"[0-9]{{{rest}}}" if rest else ""
            options.append(f"{limit[:i]}[{low}-{int(digit) - 1}]{tail}")
    return "|".join(options)


_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})"
_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29"
_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DATE = f"(?:{_YEAR}-{_DAY}|{_LEAP})"
_ZERO_FRACTION = r"(?:\.0+)?"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"

#: Unanchored pattern body per kind; TEXT has none (every text is one).
PATTERNS: dict[Kind, str] = {
    Kind.INTEGER: f"0|-?(?:[1-9][0-9]{{0,17}}|{_up_to(_INT64_MAX)})",
    Kind.DECIMAL: r"-?[0-9]+(?:\.[0-9]+)?",
    Kind.DATE: f"{_DATE}(?:[ T]00:00:00{_ZERO_FRACTION})?",
    Kind.DATETIME: f"{_DATE}(?:[ T]{_CLOCK}{_ZERO_FRACTION})?",
    Kind.BINARY: "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}


@cache
def _compiled(kind: Kind) -> re.Pattern[str] | None:
    """Most runs match columns only, by the expressions below."""
    body = PATTERNS.get(kind)
    return None if body is None else re.compile(body)


def is_blank(text: str) -> bool:
    """True when nothing but blank characters is left."""
    return not text.strip(BLANK)


def matches(kind: Kind, text: str) -> bool:
    """True when `text` has the lexical form of `kind`."""
    pattern = _compiled(kind)
    return pattern is None or pattern.fullmatch(text) is not None


def canonical(kind: Kind, text: str) -> str:
    """The one form in which equal values are equal texts; `text` must match its kind.

    Integers and decimals lose signs of zero, leading and trailing zeros (`01.50` → `1.5`); dates
    are `yyyy-MM-dd`; datetimes `yyyy-MM-dd HH:mm:ss`; text and base64 stay as they are.
    """
    if kind in (Kind.INTEGER, Kind.DECIMAL):
        return _canonical_number(text)
    if kind is Kind.DATE:
        return text[:10]
    if kind is Kind.DATETIME:
        return f"{text[:10]} {text[11:19] or '00:00:00'}"
    return text


def _canonical_number(text: str) -> str:
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = digits.partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return number if number == "0" else sign + number


def matches_expr(kind: Kind, column: pl.Expr) -> pl.Expr:
    """Polars twin of `matches`; null stays null."""
    import polars as pl

    body = PATTERNS.get(kind)
    return pl.lit(True) if body is None else column.str.contains(f"^(?:{body})$")


def blank_expr(column: pl.Expr) -> pl.Expr:
    """True where the cell is null or blank."""
    return column.is_null() | (column.str.strip_chars(BLANK) == "")


def canonical_expr(kind: Kind, column: pl.Expr) -> pl.Expr:
    """Polars twin of `canonical`, for cells that match their kind."""
    import polars as pl

    if kind in (Kind.INTEGER, Kind.DECIMAL):
        number = column.str.replace(r"(\.[0-9]*?)0+$", "${1}").str.replace(r"\.$", "")
        number = number.str.replace(r"^(-?)0+([0-9])", "${1}${2}")
        return pl.when(number == "-0").then(pl.lit("0")).otherwise(number)
    if kind is Kind.DATE:
        return column.str.slice(0, 10)
    if kind is Kind.DATETIME:
        clock = column.str.slice(11, 8)
        clock = pl.when(clock == "").then(pl.lit("00:00:00")).otherwise(clock)
        return column.str.slice(0, 10) + pl.lit(" ") + clock
    return column
