"""The run: read every source, judge records and dataset, settle who goes on, store what was found.

The story is in `check`; each step is a module of its own. It sends nothing and formats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from validator import passing, standing
from validator.compiled import Compiled, compile_uses, every_need, lasting_needs
from validator.counting import counted, pack_line
from validator.dataset import Columns, Index, Mark, Shape, read, shapes
from validator.duplicates import Place, Settled, settle
from validator.finding import Veil, build, of_source
from validator.pack import Packs, Table
from validator.passing import Outcome
from validator.plan import RuleCrash
from validator.reading import Progress, Reader, TableRun, again, bulk, read_table
from validator.records import Record, TableSource
from validator.reference import schema_engine
from validator.rule import Need
from validator.run import FileProblem, Run
from validator.store import Stored, Writer
from validator.violation import Severity, Violation

Ints = npt.NDArray[np.int64]

#: Rows of a batch: enough for columns to pay, few enough to stay flat.
BATCH_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a run.

    `overrides`: severities by `rule`, `TABLE.rule` or `TABLE.FIELD.rule`. `gate`: names of the same
    form whose errors do not hold a record. `partial`: a reference to a table outside the export is
    an info. `known`: per qualified table name, String columns of what the target holds (see
    `known_columns`). `fingerprint_key` hashes personal parts of fingerprints. `on_progress` is
    called after every batch.
    """

    overrides: Mapping[str, Severity] = field(default_factory=dict)
    gate: frozenset[str] = frozenset()
    partial: bool = False
    known: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    show_personal: bool = False
    fingerprint_key: bytes = b""
    batch_rows: int = BATCH_ROWS
    engine: Literal["bulk", "reference"] = "bulk"
    on_progress: Callable[[Progress], None] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A finished run: its head, its violations (a `run.Result`), and the second pass."""

    stored: Stored
    packs: Packs
    reader: Reader
    outcomes: tuple[Outcome, ...]
    known: Mapping[str, tuple[str, ...]]

    @property
    def run(self) -> Run:
        return self.stored.run

    def violations(self) -> Iterator[Violation]:
        """Every violation, in order of table, file, record; streamed."""
        return self.stored.violations()

    def records(self) -> Iterator[Record]:
        """Every record that was read, with its standing. Raises SourceError if a file changed."""
        return passing.records(self.packs, self.reader, self.reader.uses, self.outcomes, self.known)


def known_columns(packs: Packs) -> dict[str, tuple[str, ...]]:
    """Per qualified table name, the columns kept of what the target holds (decisions 3)."""
    return passing.known_columns(packs, lasting_needs(packs))


def check(
    packs: Packs,
    sources: Sequence[TableSource],
    options: Options,
    store_dir: Path,
    *,
    run_id: str,
    now: Callable[[], datetime],
    inputs: Sequence[str] = (),
    unknown: Sequence[tuple[str, str]] = (),
    problems: Sequence[FileProblem] = (),
) -> Checked:
    """Check the sources; the run is kept in `store_dir`.

    `unknown`: (file, name) of tables that no pack has; `problems`: files that could not be opened.
    A source that raises SourceError stops only its file. Raises RuleCrash if a rule fails.
    """
    started = now()
    there = {s.table.qualified for s in sources}
    tables = tuple(t for t in packs.tables() if t.qualified in there)
    compiled = compile_uses(packs, tables, options.overrides, options.gate, options.partial)
    needs = every_need(packs)
    shape = shapes(packs, needs)
    writer = Writer(store_dir)
    _unknown_tables(compiled, unknown, writer)
    reader = _reader(packs, compiled, sources, options, writer)
    runs = [
        read_table(
            reader, compiled.entries[t.qualified], shape[t.qualified],
            [s for s in sources if s.table.qualified == t.qualified],
        )
        for t in tables
    ]  # fmt: skip
    found = [*problems, *(p for run in runs for p in run.problems)]
    undecided = _undecided(packs, runs, problems)
    index = Index(
        packs, {r.table.qualified: r.columns for r in runs}, _known(packs, shape, options)
    )
    settled = {r.table.qualified: _settle(reader, r, index) for r in runs}
    pending = {r.table.qualified: _Pending() for r in runs}
    _dataset(compiled, index, pending, undecided)
    _shared_keys(compiled, settled, pending)
    for run in runs:
        _hold(compiled, run, pending[run.table.qualified])
    blocks = _spread(index, tables, runs, settled, undecided)
    _held_back(compiled, index, tables, blocks, settled, pending)
    for run in runs:
        _write_dataset(reader, run, settled, pending[run.table.qualified])
    outcomes = tuple(
        Outcome(r, settled[n].places, blocks[n], r.held.sorted())
        for r in runs
        for n in (r.table.qualified,)
    )
    head = Run(
        id=run_id,
        started=started.isoformat(),
        finished=now().isoformat(),
        inputs=tuple(inputs),
        packs=tuple(pack_line(p) for p in packs),
        **counted(
            packs, compiled, outcomes, {n: p.counts for n, p in pending.items()}, len(unknown)
        ),
        problems=tuple(found),
        files={file: rows for r in runs for file, rows in r.files.items()},
    )
    stored = writer.finish(head, packs, compiled.uses)
    return Checked(stored, packs, reader, outcomes, known_columns(packs))


@dataclass(slots=True)
class _Pending:
    """Dataset violations of one table until they are written: use, position and places."""

    use: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    params: list[Mapping[str, object]] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, use: int, row: int, params: Mapping[str, object]) -> None:
        self.use.append(use)
        self.row.append(row)
        self.params.append(params)
        self.counts[use] = self.counts.get(use, 0) + 1


def _reader(
    packs: Packs,
    compiled: Compiled,
    sources: Sequence[TableSource],
    options: Options,
    writer: Writer,
) -> Reader:
    total = sum(s.size for s in sources)
    done: dict[int, int] = {}

    def on_rows(source: TableSource, rows: int) -> None:
        if options.on_progress is not None:
            before = sum(size for key, size in done.items() if key != id(source))
            done[id(source)] = source.size
            options.on_progress(Progress(source.file, rows, before, total))

    veil = Veil(options.show_personal, options.fingerprint_key)
    engine = bulk if options.engine == "bulk" else schema_engine()
    return Reader(
        packs, compiled.uses, compiled.holds, veil, writer, options.batch_rows, engine, on_rows
    )


def _unknown_tables(compiled: Compiled, unknown: Sequence[tuple[str, str]], writer: Writer) -> None:
    number = compiled.unknown_table
    for file, name in unknown:
        frame = of_source(number, compiled.uses[number], None, [name])
        writer.add(writer.group(None, file), frame)


def _known(packs: Packs, shape: Mapping[str, Shape], options: Options) -> dict[str, Columns]:
    return {
        name: read(packs.table(name), shape[name], frame) for name, frame in options.known.items()
    }


def _undecided(
    packs: Packs, runs: Sequence[TableRun], problems: Sequence[FileProblem]
) -> frozenset[str]:
    """Tables of which a file could not be read; an unopened file tells by its name."""
    found = {r.table.qualified for r in runs if r.problems}
    for problem in problems:
        name = problem.file.upper()
        named = [t for t in packs.tables() if t.name in name]
        longest = max((len(t.name) for t in named), default=0)
        found |= {t.qualified for t in named if len(t.name) == longest}
    return frozenset(found)


def _settle(reader: Reader, run: TableRun, index: Index) -> Settled:
    """Settle shared keys; then say which rows, tonight's and known ones, rules see."""
    name = run.table.qualified
    known = index.known.get(name)
    settled = settle(reader, run, known.key if known is not None else None)
    places = settled.places
    index.live[name] = (run.columns.marks == Mark.VALID) & (places == Place.CANDIDATE)
    if known is not None:
        replaced = index.live[name] | (places == Place.TOMBSTONE)
        index.known_live[name] = ~np.isin(known.key, run.columns.key[replaced])
    return settled


