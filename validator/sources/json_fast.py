"""Many JSON records at once: numpy finds keys and native values, Polars parses the strings.

It takes only lines it can prove to read as `json_exact` would: flat objects without escaped quotes,
NUL, surrogates or a field twice. Native values get quotes before parsing, so that their lexeme
survives. Lines it does not take are named, never judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.records import Column, Ints
from validator.sources.json_exact import Match
from validator.sources.json_keys import Bytes, numbered

Flags = npt.NDArray[np.bool_]

_NATIVE = r"^(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false)$"
_LONGEST_KEY = 64
#: Blanks in a row that are skipped at most; longer runs are read exactly.
_BLANKS = 64
_PADDING = 128
#: Bytes looked at with numpy at once; bounds the intermediate arrays.
_WINDOW = 1 << 20


@dataclass(frozen=True, slots=True)
class Fast:
    """Records parsed: a frame of all fields, native flags by field, keys as they appeared."""

    frame: pl.DataFrame
    native: Mapping[str, pl.Series]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Members:
    """All members of some lines: its line, the number of its key, the first byte of its value."""

    line: Ints
    key: Ints
    value: Ints
    native: Flags
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Window:
    """Lines ready to be parsed: native values quoted, and where these are; `has_empty`: there may
    be empty texts."""

    data: bytes
    lines: int
    columns: tuple[Column, ...]
    native_line: Ints
    native_column: Ints
    has_empty: bool


def parse(data: bytes, fields: Sequence[str], match: Match, limit: int) -> Fast | Flags:
    """Parse all lines of `data` (which ends with a line feed). When some of them must be read
    exactly, nothing is parsed and they come back as flags; without them, others may still turn out
    to be of that kind. `limit`: largest record in bytes."""
    windows = [_prepared(window, match, limit) for window in _windows(data)]
    if not all(isinstance(w, _Window) for w in windows):
        return np.concatenate(
            [np.zeros(w.lines, np.bool_) if isinstance(w, _Window) else w for w in windows]
        )
    ready = [w for w in windows if isinstance(w, _Window)]
    lines = sum(w.lines for w in ready)
    columns = list({c.header: c for w in ready for c in w.columns}.values())
    schema = {c.header: pl.String for c in columns if c.field is not None} or {"": pl.String}
    try:
        frame = pl.read_ndjson(b"".join(w.data for w in ready), schema=schema)
    except pl.exceptions.PolarsError:
        return np.ones(lines, np.bool_)
    frame = _by_field(frame, fields, columns, any(w.has_empty for w in ready))
    flags = _native_flags(ready, lines)
    whole = [pl.col(n).filter(flag).str.contains(_NATIVE).all() for n, flag in flags.items()]
    if frame.height != lines or (whole and not all(frame.select(whole).row(0))):
        return np.ones(lines, np.bool_)
    return Fast(frame, flags, tuple(c.header for c in columns))


def _windows(data: bytes) -> Iterator[bytes]:
    """`data` in slices of whole lines that are small enough for the processor's cache."""
    start = 0
    while start < len(data):
        stop = data.rfind(b"\n", start, start + _WINDOW) + 1 or data.index(b"\n", start) + 1
        yield data[start:stop]
        start = stop


def _suspicious(data: bytes, codes: Bytes, ends: Ints, quotes: Ints, limit: int) -> Flags:
    """Lines that must be read exactly, as their ends, quotes, escapes and NULs tell."""
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    last = ends - 1 - (codes[ends - 1] == 13)
    bad: Flags = (codes[starts] != ord("{")) | (codes[last] != ord("}")) | (ends - starts > limit)
    bad |= (np.diff(np.searchsorted(quotes, ends), prepend=0) & 1) == 1
    if b"\\" in data:
        bad[np.searchsorted(ends, _escapes(codes))] = True
    if b"\0" in data:
        bad[np.searchsorted(ends, np.flatnonzero(codes[: len(data)] == 0))] = True
    return bad


def _prepared(data: bytes, match: Match, limit: int) -> _Window | Flags:
    """Lines with their native values quoted; else flags of those that must be read exactly."""
    codes = _padded(data)
    ends: Ints = np.flatnonzero(codes[: len(data)] == 10)
    quotes: Ints = np.flatnonzero(codes == ord('"'))
    bad = _suspicious(data, codes, ends, quotes, limit)
    if bad.any():
        return bad
    members = _members(codes, quotes, ends)
    if not isinstance(members, _Members):
        return members
    try:
        columns = tuple(match(key.decode("utf-8")) for key in members.keys)
    except UnicodeDecodeError:
        return np.ones(ends.size, np.bool_)
    twice = _twice(members, columns, ends.size)
    if twice.any():
        return twice
    native = members.native
    if columns:
        native &= np.array([c.field is not None for c in columns], np.bool_)[members.key]
    quoted = _quoted(data, codes, members.value[native])
    is_quote = codes == ord('"')
    has_empty = bool((is_quote[1:] & is_quote[:-1]).any())
    at, key = members.line[native], members.key[native]
    return _Window(quoted, ends.size, columns, at, key, has_empty)


def _padded(data: bytes) -> Bytes:
    """Codes of `data` with zeros behind it, so that looking ahead never leaves the array."""
    return np.frombuffer(data + bytes(_PADDING), np.uint8)


