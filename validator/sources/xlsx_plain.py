"""Parts of a workbook in plain texts of whole rows or items, without a parser.

Only what spreadsheet programs write is plain; where anything else is met, `Odd` says so before that
text is handed out, and the caller lets a parser read. What stands before the rows is always checked
by one. What rows and items hold is not known here.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import IO

import polars as pl
from lxml import etree

from validator.frozen import dataclass
from validator.sources.archive import DAMAGE, damaged
from validator.sources.source import MIB, Place
from validator.sources.xlsx_book import WIDEST, unescaped, unreadable

_PROLOG = (
    rb"\A(?:\xef\xbb\xbf)?\s*"
    rb'(?:<\?xml version="1.0"(?: encoding="utf-8")?(?: standalone="(?:yes|no)")?\s*\?>\s*)?'
)
#: What a parser would refuse, change or read in another way.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n")
_ODD_PARTS = (b"<!", b"<?", b"]]>", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_REFERENCE = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")
_ENTITIES = ["&lt;", "&gt;", "&quot;", "&apos;", "&amp;"]
_CHARACTERS = ["<", ">", '"', "'", "&"]
#: Bytes read at once: columns pay from a few thousand rows on.
_READ = 4 * MIB


class Odd(Exception):  # noqa: N818 - no failure: a parser reads on
    """From here on a parser must read."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A part: what stands before its units, how a unit and all of them end."""

    head: re.Pattern[bytes]
    unit: bytes
    end: bytes


SHEET = Shape(
    re.compile(_PROLOG + rb"<worksheet[\s>][^\0]*?<sheetData>", re.I), b"</row>", b"</sheetData>"
)
STRINGS = Shape(re.compile(_PROLOG + rb"<sst(?:\s[^<>]*[^/<>])?>", re.I), b"</si>", b"</sst>")


def pieces(box: zipfile.ZipFile, member: str, shape: Shape, place: Place) -> Iterator[str]:
    """The units of a part in texts of whole units. Raises Odd, and SourceError as
    `xlsx_book.elements` does."""
    try:
        total = box.getinfo(member).file_size
        with box.open(member) as part:
            head, held = _opened(part, shape, place, member)
            # The one prefix that rows carry; a parser refuses it undeclared.
            odd = _ODD_PARTS if b"xmlns:x14ac=" in head else (*_ODD_PARTS, b"x14ac:")
            while True:
                place.meter.at(part.tell(), total)
                end = held.find(shape.end)
                if end >= 0:
                    yield _decoded(held[:end], odd)
                    return
                cut = held.rfind(shape.unit) + len(shape.unit)
                if cut >= len(shape.unit):
                    yield _decoded(held[:cut], odd)
                    held = held[cut:]
                elif len(held) > WIDEST:
                    raise unreadable(place, member)
                more = part.read(_READ)
                if not more:
                    raise unreadable(place, member)
                held += more
    except KeyError as fault:
        raise unreadable(place, member) from fault
    except DAMAGE as fault:
        raise damaged(place, member) from fault


def _opened(part: IO[bytes], shape: Shape, place: Place, member: str) -> tuple[bytes, bytes]:
    """The head, which a parser has checked, and what was read behind it."""
    held = part.read(_READ)
    found = shape.head.match(held)
    if found is None or b"<!" in found.group():
        raise Odd
    parser = etree.XMLPullParser(("start",), resolve_entities=False, no_network=True)
    try:
        parser.feed(found.group())
    except etree.XMLSyntaxError as fault:
        raise unreadable(place, member) from fault
    return found.group(), held[found.end() :]


def _decoded(piece: bytes, odd: tuple[bytes, ...]) -> str:
    if len(piece.translate(None, _CONTROLS)) < len(piece) or any(p in piece for p in odd):
        raise Odd
    try:
        text = piece.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Odd from fault
    if "&" in text and _REFERENCE.search(text):
        raise Odd
    return text


def unquoted(cells: pl.Series) -> pl.Series:
    """References of characters as the characters."""
    if not cells.str.contains("&", literal=True).any():
        return cells
    name = cells.name
    return cells.to_frame().select(pl.col(name).str.replace_many(_ENTITIES, _CHARACTERS))[name]


def plain_texts(values: pl.Series) -> pl.Series:
    """`_x000D_` and its like as the characters they stand for."""
    if not values.str.contains("_x", literal=True).any():
        return values
    texts = [None if value is None else unescaped(value) for value in values]
    return pl.Series(values.name, texts, dtype=pl.String)