def _dataset(
    compiled: Compiled, index: Index, pending: Mapping[str, _Pending], undecided: frozenset[str]
) -> None:
    """Ask every dataset rule; one that needs a table that could not be read is not asked."""
    frames: dict[Need, pl.DataFrame] = {}
    for rule, number, needs in compiled.dataset:
        if rule.query is None or any(n.table in undecided for n in needs):
            continue
        use = compiled.uses[number]
        for need in needs:
            if need not in frames:
                frames[need] = index.frame(need)
        try:
            bad = rule.query(use, [frames[n] for n in needs]).filter(pl.col("row") >= 0)
        except Exception as error:
            raise RuleCrash(rule.name, use.table, None) from error
        for row in bad.unique("row", keep="first").sort("row").to_dicts():
            pending[use.table].add(number, row.pop("row"), row)


def _shared_keys(
    compiled: Compiled, settled: Mapping[str, Settled], pending: Mapping[str, _Pending]
) -> None:
    for name, of in settled.items():
        for place, rule in ((Place.REPEATED, "repeated-record"), (Place.RIVAL, "duplicate-key")):
            for row in np.flatnonzero(of.places == place).tolist():
                pending[name].add(compiled.numbers[rule, name], row, {"first": of.first[row]})


def _hold(compiled: Compiled, run: TableRun, pending: _Pending) -> None:
    use = np.array(pending.use, dtype=np.int64)
    row = np.array(pending.row, dtype=np.int64)
    blocks = np.array([compiled.holds[u] for u in pending.use], dtype=np.bool_)
    run.held.add(use[blocks], row[blocks])


