"""Chosen records of a file, without parsing the rest of it a second time.

While a file is read from start to end, each run of records that are one line each (or whose lines
the caller can tell) is noted as a stretch of bytes. Asked for some records, only the stretches that
hold any are read, and of these only the chosen records are parsed. What cannot be told this way
(transcoded files, unreadable records nearby) is left to a full reading. No format is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from validator.records import Batch, Ints
from validator.sources.encoding import raw_start
from validator.sources.parts import Part, Stretch
from validator.sources.source import Place

#: Bytes of chosen records that are parsed at once.
_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """Chosen records: whole lines, each record's first line and ordinal."""

    data: bytes
    lines: Ints
    ordinals: Ints


def chosen(
    noted: Sequence[Stretch],
    ordinals: Ints,
    place: Place,
    encoding: str | None,
    firsts: Callable[[bytes, Stretch], Ints],
    parse: Callable[[Chosen], Part],
) -> Iterator[Batch] | None:
    """The records with these ordinals (sorted), or None where only a full reading can tell.

    `firsts` gives the line of each record of a stretch that has more lines than records, 0-based.
    Whether the records are still the same, the caller asks the source's stamp.
    """
    starts = np.array([s.record for s in noted], dtype=np.int64)
    at = np.searchsorted(starts, ordinals, side="right") - 1
    needed = np.unique(at)
    if not needed.size or needed[0] < 0 or not all(noted[i].even for i in needed):
        return None
    start = raw_start(place, encoding)
    if start is None:
        return None
    stretches = [(noted[i], ordinals[at == i]) for i in needed.tolist()]
    return _batches(stretches, place, start, firsts, parse)


def _batches(
    stretches: Sequence[tuple[Stretch, Ints]],
    place: Place,
    start: int,
    firsts: Callable[[bytes, Stretch], Ints],
    parse: Callable[[Chosen], Part],
) -> Iterator[Batch]:
    waiting: list[Chosen] = []
    with place.path.open("rb") as handle:
        for stretch, ordinals in stretches:
            waiting.append(_cut(handle, start, stretch, ordinals, firsts))
            if sum(len(c.data) for c in waiting) >= _AT_ONCE:
                yield _parsed(waiting, parse)
                waiting.clear()
    if waiting:
        yield _parsed(waiting, parse)


def _cut(
    handle: BinaryIO,
    start: int,
    stretch: Stretch,
    ordinals: Ints,
    firsts: Callable[[bytes, Stretch], Ints],
) -> Chosen:
    handle.seek(start + stretch.start)
    data = handle.read(stretch.size)
    if not data.endswith(b"\n"):
        data += b"\n"
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
    edges = np.concatenate((np.zeros(1, np.int64), ends))
    rows = ordinals - stretch.record
    if ends.size != stretch.records:
        lines = firsts(data, stretch)
        edges = edges[np.append(lines, ends.size)]
    else:
        lines = np.arange(ends.size)
    pieces = zip(edges[rows].tolist(), edges[rows + 1].tolist(), strict=True)
    picked = b"".join(data[a:b] for a, b in pieces)
    return Chosen(picked, lines[rows] + stretch.line, ordinals)


def _parsed(waiting: Sequence[Chosen], parse: Callable[[Chosen], Part]) -> Batch:
    whole = Chosen(
        b"".join(c.data for c in waiting),
        np.concatenate([c.lines for c in waiting]),
        np.concatenate([c.ordinals for c in waiting]),
    )
    part = parse(whole)
    ordinals = whole.ordinals if part.positions is None else whole.ordinals[part.positions]
    return Batch(part.frame, ordinals, part.lines, part.native, part.unreadable)
