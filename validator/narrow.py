"""A run seen through some of its tables and records: the rest was read and judged, so that keys,
references and histories stay whole, but it is not told and not sent.

`--stage`, `--tables` choose tables; `--since`, `--where-division` choose records. Nothing is read
again: `Narrowing.reads` says which columns the run must keep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.counting import Counts, counted
from validator.pack import Packs
from validator.records import Record
from validator.run import Result, Run
from validator.standing import Blocks
from validator.text import Text
from validator.violation import Violation

if TYPE_CHECKING:
    from validator.check import Checked
    from validator.passing import Outcome

Mask = npt.NDArray[np.bool_]

#: The column that says which division a record belongs to; every table has it.
DIVISION = "XZQHDM"


@dataclass(frozen=True, slots=True)
class Since:
    """Records whose `field` is at `moment` or later, or does not tell. A table without the field
    is taken whole: what a nightly increment cannot date must still go."""

    field: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What of a run is told and sent: all of `since`, any of `divisions` (six digits, upper levels
    take in those below: 441800 has 441802), of `tables` only (None: all)."""

    tables: frozenset[str] | None = None
    since: tuple[Since, ...] = ()
    divisions: tuple[str, ...] = ()

    def reads(self, packs: Packs) -> dict[str, tuple[str, ...]]:
        """Per qualified table name, the columns that decide about its records."""
        names = [s.field for s in self.since] + ([DIVISION] if self.divisions else [])
        return {t.qualified: tuple(n for n in names if n in t.by_name) for t in packs.tables()}


@dataclass(frozen=True, slots=True)
class View:
    """`inside[table, file][ordinal]` tells whether a record is in view; `rows[table]` the same by
    position. Without an entry all are."""

    narrowing: Narrowing
    inside: Mapping[tuple[str, str], Mask]
    rows: Mapping[str, Mask]

    def has(self, table: str, file: str | None, record: int | None) -> bool:
        """Whether a record, or with None a whole file, is in view."""
        if self.narrowing.tables is not None and table not in self.narrowing.tables:
            return False
        mask = self.inside.get((table, file or ""))
        return mask is None or record is None or bool(mask[record])

    def records(self, records: Iterable[Record]) -> Iterator[Record]:
        """Those in view."""
        return (r for r in records if self.has(r.table, r.file, r.record))

    def violations(self, violations: Iterable[Violation]) -> Iterator[Violation]:
        """Those of records and files in view. Problems of a file that is no table stay out where
        tables were chosen."""
        return (v for v in violations if self.has(f"{v.standard}/{v.table}", v.file, v.record))


def view(checked: Checked, narrowing: Narrowing) -> View:
    """What of a run is in view; it must have kept what `narrowing.reads`."""
    inside: dict[tuple[str, str], Mask] = {}
    rows: dict[str, Mask] = {}
    for outcome in checked.outcomes:
        mask = _mask(outcome, narrowing)
        if mask is None:
            continue
        table = outcome.run.table.qualified
        rows[table] = mask
        for segment in outcome.run.segments:
            at = np.arange(segment.start, segment.start + segment.rows)
            ordinals = segment.ordinals(at)
            known = outcome.run.files.get(segment.source.file, 0)
            found = np.ones(max(known, int(ordinals.max(initial=0))) + 1, dtype=np.bool_)
            found[ordinals] = mask[at]
            inside[table, segment.source.file] = found
    return View(narrowing, inside, rows)


def _mask(outcome: Outcome, narrowing: Narrowing) -> Mask | None:
    """By position, which records are in view; None where nothing decides about them."""
    kept, table = outcome.run.columns.values, outcome.run.table
    asked = [
        (kept[since.field] >= since.moment).fill_null(True)
        for since in narrowing.since
        if since.field in table.by_name
    ]
    if narrowing.divisions:
        asked.append(_of_divisions(kept[DIVISION], narrowing.divisions))
    if not asked:
        return None
    whole = np.ones(outcome.run.columns.rows, dtype=np.bool_)
    for one in asked:
        whole &= one.to_numpy()
    return whole


