"""Cases: the list with what is overdue on top, and one case as a timeline with its pauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

import polars as pl

from spgl.inspector import words
from spgl.inspector.cases import Case, Codes, all_cases, codes, overdue, pauses, valid
from spgl.inspector.family import Relative, code_title, relative
from spgl.inspector.filters import Filter, address
from spgl.inspector.site import Ask, Page, Refusal, Site
from spgl.inspector.snapshot import Snapshot
from spgl.inspector.stages import item_titles
from spgl.inspector.walk import case_url, place_url, project_url
from validator.text import Text

_ROWS = 100
SHOWS = ("overdue", "running", "late", "all")


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list."""

    case: Case
    item: Text
    state: Text
    url: str
    project_url: str


@dataclass(frozen=True, slots=True)
class CaseList:
    """Cases of a run as of the time it began, longest over their time first."""

    run: str
    at: datetime
    show: str
    counts: Mapping[str, int]
    department: str
    departments: tuple[tuple[str, int], ...]
    rows: tuple[CaseLine, ...]
    total: int
    first: int
    next_url: str
    prev_url: str
    missing: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the timeline of a case. `gap`: days since the mark before; `pause`: the case
    waits (special procedure or correction) from here on."""

    at: str
    kind: str
    title: Text
    detail: str
    gap: int
    paused: bool
    url: str


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case. `clock` is None where it was not accepted yet or its events cannot be read."""

    run: str
    at: datetime
    number: str
    head: Relative | None
    item: Text
    clock: CaseLine | None
    project: str
    project_name: str
    project_url: str
    department: str
    marks: tuple[Mark, ...]
    pauses: tuple[tuple[str, str, int, bool], ...]
    others: tuple[Relative, ...]
    violations: int
    violations_url: str
    missing: tuple[Text, ...]


def build_list(site: Site, ask: Ask) -> CaseList:
    stored = site.runs.open(ask.one("run"))
    snapshot = site.snapshots.open(stored.run.id)
    at = datetime.fromisoformat(stored.run.started)
    every = all_cases(site.snapshots, site.packs, snapshot, at)
    groups = {
        "overdue": overdue(every),
        "running": [c for c in every if c.ended is None],
        "late": [c for c in every if c.ended is not None and c.over > 0],
        "all": every,
    }
    show = ask.one("show") or "overdue"
    if show not in groups:
        raise Refusal(400, _NO_SHOW.fill({"shows": ", ".join(SHOWS)}))
    department, start = ask.one("department"), ask.number("from") or 0
    per: dict[str, int] = {}
    for case in groups[show]:
        per[case.department] = per.get(case.department, 0) + 1
    found = [c for c in groups[show] if department in ("", c.department)]
    page = found[start : start + _ROWS]
    titles = item_titles(site, snapshot)

    def url(more: int) -> str:
        pairs = [("run", ask.one("run")), ("show", show), ("department", department)]
        kept = [(n, v) for n, v in pairs if v]
        return "/cases?" + urlencode([*kept, *([("from", str(more))] if more else [])])

    return CaseList(
        run=stored.run.id,
        at=at,
        show=show,
        counts={name: len(cases) for name, cases in groups.items()},
        department=department,
        departments=tuple(sorted(per.items(), key=lambda d: (-d[1], d[0]))),
        rows=tuple(line(site, ask.one("run"), c, titles) for c in page),
        total=len(found),
        first=start + 1 if page else 0,
        next_url=url(start + _ROWS) if start + _ROWS < len(found) else "",
        prev_url=url(max(0, start - _ROWS)) if start else "",
        missing=missing(site, snapshot),
    )


def line(site: Site, run: str, case: Case, titles: Mapping[str, Text]) -> CaseLine:
    """A case with the words for its codes."""
    of = codes(site.packs)
    state = Text(case.state, case.state)
    if of is not None:
        state = code_title(site, site.packs.table(of.events), "BLZT", case.state)
    item = titles.get(case.item, Text(case.item, case.item))
    return CaseLine(case, item, state, case_url(run, case.case), project_url(run, case.project))


def missing(site: Site, snapshot: Snapshot) -> tuple[Text, ...]:
    """Why cases or events of a run cannot be read; empty where they can."""
    of = codes(site.packs)
    if of is None or {of.cases, of.events} <= set(snapshot.tables):
        return ()
    return tuple(dict.fromkeys(snapshot.missing.values()))[:5] or (_NO_CASES,)


