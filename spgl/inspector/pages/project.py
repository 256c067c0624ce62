"""Projects: those with most violations, and one project as a board of stages with its cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from spgl.inspector import words
from spgl.inspector.cases import all_cases, codes, names_of, valid
from spgl.inspector.counts import most_first, table_of_counts
from spgl.inspector.family import Relative, relative
from spgl.inspector.filters import Filter, address
from spgl.inspector.pages.case import CaseLine, line, missing
from spgl.inspector.site import Ask, Page, Refusal, Site
from spgl.inspector.snapshot import Snapshot
from spgl.inspector.stages import board, item_titles, stages
from spgl.inspector.walk import project_url
from validator.text import Text
from validator.violation import Severity

_ROWS = 100


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project with its violations by severity."""

    project: str
    name: str
    error: int
    warning: int
    info: int
    url: str
    violations_url: str


@dataclass(frozen=True, slots=True)
class ProjectList:
    """Projects with violations, most errors first."""

    run: str
    rows: tuple[ProjectLine, ...]
    total: int
    first: int
    next_url: str
    prev_url: str


@dataclass(frozen=True, slots=True)
class Column:
    """One stage of the board: its cases, its business records, its violations."""

    stage: str
    title: Text
    cases: tuple[CaseLine, ...]
    records: tuple[Relative, ...]
    errors: int


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """One project: its units, its board, what belongs to no column."""

    run: str
    project: str
    name: str
    units: tuple[Relative, ...]
    columns: tuple[Column, ...]
    beside: tuple[CaseLine, ...]
    error: int
    warning: int
    info: int
    violations_url: str
    missing: tuple[Text, ...]


def build_list(site: Site, ask: Ask) -> ProjectList:
    index, start = site.indexes.open(ask.one("run")), ask.number("from") or 0
    counts = table_of_counts(index, index.project)
    order = most_first(counts)
    snapshot = site.snapshots.ready(index.stored.run.id)
    of = codes(site.packs)
    names = dict(names_of(snapshot, of.standard).values()) if snapshot and of else {}
    run = ask.one("run")
    rows = []
    for number in order[start : start + _ROWS]:
        code = index.project.values[number]
        error, warning, info = (int(n) for n in counts[number])
        rows.append(
            ProjectLine(
                code,
                names.get(code, ""),
                error,
                warning,
                info,
                project_url(run, code),
                address("/violations", run, Filter(project=code)),
            )
        )

    def url(at: int) -> str:
        return address("/projects", run, Filter(), [("from", str(at))] if at else [])

    return ProjectList(
        run=index.stored.run.id,
        rows=tuple(rows),
        total=len(order),
        first=start + 1 if rows else 0,
        next_url=url(start + _ROWS) if start + _ROWS < len(order) else "",
        prev_url=url(max(0, start - _ROWS)) if start else "",
    )


def build_one(site: Site, ask: Ask) -> ProjectPage:
    project, run = ask.one("project"), ask.one("run")
    index = site.indexes.open(run)
    snapshot = site.snapshots.open(index.stored.run.id)
    units, name = _units(site, snapshot, project)
    mask = index.project.of(project)
    if not units and not mask.any():
        raise Refusal(404, _UNKNOWN.fill({"project": project, "run": index.stored.run.id}))
    at = datetime.fromisoformat(index.stored.run.started)
    lines = _cases(site, snapshot, run, project, at)
    of_item = stages(site, snapshot)
    by_stage: dict[str, list[CaseLine]] = {}
    for one in lines:
        by_stage.setdefault(of_item.get(one.case.item, ""), []).append(one)
    uses = index.stored.uses
    per_use = np.bincount(index.use[mask], minlength=len(uses)).tolist()
    sums = {s: sum(n for u, n in zip(uses, per_use, strict=True) if u.severity is s)
            for s in Severity}  # fmt: skip
    columns = tuple(
        Column(
            stage=stage.id,
            title=stage.title,
            cases=tuple(by_stage.pop(stage.id, [])),
            records=_records(site, snapshot, stage.id, [u.key.get("GCDM", "") for u in units]),
            errors=sum(
                n
                for u, n in zip(uses, per_use, strict=True)
                if u.severity is Severity.ERROR and u.stage == stage.id
            ),
        )
        for stage in board(site)
    )
    return ProjectPage(
        run=index.stored.run.id,
        project=project,
        name=name,
        units=units,
        columns=columns,
        beside=tuple(one for group in by_stage.values() for one in group),
        error=sums[Severity.ERROR],
        warning=sums[Severity.WARNING],
        info=sums[Severity.INFO],
        violations_url=address("/violations", run, Filter(project=project)),
        missing=missing(site, snapshot),
    )


def _units(site: Site, snapshot: Snapshot, project: str) -> tuple[tuple[Relative, ...], str]:
    of = codes(site.packs)
    name = f"{of.standard}/SPGL_XMJBXXB" if of else ""
    found = snapshot.find(name, {"XMDM": project})
    rows = valid(found).sort("GCDM").to_dicts() if found.width else []
    if not rows:
        found = snapshot.find(name, {"GCDM": project})
        rows = valid(found).to_dicts() if found.width else []
    table = site.names.tables.get(name)
    if table is None:
        return (), ""
    title = str(rows[0].get("XMMC") or "") if rows else ""
    return tuple(relative(site, snapshot, table, row) for row in rows), title


def _cases(site: Site, snapshot: Snapshot, run: str, project: str, at: datetime) -> list[CaseLine]:
    titles = item_titles(site, snapshot)
    every = all_cases(site.snapshots, site.packs, snapshot, at)
    mine = [c for c in every if project in (c.project, c.works)]
    return [line(site, run, c, titles) for c in sorted(mine, key=lambda c: (c.accepted, c.case))]


def _records(site: Site, snapshot: Snapshot, stage: str, works: list[str]) -> tuple[Relative, ...]:
    """Business records of a stage that belong to the units of a project."""
    made: list[Relative] = []
    for table in site.packs.tables():
        if table.stage != stage or "GCDM" not in table.key.fields:
            continue
        for code in works:
            rows = valid(snapshot.find(table.qualified, {"GCDM": code}))
            made += [relative(site, snapshot, table, row) for row in rows.head(6).to_dicts()]
    return tuple(made)


_UNKNOWN = Text("运行 {run} 中没有项目 {project}", "run {run} has no project {project}")

PAGES = (
    Page("/projects", "projects.html", words.PROJECTS, build_list, menu=True),
    Page("/project", "project.html", words.PROJECTS, build_one),
)
