"""Records of one table element: child elements are records, their children are fields.

`<FIELD>text</FIELD>` and `<field name="FIELD">text</field>`; an empty element and `xsi:nil` are
null. A record is taken from the parser's tree once the next one begins, so one is held at a time.
Windows of plain records do not go through the parser (`xml_plain`).
Nothing is judged here.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import quoteattr

import numpy as np
import polars as pl
from lxml import etree

from validator.records import SourceError, Unreadable
from validator.sources.columns import Keys
from validator.sources.parts import STEP, Part
from validator.sources.reasons import TOO_LONG, TWICE
from validator.sources.source import Place
from validator.sources.xml_feed import (
    ANYWHERE,
    Cursor,
    Level,
    fed,
    local_name,
    parser,
    refuse_dtd,
    written_name,
)
from validator.sources.xml_plain import Plain
from validator.text import Text

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
#: Text beside the fields of a record, or elements inside a field.
_MIXED = etree.XPath("boolean(text()[normalize-space()] | */*)")
#: Neither of these, and no attribute of a field.
_PLAIN = etree.XPath("not(text()[normalize-space()] | */* | */@*)")
#: Neither of these, and of fields with a text no attribute but a name.
_NAMED = etree.XPath("not(text()[normalize-space()] | */* | */@*[name() != 'name' and ../text()])")
#: Layouts that are remembered; exports have one or two.
_LAYOUTS = 64
_ROWS = 2000
#: Bytes of plain records that are read at once.
_WINDOW = 1 << 21
_EXCERPT = 80
#: The element around what is read by itself; the parser tells nothing of one of less than 5 bytes.
AROUND = "around"


@dataclass(frozen=True, slots=True)
class Region:
    """A table element: its tag, the UTF-8 byte offset and line where it starts (0 and 1 when it is
    the document, `root`), and the prefixes that are declared there."""

    tag: str
    offset: int
    line: int
    root: bool
    spaces: tuple[tuple[str | None, str], ...] = ()


@dataclass(slots=True)
class Known:
    """What reading learns about the records of a table: the tags of plain ones, and the names of
    all as they are written."""

    plain: Plain
    names: dict[bytes, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Open:
    """A record whose element has begun, at this byte offset and line; `sure`: its name made a piece
    begin there, so that no tag inside a comment or another element was taken for it."""

    element: etree._Element
    offset: int
    line: int
    sure: bool


@dataclass(slots=True)
class _Gathered:
    """Records since the last part. `starts`: the offset of every `STEP`th one, `end`: the one
    behind them all; `sure`: these are known."""

    rows: list[dict[str, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    records: int = 0
    starts: list[int] = field(default_factory=list)
    end: int = 0
    sure: bool = True


@dataclass(slots=True)
class _Table:
    """The table element while it is read, and the records of it that are not taken yet. `spent` was
    taken and stays in the tree until the next one begins, for the parser still writes behind it.
    Windows that begin before the offset `odd` are not plain."""

    known: Known
    level: Level = field(default_factory=Level)
    spent: etree._Element | None = None
    odd: int = 0
    element: etree._Element | None = None
    ended: bool = False
    cut: re.Pattern[bytes] = ANYWHERE
    open: list[_Open] = field(default_factory=list)
    layouts: dict[tuple[object, ...], list[str | None]] = field(default_factory=dict)


def parts(
    cursor: Cursor, region: Region, keys: Keys, limit: int, known: Known
) -> Generator[Part, None, None]:
    """The records of a table; `cursor` starts at `region`; `known` from an earlier reading or new.
    Raises SourceError: not well-formed, cut short, entities, a record far larger than `limit`
    bytes."""
    reader, table, gathered = parser(region.tag), _Table(known), _Gathered()
    before = region.line - 1
    if not region.root:
        reader.feed(opening(region))
    failure: SourceError | None = None
    while not table.ended or region.root:
        window = _window(cursor, table)
        part = known.plain.read(window, cursor.line, limit) if window else None
        if part is not None:
            start = cursor.offset
            _take(table, gathered, keys, limit, start, last=True)
            cursor.take(window)
            before += window.count(b"\n")
            if gathered.records:
                yield _part(gathered, keys)
                gathered = _Gathered()
            yield replace(part, start=start)
            continue
        table.odd = max(table.odd, cursor.offset + len(window))
        offset, line, began = cursor.offset, cursor.line, table.element is not None
        piece = cursor.piece(table.cut)
        try:
            _notice(fed(reader, piece, keys.place, before), table, region, keys.place)
        except SourceError as raised:
            failure = raised
            break
        if not piece:
            break
        if began:
            table.level.fed(piece)
        _begin(table, piece, offset, line)
        # The end tag of the table begins a piece.
        _take(
            table, gathered, keys, limit, offset if table.ended else cursor.offset, last=table.ended
        )
        if gathered.records >= _ROWS:
            yield _part(gathered, keys)
            gathered = _Gathered()
    if gathered.records:
        yield _part(gathered, keys)
    if failure is not None:
        raise failure


def _window(cursor: Cursor, table: _Table) -> bytes:
    """Bytes from here on that may be plain records; empty where that is not worth a look, or the
    parser does not stand between two records."""
    mark = table.known.plain.mark
    if not mark or table.ended or not table.level.sure or cursor.offset < table.odd:
        return b""
    return cursor.window(mark, _WINDOW)


def opening(region: Region) -> bytes:
    """The start tag of an element that declares the prefixes of a region."""
    spaces = "".join(
        f" xmlns{':' + prefix if prefix else ''}={quoteattr(uri)}" for prefix, uri in region.spaces
    )
    return f"<{AROUND}{spaces}>".encode()


def _notice(
    happened: Iterable[tuple[str, etree._Element]], table: _Table, region: Region, place: Place
) -> None:
    """Find the table element among what was parsed, and its end."""
    for action, element in happened:
        if table.element is None:
            table.element = element
            table.level = Level(sure=True)
            table.cut = _cut(table)
            if region.root:
                refuse_dtd(element, place)
        elif action == "end" and element is table.element:
            table.ended = True


def _begin(table: _Table, piece: bytes, offset: int, line: int) -> None:
    """Note the records that begin in a piece. A piece begins where one of a known name does; the
    first one of a new name is looked for inside."""
    if table.element is None:
        return
    at, held = 0, len(table.open) + (table.spent is not None)
    for element in list(table.element)[held:]:
        name = written_name(element)
        found = re.compile(rb"<" + re.escape(name) + rb"[\s/>]").search(piece, at)
        at = found.start() if found else at
        certain = name in table.known.names or not table.known.names
        sure = certain and found is not None and not at
        table.open.append(_Open(element, offset + at, line + piece.count(b"\n", 0, at), sure))
        at += 1
        if name not in table.known.names:
            table.known.names[name] = None
            table.cut = _cut(table)


def _cut(table: _Table) -> re.Pattern[bytes]:
    """Where pieces begin: at records of a known name and at the end of the table."""
    if table.element is None or not table.known.names:
        return ANYWHERE
    end = b"/" + written_name(table.element)
    names = b"|".join(re.escape(n) for n in (*table.known.names, end))
    return re.compile(rb"<(?=(?:" + names + rb")[\s/>])")


def _take(
    table: _Table, gathered: _Gathered, keys: Keys, limit: int, offset: int, *, last: bool
) -> None:
    """Take the records that are complete: all but the last one, and that too where `last` says."""
    while len(table.open) > 1 or (last and table.open):
        record = table.open.pop(0)
        end = table.open[0].offset if table.open else offset
        result = TOO_LONG if end - record.offset > limit else _read(record.element, table, keys)
        if gathered.records % STEP == 0:
            gathered.starts.append(record.offset)
        gathered.end, gathered.sure = end, gathered.sure and record.sure
        gathered.records += 1
        if isinstance(result, Text):
            value = "".join(map(str, record.element.itertext())).strip()[:_EXCERPT]
            gathered.unreadable.append(Unreadable(gathered.records, record.line, result, value))
        else:
            gathered.rows.append(result)
            gathered.lines.append(record.line)
            gathered.positions.append(gathered.records - 1)
        _drop(table.spent)
        table.spent = record.element
    if table.open:
        _drop(table.spent)
        table.spent = None
    if table.open and offset - table.open[0].offset > 4 * limit:
        line = table.open[0].line
        raise keys.place.refuse(
            f"第 {line} 行开始的记录远超 max_record 上限；请检查是否缺少结束标签",
            f"the record that starts on line {line} is far larger than max_record;"
            " look for a lost end tag",
        )


def _drop(element: etree._Element | None) -> None:
    """Take an element out of the tree."""
    parent = None if element is None else element.getparent()
    if element is not None and parent is not None:
        parent.remove(element)


def _read(record: etree._Element, table: _Table, keys: Keys) -> dict[str, str] | Text:
    """What `_cells` says; a record whose elements were seen in this order before is read by what
    they meant then, if it is plain or its fields have names."""
    plain = _PLAIN(record)
    if not plain and not _NAMED(record):
        return _cells(record, keys)
    children = list(record)
    tags = tuple([c.tag if plain else (c.tag, c.get("name")) for c in children])
    layout = table.layouts.get(tags)
    if layout is None:
        result = _cells(record, keys)
        if not isinstance(result, Text) and len(table.layouts) < _LAYOUTS:
            names = [_name(child) for child in children]
            table.layouts[tags] = [keys.match(name).field for name in names]
            if plain and all(element.prefix is None for element in (record, *children)):
                known = table.known.plain
                known.learn(local_name(record), names, lambda n: keys.match(n).field or n)
        return result
    return {
        name: text
        for name, child in zip(layout, children, strict=True)
        if name is not None and (text := child.text)
    }


def _cells(record: etree._Element, keys: Keys) -> dict[str, str] | Text:
    """Text by field, or why the record cannot be read."""
    if _MIXED(record):
        return _NESTED
    cells: dict[str, str] = {}
    first: dict[str, str] = {}
    names: list[str] = []
    for child in record:
        name = _name(child)
        names.append(name)
        matched = keys.match(name).field
        identity = matched or name
        if identity in first:
            return TWICE.fill({"first": first[identity], "second": name})
        first[identity] = name
        text = child.text
        if matched is not None and text and child.get(_NIL) not in ("true", "1"):
            cells[matched] = text
    keys.note(names)
    return cells


def _name(element: etree._Element) -> str:
    """What names a field."""
    tag = local_name(element)
    return (element.get("name") or tag) if tag == "field" else tag


def _part(gathered: _Gathered, keys: Keys) -> Part:
    fields = [f.name for f in keys.table.fields]
    columns = {name: [row.get(name) for row in gathered.rows] for name in fields}
    starts = np.array(gathered.starts, np.int64)
    return Part(
        pl.DataFrame(columns, schema=dict.fromkeys(fields, pl.String)),
        gathered.records,
        np.array(gathered.lines, np.int64),
        np.array(gathered.positions, np.int64),
        unreadable=tuple(gathered.unreadable),
        start=gathered.starts[0] if gathered.sure else None,
        size=gathered.end - gathered.starts[0],
        steps=starts - starts[0],
    )


_NESTED = Text(
    "字段之外有文本，或字段内含有元素；字段的值应为纯文本",
    "holds text beside its fields or elements inside a field; values must be plain text",
)
