"""A sheet of a workbook rewritten as a stream: some cells get another style, a few are added.

Only the start tags of marked cells change; every other byte is passed through, so that whatever the
sheet holds stays as it was. One row is in memory at a time. A part in an unusual form (not UTF-8,
with comments or CDATA) is refused rather than guessed at.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from validator.marking.marks import Cell, Row
from validator.sources.xlsx_book import WIDEST
from validator.violation import Severity

_CHUNK = 1 << 20
#: Bytes of one row, of what precedes the rows, and of what follows them (merged cells, links).
_WIDEST = 4 * WIDEST
_AFTER_NAME = (b" ", b">", b"/", b"\t", b"\n", b"\r")
_NAME = rb"(?:[A-Za-z_][\w.-]*:)?"
_ENCODING = re.compile(rb"<\?xml[^>]*encoding=[\"']([^\"']+)[\"']")
_SHEET_DATA = re.compile(rb"<(" + _NAME + rb")sheetData(?=[\s/>])[^>]*?(/?)>")
_SELECTED = re.compile(rb"(<" + _NAME + rb"sheetView\b[^>]*?)\s+tabSelected=[\"'](?:1|true)[\"']")
_COLUMN = re.compile(rb"<" + _NAME + rb"col\s([^>]*)>")
_ATTRIBUTE = re.compile(rb"\s([\w:]+)=[\"']([^\"']*)[\"']")
_TAG = re.compile(rb"<(/?)(" + _NAME + rb")([A-Za-z]\w*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")
#: What stands after the legacy drawing in a worksheet (ECMA-376, CT_Worksheet).
_LATER = frozenset(
    b"legacyDrawingHF drawingHF picture oleObjects controls webPublishItems tableParts"
    b" extLst".split()
)


class UnusualPartError(Exception):
    """The part is well-formed perhaps, but not in the form that is rewritten here."""


@dataclass(frozen=True, slots=True)
class Note:
    """A comment to be: 1-based row, 0-based column, text."""

    row: int
    column: int
    cell: Cell


@dataclass(slots=True)
class Pencil:
    """How cells are marked: `style(base, severity)` gives the number of a style; the first `limit`
    cells get a comment. `marked` counts cells."""

    style: Callable[[int, Severity], int]
    limit: int
    notes: list[Note] = field(default_factory=list)
    marked: int = 0

    def mark(self, row: int, column: int, cell: Cell, base: int) -> bytes:
        """The number of the style that a cell gets."""
        self.marked += 1
        if cell.told and len(self.notes) < self.limit:
            self.notes.append(Note(row, column, cell))
        return b"%d" % self.style(base, cell.severity)


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the comments of a sheet are attached to it. `needed` is called after the rows with the
    relation id of the drawing that the sheet has (None: none) and answers the id it must have
    (None: there are no comments); `namespace` is that of relations."""

    needed: Callable[[str | None], str | None]
    namespace: str


def rewrite(
    source: IO[bytes],
    out: IO[bytes],
    rows: Iterator[Row],
    pencil: Pencil,
    drawing: Drawing,
    *,
    first: bool,
) -> None:
    """Copy a sheet part, marking `rows` (in ascending order).

    Unless `first` the sheet is no longer the one that is shown first. Raises UnusualPartError.
    """
    feed = _Feed(source)
    try:
        head, prefix, empty = _head(feed)
        if not first:
            head = _SELECTED.sub(rb"\1", head)
        out.write(head)
        if not empty:
            _rows(feed, out, _Table(prefix, _column_styles(head), pencil), rows)
        out.write(_with_drawing(feed.rest(), prefix, drawing))
    except ValueError as fault:
        raise UnusualPartError from fault


def unselected(source: IO[bytes], out: IO[bytes]) -> None:
    """Copy a sheet part that has no marks, no longer the one that is shown first: two selected
    sheets would be edited together."""
    out.write(_SELECTED.sub(rb"\1", source.read(_CHUNK)))
    shutil.copyfileobj(source, out, _CHUNK)


