"""The first page: what needs a person now, how the last run went, the nights behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pusher.ledger.queries import Run as PushRun
from pusher.ledger.queries import status
from pusher.states import TITLES, State
from spgl.inspector import words
from spgl.inspector.away import Away, away
from spgl.inspector.cases import all_cases, overdue
from spgl.inspector.counts import Line, by_column, by_use
from spgl.inspector.filters import Filter, address, table_title
from spgl.inspector.index import Index
from spgl.inspector.ledger import URGENT, opened, standing
from spgl.inspector.pages.case import missing
from spgl.inspector.runs import Night, night
from spgl.inspector.site import Ask, Page, Site
from validator.reports import phrases
from validator.reports.summary import books, verdict_head
from validator.text import Text

_PROJECTS, _LINES, _NIGHTS = 10, 8, 21


@dataclass(frozen=True, slots=True)
class Urgent:
    """Something a person has to look at, and where. `count` None: not known yet; `more`: at least
    as many."""

    name: str
    title: Text
    help: Text
    count: int | None
    url: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class StateLine:
    """Versions in one state at one target."""

    target: str
    state: State
    title: Text
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class NightLine:
    """One night: the stored run, what was delivered, and where to look."""

    run: Night
    accepted: int | None
    refused: int | None
    given_up: int | None
    incomplete: bool
    url: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The page; `last` is None before the first run. `cases`: `read`, `reading`, or `missing`, then
    `cases_missing` says why."""

    last: Night | None
    verdict: Text
    books: Text
    basis: tuple[Text, ...]
    previous: str
    new: int
    new_url: str
    gone: int
    compare_url: str
    urgent: tuple[Urgent, ...]
    away: tuple[Away, ...]
    cases: str
    cases_missing: tuple[Text, ...]
    projects: tuple[Line, ...]
    rules: tuple[Line, ...]
    tables: tuple[Line, ...]
    stages: tuple[Line, ...]
    divisions: tuple[Line, ...]
    departments: tuple[Line, ...]
    states: tuple[StateLine, ...]
    nights: tuple[NightLine, ...]
    ledger: bool


def build(site: Site, ask: Ask) -> Overview:
    """The newest run, or the one that is asked for."""
    nights = site.runs.nights(_NIGHTS)
    ledger = _ledger(site)
    empty: tuple[Line, ...] = ()
    lines: dict[str, tuple[Line, ...]] = {}
    new, gone, previous = 0, 0, ""
    verdict, balance, basis = words.NO_RUNS, words.NO_RUNS_HELP, tuple[Text, ...]()
    last: Night | None = None
    if nights:
        index = site.indexes.open(ask.one("run"))
        run = index.stored.run
        last = night(run)
        asked, known = ask.one("run"), site.snapshots.ready(run.id) is not None
        lines = site.snapshots.remember(
            run.id, f"lines {asked} {known}", lambda: _lines(site, index, asked)
        )
        previous = site.runs.before(run)
        if previous:
            fresh = site.indexes.new(run.id, previous)
            new = int(np.count_nonzero(fresh))
            gone = site.indexes.open(previous).rows - (index.rows - new)
        verdict, balance = verdict_head(run), books(run)
        basis = tuple(phrases.basis(p) for p in run.packs)
    cases, late, why = _overdue(site, last) if last else ("missing", None, ())
    return Overview(
        last=last,
        verdict=verdict,
        books=balance,
        basis=basis,
        previous=previous,
        new=new,
        new_url=address("/violations", ask.one("run"), Filter(new="1")),
        gone=gone,
        compare_url=f"/compare?before={previous}&after={last.id}" if previous and last else "",
        away=ledger.away,
        urgent=_urgent(ledger.urgent, cases, late),
        cases=cases,
        cases_missing=why,
        states=ledger.states,
        nights=tuple(_night(n, ledger.pushes.get(n.id)) for n in nights),
        ledger=ledger.there,
        **{n: lines.get(n, empty) for n in _GROUPS},
    )


_GROUPS = ("projects", "rules", "tables", "stages", "divisions", "departments")


