"""Proof with numpy that bytes are well-formed CSV records, window by window.

A window without quotes is clean when its delimiters number rows x (columns - 1): a short row would
need a long one to balance, and Polars, which parses the block afterwards, refuses long rows. In a
window with quotes, besides, each quote must open or close a whole cell. What is not proved is only
suspicious; the exact reading is `csv_records`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from validator.records import Ints
from validator.sources.csv_records import QUOTE, Shape
from validator.sources.parts import stepped

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
#: Windows of this size keep intermediate arrays near the processor; with smaller ones, calls cost
#: more than what they do.
_WINDOW = 1 << 20
#: Up to this share of bytes inside quotes, delimiters there are counted cell by cell.
_FEW = 1 / 8
#: Up to this many quotes in a window the marks leave out delimiters.
_SPARSE = 16_000
_NONE: Ints = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Proof:
    """`end`: where the first record that is not complete starts; `lines`: physical lines before
    it; `offsets[i]`: the line of record i, 0-based, None when each record is one line; `steps` as
    `parts.stepped` gives them; `hollow`: some quoted cell may be empty."""

    end: int
    lines: int
    offsets: Ints | None
    steps: Ints
    hollow: bool


@dataclass(frozen=True, slots=True)
class _Window:
    """Whole records up to the byte `end`; `ends`: the byte behind each, from the window's start."""

    end: int
    ends: Ints
    lines: int
    offsets: Ints | None = None
    hollow: bool = False

    @property
    def rows(self) -> int:
        return self.ends.size


def proof(data: bytes, shape: Shape) -> Proof | None:
    """The whole records that `data` starts with, None when any of them is suspicious (a long row
    that balances short ones is left for Polars to refuse).

    A single column has no delimiters to count, so it is always suspicious.
    """
    if shape.width == 1 or b"\0" in data:
        return None
    codes = np.frombuffer(data, np.uint8)
    windows: list[_Window] = []
    ends: list[Ints] = []
    start, size = 0, _WINDOW
    while start < len(data):
        stop = min(start + size, len(data))
        window = _window(data, codes, start, stop, shape)
        if window is None:
            return None
        if window.rows:
            windows.append(window)
            ends.append(window.ends + start)
            start = window.end
        elif stop - start > shape.limit:
            return None
        elif stop == len(data):
            break
        else:
            size *= 2
    steps = stepped(np.concatenate(ends)) if ends else _NONE
    hollow = any(w.hollow for w in windows)
    return Proof(start, sum(w.lines for w in windows), _offsets(windows), steps, hollow)


def _offsets(windows: list[_Window]) -> Ints | None:
    if all(w.offsets is None for w in windows):
        return None
    parts, before = [], 0
    for w in windows:
        parts.append(before + (np.arange(w.rows) if w.offsets is None else w.offsets))
        before += w.lines
    return np.concatenate(parts)


def _window(data: bytes, codes: Bytes, start: int, stop: int, shape: Shape) -> _Window | None:
    if data.find(QUOTE, start, stop) >= 0:
        return _quoted(data, codes, start, stop, shape)
    end = data.rfind(b"\n", start, stop) + 1
    if not end:
        return _Window(start, _NONE, 0)
    inside = codes[start:end]
    feeds: Ints = np.flatnonzero(inside == 10)
    if int(np.count_nonzero(inside == shape.delimiter[0])) != feeds.size * (shape.width - 1):
        return None
    if data.find(b"\r", start, end) >= 0 and _lone_returns(inside).size:
        return None
    if end - start > shape.limit and _longest(feeds) > shape.limit:
        return None
    return _Window(end, feeds + 1, feeds.size)


