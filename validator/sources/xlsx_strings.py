"""The shared texts of a workbook, in columns where they are plain, else by a parser."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import polars as pl
from lxml import etree

from validator.sources.source import Place
from validator.sources.xlsx_book import Book, elements, text_of
from validator.sources.xlsx_plain import STRINGS, Odd, pieces, plain_texts, unquoted

_ITEM = r'^<t(?: xml:space="preserve")?>([^<]*)</t></si>\s*$'


def shared_strings(box: zipfile.ZipFile, book: Book, place: Place) -> pl.Series:
    """The texts that cells point to, in order. Raises SourceError as `elements` does."""
    member = book.strings_member
    if member is None or member not in box.namelist():
        return pl.Series([], dtype=pl.String)
    try:
        return pl.concat([pl.Series([], dtype=pl.String), *_plain(box, member, place)])
    except Odd:
        found = [text_of(e) for e in elements(box, member, ("si",), place)]
        return pl.Series(found, dtype=pl.String)


def _plain(box: zipfile.ZipFile, member: str, place: Place) -> Iterator[pl.Series]:
    for text in pieces(box, member, STRINGS, place):
        before, begun, items = text.partition("<si>")
        if before.strip():
            raise Odd
        if begun:
            yield _texts(pl.Series([items]).str.split("<si>").explode())


def _texts(items: pl.Series) -> pl.Series:
    """The texts of items from behind their start tag on."""
    found = items.str.extract(_ITEM)
    rich = found.is_null().arg_true()
    found = plain_texts(unquoted(found)) if len(rich) < len(items) else found
    if len(rich):
        found = found.scatter(rich, pl.Series([_rich(i) for i in items.gather(rich)]))
    return found


def _rich(item: str) -> str:
    """The text of an item with runs."""
    reader = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        return text_of(etree.fromstring(f"<si>{item.strip()}", reader))
    except etree.XMLSyntaxError as fault:
        raise Odd from fault
