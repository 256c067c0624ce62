"""Braces, brackets, commas and colons of JSON text outside strings, found with numpy, chunk by
chunk. It checks nothing else: what stands between the marks is read by others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from validator.records import Ints
from validator.sources.json_keys import Bytes

#: Windows of this size keep every intermediate array in the processor's cache.
_WINDOW = 1 << 18
_MARK = np.zeros(256, np.bool_)
_MARK[list(b'{}[],:"')] = True
_STEP = np.zeros(256, np.int64)
_STEP[list(b"{[")] = 1
_STEP[list(b"}]")] = -1


@dataclass(slots=True)
class State:
    """Where a chunk ended: inside a string, right after a backslash that escapes, how deep."""

    in_string: bool = False
    escaped: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """Positions in the chunk, the byte at each, and the depth after it."""

    at: Ints
    kind: Bytes
    depth: Ints


def marks(chunk: bytes, state: State) -> Marks:
    """The marks of a chunk; `state` is moved to its end."""
    codes = np.frombuffer(chunk, np.uint8)
    found = [_window(codes, i, state) for i in range(0, codes.size, _WINDOW)]
    return Marks(
        np.concatenate([np.zeros(0, np.int64), *(m.at for m in found)]),
        np.concatenate([np.zeros(0, np.uint8), *(m.kind for m in found)]),
        np.concatenate([np.zeros(0, np.int64), *(m.depth for m in found)]),
    )


def _window(codes: Bytes, start: int, state: State) -> Marks:
    inside = codes[start : start + _WINDOW]
    wanted = _MARK[inside]
    escaped = _escaped(inside, state)
    wanted[escaped[inside[escaped] == ord('"')]] = False
    at = np.flatnonzero(wanted)
    kind = inside[at]
    quotes = kind == ord('"')
    in_string = ((np.cumsum(quotes) + state.in_string) & 1) == 1
    if at.size:
        state.in_string = bool(in_string[-1])
    kept = ~in_string & ~quotes
    at, kind = at[kept], kind[kept]
    depth = np.cumsum(_STEP[kind]) + state.depth
    if at.size:
        state.depth = int(depth[-1])
    return Marks(at + start, kind, depth)


def _escaped(inside: Bytes, state: State) -> Ints:
    """Positions that a backslash before them escapes: behind an odd run of backslashes."""
    slashes = np.flatnonzero(inside == ord("\\"))
    if state.escaped:
        slashes = np.concatenate((np.full(1, -1), slashes))
    if not slashes.size:
        state.escaped = False
        return slashes
    first = np.flatnonzero(np.diff(slashes, prepend=-9) != 1)
    length = np.diff(first, append=slashes.size)
    after: Ints = (slashes[first] + length)[length % 2 == 1]
    state.escaped = bool(after.size) and int(after[-1]) == inside.size
    kept: Ints = after[after < inside.size]
    return kept