def _escapes(codes: Bytes) -> Ints:
    """Positions of escapes that must be read exactly: quote, backslash, NUL, surrogates."""
    at = np.flatnonzero(codes == ord("\\"))
    kind = codes[at + 1]
    surrogate = (codes[at + 2] | 0x20) == ord("d")
    nul = np.ones(at.size, np.bool_)
    for place in (2, 3, 4, 5):
        nul &= codes[at + place] == ord("0")
    special = (kind == ord('"')) | (kind == ord("\\")) | ((kind == ord("u")) & (surrogate | nul))
    found: Ints = at[special]
    return found


def _members(codes: Bytes, quotes: Ints, ends: Ints) -> _Members | Flags:
    """Every member of every line; else flags of the lines that are not plain flat objects."""
    bad: Flags = np.zeros(ends.size, np.bool_)
    opening, closing = quotes[0::2], quotes[1::2]
    after = _skip_blanks(codes, closing + 1)
    follower = codes[after]
    is_key = follower == ord(":")
    loose = ~is_key & (follower != ord(",")) & (follower != ord("}"))
    at = np.flatnonzero(is_key)
    start, stop = opening[at] + 1, closing[at]
    value = _skip_blanks(codes, after[at] + 1)
    first = codes[value]
    native = (first >= ord("0")) & (first <= ord("9"))
    native |= (first == ord("-")) | (first == ord("t")) | (first == ord("f"))
    strange = ~native & (first != ord('"')) & (first != ord("n"))
    strange |= stop - start > _LONGEST_KEY
    count = np.diff(np.searchsorted(start, ends), prepend=0)
    line = np.repeat(np.arange(ends.size), count)
    bad[line[strange]] = True
    bad[np.searchsorted(ends, closing[loose])] = True
    if bad.any():
        return bad
    number, keys = numbered(codes, start, stop, count)
    escaped = np.array([b"\\" in key for key in keys], np.bool_)
    if escaped.any():
        bad[line[escaped[number]]] = True
        return bad
    return _Members(line, number, value, native, keys)


def _skip_blanks(codes: Bytes, at: Ints) -> Ints:
    """Positions moved over spaces, tabs and carriage returns."""
    for _ in range(_BLANKS):
        found = codes[at]
        if found.min(initial=255) > ord(" "):
            break
        blank = (found == 32) | (found == 9) | (found == 13)
        if not blank.any():
            break
        at = at + blank
    return at


def _twice(members: _Members, columns: Sequence[Column], lines: int) -> Flags:
    """Lines in which one field, or one unknown key, stands twice."""
    flags: Flags = np.zeros(lines, np.bool_)
    if not columns:
        return flags
    names = [c.field or c.header for c in columns]
    slot = {name: i for i, name in enumerate(dict.fromkeys(names))}
    slots = np.array([slot[name] for name in names], np.int64)
    counts = np.bincount(members.line * len(slot) + slots[members.key])
    flags[np.flatnonzero(counts > 1) // len(slot)] = True
    return flags


def _quoted(data: bytes, codes: Bytes, values: Ints) -> bytes:
    """`data` with quotes around the native values that start at `values`."""
    if not values.size:
        return data
    inside = codes[: len(data)]
    stops = np.flatnonzero((inside == ord(",")) | (inside == ord("}")))
    ends = stops[np.searchsorted(stops, values)]
    while (blank := (inside[ends - 1] == 32) | (inside[ends - 1] == 13)).any():
        ends = ends - blank
    return np.insert(inside, np.concatenate((values, ends)), ord('"')).tobytes()


def _by_field(
    frame: pl.DataFrame, fields: Sequence[str], columns: list[Column], has_empty: bool
) -> pl.DataFrame:
    """One column per field; spellings of one field are merged; an empty text is null."""
    if has_empty:
        frame = frame.select(pl.when(pl.all() != "").then(pl.all()))
    spellings: dict[str, list[str]] = {}
    for column in columns:
        if column.field is not None:
            spellings.setdefault(column.field, []).append(column.header)
    if any(len(headers) > 1 for headers in spellings.values()):
        frame = frame.select(pl.coalesce(h).alias(name) for name, h in spellings.items())
    else:
        frame = frame.rename({h: name for name, (h,) in spellings.items()})
    missing = [pl.lit(None, pl.String).alias(name) for name in fields if name not in spellings]
    return frame.with_columns(missing).select(fields)


def _native_flags(windows: Sequence[_Window], lines: int) -> dict[str, pl.Series]:
    masks: dict[str, Flags] = {}
    before = 0
    for window in windows:
        order = np.argsort(window.native_column, kind="stable")
        numbers = np.arange(len(window.columns) + 1)
        bounds = np.searchsorted(window.native_column[order], numbers).tolist()
        sorted_lines = window.native_line[order] + before
        for column, start, stop in zip(window.columns, bounds, bounds[1:], strict=False):
            if start < stop and column.field is not None:
                mask = masks.setdefault(column.field, np.zeros(lines, np.bool_))
                mask[sorted_lines[start:stop]] = True
        before += window.lines
    return {name: pl.Series(mask) for name, mask in masks.items()}
