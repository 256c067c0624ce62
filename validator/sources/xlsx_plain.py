"""Parts of a workbook in plain texts of whole rows or items, without a parser.

Only what spreadsheet programs write is plain; where anything else is met, `Odd` says so before that
text is handed out, and the caller lets a parser read. What stands before the rows is always checked
by one. What rows and items hold is not known here.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import polars as pl
from lxml import etree

from validator.sources.archive import DAMAGE, damaged
from validator.sources.source import MIB, Place
from validator.sources.xlsx_book import WIDEST, unescaped, unreadable

_PROLOG = (
    rb"\A(?:\xef\xbb\xbf)?\s*"
    rb'(?:<\?xml version="1.0"(?: encoding="utf-8")?(?: standalone="(?:yes|no)")?\s*\?>\s*)?'
)
#: What a parser would refuse, change or read in another way. Of each mark a character that is rare
#: is looked for first, which is far quicker.
_ODD_MARKS = ((b"!", b"<!"), (b"?", b"<?"), (b"]", b"]]>"))
_PREFIX = (b"x14ac:", b"x14ac:")
_FORBIDDEN = ("\ufffe", "\uffff")
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
    found = raw_pieces(box, member, shape, place)
    # The one prefix that rows carry; a parser refuses it undeclared.
    odd = _ODD_MARKS if b"xmlns:x14ac=" in next(found) else (*_ODD_MARKS, _PREFIX)
    for piece in found:
        yield _decoded(piece, odd)


def raw_pieces(box: zipfile.ZipFile, member: str, shape: Shape, place: Place) -> Iterator[bytes]:
    """What stands before the units, then these in pieces of whole units, not looked at. Raises as
    `pieces` does, Odd only for what stands before."""
    try:
        total = box.getinfo(member).file_size
        with box.open(member) as part:
            head, held = _opened(part, shape, place, member)
            yield head
            while True:
                place.meter.at(part.tell(), total)
                last = held.rfind(shape.unit)
                cut = last + len(shape.unit) if last >= 0 else 0
                end = held.find(shape.end, cut)
                if end >= 0:
                    yield held[:end]
                    return
                if cut:
                    yield held[:cut]
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


def _decoded(piece: bytes, odd: Sequence[tuple[bytes, bytes]]) -> str:
    codes = np.frombuffer(piece, np.uint8)
    controls = int(np.count_nonzero(codes < 32))
    if controls and controls != piece.count(b"\n") + piece.count(b"\t"):
        raise Odd
    if any(rare in piece and mark in piece for rare, mark in odd):
        raise Odd
    try:
        text = piece.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Odd from fault
    if any(f in text for f in _FORBIDDEN) or ("&" in text and _REFERENCE.search(text)):
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
