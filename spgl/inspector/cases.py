"""Cases and their clocks: how long each has run, what paused it, whether its promised time is over.

The promised time (SXBLSX) counts working days; `validator.clock` knows them, make-up workdays
included. Where its calendar does not reach, days are calendar days and the case says so.
Which codes start, pause and end a case are the pack's own rule parameters, not this module's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from spgl.inspector.snapshot import CASES, Snapshot, Snapshots
from validator.clock import working_days
from validator.pack import Packs, RuleUse, Table
from validator.rule import named_table

EVENTS = "SPGL_XMSPSXBLXXXXB"


@dataclass(frozen=True, slots=True)
class Codes:
    """Event codes of a pack: acceptance, its ends, and which code ends which pause."""

    standard: str
    cases: str
    events: str
    accepted: str
    ends: tuple[str, ...]
    completed: tuple[str, ...]
    pauses: Mapping[str, str]


def codes(packs: Packs) -> Codes | None:
    """The event codes of the loaded packs; None where no pack has cases."""
    for table in packs.tables():
        uses = {use.rule: use for use in table.rules}
        if table.name == EVENTS and {"acceptance-without-start", "event-after-end"} <= set(uses):
            start = uses["acceptance-without-start"].params
            return Codes(
                standard=table.standard,
                cases=named_table(packs, table.standard, CASES),
                events=table.qualified,
                accepted=str(start["accepted"]),
                ends=_texts(uses["event-after-end"], "ends"),
                completed=_texts(uses["acceptance-without-start"], "completed"),
                pauses=_pairs(uses.get("open-pause-at-completion")),
            )
    return None


def _texts(use: RuleUse, name: str) -> tuple[str, ...]:
    value = use.params[name]
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else (str(value),)


def _pairs(use: RuleUse | None) -> dict[str, str]:
    value = use.params["pairs"] if use is not None else {}
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Case:
    """One case as its clock stands. `days` are working days without pauses (calendar days where
    not `working`), `paused_days` calendar days. `over` is how many days beyond the promised working
    days, `limit` None where nothing was promised."""

    case: str
    works: str
    project: str
    project_name: str
    item: str
    department: str
    state: str
    accepted: datetime
    ended: datetime | None
    paused: bool
    days: int
    paused_days: int
    limit: int | None
    working: bool

    @property
    def over(self) -> int:
        return self.days - self.limit if self.limit is not None else 0


def valid(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows that count (decisions 2): not invalidated, not a draft, not refused."""
    if "SJYXBS" in frame.columns:
        frame = frame.filter(pl.col("SJYXBS").fill_null("1") != "0")
    if "SJSCZT" in frame.columns:
        frame = frame.filter(~pl.col("SJSCZT").fill_null("0").is_in(["-1", "2"]))
    return frame


def all_cases(snapshots: Snapshots, packs: Packs, snapshot: Snapshot, at: datetime) -> list[Case]:
    """Every accepted case of a run as of `at`, longest over its time first. Kept per run."""
    return snapshots.remember(snapshot.run, "cases", lambda: worked_out(packs, snapshot, at))


def overdue(cases: Sequence[Case]) -> list[Case]:
    """Running cases beyond their promised time."""
    return [c for c in cases if c.ended is None and c.over > 0]


def worked_out(packs: Packs, snapshot: Snapshot, at: datetime) -> list[Case]:
    """Every accepted case of a snapshot as of `at`, longest over its time first."""
    of = codes(packs)
    if of is None or of.events not in snapshot.tables or of.cases not in snapshot.tables:
        return []
    frame = clocks(of, snapshot, packs.table(of.events))
    heads = valid(snapshot.tables[of.cases]).unique("SPSXSLBM", keep="first")
    joined = frame.join(heads, on="SPSXSLBM", how="inner").to_dicts()
    projects = names_of(snapshot, of.standard)
    made = [_case(row, of, projects, at.replace(tzinfo=None)) for row in joined]
    return sorted(made, key=lambda c: (-c.over, c.case))