def _spread(
    index: Index,
    tables: Sequence[Table],
    runs: Sequence[TableRun],
    settled: Mapping[str, Settled],
    undecided: frozenset[str],
) -> dict[str, standing.Blocks]:
    blocks = {
        r.table.qualified: standing.own_blocks(r.columns.rows, r.held.sorted()[1]) for r in runs
    }
    places = {n: s.places for n, s in settled.items()}
    standing.spread(standing.Family(index, tables, blocks, places, undecided))
    return blocks


def _held_back(
    compiled: Compiled,
    index: Index,
    tables: Sequence[Table],
    blocks: Mapping[str, standing.Blocks],
    settled: Mapping[str, Settled],
    pending: Mapping[str, _Pending],
) -> None:
    places = {n: s.places for n, s in settled.items()}
    family = standing.Family(index, tables, blocks, places)
    for name, rows in standing.held_back(family).items():
        number = compiled.numbers["parent-not-conforming", name]
        for row, children in sorted(rows.items()):
            pending[name].add(number, row, {"children": children})


def _write_dataset(
    reader: Reader, run: TableRun, settled: Mapping[str, Settled], pending: _Pending
) -> None:
    """Read the records in question again for their values, and store their violations."""
    if not pending.row:
        return
    rows = np.array(pending.row, dtype=np.int64)
    order = np.lexsort((np.array(pending.use), rows))
    use, rows = np.array(pending.use, dtype=np.int64)[order], rows[order]
    places = _places(reader, run, [pending.params[i] for i in order])
    frames: dict[int, list[pl.DataFrame]] = {}
    for part in again(reader, run, np.unique(rows)):
        low = np.searchsorted(rows, part.positions[0])
        high = np.searchsorted(rows, part.positions[-1], side="right")
        at = np.searchsorted(part.positions, rows[low:high])
        frame = build(
            run.table, reader.uses, use[low:high], at, part.spot, reader.veil, places[low:high]
        )
        frames.setdefault(part.segment.group, []).append(frame)
    for group, found in frames.items():
        reader.writer.add_dataset(group, pl.concat(found))


def _places(
    reader: Reader, run: TableRun, params: Sequence[Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """Places of messages, with `first` (a position) as file and record."""
    firsts = np.unique(np.array([p["first"] for p in params if "first" in p], dtype=np.int64))
    named: dict[int, dict[str, object]] = {}
    for part in again(reader, run, firsts) if len(firsts) else ():
        for position, ordinal in zip(part.positions, part.spot.ordinals, strict=True):
            named[int(position)] = {
                "first_file": part.segment.source.file,
                "first_record": int(ordinal),
            }
    return [named[int(str(p["first"]))] if "first" in p else p for p in params]
