"""The first pass over the sources of one table: judge batches, keep columns, write violations.

A file that turns out to be unreadable as a whole leaves nothing behind but its problem. Dataset
rules come later (`validator.check`), over the columns kept here; records are read again by
`validator.rereading`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.dataset import Columns, Mark, Shape, read
from validator.finding import Spot, Veil, build, of_documents, of_source, of_unreadable
from validator.gathered import Gathered, joined
from validator.native import plain
from validator.pack import Packs, Table
from validator.plan import Faults, Plan, judge
from validator.records import Batch, Column, SourceError, TableSource
from validator.rule import Use
from validator.run import FileProblem
from validator.sources.ahead import ahead
from validator.store import Writer

if TYPE_CHECKING:
    from validator.documents import Folder

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reading is: rows of this file so far; bytes of finished files with those of this one
    so far, and of all files."""

    file: str
    rows: int
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Reader:
    """What reading needs and shares over tables. `uses` is the list that use numbers point into;
    `judge` is the engine; `holds[use]` tells which uses block a record."""

    packs: Packs
    uses: Sequence[Use]
    holds: Sequence[bool]
    veil: Veil
    writer: Writer
    batch_rows: int
    judge: Callable[[Plan, Batch, pl.DataFrame, Mapping[str, pl.Series], Mask, Mask], Faults]
    on_rows: Callable[[TableSource, int], None]


@dataclass(frozen=True, slots=True)
class Segment:
    """The records of one source: positions `start` to `start + rows` of its table.

    `shifts[i]` is how far ordinals are ahead of positions in the file from `shifted[i]` on: records
    that could not be read have an ordinal and no position.
    """

    source: TableSource
    group: int
    start: int
    rows: int
    stamp: str
    shifted: Ints
    shifts: Ints

    def ordinals(self, positions: Ints) -> Ints:
        """Ordinals in the file of the records at positions of the table."""
        inside = positions - self.start
        at: Ints = np.searchsorted(self.shifted, inside, side="right") - 1
        return inside + self.shifts[at]


