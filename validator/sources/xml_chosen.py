"""Chosen records of an XML file: the steps that hold them are read once more, without the rest.

A step is whole records, so several of them are read like a small table element of their own, plain
records by their tags as before. Which bytes are read is `stretches`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from validator.frozen import dataclass
from validator.records import CHANGED, Batch, Ints, SourceError
from validator.sources.columns import Keys
from validator.sources.parts import Part, Stretch
from validator.sources.stretches import AT_ONCE, Run
from validator.sources.xml_feed import Cursor
from validator.sources.xml_records import Known, Region, opening, parts


@dataclass(frozen=True, slots=True)
class Reading:
    """How the records of a table element are read; see `xml_records.parts`. That their names are
    known makes every line exact."""

    region: Region
    keys: Keys
    limit: int
    known: Known


@dataclass(frozen=True, slots=True)
class _Held:
    """A run whose bytes were copied."""

    data: bytes
    stretch: Stretch
    ordinals: Ints


def chosen(runs: Iterator[Run], reading: Reading) -> Iterator[Batch]:
    """The chosen records of runs. Raises SourceError when the file is not what it was."""
    waiting: list[_Held] = []
    size = 0
    for run in runs:
        waiting.append(_Held(bytes(run.data), run.stretch, run.ordinals))
        size += len(run.data)
        if size >= AT_ONCE:
            yield _batch(waiting, reading)
            waiting.clear()
            size = 0
    if waiting:
        yield _batch(waiting, reading)


def _batch(runs: Sequence[_Held], reading: Reading) -> Batch:
    counts = np.array([run.stretch.records for run in runs])
    begins = np.cumsum(counts) - counts
    found = _read(runs, reading)
    frames, lines = [part.frame for part in found], [p.lines for p in found if p.lines is not None]
    frame, line = pl.concat(frames), np.concatenate(lines)
    if frame.height != counts.sum() or sum(part.records for part in found) != frame.height:
        raise SourceError(reading.keys.place.file, CHANGED)
    line += np.repeat([run.stretch.lines[0] for run in runs] - line[begins], counts)
    rows = np.concatenate(
        [run.ordinals - run.stretch.record + at for run, at in zip(runs, begins, strict=True)]
    )
    return Batch(frame[rows], np.concatenate([run.ordinals for run in runs]), line[rows])


def _read(runs: Sequence[_Held], reading: Reading) -> list[Part]:
    """All records of the runs, as those of one table element."""
    text = b"".join((opening(reading.region), *(run.data for run in runs), b"</_>"))
    region = replace(reading.region, tag="{*}_", offset=0, line=1, root=True)
    try:
        return list(
            parts(Cursor(iter((text,))), region, reading.keys, reading.limit, reading.known)
        )
    except SourceError as fault:
        raise SourceError(reading.keys.place.file, CHANGED) from fault
