"""The month by which a bureau is assessed: how soon, how complete, how much was refused and why.

The numbers describe; which of them an assessment counts, and how, is not public and not claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pusher.ledger.core import Ledger
from pusher.ledger.queries import status
from pusher.states import State
from spgl.inspector import months, words
from spgl.inspector.cases import EVENTS, all_cases, codes, overdue
from spgl.inspector.filters import table_title
from spgl.inspector.index import Index
from spgl.inspector.ledger import opened, places
from spgl.inspector.months import DAYS, Delay
from spgl.inspector.site import Ask, Page, Refusal, Site
from spgl.inspector.snapshot import Snapshot
from validator.run import Run
from validator.text import Text
from validator.violation import Severity


@dataclass(frozen=True, slots=True)
class StageLine:
    """Completeness of a stage in the last run of the month."""

    title: Text
    read: int
    conforming: int
    missing: int
    without_business: int


@dataclass(frozen=True, slots=True)
class DepartmentLine:
    """Cases of an approving body: accepted, with an error of their own, running over their time."""

    name: str
    cases: int
    faulty: int
    overdue: int


@dataclass(frozen=True, slots=True)
class RefusalLine:
    """Versions of a table that entered in the month, by the target's word."""

    title: Text
    entered: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Month:
    """The report of a month. `run` is the last run in it, empty when there was none."""

    month: str
    months: tuple[str, ...]
    run: str
    nights: int
    entered: int
    states: tuple[tuple[State, int], ...]
    day_classes: tuple[int, ...]
    delays: tuple[Delay, ...]
    stages: tuple[StageLine, ...]
    departments: tuple[DepartmentLine, ...]
    departments_known: bool
    refused: tuple[RefusalLine, ...]
    reasons: tuple[tuple[str, int, int], ...]
    ledger: bool

    @property
    def answered(self) -> int:
        return sum(n for s, n in self.states if s in (State.ACCEPTED, State.REJECTED))

    @property
    def rejected(self) -> int:
        return sum(n for s, n in self.states if s is State.REJECTED)


