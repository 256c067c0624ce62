"""The records of a run, read again from its files: keys, references, times and labels of each, so
that people can walk from a record to its parents and children.

A stored run keeps violations, not records. What is read here is kept beside the runs (mode 0600),
without any personal field; whole records are fetched from the file when one is looked at. A file
that changed after the run began is not read: the page says so instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import polars as pl

from spgl.inspector import keep
from spgl.inspector.index import Coded, Index, coded, uncoded
from spgl.inspector.runs import Runs
from spgl.inspector.site import Refusal
from validator.canon import canonical_frame
from validator.native import plain
from validator.pack import Packs, Table
from validator.records import SourceError, TableSource
from validator.run import Run
from validator.sources import SourceOptions, discover
from validator.text import Text

_ROWS = 100_000
_OPEN = 2
_REMEMBERED = 32
#: Labels and times that pages show beside keys and references, where a table has them.
SHOWN = (
    "XMMC", "SPBMMC", "SXBLSX", "SPSXBM", "BLZT", "BLSJ", "TBCX", "TBCXMC", "TBCXKSSJ", "TBCXSX",
    "TBCXSXLX", "PFRQ", "PFWH", "SPJGLX", "SBSJ", "SPJDXH", "DYBZSPJDXH", "SPSXMC", "DTMC", "DWMC",
    "BLCS", "SJYXBS", "SJSCZT", "XZQHDM", "GCDM", "XMDM", "SPSXSLBM", "CLMC", "FJMC", "BLDWMC",
    "DYBZSPSXBM",
)  # fmt: skip
CASES = "SPGL_XMSPSXBLXXB"
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Per qualified table a String column for each kept field (canonical, null where blank), and
    `file`, `record`, `line`. `missing`: why records of a file are not here, by file."""

    run: str
    tables: Mapping[str, pl.DataFrame]
    missing: Mapping[str, Text] = field(default_factory=dict)

    def find(self, table: str, values: Mapping[str, str]) -> pl.DataFrame:
        """Records of a table with these canonical values; empty where a column is not known."""
        frame = self.tables.get(table)
        if frame is None or any(name not in frame.columns for name in values):
            return pl.DataFrame()
        return frame.filter(*(pl.col(name) == value for name, value in values.items()))


@dataclass(frozen=True, slots=True)
class Whole:
    """A record as it stands in its file: cells as written, by field in the order of the table."""

    cells: Mapping[str, str]
    line: int | None


class Snapshots:
    """Opens the records of a run, reading its files on first use, in the background if asked."""

    def __init__(self, state_dir: Path, runs: Runs, packs: Packs, reading: SourceOptions) -> None:
        self.folder = state_dir / "inspector"
        self.runs = runs
        self.packs = packs
        self.reading = reading
        self._open: dict[str, Snapshot] = {}
        self._sources: dict[str, dict[tuple[str, str], TableSource]] = {}
        self._departments: dict[str, Coded] = {}
        self._made: dict[tuple[str, str], object] = {}
        self._reading: set[str] = set()
        self._lock = threading.RLock()
        self._making = threading.RLock()

    def open(self, name: str) -> Snapshot:
        """The records of a run (empty name: the newest); waits until they are read."""
        run = self.runs.open(name).run
        with self._lock:
            if run.id not in self._open:
                made = keep.load(self.folder, run.id) or self._read(run)
                while len(self._open) >= _OPEN:
                    self._open.pop(next(iter(self._open)))
                self._open[run.id] = made
            return self._open[run.id]

    def ready(self, name: str) -> Snapshot | None:
        """The records of a run if they are read already; else starts to read them."""
        run = self.runs.open(name).run
        found = self._open.get(run.id)
        if found is None and run.id not in self._reading:
            self._reading.add(run.id)
            threading.Thread(target=self._ahead, args=(run.id,), daemon=True).start()
        return found

    def remember(self, run: str, name: str, make: Callable[[], Made]) -> Made:
        """What was worked out from a run's records under a name, made on first use."""
        with self._making:
            if (run, name) not in self._made:
                while len(self._made) >= _REMEMBERED:
                    self._made.pop(next(iter(self._made)))
                self._made[run, name] = make()
            return cast(Made, self._made[run, name])

    def _ahead(self, name: str) -> None:
        try:
            with suppress(Refusal):
                self.open(name)
        finally:
            self._reading.discard(name)  # the next page that asks tries again

    def departments(self, index: Index) -> Coded:
        """The approving body of each violation's case; all unknown until the records are read."""
        run = index.stored.run.id
        snapshot = self.ready(run)
        if snapshot is None:
            return uncoded(index.rows)
        if run not in self._departments:
            self._departments = {run: _departments(snapshot, index)}
        return self._departments[run]

    def whole(self, name: str, table: str, file: str, record: int) -> Whole | Text:
        """One record from its file, or why it cannot be shown."""
        run = self.runs.open(name).run
        source = self._found(run).get((table, file))
        if source is None:
            return _GONE.fill({"file": file})
        fault = _changed(source, run)
        if fault is not None:
            return fault
        try:
            return _fetch(self.packs, source, record)
        except SourceError as failure:
            return failure.text

    def _input(self, text: str) -> Path | None:
        """An input of a run: a relative one is looked for here, then beside the state folder."""
        here = (Path(text), self.folder.parent.parent / text)
        return next((p for p in here if p.exists()), None)

    def _found(self, run: Run) -> dict[tuple[str, str], TableSource]:
        """The sources behind the inputs of a run, by table and file."""
        if run.id not in self._sources:
            named = (self._input(p) for p in run.inputs if "://" not in p)
            paths = [p for p in named if p is not None]
            found = discover(paths, self.packs, self.reading).sources if paths else ()
            if len(self._sources) >= _OPEN:
                self._sources.clear()
            self._sources[run.id] = {(s.table.qualified, s.file): s for s in found}
        return self._sources[run.id]

    def _read(self, run: Run) -> Snapshot:
        parts: dict[str, list[pl.DataFrame]] = {}
        missing = {p.file: p.text for p in run.problems}
        sources = self._found(run)
        there = {file for _, file in sources}
        missing |= {f: _GONE.fill({"file": f}) for f in run.files if f not in there}
        for (table, file), source in sources.items():
            fault = _changed(source, run)
            if fault is None:
                try:
                    frame, unreadable = _columns(self.packs, source)
                    if frame.height + unreadable == run.files.get(file):
                        parts.setdefault(table, []).append(frame)
                        continue
                    fault = _CHANGED.fill({"file": file})
                except SourceError as failure:
                    fault = failure.text
            missing[file] = fault
        tables = {name: pl.concat(frames).rechunk() for name, frames in parts.items()}
        made = Snapshot(run.id, tables, missing)
        if set(missing) == {p.file for p in run.problems}:  # else a file may still come back
            keep.save(self.folder, made)
        return made