class _Feed:
    """Bytes of a part: a window that grows on demand. `done` is where passing on begins, `at` where
    searching goes on; both move when the window does."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.buffer = b""
        self.done = 0
        self.at = 0

    def more(self) -> bool:
        """Read on; False at the end. Raises UnusualPartError for markup that is not rewritten."""
        chunk = self._source.read(_CHUNK)
        # Two bytes may be split between chunks.
        if b"<!" in self.buffer[-1:] + chunk or len(self.buffer) - self.done > _WIDEST:
            raise UnusualPartError
        self.buffer = self.buffer[self.done :] + chunk
        self.at -= self.done
        self.done = 0
        return bool(chunk)

    def passed(self, end: int) -> bytes:
        """What is to be passed on up to `end`."""
        gone = self.buffer[self.done : end]
        self.done = self.at = end
        return gone

    def rest(self) -> bytes:
        while self.more():
            pass
        return self.passed(len(self.buffer))


def _head(feed: _Feed) -> tuple[bytes, bytes, bool]:
    """Everything up to the rows, the prefix of the names, and whether there are no rows."""
    while not (found := _SHEET_DATA.search(feed.buffer)):
        if not feed.more():
            raise UnusualPartError
    encoding = _ENCODING.match(feed.buffer.removeprefix(b"\xef\xbb\xbf"))
    if encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii"):
        raise UnusualPartError
    return feed.passed(found.end()), found[1], bool(found[2])


def _column_styles(head: bytes) -> list[tuple[int, int, int]]:
    """(first, last, style) of the columns that have a style of their own; 0-based."""
    found = []
    for tag in _COLUMN.finditer(head):
        of = dict(_ATTRIBUTE.findall(b" " + tag[1]))
        if b"style" in of:
            found.append(
                (int(of.get(b"min", 1)) - 1, int(of.get(b"max", 1)) - 1, int(of[b"style"]))
            )
    return found


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a sheet: names, styles of columns, how to mark."""

    prefix: bytes
    columns: list[tuple[int, int, int]]
    pencil: Pencil

    def base(self, row: Mapping[bytes, bytes], column: int) -> int:
        """The style of a cell that is not there: that of its row, else of its column."""
        if row.get(b"customFormat") in (b"1", b"true"):
            return int(row.get(b"s", 0))
        return next((s for first, last, s in self.columns if first <= column <= last), 0)


def _rows(feed: _Feed, out: IO[bytes], table: _Table, rows: Iterator[Row]) -> None:
    """Pass the rows on, the end tag of the sheet data included."""
    close = b"</" + table.prefix + b"sheetData>"
    wanted, number = next(rows, None), 0
    while True:
        tag = _row_tag(feed, table.prefix) if wanted is not None else None
        if tag is None:
            end = feed.buffer.find(close, feed.at)
            if end >= 0:
                out.write(feed.passed(end + len(close)))
                return
            out.write(feed.passed(max(feed.buffer.rfind(b"<"), feed.done)))
            if not feed.more():
                raise UnusualPartError
            continue
        begin, stop = tag
        attributes = dict(_ATTRIBUTE.findall(feed.buffer[begin:stop]))
        number = int(attributes.get(b"r", number + 1))
        while wanted is not None and wanted[0] < number:
            wanted = next(rows, None)
        feed.at = stop
        if wanted is not None and wanted[0] == number:
            out.write(feed.passed(begin))
            row = _whole_row(feed, stop - begin, table.prefix)
            out.write(_marked_row(row, attributes, number, wanted[1], table))


def _row_tag(feed: _Feed, prefix: bytes) -> tuple[int, int] | None:
    """Where the next start tag of a row begins and ends; None where the window holds none."""
    start = b"<" + prefix + b"row"
    found = feed.buffer.find(start, feed.at)
    if found < 0 or feed.buffer[found + len(start) : found + len(start) + 1] not in _AFTER_NAME:
        return None
    stop = feed.buffer.find(b">", found)
    return (found, stop + 1) if stop >= 0 else None


