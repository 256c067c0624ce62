"""Workbooks of the packs: the few parts of XlsxWriter that they use, and the looks they share.

Every cell is text (`@`), so that `01` and an 18-digit number stay what they are. The same packs
give the same bytes. What the sheets hold is `dictionary` and `template`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

from validator.pack import RECONSTRUCTED, Packs
from validator.text import Lang

#: Excel's limits: characters of a cell, of a note that people still read, of a prompt.
_CELL = 32_000
#: A fixed date, so that the same packs give the same file.
_CREATED = datetime(2024, 1, 1)


class Style(Protocol):
    """A cell format; XlsxWriter has no public types."""


class Sheet(Protocol):
    def write_string(self, row: int, column: int, text: str, style: Style) -> int: ...
    def write_url(self, row: int, column: int, url: str, style: Style, string: str) -> int: ...
    def write_comment(
        self, row: int, column: int, text: str, options: Mapping[str, object]
    ) -> int: ...
    def set_column(self, first: int, last: int, width: int, style: Style) -> int: ...
    def freeze_panes(self, row: int, column: int) -> None: ...
    def autofilter(self, row: int, column: int, last_row: int, last_column: int) -> None: ...
    def data_validation(
        self, row: int, column: int, last_row: int, last_column: int, options: Mapping[str, object]
    ) -> int: ...


class Book(Protocol):
    def add_worksheet(self, name: str) -> Sheet: ...
    def add_format(self, properties: Mapping[str, object]) -> Style: ...
    def set_properties(self, properties: Mapping[str, object]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Looks:
    """How cells look. `must`: a value is demanded; `should`: it only warns."""

    text: Style
    head: Style
    must: Style
    should: Style
    title: Style
    link: Style


def open_book(path: Path, title: str, packs: Packs, lang: Lang) -> tuple[Book, Looks]:
    """A new workbook; `close` writes it."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

    book = cast(Book, Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}))
    comments = "; ".join(basis_lines(packs, lang))
    book.set_properties(
        {"title": title, "author": "spgl", "comments": comments, "created": _CREATED}
    )

    def look(**properties: object) -> Style:
        return book.add_format({"num_format": "@", "valign": "top", **properties})

    head: Mapping[str, object] = {"bold": True, "border": 1, "text_wrap": True}
    looks = Looks(
        text=look(text_wrap=True),
        head=look(**head, bg_color="#D9D9D9"),
        must=look(**head, bg_color="#F8CBAD"),
        should=look(**head, bg_color="#FFE699"),
        title=look(bold=True, font_size=14),
        link=look(font_color="#0563C1", underline=1),
    )
    return book, looks


def basis_lines(packs: Packs, lang: Lang) -> Sequence[str]:
    """What each pack rests on."""
    lines = []
    for pack in packs:
        official, fields = pack.official_fields
        words = {
            "zh": f"官方字段 {official} / {fields}",
            "en": f"official fields {official} of {fields}",
        }
        known = [] if pack.basis == "official" else [RECONSTRUCTED[lang]]
        lines.append(f"{pack.name} {pack.version}: {'; '.join([*known, words[lang]])}")
    return lines


def cell(text: str) -> str:
    """A text that any spreadsheet takes: no control characters, not too long."""
    kept = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return kept if len(kept) <= _CELL else kept[:_CELL] + "…"


def rows(sheet: Sheet, style: Style, start: int, lines: Sequence[Sequence[str]]) -> int:
    """Write lines of cells; returns the row after them."""
    for line in lines:
        for at, text in enumerate(line):
            if text:
                sheet.write_string(start, at, cell(text), style)
        start += 1
    return start