def _overdue(site: Site, last: Night) -> tuple[str, int | None, tuple[Text, ...]]:
    """Whether the cases of a run are read, how many are overdue, and why they cannot be read."""
    snapshot = site.snapshots.ready(last.id)
    if snapshot is None:
        return "reading", None, ()
    why = missing(site, snapshot)
    if why:
        return "missing", None, why
    late = overdue(all_cases(site.snapshots, site.packs, snapshot, last.started))
    return "read", len(late), ()


_Standing = Mapping[State, tuple[int, bool]]


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What the page tells of the ledger; `pushes` are its runs by name."""

    there: bool = False
    states: tuple[StateLine, ...] = ()
    urgent: _Standing = field(default_factory=dict)
    away: tuple[Away, ...] = ()
    pushes: Mapping[str, PushRun] = field(default_factory=dict)


def _ledger(site: Site) -> _Ledger:
    with opened(site.ledger) as ledger:
        if ledger is None:
            return _Ledger()
        found = status(ledger, runs=3 * _NIGHTS)
        urgent = {state: standing(ledger, state) for state in URGENT}
    sums: dict[tuple[str, State], int] = {}
    for (target, _, state), n in found.counts.items():
        sums[target, state] = sums.get((target, state), 0) + n
    order = list(State)
    ranked = sorted(sums.items(), key=lambda s: (s[0][0], order.index(s[0][1])))
    lines = tuple(
        StateLine(target, state, TITLES[state], n, f"/ledger?state={state}&target={target}")
        for (target, state), n in ranked
    )
    pushes = {run.name: run for run in reversed(found.runs)}
    return _Ledger(True, lines, urgent, away(found.away, site.now()), pushes)


def _urgent(states: _Standing, cases: str, late: int | None) -> tuple[Urgent, ...]:
    made = [
        Urgent(str(state), TITLES[state], words.URGENT[state], n, f"/ledger?state={state}", more)
        for state, (n, more) in states.items()
        if n
    ]
    if cases == "reading" or late:
        where = "/cases?show=overdue"
        made.append(Urgent("overdue", words.OVERDUE, words.OVERDUE_HELP, late, where))
    return tuple(made)


def _night(run: Night, push: PushRun | None) -> NightLine:
    told = push.delivery if push is not None else {}

    def number(name: str) -> int | None:
        value = told.get(name)
        return value if isinstance(value, int) else None

    return NightLine(
        run,
        number("accepted"),
        number("refused"),
        number("given_up"),
        bool(told.get("incomplete")),
        f"/runs/{run.id}",
    )


def _lines(site: Site, index: Index, asked: str) -> dict[str, tuple[Line, ...]]:
    """Violations of a run by every way people look at them."""
    names = site.names
    departments = site.snapshots.departments(index)
    plain: Callable[[str], Text] = lambda v: Text(v, v)  # noqa: E731
    none = phrases.NO_STAGE
    made = {
        "projects": by_column(index, index.project, "project", _PROJECTS, plain, asked),
        "divisions": by_column(index, index.division, "division", _LINES, plain, asked),
        "departments": by_column(index, departments, "department", _LINES, plain, asked),
        "rules": by_use(index, "rule", _LINES, names.rule, asked),
        "tables": by_use(index, "table", _LINES, lambda v: table_title(names, v), asked),
        "stages": by_use(
            index, "stage", _LINES, lambda v: none if v == "-" else names.stage(v), asked
        ),
    }
    known = _project_names(site, index)
    made["projects"] = tuple(
        Line(p.value, known.get(p.value, p.title), p.error, p.warning, p.info, p.url)
        for p in made["projects"]
    )
    return made


def _project_names(site: Site, index: Index) -> Mapping[str, Text]:
    from spgl.inspector.cases import codes, names_of

    snapshot, of = site.snapshots.ready(index.stored.run.id), codes(site.packs)
    if snapshot is None or of is None:
        return {}
    found = site.snapshots.remember(
        snapshot.run, "projects", lambda: dict(names_of(snapshot, of.standard).values())
    )
    return {code: Text(name, name) for code, name in found.items() if name}


PAGES = (Page("/", "overview.html", words.OVERVIEW, build, menu=True),)
