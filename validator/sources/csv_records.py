"""The exact, record by record reading of CSV structure (RFC 4180, LF or CRLF).

It decides what one record is, which ones cannot be read and where reading goes on: on the physical
line after the one on which an unreadable record began. It splits no good record into cells; that is
left to Polars. Slow by design; `csv_blocks` comes here only for suspicious blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from validator.records import Unreadable
from validator.sources.reasons import NUL, TOO_LONG, UNDECODABLE
from validator.text import Text

QUOTE = b'"'
_QUOTED = rb'"[^"]*+(?:""[^"]*+)*+"'
_EXCERPT = 80


@dataclass(slots=True)
class Scan:
    """What was read of some bytes. `end` is where the next record starts, `lines` are the physical
    lines before it; `skipping` says that the rest of the line at `end` belongs to a record that is
    already reported. Lines are 0-based here, relative to the start of the bytes."""

    bodies: list[bytes] = field(default_factory=list)
    lines_of: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    records: int = 0
    end: int = 0
    lines: int = 0
    skipping: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What a record must look like: `width` cells between `delimiter`s, at most `limit` bytes
    without the line end."""

    delimiter: bytes
    width: int
    limit: int


@cache
def _cell(delimiter: bytes) -> re.Pattern[bytes]:
    """A cell and what ends it."""
    return re.compile(_cell_body(delimiter) + rb"(?:" + re.escape(delimiter) + rb"|\Z)")


@cache
def _record(delimiter: bytes) -> re.Pattern[bytes]:
    """A whole record before its line end."""
    cell = _cell_body(delimiter)
    return re.compile(cell + rb"(?:" + re.escape(delimiter) + cell + rb")*+(?=\r?\n)")


@cache
def _open_record(delimiter: bytes) -> re.Pattern[bytes]:
    """A record that more bytes may complete."""
    cell = _cell_body(delimiter) + re.escape(delimiter)
    opened = rb'"[^"]*+(?:""[^"]*+)*+(?:"\r?)?'
    return re.compile(
        rb"(?:" + cell + rb")*+(?:" + opened + rb"|" + _plain_body(delimiter) + rb"\r?)\Z"
    )


def _cell_body(delimiter: bytes) -> bytes:
    return rb"(?:" + _QUOTED + rb"|" + _plain_body(delimiter) + rb")"


def _plain_body(delimiter: bytes) -> bytes:
    return rb'[^"\r\n' + re.escape(delimiter) + rb"]*+"


def first_record(data: bytes, *, final: bool) -> int | None:
    """Length of the first record with its line end; None while it is not complete.

    A record with stray quotes ends with its first physical line.
    """
    newline = data.find(b"\n")
    if newline < 0:
        return len(data) if final else None
    if QUOTE not in data[:newline]:
        return newline + 1
    whole = _record(b",").match(data)
    if whole is not None:
        return data.index(b"\n", whole.end()) + 1
    if not final and _open_record(b",").match(data):
        return None
    return newline + 1


def cells(text: bytes, delimiter: bytes) -> list[str] | None:
    """The cells of one record without its line end; None when its quotes are stray."""
    found, position, pattern = [], 0, _cell(delimiter)
    while True:
        cell = pattern.match(text, position)
        if cell is None:
            return None
        raw = cell.group().removesuffix(delimiter)
        if raw.startswith(QUOTE):
            raw = raw[1:-1].replace(b'""', QUOTE)
        found.append(raw.decode("utf-8", "replace"))
        if cell.end() == len(text) and not cell.group().endswith(delimiter):
            return found
        position = cell.end()


def scan(data: bytes, shape: Shape, *, final: bool) -> Scan:
    """Read records from the start of a record on. With `final` nothing follows `data`, which must
    end with a newline."""
    result, limit = Scan(), shape.limit
    while (start := result.end) < len(data):
        newline = data.find(b"\n", start)
        if (newline if newline >= 0 else len(data)) - start > limit + 1:
            _refuse(result, data, newline, TOO_LONG, limit)
            continue
        if newline < 0:
            break
        stop = newline
        if data.find(QUOTE, start, newline) >= 0:
            # Never look further than the largest record: what is found must not depend on how
            # much of the file happens to be in memory.
            window = min(len(data), start + limit + 2)
            whole = _record(shape.delimiter).match(data, start, window)
            if whole is None:
                is_open = _open_record(shape.delimiter).match(data, start, window) is not None
                if is_open and not final and window == len(data):
                    break
                _refuse(result, data, newline, _OPEN if is_open else _STRAY_QUOTE, limit)
                continue
            stop = whole.end()
            newline = data.index(b"\n", stop)
        _take(result, data, stop, newline, shape)
    return result


def _take(result: Scan, data: bytes, stop: int, newline: int, shape: Shape) -> None:
    """A record with its end found: keep it, or say why it cannot be read; blank lines are none."""
    body = data[result.end : stop].removesuffix(b"\r")
    lines = data.count(b"\n", result.end, newline + 1)
    if body:
        reason = _fault(body, shape)
        if reason is None:
            result.bodies.append(body)
            result.lines_of.append(result.lines)
            result.positions.append(result.records)
        else:
            _report(result, body[: shape.limit], reason)
        result.records += 1
    result.end, result.lines = newline + 1, result.lines + lines


def _refuse(result: Scan, data: bytes, newline: int, reason: Text, limit: int) -> None:
    """Report the record that starts here and go on with the next physical line."""
    stop = newline if newline >= 0 else len(data)
    _report(result, data[result.end : min(stop, result.end + limit)], reason)
    result.records += 1
    result.end = min(stop + 1, len(data))
    result.lines += newline >= 0
    result.skipping = newline < 0


def _report(result: Scan, body: bytes, reason: Text) -> None:
    value = body[: 4 * _EXCERPT].decode("utf-8", "replace").strip()[:_EXCERPT]
    result.unreadable.append(Unreadable(result.records + 1, result.lines, reason, value))


def _fault(body: bytes, shape: Shape) -> Text | None:
    if len(body) > shape.limit:
        return TOO_LONG
    outside = re.sub(_QUOTED, b"", body) if QUOTE in body else body
    if b"\r" in outside:
        return _LONE_CR
    if b"\0" in body:
        return NUL
    found = outside.count(shape.delimiter) + 1
    if found != shape.width:
        return _RAGGED.fill({"found": found, "width": shape.width})
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return UNDECODABLE
    return None


_OPEN = Text("引号没有闭合；请补上结束引号", "a quote is never closed; add the closing quote")
_STRAY_QUOTE = Text(
    "引号位置不合 RFC 4180；请给整个单元格加引号，并把其中的引号写成两个",
    "a quote stands where RFC 4180 allows none; quote the whole cell and double quotes inside it",
)
_LONE_CR = Text(
    "引号之外有单独的回车（CR）；请给该单元格加引号，或改用 LF、CRLF 换行",
    "a lone carriage return outside quotes; quote the cell or end lines with LF or CRLF",
)
_RAGGED = Text(
    "该行有 {found} 列，表头有 {width} 列；请补齐或删除多余的分隔符",
    "the row has {found} columns, the header {width}; add or remove delimiters",
)
