"""Numbers for the keys of many JSON members, compared byte for byte, with numpy only.

It knows neither records nor values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from validator.records import Ints

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SAMPLE = 512


def numbered(
    codes: Bytes, start: Ints, stop: Ints, count: Ints | None = None
) -> tuple[Ints, tuple[bytes, ...]]:
    """The number of each key `codes[start:stop]` and the distinct keys, in order of appearance.

    `codes` must go on for 8 bytes behind the last key. `count`: how many keys each record has;
    where all have the same keys in the same order, this is much faster.
    """
    if not start.size:
        return np.zeros(0, np.int64), ()
    if count is not None and count.size > 1 and (count == count[0]).all():
        size = int(count[0])
        if _alike(codes, start.reshape(-1, size), stop.reshape(-1, size)):
            number, keys = numbered(codes, start[:size], stop[:size])
            return np.tile(number, count.size), keys
    words = _words(codes, start, stop)
    mixed = (stop - start).astype(np.uint64)
    for word in words:
        mixed = (mixed ^ word) * _MULTIPLIER
        mixed ^= mixed >> np.uint64(29)
    known = np.unique(mixed[:_SAMPLE])
    number = _looked_up(known, mixed)
    missed = known[number] != mixed
    if missed.any():
        known = np.unique(np.concatenate((known, mixed[missed])))
        number = _looked_up(known, mixed)
    first = _first_seen(number, known.size)
    if any((word != word[first][number]).any() for word in (*words, stop - start)):
        return _compared(codes, start, stop)  # two keys share a hash
    order = np.argsort(first)
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return rank[number], tuple(codes[start[i] : stop[i]].tobytes() for i in first[order])


def _alike(codes: Bytes, start: Ints, stop: Ints) -> bool:
    """True where every row has the keys of the first, byte for byte."""
    lengths = stop[0] - start[0]
    if (stop - start != lengths).any():
        return False
    view = _view(codes)
    for offset in range(0, int(lengths.max()), 8):
        there = np.flatnonzero(lengths > offset)
        left = np.minimum(lengths[there] - offset, 8).astype(np.uint64)
        mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(8) - left) * np.uint64(8)
        words = view[np.minimum(start[:, there] + offset, view.size - 1)]
        if ((words ^ words[0]) & mask).any():
            return False
    return True


def _view(codes: Bytes) -> Words:
    """The 64-bit word that starts at each byte."""
    return np.ndarray((codes.size - 7,), np.dtype("<u8"), codes.data, 0, (1,))


def _words(codes: Bytes, start: Ints, stop: Ints) -> list[Words]:
    """The bytes of each key as 64-bit words, zero beyond its end."""
    view = _view(codes)
    words = []
    for offset in range(0, max(1, int((stop - start).max())), 8):
        left = np.clip(stop - start - offset, 0, 8).astype(np.uint64)
        shift = (np.uint64(8) - left) * np.uint64(8)  # a shift by 64 gives 0
        words.append((view[np.minimum(start + offset, view.size - 1)] << shift) >> shift)
    return words


def _looked_up(known: Words, mixed: Words) -> Ints:
    number: Ints = np.minimum(np.searchsorted(known, mixed), known.size - 1)
    return number


def _first_seen(number: Ints, count: int) -> Ints:
    first = np.zeros(count, np.int64)
    first[number[::-1]] = np.arange(number.size - 1, -1, -1)
    return first


def _compared(codes: Bytes, start: Ints, stop: Ints) -> tuple[Ints, tuple[bytes, ...]]:
    seen: dict[bytes, int] = {}
    data = codes.tobytes()
    pairs = zip(start.tolist(), stop.tolist(), strict=True)
    number = [seen.setdefault(data[a:b], len(seen)) for a, b in pairs]
    return np.array(number, np.int64), tuple(seen)
