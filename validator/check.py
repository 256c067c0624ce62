"""The run: read every source, judge records and dataset, settle who goes on, store what was found.

The story is in `check`; each step is a module of its own. It sends nothing and formats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from validator import passing, standing
from validator.compiled import Compiled, compile_uses, lasting_needs, needs_of
from validator.counting import counted, pack_line
from validator.dataset import Columns, Index, Mark, Shape, read, shapes
from validator.duplicates import Place, Settled, settle
from validator.finding import Veil, of_source
from validator.pack import Packs
from validator.passing import Outcome
from validator.pending import Pending, ask, ask_keys, ask_parents, hold, write
from validator.reading import Progress, Reader, TableRun, bulk, read_table
from validator.records import Record, TableSource
from validator.reference import schema_engine
from validator.rule import Need
from validator.run import FileProblem, Run, Workbook
from validator.store import Stored, Writer
from validator.text import Text
from validator.violation import Severity, Violation

Ints = npt.NDArray[np.int64]

#: Records are dated by the clock of China.
CHINA = timezone(timedelta(hours=8))
#: Rows of a batch: enough for columns to pay, few enough to stay flat.
BATCH_ROWS = 100_000
#: With little memory: what a batch costs beside its rows shows, memory halves.
FEW_BATCH_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a run.

    `overrides`: severities by `rule`, `TABLE.rule` or `TABLE.FIELD.rule`. `gate`: names of the same
    form whose errors do not hold a record. `partial`: a reference to a table outside the export is
    an info. `known`: per qualified table name, String columns of what the target holds (see
    `known_columns`). `reads`: further columns to keep, by qualified table name. `fingerprint_key`
    hashes personal parts of fingerprints. `on_progress` is called after every batch.
    """

    overrides: Mapping[str, Severity] = field(default_factory=dict)
    gate: frozenset[str] = frozenset()
    partial: bool = False
    known: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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

    @property
    def run(self) -> Run:
        return self.stored.run

    def violations(self) -> Iterator[Violation]:
        """Every violation, in order of table, file, record; streamed."""
        return self.stored.violations()

    def records(self, tables: frozenset[str] | None = None) -> Iterator[Record]:
        """Every record that was read, with its standing; only these tables are read again (None:
        all). Raises SourceError if a file changed."""
        outcomes = tuple(
            o for o in self.outcomes if tables is None or o.run.table.qualified in tables
        )
        known = known_columns(self.packs)
        return passing.records(self.packs, self.reader, self.reader.uses, outcomes, known)


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
    notes: Sequence[Text] = (),
    workbooks: Mapping[str, Workbook] | None = None,
) -> Checked:
    """Check the sources; the run is kept in `store_dir`.

    `unknown`: (file, name) of tables that no pack has; `problems`: files that could not be opened;
    `notes`: what reports show beside the basis; `workbooks`: see `Run`.
    A source that raises SourceError stops only its file. Raises RuleError if a rule fails.
    """
    started = now()
    there = {s.table.qualified for s in sources}
    tables = tuple(t for t in packs.tables() if t.qualified in there)
    compiled = compile_uses(
        packs, tables, options.overrides, options.gate, options.partial,
        started.astimezone(CHINA).date().isoformat(),
    )  # fmt: skip
    further = [Need(name, (), columns) for name, columns in options.reads.items()]
    shape = shapes(packs, (*needs_of(compiled), *further))
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
    index = Index(
        packs, {r.table.qualified: r.columns for r in runs}, _known(packs, shape, options)
    )
    pending = {r.table.qualified: Pending() for r in runs}
    outcomes = _decide(compiled, reader, runs, index, pending, _undecided(packs, runs, problems))
    dataset = {name: found.counts() for name, found in pending.items()}
    others = {compiled.unknown_table: len(unknown)} if unknown else {}
    head = Run(
        id=run_id,
        started=started.isoformat(),
        finished=now().isoformat(),
        inputs=tuple(inputs),
        packs=tuple(pack_line(p) for p in packs),
        **counted(packs, compiled.uses, outcomes, dataset, others),
        problems=(*problems, *(p for run in runs for p in run.problems)),
        files={file: rows for r in runs for file, rows in r.files.items()},
        notes=tuple(notes),
        workbooks=workbooks or {},
    )
    stored = writer.finish(head, packs, compiled.uses)
    return Checked(stored, packs, reader, outcomes)


def _decide(
    compiled: Compiled,
    reader: Reader,
    runs: Sequence[TableRun],
    index: Index,
    pending: Mapping[str, Pending],
    undecided: frozenset[str],
) -> tuple[Outcome, ...]:
    """Ask the dataset rules, settle who goes on, and write their violations."""
    settled = {r.table.qualified: _settle(reader, r, index) for r in runs}
    ask(compiled, index, pending, undecided)
    ask_keys(compiled, settled, pending)
    for run in runs:
        hold(compiled, run, pending[run.table.qualified])
    blocks = {
        r.table.qualified: standing.own_blocks(r.columns.rows, r.held.sorted()[1]) for r in runs
    }
    places = {name: s.places for name, s in settled.items()}
    tables = [r.table for r in runs]
    family = standing.Family(index, tables, blocks, places, undecided)
    standing.spread(family)
    ask_parents(compiled, family, pending)
    for run in runs:
        write(reader, run, pending[run.table.qualified])
    return tuple(
        Outcome(r, places[name], blocks[name], r.held.sorted())
        for r in runs
        for name in (r.table.qualified,)
    )


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
            now = int(source.size * source.share)
            options.on_progress(Progress(source.file, rows, before + now, total))

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