@dataclass(slots=True)
class Held:
    """Blocking faults of one table: parallel arrays of use number and position, then by rule."""

    use: list[Ints] = field(default_factory=list)
    row: list[Ints] = field(default_factory=list)

    def add(self, use: Ints, row: Ints) -> None:
        self.use.append(use)
        self.row.append(row)

    def sorted(self) -> tuple[Ints, Ints]:
        """Both arrays, by position."""
        if not self.row:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        use, row = np.concatenate(self.use), np.concatenate(self.row)
        order = np.lexsort((use, row))
        return use[order], row[order]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a table's uses stand: its plan from `base` on, then the two source rules. `folders` are
    the documents of its fields, `normalised` the first use of value-normalised."""

    table: Table
    plan: Plan
    base: int
    unknown_field: int
    unreadable: int
    folders: tuple[Folder, ...] = ()
    normalised: int = -1


@dataclass(frozen=True, slots=True)
class TableRun:
    """What the first pass found out about one table."""

    entry: Entry
    segments: tuple[Segment, ...]
    columns: Columns
    held: Held
    counts: Mapping[int, int]
    unreadable: int
    problems: tuple[FileProblem, ...]
    files: Mapping[str, int]

    @property
    def table(self) -> Table:
        return self.entry.table


@dataclass(slots=True)
class _Found:
    """What one source yields; dropped as a whole when the file is unreadable."""

    columns: Gathered = field(default_factory=Gathered)
    held: Held = field(default_factory=Held)
    counts: dict[int, int] = field(default_factory=dict)
    rows: int = 0
    unreadable: int = 0
    shifted: list[Ints] = field(default_factory=list)
    shifts: list[Ints] = field(default_factory=list)

    def shift(self, ordinals: Ints) -> None:
        """Note where ordinals of the next batch run ahead of positions."""
        ahead = ordinals - np.arange(self.rows, self.rows + len(ordinals))
        before = self.shifts[-1][-1] if self.shifts else -1
        at = np.flatnonzero(np.diff(ahead, prepend=before))
        if len(at):
            self.shifted.append(at + self.rows)
            self.shifts.append(ahead[at])

    def count(self, frame: pl.DataFrame) -> None:
        for use, number in frame["use"].value_counts().iter_rows():
            self.counts[use] = self.counts.get(use, 0) + number


def read_table(
    reader: Reader, entry: Entry, shape: Shape, sources: Sequence[TableSource]
) -> TableRun:
    """Read every source of one table."""
    segments: list[Segment] = []
    problems: list[FileProblem] = []
    found: list[_Found] = []
    held = Held()
    for source in sources:
        group = reader.writer.group(entry.table.qualified, source.file)
        try:
            stamp = source.stamp()
            one = _read_source(reader, entry, shape, source, group)
        except SourceError as failure:
            reader.writer.discard(group)
            problems.append(FileProblem(failure.file, failure.text))
            continue
        start = sum(f.rows for f in found)
        shifted, shifts = _together(one.shifted), _together(one.shifts)
        segments.append(Segment(source, group, start, one.rows, stamp, shifted, shifts))
        for use, row in zip(one.held.use, one.held.row, strict=True):
            held.add(use, row + start)
        found.append(one)
    empty = read(entry.table, shape, pl.DataFrame())
    columns = [one.columns.whole() for one in found if one.rows]
    counts: dict[int, int] = {}
    for one in found:
        for number, times in one.counts.items():
            counts[number] = counts.get(number, 0) + times
    return TableRun(
        entry,
        tuple(segments),
        columns[0] if len(columns) == 1 else joined(columns or [empty]),
        held,
        counts,
        sum(one.unreadable for one in found),
        tuple(problems),
        {s.source.file: one.rows + one.unreadable for s, one in zip(segments, found, strict=True)},
    )


def _together(parts: Sequence[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _read_source(
    reader: Reader, entry: Entry, shape: Shape, source: TableSource, group: int
) -> _Found:
    """The next batch is made ready while one is judged."""
    found = _Found()
    with closing(ahead(source.batches(reader.batch_rows))) as batches:
        for batch in batches:
            _read_batch(reader, entry, shape, batch, group, found)
            reader.on_rows(source, found.rows)
    reader.writer.flush(group)
    _read_header(reader, entry, source.columns(), group, found)
    return found


def _read_batch(
    reader: Reader, entry: Entry, shape: Shape, batch: Batch, group: int, found: _Found
) -> None:
    table = entry.table
    frame, wrong = plain(reader.packs, table, batch)
    columns = read(table, shape, frame, reader.packs.pack(table.standard).exchange)
    judged = columns.marks <= Mark.REFUSED
    invalid = columns.marks == Mark.INVALID
    faults = reader.judge(entry.plan, batch, frame, wrong, judged, invalid)
    use = faults.use + entry.base
    blocks = np.array(reader.holds, dtype=np.bool_)[use]
    found.held.add(use[blocks], faults.row[blocks] + found.rows)
    spot = Spot(batch.frame, batch.ordinals, batch.lines)
    frames = build(table, reader.uses, use, faults.row, spot, reader.veil)
    if entry.folders:
        frames = _with_documents(reader, entry, frame, judged, spot, frames, found)
    if batch.changed:
        frames = _with_changes(reader, entry, batch, frames, found)
    if batch.unreadable:
        of = reader.uses[entry.unreadable]
        bad = of_unreadable(entry.unreadable, of, table, batch.unreadable, reader.veil)
        frames = iter([pl.concat([*frames, bad]).sort("record", maintain_order=True)])
        found.unreadable += len(batch.unreadable)
    for frame_of_bad in frames:
        found.count(frame_of_bad)
        reader.writer.add(group, frame_of_bad)
    found.columns.append(columns)
    found.shift(batch.ordinals)
    found.rows += frame.height


def _with_documents(
    reader: Reader,
    entry: Entry,
    frame: pl.DataFrame,
    judged: Mask,
    spot: Spot,
    frames: Iterator[pl.DataFrame],
    found: _Found,
) -> Iterator[pl.DataFrame]:
    """The violations of a batch with those inside its documents, by record."""
    from validator.documents import judge as judge_documents

    flaws = judge_documents(entry.folders, frame, judged)
    if not len(flaws.row):
        return frames
    blocks = np.array(reader.holds, dtype=np.bool_)[flaws.use]
    found.held.add(flaws.use[blocks], flaws.row[blocks] + found.rows)
    inside = of_documents(entry.table, reader.uses, flaws, spot, reader.veil)
    return iter([pl.concat([*frames, *inside]).sort("record", maintain_order=True)])


def _with_changes(
    reader: Reader,
    entry: Entry,
    batch: Batch,
    frames: Iterator[pl.DataFrame],
    found: _Found,
) -> Iterator[pl.DataFrame]:
    """The violations of a batch with what was put right before it was judged, by record."""
    from validator.changes import findings, numbered

    use, rows = numbered(entry.table, batch, entry.normalised)
    blocks = np.array(reader.holds, dtype=np.bool_)[use]
    found.held.add(use[blocks], rows[blocks] + found.rows)
    made = findings(entry.table, reader.uses, use, rows, batch, reader.veil)
    return iter([pl.concat([*frames, *made]).sort("record", maintain_order=True)])


def _read_header(
    reader: Reader, entry: Entry, columns: Sequence[Column], group: int, found: _Found
) -> None:
    """Unknown columns, once per file; known local ones are read past."""
    table = entry.table
    local = {*reader.packs.pack(table.standard).local_columns, *table.local_columns}
    unknown = [c.header for c in columns if c.field is None and c.header.upper() not in local]
    headers = {c.field: c.header for c in columns if c.field}
    reader.writer.groups[group].headers.update(headers)
    if unknown:
        use = reader.uses[entry.unknown_field]
        frame = of_source(entry.unknown_field, use, table, unknown)
        found.count(frame)
        reader.writer.add_dataset(group, frame)


def bulk(
    plan: Plan,
    _batch: Batch,
    frame: pl.DataFrame,
    wrong: Mapping[str, pl.Series],
    judged: Mask,
    invalid: Mask,
) -> Faults:
    """The columnar engine."""
    return judge(plan, frame, wrong, judged, invalid)
