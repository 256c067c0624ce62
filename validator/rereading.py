"""Records read again after the first pass, all of them or chosen ones.

The stamp of a file tells whether it changed in between, which is a SourceError. Nothing is judged
or kept here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.finding import Spot
from validator.native import plain
from validator.pack import Table
from validator.reading import Reader, Segment, TableRun
from validator.records import CHANGED, Batch, ChosenSource, NarrowSource, SourceError, TableSource

Ints = npt.NDArray[np.int64]

#: Fewer than one record in so many are picked out of the file; more, and reading all is as fast.
_FEW = 4


@dataclass(frozen=True, slots=True)
class Again:
    """Records read again: their positions in the table, and where they stand."""

    segment: Segment
    positions: Ints
    spot: Spot
    frame: pl.DataFrame


def again(
    reader: Reader, run: TableRun, positions: Ints | None, fields: frozenset[str] | None = None
) -> Iterator[Again]:
    """Read the records at sorted positions again (None: all), batch by batch.

    `spot.frame` holds the cells as written, `frame` native cells in lexical form; fields other than
    `fields` may be missing. Raises SourceError if the file changed since the first pass.
    """
    for segment in run.segments:
        stop = segment.start + segment.rows
        if positions is None:
            wanted = np.arange(segment.start, stop, dtype=np.int64)
        else:
            wanted = positions[
                np.searchsorted(positions, segment.start) : np.searchsorted(positions, stop)
            ]
        if len(wanted):
            yield from _again(reader, run.table, segment, wanted, fields)


def _again(
    reader: Reader, table: Table, segment: Segment, wanted: Ints, fields: frozenset[str] | None
) -> Iterator[Again]:
    source = segment.source
    if source.stamp() != segment.stamp:
        raise SourceError(source.file, CHANGED)
    found = None
    if len(wanted) * _FEW <= segment.rows:
        found = _picked(source, segment.ordinals(wanted), fields)
    if found is None:
        yield from _among_all(reader, table, segment, wanted)
    else:
        yield from _chosen(reader, table, segment, wanted, found)
    if source.stamp() != segment.stamp:
        raise SourceError(source.file, CHANGED)


def _picked(
    source: TableSource, ordinals: Ints, fields: frozenset[str] | None
) -> Iterator[Batch] | None:
    if fields is not None and isinstance(source, NarrowSource):
        return source.chosen_fields(ordinals, fields)
    return source.chosen(ordinals) if isinstance(source, ChosenSource) else None


def _chosen(
    reader: Reader, table: Table, segment: Segment, wanted: Ints, batches: Iterator[Batch]
) -> Iterator[Again]:
    at = 0
    for batch in batches:
        mine = wanted[at : at + batch.frame.height]
        if not np.array_equal(segment.ordinals(mine), batch.ordinals):
            raise SourceError(segment.source.file, CHANGED)
        frame, _ = plain(reader.packs, table, batch)
        yield Again(segment, mine, Spot(batch.frame, batch.ordinals, batch.lines), frame)
        at += len(mine)
    if at != len(wanted):
        raise SourceError(segment.source.file, CHANGED)


def _among_all(reader: Reader, table: Table, segment: Segment, wanted: Ints) -> Iterator[Again]:
    source, at = segment.source, segment.start
    for batch in source.batches(reader.batch_rows):
        height = batch.frame.height
        mine = wanted[np.searchsorted(wanted, at) : np.searchsorted(wanted, at + height)]
        if len(mine):
            rows = mine - at
            frame, _ = plain(reader.packs, table, batch)
            lines = batch.lines[rows] if batch.lines is not None else None
            if len(mine) == height:
                spot = Spot(batch.frame, batch.ordinals, lines)
                yield Again(segment, mine, spot, frame)
            else:
                spot = Spot(batch.frame[rows], batch.ordinals[rows], lines)
                yield Again(segment, mine, spot, frame[rows])
        at += height
        if at > wanted[-1]:
            break
    if at <= wanted[-1]:
        raise SourceError(source.file, CHANGED)
