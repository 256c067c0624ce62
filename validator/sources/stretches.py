"""Chosen records of a file, without parsing the rest of it a second time.

While a file is read from start to end, each run of records that are one line each (or whose lines
the caller can tell) is noted as a stretch of bytes, with the place of every `STEP`th record. Asked
for some records, only the steps that hold any are read (`runs`), and of these only the chosen
records are parsed (`chosen`, for records that are whole lines), or the steps as they are (`among`,
for records that only their reader tells apart). What cannot be told this way
(transcoded files, unreadable records nearby) is left to a full reading. No format is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from itertools import pairwise

import numpy as np

from validator.records import CHANGED, Batch, Ints, SourceError
from validator.sources.encoding import raw_start
from validator.sources.parts import STEP, Part, Stretch, numbered
from validator.sources.source import Place

#: Bytes of chosen records that are parsed at once.
_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """Chosen records: whole lines, each record's first line and ordinal."""

    data: bytes
    lines: Ints
    ordinals: Ints


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring steps: their bytes, good until the next run is asked for, their place, and which
    of their records are chosen."""

    data: memoryview
    stretch: Stretch
    ordinals: Ints


def chosen(
    noted: Sequence[Stretch],
    ordinals: Ints,
    place: Place,
    encoding: str | None,
    parse: Callable[[Chosen], Part],
    firsts: Callable[[bytes], Ints] | None = None,
) -> Iterator[Batch] | None:
    """The records with these ordinals (sorted), or None where only a full reading can tell.

    `firsts` gives the line of each record of a stretch that has more lines than records, 0-based.
    Whether the records are still the same, the caller asks the source's stamp. Raises SourceError
    (while it is read) when the file is gone or shorter.
    """
    found = runs(noted, ordinals, place, encoding)
    return None if found is None else _batches(found, place, parse, firsts)


def runs(
    noted: Sequence[Stretch], ordinals: Ints, place: Place, encoding: str | None
) -> Iterator[Run] | None:
    """The steps that hold records with these ordinals, neighbouring ones together; None and
    SourceError as `chosen`."""
    starts = np.array([s.record for s in noted], dtype=np.int64)
    at = np.searchsorted(starts, ordinals, side="right") - 1
    needed = np.unique(at)
    if not needed.size or needed[0] < 0 or not all(noted[i].even for i in needed):
        return None
    try:
        start = raw_start(place, encoding)
    except OSError:
        return None
    if start is None:
        return None
    bounds = np.append(np.searchsorted(at, needed), ordinals.size).tolist()
    stretches = [
        run
        for i, low, high in zip(needed.tolist(), bounds, bounds[1:], strict=False)
        for run in _parts(noted[i], ordinals[low:high])
    ]
    return _read_all(stretches, place, start)


def _parts(stretch: Stretch, ordinals: Ints) -> Iterator[tuple[Stretch, Ints]]:
    """The runs of neighbouring steps that hold chosen records, as stretches of their own."""
    steps = (ordinals - stretch.record) // STEP
    edges = [0, *(np.flatnonzero(np.diff(steps) > 1) + 1).tolist(), ordinals.size]
    for low, high in pairwise(edges):
        first, behind = int(steps[low]), int(steps[high - 1]) + 1
        start = int(stretch.steps[first])
        stop = int(stretch.steps[behind]) if behind < stretch.steps.size else stretch.size
        run = Stretch(
            stretch.start + start,
            stop - start,
            stretch.record + first * STEP,
            min(behind * STEP, stretch.records) - first * STEP,
            stretch.steps[first:behind] - start,
            stretch.lines[first:behind],
            even=True,
        )
        yield run, ordinals[low:high]


def _read_all(stretches: Sequence[tuple[Stretch, Ints]], place: Place, start: int) -> Iterator[Run]:
    room = bytearray(max(s.size for s, _ in stretches) + 1)
    with _open(place) as handle:
        for stretch, ordinals in stretches:
            yield Run(_read(handle, start, stretch, room), stretch, ordinals)


def _batches(
    found: Iterator[Run],
    place: Place,
    parse: Callable[[Chosen], Part],
    firsts: Callable[[bytes], Ints] | None,
) -> Iterator[Batch]:
    waiting: list[Chosen] = []
    size = 0
    for run in found:
        cut = _cut(run, firsts)
        if cut is None:
            raise SourceError(place.file, CHANGED)
        waiting.append(cut)
        size += len(cut.data)
        if size >= _AT_ONCE:
            yield _parsed(waiting, parse)
            waiting.clear()
            size = 0
    if waiting:
        yield _parsed(waiting, parse)


def _open(place: Place) -> FileIO:
    try:
        return place.path.open("rb", buffering=0)
    except OSError as failure:
        raise SourceError(place.file, CHANGED) from failure


def _read(handle: FileIO, start: int, stretch: Stretch, room: bytearray) -> memoryview:
    """The bytes of a stretch, ended by a line feed. Taking the same room each time is much cheaper
    than asking for memory."""
    handle.seek(start + stretch.start)
    size = handle.readinto(memoryview(room)[: stretch.size])
    if size and room[size - 1] != ord("\n"):
        room[size] = ord("\n")
        size += 1
    return memoryview(room)[:size]


def among(
    found: Iterator[Run], place: Place, read: Callable[[Sequence[bytes]], Iterable[Part]]
) -> Iterator[Batch]:
    """The chosen records of runs, which `read` turns into all records that they hold, in order,
    with lines counted from 1 on. Raises SourceError when they are not what they were."""
    waiting: list[tuple[bytes, Run]] = []
    size = 0
    for run in found:
        waiting.append((bytes(run.data), run))
        size += len(run.data)
        if size >= _AT_ONCE:
            yield _among(waiting, place, read)
            waiting.clear()
            size = 0
    if waiting:
        yield _among(waiting, place, read)


def _among(
    held: Sequence[tuple[bytes, Run]],
    place: Place,
    read: Callable[[Sequence[bytes]], Iterable[Part]],
) -> Batch:
    runs = [run for _, run in held]
    counts = np.array([run.stretch.records for run in runs])
    begins, total = np.cumsum(counts) - counts, int(counts.sum())
    try:
        whole, *rest = numbered(read([data for data, _ in held]), total)
    except SourceError as fault:
        raise SourceError(place.file, CHANGED) from fault
    if whole.frame.height != total or whole.unreadable or whole.lines is None or rest:
        raise SourceError(place.file, CHANGED)
    lines = whole.lines + np.repeat(
        [run.stretch.lines[0] for run in runs] - whole.lines[begins], counts
    )
    rows = np.concatenate(
        [run.ordinals - run.stretch.record + at for run, at in zip(runs, begins, strict=True)]
    )
    native = {name: flags.gather(rows) for name, flags in whole.native.items()}
    ordinals = np.concatenate([run.ordinals for run in runs])
    return Batch(whole.frame[rows], ordinals, lines[rows], native)


def _cut(run: Run, firsts: Callable[[bytes], Ints] | None) -> Chosen | None:
    """The chosen records of a run; None where its bytes are no longer what they were."""
    data, stretch, ordinals = run.data, run.stretch, run.ordinals
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
    edges = np.concatenate((np.zeros(1, np.int64), ends))
    rows = ordinals - stretch.record
    if ends.size != stretch.records and firsts is not None:
        lines = firsts(bytes(data))
        edges = edges[np.append(lines, ends.size)]
    else:
        lines = np.arange(ends.size)
    if lines.size != stretch.records:
        return None
    pieces = zip(edges[rows].tolist(), edges[rows + 1].tolist(), strict=True)
    picked = b"".join(data[a:b] for a, b in pieces)
    return Chosen(picked, lines[rows] + stretch.lines[0], ordinals)


def _parsed(waiting: Sequence[Chosen], parse: Callable[[Chosen], Part]) -> Batch:
    whole = Chosen(
        b"".join(c.data for c in waiting),
        np.concatenate([c.lines for c in waiting]),
        np.concatenate([c.ordinals for c in waiting]),
    )
    part = parse(whole)
    ordinals = whole.ordinals if part.positions is None else whole.ordinals[part.positions]
    return Batch(part.frame, ordinals, part.lines, part.native, part.unreadable)