def build(site: Site, ask: Ask) -> Month:
    nights = site.runs.nights(400)
    known = {n.started.strftime("%Y-%m") for n in nights}
    with opened(site.ledger) as ledger:
        there = ledger is not None
        if ledger is not None:
            known |= {
                r.started.astimezone().strftime("%Y-%m") for r in status(ledger, runs=400).runs
            }
    month = ask.one("month") or max(known, default=site.now().strftime("%Y-%m"))
    try:
        start, end = months.month_range(month)
    except ValueError:
        raise Refusal(400, _NO_MONTH) from None
    mine = [n for n in nights if start <= n.started < end]
    run = site.runs.open(mine[0].id).run if mine else None
    snapshot = site.snapshots.open(run.id) if run else None
    sent = _sent(site, start, end, snapshot)
    return Month(
        month=month,
        months=tuple(sorted({*known, month}, reverse=True)),
        run=run.id if run else "",
        nights=len(mine),
        day_classes=DAYS,
        stages=_stages(site, run) if run else (),
        departments=_departments(site, run, snapshot) if run and snapshot else (),
        departments_known=bool(snapshot and snapshot.tables),
        ledger=there,
        entered=sent.entered,
        states=sent.states,
        delays=sent.delays,
        refused=sent.refused,
        reasons=sent.reasons,
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    entered: int = 0
    states: tuple[tuple[State, int], ...] = ()
    delays: tuple[Delay, ...] = ()
    refused: tuple[RefusalLine, ...] = ()
    reasons: tuple[tuple[str, int, int], ...] = ()


def _sent(site: Site, start: datetime, end: datetime, snapshot: Snapshot | None) -> _Sent:
    with opened(site.ledger) as ledger:
        if ledger is None:
            return _Sent()
        seen = f"{start} {ledger.last_id('version')} {ledger.last_id('event')} {bool(snapshot)}"
        return site.snapshots.remember(
            snapshot.run if snapshot else "",
            seen,
            lambda: _counted(site, ledger, start, end, snapshot),
        )


def _counted(
    site: Site, ledger: Ledger, start: datetime, end: datetime, snapshot: Snapshot | None
) -> _Sent:
    """The month in the ledger; worked out again only when something was entered or answered."""
    of = months.versions(ledger, start, end)
    counts = months.counts(ledger, of)
    every = places(ledger)
    bodies = _bodies(site, snapshot)
    late = months.delays(ledger, of, places(ledger, table=EVENTS), bodies)
    reasons = months.refusals(ledger, of)
    sums = {s: sum(n for (_, t), n in counts.items() if t is s) for s in State}
    names = {p.id: p.table for p in every}
    refused: dict[str, list[int]] = {}
    for (place, state), n in counts.items():
        cells = refused.setdefault(names[place], [0, 0, 0])
        cells[0] += n
        cells[1] += n if state is State.ACCEPTED else 0
        cells[2] += n if state is State.REJECTED else 0
    ranked = sorted(refused.items(), key=lambda r: (-r[1][2], -r[1][0], r[0]))
    return _Sent(
        entered=sum(counts.values()),
        states=tuple((s, n) for s, n in sums.items() if n),
        delays=late,
        refused=tuple(RefusalLine(table_title(site.names, t), *c) for t, c in ranked),
        reasons=reasons,
    )


def _bodies(site: Site, snapshot: Snapshot | None) -> Mapping[str, str]:
    """Case → approving body, from the records of a run."""
    of = codes(site.packs)
    frame = snapshot.tables.get(of.cases) if snapshot is not None and of is not None else None
    if frame is None:
        return {}
    return {str(c): str(b) for c, b in frame.select("SPSXSLBM", "SPBMMC").drop_nulls().iter_rows()}


def _stages(site: Site, run: Run) -> tuple[StageLine, ...]:
    made: dict[str, list[int]] = {}
    for table in run.tables.values():
        if table.stage is not None:
            cells = made.setdefault(table.stage, [0, 0, 0, 0])
            cells[0] += table.read
            cells[1] += table.conforming
    for line in run.counts:
        if line.stage in made:
            if line.rule in ("missing-value", "missing-conditional-value"):
                made[line.stage][2] += line.count
            elif line.rule == "completed-case-without-business-row":
                made[line.stage][3] += line.count
    order = list(site.names.stages)
    ranked = sorted(made, key=lambda s: order.index(s) if s in order else len(order))
    return tuple(StageLine(site.names.stage(s), *made[s]) for s in ranked)


def _departments(site: Site, run: Run, snapshot: Snapshot) -> tuple[DepartmentLine, ...]:
    cases = all_cases(site.snapshots, site.packs, snapshot, datetime.fromisoformat(run.started))
    if not cases:
        return ()
    faulty = _faulty(site.indexes.open(run.id))
    made: dict[str, list[int]] = {}
    late = {c.case for c in overdue(cases)}
    for case in cases:
        cells = made.setdefault(case.department, [0, 0, 0])
        cells[0] += 1
        cells[1] += case.case in faulty
        cells[2] += case.case in late
    ranked = sorted(made.items(), key=lambda d: (-d[1][2], -d[1][1], d[0]))
    return tuple(DepartmentLine(name, *cells) for name, cells in ranked)


def _faulty(index: Index) -> frozenset[str]:
    """Cases of which some record has an error."""
    grave = np.array([u.severity is Severity.ERROR for u in index.stored.uses])
    if not len(grave):
        return frozenset()
    found = np.unique(index.case.codes[grave[index.use]])
    return frozenset(index.case.values[i] for i in found.tolist() if i >= 0)


_NO_MONTH = Text("月份写作 2026-01", "a month is written 2026-01")

PAGES = (Page("/monitoring", "monitoring.html", words.MONITORING, build, menu=True),)