def _quoted(data: bytes, codes: Bytes, start: int, stop: int, shape: Shape) -> _Window | None:
    """Quotes and line feeds are marks; where the quotes so far are even, one stands outside."""
    inside, delimiter = codes[start:stop], shape.delimiter[0]
    is_quote = inside == 34
    dense = int(np.count_nonzero(is_quote)) > _SPARSE
    wanted = is_quote | (inside == 10)
    marks = np.flatnonzero(wanted | (inside == delimiter) if dense else wanted)
    kinds = inside[marks]
    quotes, feeds = kinds == 34, kinds == 10
    outside = (np.cumsum(quotes, dtype=np.uint8) & 1) == 0
    ends = np.flatnonzero(feeds & outside)
    if not ends.size:
        return _Window(start, _NONE, 0)
    whole, size = int(ends[-1]) + 1, int(marks[ends[-1]]) + 1
    marks, quotes, outside, feeds = marks[:whole], quotes[:whole], outside[:whole], feeds[:whole]
    opening, closing = quotes & ~outside, quotes & outside
    if dense:
        if not _adjacent(inside, marks, opening, closing):
            return None
        hollow = bool((opening[:-1] & closing[1:] & (np.diff(marks) == 1)).any())
        delimiters = int(np.count_nonzero(outside & ~(quotes | feeds)))
    else:
        starts, stops = marks[opening], marks[closing]
        if not _well_placed(inside, starts, stops, delimiter):
            return None
        hollow = bool((stops == starts + 1).any())
        hidden = _within(inside, starts, stops, delimiter)
        delimiters = int(np.count_nonzero(inside[:size] == delimiter)) - hidden
    if delimiters != ends.size * (shape.width - 1):
        return None
    if data.find(b"\r", start, start + size) >= 0:
        lone = np.searchsorted(marks, _lone_returns(inside[:size]))
        if outside[lone - 1].any() or (lone.size and lone[0] == 0):
            return None
    if size > shape.limit and _longest(marks[ends]) > shape.limit:
        return None
    lines = int(np.count_nonzero(feeds))
    offsets = None if lines == ends.size else _line_offsets(feeds, ends)
    return _Window(start + size, marks[ends] + 1, lines, offsets, hollow)


def _well_placed(inside: Bytes, starts: Ints, stops: Ints, delimiter: int) -> bool:
    """True when each quoted cell starts after a delimiter, a line end or at the very start, and
    ends before one. A quote next to a quote is an escaped quote."""
    if not starts.size:
        return True
    before, after = inside[starts - 1], inside[stops + 1]
    fine = (before == delimiter) | (before == 10) | (before == 34)
    fine[0] |= starts[0] == 0
    fine &= (after == delimiter) | (after == 10) | (after == 13) | (after == 34)
    return bool(fine.all())


def _within(inside: Bytes, starts: Ints, stops: Ints, delimiter: int) -> int:
    """Delimiters between each start and its stop."""
    lengths = stops - starts
    total = int(lengths.sum())
    if total > inside.size * _FEW:
        at = np.flatnonzero(inside == delimiter)
        return int((np.searchsorted(at, stops) - np.searchsorted(at, starts)).sum())
    shifts = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    return int(np.count_nonzero(inside[np.arange(total) + shifts] == delimiter))


def _adjacent(inside: Bytes, marks: Ints, opening: Flags, closing: Flags) -> bool:
    """The same where delimiters are marks too: a quote's neighbour must be the next mark, or the
    carriage return of a line end."""
    near = np.diff(marks) == 1
    if (opening[1:] & ~near).any() or (opening[0] and marks[0] != 0):
        return False
    loose = marks[:-1][closing[:-1] & ~near]
    return bool((inside[loose + 1] == 13).all())


def _line_offsets(feeds: Ints, ends: Ints) -> Ints:
    before: Ints = np.cumsum(feeds, dtype=np.int64)[ends[:-1]]
    return np.concatenate((np.zeros(1, np.int64), before))


def _lone_returns(codes: Bytes) -> Ints:
    """Positions of carriage returns that no line feed follows; `codes` ends with a line feed."""
    returns: Ints = np.flatnonzero(codes == 13)
    lone: Ints = returns[codes[returns + 1] != 10]
    return lone


def _longest(feeds: Ints) -> int:
    """Bytes of the longest record; a carriage return before its line feed is counted in."""
    return int(np.diff(feeds, prepend=-1).max()) - 1
