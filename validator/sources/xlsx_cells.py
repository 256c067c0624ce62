"""From a row of a sheet to cells: text, number, date serial, boolean, as people see them.

Numbers keep what the workbook holds: a number of more than 15 digits has already lost digits and is
marked, never repaired. Which field a cell belongs to is given; nothing is judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import isfinite

import polars as pl
from lxml import etree

from validator.pack import Kind
from validator.sources.xlsx_book import text_of, unescaped

_LETTERS = re.compile(r"[A-Z]{1,3}")
TEMPORAL = (Kind.DATE, Kind.DATETIME)
#: An unformatted number is taken for a day only between 1927-05-18 and 2173-10-13, so that a year
#: or 20240105 stays visible.
DAYS = (10_000, 100_000)
_LAST_DAY = 2_958_466
#: From here on Excel has replaced digits by zeros.
_DIGITS = 10**15


@dataclass(frozen=True, slots=True)
class Cells:
    """What reading cells needs of the workbook; `strings` are its shared texts."""

    strings: pl.Series
    dates: frozenset[str]
    since_1904: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, and whether it was a native value that a text field cannot hold."""

    text: str
    native: bool = False


def columns_of(row: etree._Element) -> list[tuple[int, etree._Element]]:
    """The cells of a row with their 0-based columns; cells without a reference follow on."""
    found, at = [], 0
    for cell in row.iterchildren("{*}c"):
        reference = cell.get("r")
        if reference is not None:
            at = _column(reference.rstrip("0123456789"))
        found.append((at, cell))
        at += 1
    return found


@lru_cache(maxsize=20_000)
def _column(letters: str) -> int:
    """`A` is 0."""
    if not _LETTERS.fullmatch(letters):
        return 0
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - 64
    return at - 1


def cell_of(element: etree._Element, cells: Cells, kind: Kind) -> Cell | None:
    """The cell for a field of this kind; None when it is empty."""
    shape = element.get("t", "n")
    if shape == "inlineStr":
        text = text_of(element)
        return Cell(text) if text else None
    child = next(element.iterchildren("{*}v"), None)
    value = child.text if child is not None else None
    if not value:
        return None
    if shape == "s":
        text = _shared(value, cells)
        return Cell(text) if text else None
    return plain_cell(shape, value, kind, cells, shows_date=element.get("s") in cells.dates)


def plain_cell(shape: str, value: str, kind: Kind, cells: Cells, *, shows_date: bool) -> Cell:
    """The cell of a stored text that is no shared or inline string."""
    if shape == "b":
        return Cell("true" if value in ("1", "true") else "false", native=True)
    if shape == "n":
        return _number(value, kind, cells, shows_date=shows_date)
    if shape == "d":
        return Cell(value.replace("T", " ").removesuffix("Z"))
    return Cell(unescaped(value))


def _shared(value: str, cells: Cells) -> str:
    if not value.isascii() or not value.isdigit() or int(value) >= len(cells.strings):
        return ""
    return str(cells.strings[int(value)])


def _number(value: str, kind: Kind, cells: Cells, *, shows_date: bool) -> Cell:
    try:
        number = float(value)
    except ValueError:
        return Cell(value)
    if not isfinite(number):
        return Cell(value)
    if shows_date or (kind in TEMPORAL and DAYS[0] <= number < DAYS[1]):
        shown = _day(number, cells)
        if shown is not None:
            return Cell(shown)
    return Cell(_written(number), native=kind is Kind.TEXT and abs(number) >= _DIGITS)


def _written(number: float) -> str:
    """Without exponent: 17 stored digits shown as the shortest number that is the same."""
    if number.is_integer() and abs(number) < 1e30:
        try:
            return f"{Decimal(repr(number)):f}".removesuffix(".0")
        except InvalidOperation:
            return repr(number)
    text = f"{Decimal(repr(number)):f}" if abs(number) >= 1e-30 else repr(number)
    return "0" if text == "-0.0" else text


def _day(number: float, cells: Cells) -> str | None:
    """A serial as `yyyy-MM-dd`, with a clock where it has one; None where it is no day.

    Excel's 1900 calendar has a 29 February 1900, so days before March 1900 stand one later.
    """
    if not 0 <= number < _LAST_DAY:
        return None
    if cells.since_1904:
        start = datetime(1904, 1, 1)
    else:
        start = datetime(1899, 12, 30) if number >= 60 else datetime(1899, 12, 31)
    moment = start + timedelta(seconds=round(number * 86_400))
    if number < 1 and not cells.since_1904:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if not round(number % 1 * 86_400) else f"{moment:%Y-%m-%d %H:%M:%S}"