def _whole_row(feed: _Feed, tag: int, prefix: bytes) -> bytes:
    """The row that begins where passing on begins; its start tag takes `tag` bytes."""
    stop = feed.done + tag
    if feed.buffer[stop - 2 : stop] != b"/>":
        close = b"</" + prefix + b"row>"
        while (found := feed.buffer.find(close, feed.done)) < 0:
            if not feed.more():
                raise UnusualPartError
        stop = found + len(close)
    return feed.passed(stop)


def _marked_row(
    row: bytes,
    attributes: Mapping[bytes, bytes],
    number: int,
    cells: Mapping[int, Cell],
    table: _Table,
) -> bytes:
    name = table.prefix + b"c"
    cell_tag = re.compile(rb"<" + re.escape(name) + rb"(?=[\s/>])([^>]*?)(/?)>")
    close = b"</" + table.prefix + b"row>"
    if row.endswith(b"/>"):
        row = row[:-2] + b">" + close
    waiting = sorted(cells)
    parts, done, column = list[bytes](), 0, -1

    def add_before(limit: int) -> Iterator[bytes]:
        while waiting and waiting[0] < limit:
            at = waiting.pop(0)
            style = table.pencil.mark(number, at, cells[at], table.base(attributes, at))
            yield b'<%s r="%s" s="%s"/>' % (name, reference(number, at).encode(), style)

    for found in cell_tag.finditer(row):
        of = dict(_ATTRIBUTE.findall(found[1]))
        column = column_of(of[b"r"]) if b"r" in of else column + 1
        parts.append(row[done : found.start()])
        parts += add_before(column)
        done = found.start()
        if waiting and waiting[0] == column:
            at = waiting.pop(0)
            style = table.pencil.mark(number, at, cells[at], int(of.get(b"s", 0)))
            rest = re.sub(rb"\ss=[\"'][^\"']*[\"']", b"", found[1])
            parts.append(b"<" + name + rest + b' s="' + style + b'"' + found[2] + b">")
            done = found.end()
    parts.append(row[done : -len(close)])
    parts += add_before(1 << 20)
    return b"".join([*parts, close])


def column_of(reference: bytes) -> int:
    """`B7` is 1."""
    at = 0
    for letter in reference.rstrip(b"0123456789"):
        at = at * 26 + letter - 64
    return at - 1


def reference(row: int, column: int) -> str:
    """Row 7 and column 1 are `B7`."""
    letters, left = "", column + 1
    while left:
        left, letter = divmod(left - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row}"


def _with_drawing(tail: bytes, prefix: bytes, drawing: Drawing) -> bytes:
    """What follows the rows, with the drawing of the comments in its place."""
    has, place = _places(tail)
    needed = drawing.needed(has)
    if needed is None or has is not None:
        return tail
    tag = f'legacyDrawing xmlns:r="{drawing.namespace}" r:id="{needed}"/>'
    return tail[:place] + b"<" + prefix + tag.encode() + tail[place:]


def _places(tail: bytes) -> tuple[str | None, int]:
    """Relation id of the legacy drawing, and where one belongs."""
    depth, place, outer = 0, -1, (b"", 0)
    for tag in _TAG.finditer(tail):
        closing, _, name, attributes, bare = tag.groups()
        if closing:
            depth -= 1
            if depth < 0:
                return None, tag.start() if place < 0 else place
            continue
        if depth == 0:
            outer = name, tag.start()
            if name == b"legacyDrawing":
                found = dict(_ATTRIBUTE.findall(attributes))
                return next(v.decode() for k, v in found.items() if k.endswith(b":id")), 0
        here = depth == 0 or (outer[0] == b"AlternateContent" and name != b"extLst")
        if place < 0 and here and name in _LATER:
            place = outer[1]
        depth += not bare
    raise UnusualPartError
