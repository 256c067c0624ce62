"""One run's violations laid out for questions: columns to filter by, texts fetched by position.

An index is one Arrow file beside the runs (mode 0600, values as masked as the run stored them), in
memory for the last few runs. It is made once per run and can be deleted at any time. What is asked
of it is `filters`.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from spgl.inspector.runs import Runs
from spgl.inspector.veil import table_of, veiled
from validator.finding import SCHEMA, STORED, WHOSE
from validator.pack import Packs, Table
from validator.store import COLUMNS, Group, Row, Stored
from validator.violation import Violation

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

_VERSION = 1
#: Index files kept on disk, and open at once.
_KEPT, _OPEN = 12, 3
#: A project code (GB-style national code); a works code is one with a suffix.
PROJECT = r"^[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}"
_PROJECT_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as numbers: `codes[row]` points into `values`, -1 where there is none. `folded` are
    the values in lower case, to search in."""

    codes: Codes
    values: tuple[str, ...]
    folded: pl.Series

    def counts(self, mask: Mask | None) -> Ints:
        """How many rows each value has, in the order of `values`."""
        codes = self.codes if mask is None else self.codes[mask]
        made: Ints = np.bincount(codes + 1, minlength=len(self.values) + 1)[1:]
        return made

    def of(self, value: str) -> Mask:
        """Rows that have this value."""
        try:
            code = self.values.index(value)
        except ValueError:
            code = -2
        made: Mask = self.codes == code
        return made

    def containing(self, text: str) -> Mask:
        """Rows whose value contains the text, whatever the case."""
        hit = self.folded.str.contains(text.lower(), literal=True).to_numpy()
        made: Mask = np.append(hit, False)[self.codes]
        return made


@dataclass(frozen=True, slots=True)
class Index:
    """A run's violations in order of table, file, record. Row numbers are positions in it.

    `tables[use]` is the table of a use; unless `personal`, what is personal in it is masked.
    """

    stored: Stored
    frame: pl.DataFrame
    use: Ints
    project: Coded
    case: Coded
    division: Coded
    tables: tuple[Table | None, ...]
    personal: bool

    @property
    def rows(self) -> int:
        return self.frame.height

    def violations(self, positions: Sequence[int] | Ints) -> tuple[Violation, ...]:
        """The violations at these positions, texts filled in."""
        part = self.frame[positions].select("group", *COLUMNS)
        return tuple(self._violation(group, row) for group, *row in part.iter_rows())

    def _violation(self, group: int, row: Sequence[object]) -> Violation:
        made = cast(Row, tuple(row))
        if not self.personal:
            use = made[0]
            made = veiled(self.tables[use], self.stored.uses[use], made)
        return self.stored.violation(self.stored.groups[group], made)


class Indexes:
    """Opens the index of a run, making it on first use; keeps the last few open."""

    def __init__(self, state_dir: Path, runs: Runs, packs: Packs, *, personal: bool) -> None:
        self.folder = state_dir / "inspector"
        self.runs = runs
        self.packs = packs
        self.personal = personal
        self._open: OrderedDict[str, Index] = OrderedDict()
        self._new: OrderedDict[tuple[str, str], Mask] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, name: str) -> Index:
        """The index of a run id (empty: the newest). Raises Refusal."""
        stored = self.runs.open(name)
        with self._lock:
            found = self._open.pop(stored.run.id, None) or self._load(stored)
            self._open[stored.run.id] = found
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)
            return found

    def new(self, name: str, before: str) -> Mask:
        """Rows of run `name` that run `before` does not have (as often); all where it is empty."""
        index = self.open(name)
        if not before:
            return np.ones(index.rows, dtype=np.bool_)
        key = (index.stored.run.id, before)
        if key not in self._new:
            self._new[key] = _beyond(index.frame, self.open(before).frame)
            while len(self._new) > 4 * _OPEN:
                self._new.popitem(last=False)
        return self._new[key]

    def _load(self, stored: Stored) -> Index:
        path = self.folder / f"{stored.run.id}.v{_VERSION}.arrow"
        if not path.exists():
            frame = _frame(stored)
            if not _write(frame, path):
                return self._index(stored, frame)
            self._prune()
        return self._index(stored, pl.read_ipc(path))

    def _index(self, stored: Stored, frame: pl.DataFrame) -> Index:
        works = pl.col("works")
        code = pl.when(works.str.contains(PROJECT)).then(works.str.head(_PROJECT_LENGTH))
        return Index(
            stored,
            frame,
            frame["use"].cast(pl.Int64).to_numpy(),
            coded(frame.select(code.otherwise(works)).to_series()),
            coded(frame["case"]),
            coded(frame["division"]),
            tuple(table_of(self.packs, use) for use in stored.uses),
            self.personal,
        )

    def _prune(self) -> None:
        """Keep the newest index files; they can be made again."""
        files = sorted(self.folder.glob("*.arrow"), key=lambda p: p.stat().st_mtime)
        for path in files[:-_KEPT]:
            path.unlink(missing_ok=True)


def _frame(stored: Stored) -> pl.DataFrame:
    """Every violation of the run in order, with the number of its group."""
    schema: dict[str, type[pl.DataType]] = {**STORED, "group": pl.UInt32}
    parts = [_group(stored, group, number) for number, group in enumerate(stored.groups)]
    return pl.concat(parts).rechunk() if parts else pl.DataFrame(schema=schema)


def _group(stored: Stored, group: Group, number: int) -> pl.DataFrame:
    read = [pl.read_parquet(stored.folder / name) for name in (*group.records, *group.dataset)]
    frame = pl.concat(read, how="diagonal_relaxed")
    missing = [pl.lit(None, pl.String).alias(name) for name in WHOSE if name not in frame.columns]
    frame = frame.with_columns(*missing, pl.lit(number, pl.UInt32).alias("group"))
    frame = frame.select(*SCHEMA, *WHOSE, "group")
    return frame.sort(pl.col("record").fill_null(0), maintain_order=True)


def _write(frame: pl.DataFrame, path: Path) -> bool:
    """True when the index is on disk; a folder that cannot be written costs only time."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            frame.write_ipc(file, compression="uncompressed")
        part.replace(path)
    except OSError:
        return False
    return True


def coded(column: pl.Series) -> Coded:
    """A text column as codes; values in order of first appearance."""
    values = column.drop_nulls().unique(maintain_order=True)
    numbers = pl.DataFrame({"v": values, "n": np.arange(values.len(), dtype=np.int32)})
    joined = pl.DataFrame({"v": column}).join(numbers, on="v", how="left", maintain_order="left")
    codes = joined["n"].fill_null(-1).to_numpy()
    return Coded(codes, tuple(values.to_list()), values.str.to_lowercase())


def uncoded(rows: int) -> Coded:
    """A column of which nothing is known."""
    return Coded(np.full(rows, -1, dtype=np.int32), (), pl.Series([], dtype=pl.String))


def _beyond(now: pl.DataFrame, before: pl.DataFrame) -> Mask:
    """Rows whose fingerprint stands here more often than before: the last ones (as `compare`)."""
    old = before.group_by("fingerprint").len("times")
    again = pl.int_range(1, pl.len() + 1).over("fingerprint")
    joined = now.select("fingerprint", again.alias("again")).join(
        old, on="fingerprint", how="left", maintain_order="left"
    )
    made: Mask = (
        joined.select(pl.col("again") > pl.col("times").fill_null(0)).to_series().to_numpy()
    )
    return made
