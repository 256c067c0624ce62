"""The first page: what needs a person now, how the last run went, the nights behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pusher.ledger.queries import Run as PushRun
from pusher.ledger.queries import status
from pusher.states import TITLES, State
from spgl.inspector import words
from spgl.inspector.cases import all_cases, overdue
from spgl.inspector.filters import BY_USE, Filter, address, table_title
from spgl.inspector.index import Coded, Index
from spgl.inspector.ledger import URGENT, opened, standing
from spgl.inspector.runs import Night, night
from spgl.inspector.site import Ask, Page, Site
from validator.reports import phrases
from validator.reports.summary import books, verdict_head
from validator.text import Text
from validator.violation import Severity

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
class Line:
    """Violations of one project, rule, table, stage or division, by severity."""

    value: str
    title: Text
    error: int
    warning: int
    info: int
    url: str

    @property
    def total(self) -> int:
        return self.error + self.warning + self.info


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
    """The page; `last` is None before the first run."""

    last: Night | None
    verdict: Text
    books: Text
    basis: tuple[Text, ...]
    previous: str
    new: int
    gone: int
    compare_url: str
    urgent: tuple[Urgent, ...]
    cases_read: bool
    projects: tuple[Line, ...]
    rules: tuple[Line, ...]
    tables: tuple[Line, ...]
    stages: tuple[Line, ...]
    divisions: tuple[Line, ...]
    departments: tuple[Line, ...]
    states: tuple[StateLine, ...]
    nights: tuple[NightLine, ...]
    ledger: bool


def build(site: Site, _ask: Ask) -> Overview:
    nights = site.runs.nights(_NIGHTS)
    states, urgent, pushes = _ledger(site)
    empty: tuple[Line, ...] = ()
    lines: dict[str, tuple[Line, ...]] = {}
    new, gone, previous = 0, 0, ""
    verdict, balance, basis = words.NO_RUNS, words.NO_RUNS_HELP, tuple[Text, ...]()
    if nights:
        index = site.indexes.open(nights[0].id)
        run = index.stored.run
        lines = _lines(site, index)
        previous = site.runs.before(run)
        if previous:
            fresh = site.indexes.new(run.id, previous)
            new = int(np.count_nonzero(fresh))
            gone = site.indexes.open(previous).rows - (index.rows - new)
        verdict, balance = verdict_head(run), books(run)
        basis = tuple(phrases.basis(p) for p in run.packs)
        nights = (night(run), *nights[1:])
    cases = _overdue(site, nights[0]) if nights else None
    return Overview(
        last=nights[0] if nights else None,
        verdict=verdict,
        books=balance,
        basis=basis,
        previous=previous,
        new=new,
        gone=gone,
        compare_url=f"/compare?before={previous}&after={nights[0].id}" if previous else "",
        urgent=_urgent(urgent, cases),
        cases_read=cases is not None,
        states=states,
        nights=tuple(_night(n, pushes.get(n.id)) for n in nights),
        ledger=site.ledger_path.exists(),
        **{n: lines.get(n, empty) for n in _GROUPS},
    )


_GROUPS = ("projects", "rules", "tables", "stages", "divisions", "departments")


def _overdue(site: Site, last: Night) -> int | None:
    """Overdue cases of the last run; None until its records are read."""
    snapshot = site.snapshots.ready(last.id)
    if snapshot is None:
        return None
    return len(overdue(all_cases(site.snapshots, site.packs, snapshot, last.started)))


_Standing = Mapping[State, tuple[int, bool]]


def _ledger(site: Site) -> tuple[tuple[StateLine, ...], _Standing, Mapping[str, PushRun]]:
    with opened(site.ledger_path) as ledger:
        if ledger is None:
            return (), {}, {}
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
    return lines, urgent, {run.name: run for run in reversed(found.runs)}


def _urgent(states: _Standing, cases: int | None) -> tuple[Urgent, ...]:
    made = [
        Urgent(str(state), TITLES[state], words.URGENT[state], n, f"/ledger?state={state}", more)
        for state, (n, more) in states.items()
        if n
    ]
    if cases is None or cases:
        where = "/cases?show=overdue"
        made.append(Urgent("overdue", words.OVERDUE, words.OVERDUE_HELP, cases, where))
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


def _lines(site: Site, index: Index) -> dict[str, tuple[Line, ...]]:
    """Violations of a run by every way people look at them."""
    names = site.names
    departments = site.snapshots.departments(index)
    plain: Callable[[str], Text] = lambda v: Text(v, v)  # noqa: E731
    none = phrases.NO_STAGE
    made = {
        "projects": _of_column(index, index.project, "project", _PROJECTS, plain),
        "divisions": _of_column(index, index.division, "division", _LINES, plain),
        "departments": _of_column(index, departments, "department", _LINES, plain),
        "rules": _of_use(index, "rule", names.rule, _LINES),
        "tables": _of_use(index, "table", lambda v: table_title(names, v), _LINES),
        "stages": _of_use(index, "stage", lambda v: none if v == "-" else names.stage(v), _LINES),
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


def _of_column(
    index: Index, column: Coded, name: str, limit: int, title: Callable[[str], Text]
) -> tuple[Line, ...]:
    """Counts per value of a column and severity, most errors first."""
    weight = np.array([u.severity.rank for u in index.stored.uses], dtype=np.int64)
    width = len(Severity)
    have = column.codes >= 0
    cells = column.codes[have].astype(np.int64) * width + weight[index.use[have]]
    counts = np.bincount(cells, minlength=len(column.values) * width).reshape(-1, width)
    order = np.lexsort((-counts.sum(axis=1), -counts[:, 0]))[:limit].tolist()
    return tuple(
        _line(name, column.values[i], title, counts[i].tolist()) for i in order if counts[i].any()
    )


def _of_use(index: Index, name: str, title: Callable[[str], Text], limit: int) -> tuple[Line, ...]:
    uses = index.stored.uses
    sums: dict[str, list[int]] = {}
    for number, n in enumerate(np.bincount(index.use, minlength=len(uses)).tolist()):
        if n:
            cells = sums.setdefault(BY_USE[name](uses[number]), [0] * len(Severity))
            cells[uses[number].severity.rank] += n
    ranked = sorted(sums.items(), key=lambda s: ([-n for n in s[1]], s[0]))[:limit]
    return tuple(_line(name, value, title, cells) for value, cells in ranked)


def _line(name: str, value: str, title: Callable[[str], Text], cells: Sequence[int]) -> Line:
    filter_ = Filter(project=value) if name == "project" else Filter().toggled(name, value)
    error, warning, info = cells
    return Line(value, title(value), error, warning, info, address("/violations", "", filter_))


PAGES = (Page("/", "overview.html", words.OVERVIEW, build, menu=True),)