def _of_divisions(cells: pl.Series, divisions: Sequence[str]) -> pl.Series:
    """A record without a division is in view: it must be told before it can be placed."""
    found = cells.is_null()
    for code in divisions:
        found |= cells.str.starts_with(reach(code)).fill_null(False)
    return found


def reach(division: str) -> str:
    """What the codes of a division and of those below it begin with (GB/T 2260: two digits each for
    province, city, county; 00 is all of them)."""
    return division.removesuffix("00").removesuffix("00") if division.endswith("00") else division


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A `run.Result` of what is in view. File problems stay."""

    whole: Result
    view: View
    head: Run

    @property
    def run(self) -> Run:
        return self.head

    def violations(self) -> Iterator[Violation]:
        return self.view.violations(self.whole.violations())


def narrowed(checked: Checked, view: View, packs: Packs) -> Result:
    """The run, or what of it is in view, with counts of its own."""
    tables, run = view.narrowing.tables, checked.run
    if view.rows:
        found = _counted(checked, view, packs)
        run = replace(
            run,
            tables=found["tables"],
            counts=found["counts"],
            held=found["held"],
            notes=(*run.notes, _note(view)),
        )
    if tables is not None:
        names = {name.partition("/")[2] for name in tables}
        run = replace(
            run,
            tables={name: counts for name, counts in run.tables.items() if name in tables},
            counts=tuple(c for c in run.counts if c.table in names or c.table in tables),
        )
    return checked if run is checked.run else Narrowed(checked, view, run)


def _counted(checked: Checked, view: View, packs: Packs) -> Counts:
    """Counts of the records in view."""
    uses = checked.reader.uses
    numbers = _numbers(checked, view)
    outcomes = [
        replace(
            _seen(outcome, view.rows.get(outcome.run.table.qualified)),
            run=replace(outcome.run, counts={}),
        )
        for outcome in checked.outcomes
    ]
    by_table: dict[str, dict[int, int]] = {o.run.table.qualified: {} for o in outcomes}
    others: dict[int, int] = {}
    for use, number in numbers.items():
        by_table.get(uses[use].table, others)[use] = number
    return counted(packs, uses, outcomes, by_table, others)


def _numbers(checked: Checked, view: View) -> Counter[int]:
    """How often each use spoke of what is in view."""
    found: Counter[int] = Counter()
    for group, frame in checked.stored.frames(("use", "record")):
        mask = view.inside.get((group.table or "", group.file or ""))
        uses = frame["use"]
        if mask is not None:
            at = frame["record"].fill_null(0).to_numpy()
            seen = np.where(frame["record"].is_null().to_numpy(), True, mask[at])
            uses = uses.filter(pl.Series(seen))
        found.update(dict(uses.value_counts().iter_rows()))
    return found


def _seen(outcome: Outcome, mask: Mask | None) -> Outcome:
    """The outcome of the records in view; positions are theirs."""
    if mask is None:
        return outcome
    use, row = outcome.held
    held = mask[row] if len(row) else np.empty(0, dtype=np.bool_)
    at = np.cumsum(mask) - 1
    blocks = outcome.blocks
    return replace(
        outcome,
        places=outcome.places[mask],
        blocks=Blocks(blocks.own[mask], blocks.parent[mask], blocks.root[mask]),
        held=(use[held], at[row[held]] if len(row) else row),
    )


def _note(view: View) -> Text:
    seen = sum(int(mask.sum()) for mask in view.rows.values())
    rest = sum(len(mask) for mask in view.rows.values()) - seen
    asked = [f"{s.field} ≥ {s.moment}" for s in view.narrowing.since]
    asked += [f"{DIVISION} {code}" for code in view.narrowing.divisions]
    return _NOTE.fill({"asked": "; ".join(asked), "rest": f"{rest:,}"})


_NOTE = Text(
    "只报告和报送 {asked}；另有 {rest} 条已检查但未列入",
    "only {asked} is told and sent; {rest} further records were checked and left out",
)