def kept(packs: Packs, table: Table) -> tuple[str, ...]:
    """Fields of a table that a snapshot keeps, in its order: never a personal one."""
    names = {*table.key.fields, *SHOWN, *(f for r in table.references for f in r.fields)}
    for other in packs.tables():
        for reference in other.references:
            if reference.table == table.qualified:
                names.update(reference.target_fields)
    return tuple(f.name for f in table.fields if f.name in names and f.personal is None)


def _columns(packs: Packs, source: TableSource) -> tuple[pl.DataFrame, int]:
    """What is kept of a file's records, and how many of them cannot be read."""
    names = kept(packs, source.table)
    frames, unreadable = [], 0
    for batch in source.batches(_ROWS):
        frame, _ = plain(packs, source.table, batch)
        unreadable += len(batch.unreadable)
        cells = canonical_frame(source.table, frame, names)
        lines = batch.lines if batch.lines is not None else [None] * cells.height
        frames.append(
            cells.with_columns(
                pl.lit(source.file).alias("file"),
                pl.Series("record", batch.ordinals, pl.Int64),
                pl.Series("line", lines, pl.Int64),
            )
        )
    empty = {**dict.fromkeys((*names, "file"), pl.String), "record": pl.Int64, "line": pl.Int64}
    return pl.concat(frames) if frames else pl.DataFrame(schema=empty), unreadable


def _changed(source: TableSource, run: Run) -> Text | None:
    """Why a file is no longer what the run read; None when it is unchanged."""
    _, colon, stamp = source.stamp().partition(":")
    if not colon or not stamp.isdigit():
        return _GONE.fill({"file": source.file})
    began = datetime.fromisoformat(run.started).timestamp()
    return _CHANGED.fill({"file": source.file}) if int(stamp) > began * 1e9 else None


def _fetch(packs: Packs, source: TableSource, record: int) -> Whole | Text:
    for batch in source.batches(_ROWS):
        at = int(np.searchsorted(batch.ordinals, record))
        if at < len(batch.ordinals) and batch.ordinals[at] == record:
            frame, _ = plain(packs, source.table, batch)
            row = frame.row(at, named=True)
            order = [f.name for f in source.table.fields if row.get(f.name) is not None]
            line = None if batch.lines is None else int(batch.lines[at])
            return Whole({name: str(row[name]) for name in order}, line)
        if len(batch.ordinals) and batch.ordinals[-1] > record:
            break
    return _UNREADABLE


def _departments(snapshot: Snapshot, index: Index) -> Coded:
    frames: Sequence[pl.DataFrame] = [
        f.select("SPSXSLBM", "SPBMMC")
        for name, f in snapshot.tables.items()
        if name.endswith(f"/{CASES}") and "SPBMMC" in f.columns
    ]
    if not frames:
        return uncoded(index.rows)
    known = pl.concat(frames).drop_nulls().unique("SPSXSLBM", keep="first")
    cases = pl.DataFrame({"SPSXSLBM": index.case.values}, schema={"SPSXSLBM": pl.String})
    names = coded(cases.join(known, on="SPSXSLBM", how="left", maintain_order="left")["SPBMMC"])
    codes = np.append(names.codes, -1)[index.case.codes].astype(np.int32)
    return Coded(codes, names.values, names.folded)


_GONE = Text(
    "文件 {file} 已不在原处，或不在当前目录下；请从运行校验时的目录启动",
    "file {file} is no longer where the run read it; start the inspector in the same folder",
)
_CHANGED = Text(
    "文件 {file} 在这次运行之后改动过，不再显示其中的记录；重新校验后可见",
    "file {file} changed after this run, so its records are not shown; validate again to see them",
)
_UNREADABLE = Text(
    "这条记录在文件中无法读出；请查看问题说明", "this record cannot be read; see its violation"
)