def names_of(snapshot: Snapshot, standard: str) -> dict[str, tuple[str, str]]:
    """Works code → (project code, name of the project), of valid rows."""
    frame = snapshot.tables.get(f"{standard}/SPGL_XMJBXXB")
    if frame is None:
        return {}
    rows = valid(frame).select("GCDM", "XMDM", "XMMC").iter_rows()
    return {g: (x or g, name or "") for g, x, name in rows if g}


def clocks(of: Codes, snapshot: Snapshot, table: Table) -> pl.DataFrame:
    """Per case: first acceptance, first end after it, last event, and its pauses as pairs."""
    events = (
        valid(snapshot.tables[of.events])
        .select(
            "SPSXSLBM",
            "BLZT",
            pl.col("BLSJ").str.slice(0, 19).str.to_datetime(strict=False).alias("at"),
        )
        .drop_nulls()
        .sort("SPSXSLBM", "at", maintain_order=True)
    )
    accepted = pl.col("at").filter(pl.col("BLZT") == of.accepted).min()
    ended = pl.col("at").filter(pl.col("BLZT").is_in(of.ends)).max()
    turns = pl.col("BLZT").is_in([*of.pauses, *of.pauses.values()])
    return (
        events.group_by("SPSXSLBM", maintain_order=True)
        .agg(
            accepted.alias("accepted"),
            ended.alias("ended"),
            pl.col("BLZT").last().alias("state"),
            pl.col("BLZT").filter(turns).alias("turns"),
            pl.col("at").filter(turns).alias("turned"),
        )
        .filter(pl.col("accepted").is_not_null())
    )


def pauses(
    of: Codes, turns: Sequence[tuple[str, datetime]], until: datetime
) -> list[tuple[datetime, datetime, bool]]:
    """Begin, end and whether it is still open, for each pause of one case in order of time."""
    made: list[tuple[datetime, datetime, bool]] = []
    open_: dict[str, datetime] = {}
    ends = {end: begin for begin, end in of.pauses.items()}
    for code, at in turns:
        if code in of.pauses:
            open_.setdefault(code, at)
        elif code in ends and ends[code] in open_:
            made.append((open_.pop(ends[code]), at, False))
    made += [(at, max(at, until), True) for at in open_.values()]
    return sorted(made)


def _case(
    row: Mapping[str, object], of: Codes, projects: Mapping[str, tuple[str, str]], at: datetime
) -> Case:
    accepted, ended = row["accepted"], row["ended"]
    assert isinstance(accepted, datetime)
    until = ended if isinstance(ended, datetime) else at
    turns, turned = row["turns"], row["turned"]
    assert isinstance(turns, list)
    assert isinstance(turned, list)
    found = [
        (max(begin, accepted), min(end, until), still)
        for begin, end, still in pauses(of, list(zip(turns, turned, strict=True)), until)
    ]
    paused = sum(max(0, (end.date() - begin.date()).days) for begin, end, _ in found)
    worked = working_days(accepted, until, [(begin, end) for begin, end, _ in found])
    works, limit = str(row["GCDM"] or ""), str(row.get("SXBLSX") or "")
    project, name = projects.get(works, (works, ""))
    return Case(
        case=str(row["SPSXSLBM"]),
        works=works,
        project=project,
        project_name=name,
        item=str(row.get("SPSXBM") or ""),
        department=str(row.get("SPBMMC") or ""),
        state=str(row["state"]),
        accepted=accepted,
        ended=ended if isinstance(ended, datetime) else None,
        paused=not isinstance(ended, datetime) and any(still for *_, still in found),
        days=worked
        if worked is not None
        else max(0, (until.date() - accepted.date()).days - paused),
        paused_days=paused,
        limit=int(limit) if limit.isascii() and limit.isdigit() else None,
        working=worked is not None,
    )