def build_one(site: Site, ask: Ask) -> CasePage:
    number, run = ask.one("case"), ask.one("run")
    stored = site.runs.open(run)
    snapshot = site.snapshots.open(stored.run.id)
    of, at = codes(site.packs), datetime.fromisoformat(stored.run.started)
    if of is None or not number:
        raise Refusal(404, _NO_CASES)
    titles = item_titles(site, snapshot)
    heads = valid(snapshot.find(of.cases, {"SPSXSLBM": number}))
    head = heads.row(0, named=True) if heads.height else {}
    events = valid(snapshot.find(of.events, {"SPSXSLBM": number}))
    clocks = [c for c in all_cases(site.snapshots, site.packs, snapshot, at) if c.case == number]
    index = site.indexes.open(run)
    count = int(index.case.of(number).sum())
    if not heads.height and not events.height and not count:
        raise Refusal(404, _UNKNOWN.fill({"case": number, "run": stored.run.id}))
    works = str(head.get("GCDM") or "")
    clock = line(site, run, clocks[0], titles) if clocks else None
    project = clocks[0].project if clocks else works
    item = str(head.get("SPSXBM") or "")
    others = _others(site, snapshot, of, number)
    return CasePage(
        run=stored.run.id,
        at=at,
        number=number,
        head=relative(site, snapshot, site.packs.table(of.cases), head) if head else None,
        item=titles.get(item, Text(item, item)),
        clock=clock,
        project=project,
        project_name=clocks[0].project_name if clocks else "",
        project_url=project_url(run, project) if project else "",
        department=str(head.get("SPBMMC") or ""),
        marks=_marks(site, snapshot, of, events),
        pauses=_pauses(of, events, at),
        others=others,
        violations=count,
        violations_url=address("/violations", run, Filter(case=number)),
        missing=missing(site, snapshot),
    )


def _marks(site: Site, snapshot: Snapshot, of: Codes, events: pl.DataFrame) -> tuple[Mark, ...]:
    """The events of a case in order of time, special procedures and documents among them."""
    if not events.height:
        return ()
    table = site.packs.table(of.events)
    number = str(events.row(0, named=True)["SPSXSLBM"])
    found: list[tuple[str, str, Text, str, str]] = []
    for row in events.to_dicts():
        title = code_title(site, table, "BLZT", str(row["BLZT"] or ""))
        url = place_url(snapshot.run, table.qualified, str(row["file"]), int(row["record"]))
        detail = str(row.get("BLCS") or row.get("DWMC") or "")
        found.append((str(row["BLSJ"] or ""), f"e{row['BLZT'] or ''}", title, detail, url))
    for name, time, note in (("SPGL_XMSPSXPFWJXXB", "PFRQ", "PFWH"),):
        qualified = f"{of.standard}/{name}"
        rows = valid(snapshot.find(qualified, {"SPSXSLBM": number}))
        for row in rows.to_dicts():
            url = place_url(snapshot.run, qualified, str(row["file"]), int(row["record"]))
            words_ = str(row.get(note) or "")
            found.append((str(row.get(time) or ""), "document", _DOCUMENT, words_, url))
    found.sort(key=lambda f: (f[0][:10], len(f[0]) <= 10, f[0]))
    return tuple(_paced(of, found))


def _paced(of: Codes, found: Sequence[tuple[str, str, Text, str, str]]) -> list[Mark]:
    made: list[Mark] = []
    before, open_ = None, set[str]()
    for at, kind, title, detail, url in found:
        code = kind.removeprefix("e")
        open_ -= {begin for begin, end in of.pauses.items() if end == code}
        if code in of.pauses:
            open_.add(code)
        day = _date(at)
        gap = (day - before).days if day is not None and before is not None else 0
        before = day or before
        made.append(Mark(at, kind, title, detail, max(gap, 0), bool(open_), url))
    return made


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _pauses(
    of: Codes, events: pl.DataFrame, at: datetime
) -> tuple[tuple[str, str, int, bool], ...]:
    if not events.height:
        return ()
    turns = [
        (str(code), moment)
        for code, moment in events.select(
            "BLZT", pl.col("BLSJ").str.slice(0, 19).str.to_datetime(strict=False)
        )
        .drop_nulls()
        .sort("BLSJ")
        .iter_rows()
    ]
    made = pauses(of, turns, at.replace(tzinfo=None))
    return tuple(
        (b.strftime("%Y-%m-%d"), e.strftime("%Y-%m-%d"), (e.date() - b.date()).days, still)
        for b, e, still in made
    )


def _others(site: Site, snapshot: Snapshot, of: Codes, number: str) -> tuple[Relative, ...]:
    """Records of the case besides its events and documents: permits, special procedures, fire."""
    made: list[Relative] = []
    for table in site.packs.tables():
        special = table.name == "SPGL_XMSPSXBLTBCXXXB"
        if "SPSXSLBM" not in table.by_name or not (special or table.stage not in _OWN):
            continue
        rows = valid(snapshot.find(table.qualified, {"SPSXSLBM": number}))
        made += [relative(site, snapshot, table, row) for row in rows.head(8).to_dicts()]
    return tuple(made)


_OWN = ("case-records", None)
_DOCUMENT = Text("批复文件", "Approval document")
_NO_CASES = Text("这次运行没有办件", "this run has no cases")
_NO_SHOW = Text("show 可为 {shows}", "show is one of {shows}")
_UNKNOWN = Text("运行 {run} 中没有办件 {case}", "run {run} has no case {case}")

PAGES = (
    Page("/cases", "cases.html", words.CASES, build_list, menu=True),
    Page("/case", "case.html", words.CASES, build_one),
)
