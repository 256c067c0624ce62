"""The ledger by state: rows of one state by page, and the reasons of refusals grouped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pusher.ledger.queries import Entry, status
from pusher.states import TITLES, State
from spgl.inspector import words
from spgl.inspector.away import Away, away
from spgl.inspector.filters import table_title
from spgl.inspector.ledger import ATTENTION, REASONS, Reason, listed, opened, places, reasons
from spgl.inspector.site import Ask, Page, Refusal, Site
from spgl.inspector.walk import key_url, sayable, version_url
from validator.text import Text

ROWS = 50


@dataclass(frozen=True, slots=True)
class StateCount:
    """Versions in one state, and the page that lists them."""

    state: State
    title: Text
    count: int
    chosen: bool
    url: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version in the list. `replaced`: a newer version has taken its place."""

    entry: Entry
    table_title: Text
    key: dict[str, str]
    url: str
    replaced: bool


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """One page of versions of a state; `there` is false before the first push."""

    there: bool
    state: State
    target: str
    table: str
    targets: tuple[str, ...]
    tables: tuple[tuple[str, Text], ...]
    away: tuple[Away, ...]
    counts: tuple[StateCount, ...]
    reasons: tuple[Reason, ...]
    reasons_capped: bool
    reasons_read: int
    rows: tuple[VersionLine, ...]
    total: int
    older_url: str
    actions: bool
    csrf: str


def build(site: Site, ask: Ask) -> LedgerPage:
    state, target, table = _state(ask), ask.one("target"), ask.one("table")
    with opened(site.ledger) as ledger:
        if ledger is None:
            return LedgerPage(
                False, state, "", "", (), (), (), (), (), False, 0, (), 0, "", False, site.csrf
            )
        every = places(ledger)
        where = places(ledger, target, table)
        found = listed(ledger, state, where, ask.number("below"), ROWS)
        grouped, capped = reasons(ledger, where, state) if state in ATTENTION else ((), False)
        now = status(ledger, target or None)
    chosen = {(p.target, p.table) for p in where}
    sums: dict[State, int] = {}
    for (at, name, one), n in now.counts.items():
        if (at, name) in chosen:
            sums[one] = sums.get(one, 0) + n
    tables = {p.table: table_title(site.names, p.table) for p in every}
    return LedgerPage(
        there=True,
        state=state,
        target=target,
        table=table,
        targets=tuple(sorted({p.target for p in every})),
        tables=tuple(tables.items()),
        away=away(now.away, site.now()),
        counts=tuple(
            StateCount(s, TITLES[s], sums.get(s, 0), s is state, url(s, target, table))
            for s in State
            if sums.get(s) or s is state
        ),
        reasons=grouped,
        reasons_capped=capped,
        reasons_read=REASONS,
        rows=tuple(line(site, e, found.standing) for e in found.entries),
        total=sums.get(state, 0),
        older_url=url(state, target, table, found.last) if found.more else "",
        actions=site.rights.actions,
        csrf=site.csrf,
    )


def _state(ask: Ask) -> State:
    try:
        return State(ask.one("state") or State.REJECTED)
    except ValueError:
        raise Refusal(400, _NO_STATE.fill({"name": ask.one("state")})) from None


def url(state: State, target: str, table: str, below: int = 0) -> str:
    """The page of a state, from below a version id."""
    pairs = {"state": str(state), "target": target, "table": table, "below": str(below or "")}
    return "/ledger?" + urlencode({n: v for n, v in pairs.items() if v})


def line(site: Site, entry: Entry, standing: frozenset[int]) -> VersionLine:
    """A version with its key masked, and where its life is told."""
    table = site.names.tables.get(entry.table)
    key = dict(entry.key)
    if table is not None:
        key = site.masked(table, key)
    open_ = table is not None and sayable(table, entry.key)
    link = key_url("", table, entry.key) if table is not None and open_ else ""
    return VersionLine(
        entry=replace(entry, key=key),
        table_title=table_title(site.names, entry.table),
        key=key,
        url=link or version_url(entry.handle),
        replaced=entry.handle not in standing,
    )


_NO_STATE = Text("台账没有状态 {name}", "the ledger has no state {name}")

PAGES = (Page("/ledger", "ledger.html", words.LEDGER, build, menu=True),)
