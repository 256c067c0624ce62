"""The list of violations: facets, search, pages by position, and the same rows to take away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from spgl.inspector import filters
from spgl.inspector.filters import Chosen, Facet, Filter, address
from spgl.inspector.index import Coded, Index, Mask
from spgl.inspector.site import Ask, Page, Site
from spgl.inspector.walk import record_url
from validator.reports import phrases
from validator.reports.tally import qualified
from validator.run import RuleCount, Run
from validator.text import Text
from validator.violation import Violation

ROWS = 50
#: Rows fetched at once for a download.
_CHUNK = 5_000
DOWNLOADS = ("xlsx", "csv", "json")


@dataclass(frozen=True, slots=True)
class Row:
    """One violation in the list. `at` is its position in the run, `works` whose record it is."""

    at: int
    violation: Violation
    table: str | None
    project: str
    record_url: str


@dataclass(frozen=True, slots=True)
class Violations:
    """The page: `before` and `after` lead to the neighbouring pages, empty at the ends."""

    run: str
    started: str
    previous_run: str
    filter: Filter
    total: int
    first: int
    rows: tuple[Row, ...]
    facets: tuple[Facet, ...]
    new_url: str
    clear_url: str
    before_url: str
    after_url: str
    downloads: dict[str, str]
    hidden: tuple[tuple[str, str], ...]


def build(site: Site, ask: Ask) -> Violations:
    index, filter_, chosen, previous = select(site, ask)
    run = index.stored.run.id
    at, first = _page(index, chosen, ask.number("after"), ask.number("before"))
    rows = _rows(site, index, at)
    asked_run = ask.one("run")
    found = _positions(index, chosen)
    last = bool(rows) and at[-1] == found[-1]
    return Violations(
        run=run,
        started=index.stored.run.started,
        previous_run=previous,
        filter=filter_,
        total=chosen.total,
        first=first,
        rows=rows,
        facets=filters.facets(chosen, filter_, site.names, asked_run),
        new_url=address("/violations", asked_run, filter_.toggled("new", "")),
        clear_url=address("/violations", asked_run, Filter()),
        before_url=""
        if first <= 1
        else address("/violations", asked_run, filter_, [("before", str(at[0]))]),
        after_url=""
        if last or not rows
        else address("/violations", asked_run, filter_, [("after", str(at[-1]))]),
        downloads={f: address(f"/violations/download/{f}", run, filter_) for f in DOWNLOADS},
        hidden=tuple(
            p
            for p in [*([("run", asked_run)] if asked_run else []), *filter_.pairs()]
            if p[0] != "q"
        ),
    )


def select(site: Site, ask: Ask) -> tuple[Index, Filter, Chosen, str]:
    """The index, the filter and its rows that an address asks for, and the run before."""
    index, filter_ = site.indexes.open(ask.one("run")), filters.asked(ask)
    run = index.stored.run
    previous = site.runs.before(run) if filter_.new in ("", "1") else filter_.new

    def new() -> Mask:
        return site.indexes.new(run.id, previous)

    return index, filter_, filters.choose(index, filter_, new, departments(site, index)), previous


def departments(site: Site, index: Index) -> Coded:
    """The approving body of each violation's case, as far as the cases can be read."""
    return site.snapshots.departments(index)


def _positions(index: Index, chosen: Chosen) -> filters.Ints:
    if chosen.mask is None:
        return np.arange(index.rows, dtype=np.int64)
    return np.flatnonzero(chosen.mask)


def _page(
    index: Index, chosen: Chosen, after: int | None, before: int | None
) -> tuple[list[int], int]:
    """Positions of one page, and the 1-based rank of its first row among all that match."""
    found = _positions(index, chosen)
    if before is not None:
        end = int(np.searchsorted(found, before))
        start = max(0, end - ROWS)
    else:
        start = 0 if after is None else int(np.searchsorted(found, after, side="right"))
        end = start + ROWS
    part = found[start:end].tolist()
    return part, start + 1 if part else 0


def _rows(site: Site, index: Index, at: list[int]) -> tuple[Row, ...]:
    made = []
    for position, violation in zip(at, index.violations(at), strict=True):
        code = int(index.project.codes[position])
        project = index.project.values[code] if code >= 0 else ""
        url = record_url(site.names, index.stored.run.id, violation)
        made.append(Row(position, violation, qualified(violation), project, url))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a filter as a `run.Result`, for the report renderers."""

    index: Index
    chosen: Chosen
    filter: Filter

    @property
    def run(self) -> Run:
        """The head of the run with the counts of the selection, and a note that says so."""
        run = self.index.stored.run
        if self.filter.empty:
            return run
        lines = tuple(_counts(self.index, self.chosen))
        parts = "; ".join(f"{name}={value}" for name, value in self.filter.pairs())
        note = _NOTE.fill({"filter": parts, "count": f"{self.chosen.total:,}"})
        tables = {
            name: replace(
                table,
                errors=_sum(lines, name, "error"),
                warnings=_sum(lines, name, "warning"),
                infos=_sum(lines, name, "info"),
            )
            for name, table in run.tables.items()
        }
        return replace(run, counts=lines, tables=tables, notes=(*run.notes, note))

    def violations(self) -> Iterator[Violation]:
        found = _positions(self.index, self.chosen)
        for start in range(0, len(found), _CHUNK):
            yield from self.index.violations(found[start : start + _CHUNK])


def _counts(index: Index, chosen: Chosen) -> Iterator[RuleCount]:
    use = index.use if chosen.mask is None else index.use[chosen.mask]
    made: dict[tuple[str, str, str | None, str | None], int] = {}
    for number, times in enumerate(np.bincount(use, minlength=len(index.stored.uses)).tolist()):
        if times:
            of = index.stored.uses[number]
            table = None if of.table is None else filters.table_of(of)
            line = (of.rule, str(of.severity), table, of.stage)
            made[line] = made.get(line, 0) + times
    return (RuleCount(*line, times) for line, times in made.items())


def _sum(lines: tuple[RuleCount, ...], table: str, severity: str) -> int:
    return sum(c.count for c in lines if c.table == table and c.severity == severity)


_NOTE = Text(
    "仅含筛选结果：{filter}，共 {count} 处；记录数为整次运行",
    "only what matches {filter}: {count} violations; record counts are of the whole run",
)

PAGES = (Page("/violations", "violations.html", phrases.VIOLATIONS, build, menu=True),)
