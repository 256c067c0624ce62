"""Questions to the ledger: counts by state, rows by selector, the whole life of one record.

Answers are frozen values; nothing here writes. Contents stay in the ledger: the life of a record
tells what happened to it, not what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from pusher.batch import ID, canonical
from pusher.circuit import Open
from pusher.ledger.circuits import circuits
from pusher.ledger.core import Ledger, moment, time_of
from pusher.ledger.selector import Selector, conditions
from pusher.ledger.waiting import hash_of
from pusher.states import State
from validator.records import Operation

_COUNTS = """
SELECT p.target, p.name, t.state, t.n FROM tally t JOIN place p ON p.id = t.place
WHERE t.n <> 0 AND (CAST(? AS TEXT) IS NULL OR p.target = ?) ORDER BY p.target, p.name, t.state"""
_OLDEST = """
SELECT MIN(entered) FROM version WHERE id IN (SELECT (
  SELECT MIN(v.id) FROM version v
  WHERE v.place = p.id AND v.state = 'queued' AND v.batch IS NULL)
FROM place p WHERE CAST(? AS TEXT) IS NULL OR p.target = ?)"""
_PENDING = """
SELECT MIN(v.entered), MIN(b.due) FROM batch b JOIN place p ON p.id = b.place
JOIN version v ON v.id = CAST(json_extract(b.members, '$[0]') AS BIGINT)
WHERE b.phase <> 'closed' AND (CAST(? AS TEXT) IS NULL OR p.target = ?)"""
_RUNS = """
SELECT name, target, started, ended, books, delivery FROM run
WHERE CAST(? AS TEXT) IS NULL OR target = ? ORDER BY id DESC LIMIT ?"""
_ROWS = """
SELECT v.id, p.target, p.name, i.key, v.division, v.operation, v.sequence, v.state, v.note, v.lsh,
  v.entered, v.changed, r.name, b.due, b.attempts
FROM version v JOIN place p ON p.id = v.place JOIN identity i ON i.id = v.identity
JOIN run r ON r.id = v.run LEFT JOIN batch b ON b.id = v.batch"""
_MET = """
SELECT i.id, p.target, p.name, i.key FROM identity i JOIN place p ON p.id = i.place
WHERE i.hash = ?"""
_PARENTS = "SELECT link FROM parent WHERE version = ? ORDER BY link"
_BATCHES = """(SELECT batch AS id FROM member WHERE version = ?
UNION SELECT batch FROM version WHERE id = ? AND batch IS NOT NULL)"""
_EVENTS = f"""
SELECT at, id, before, after, note FROM event WHERE version = ?
UNION ALL
SELECT e.at, e.id, e.before, e.after, e.note FROM {_BATCHES} m JOIN event e ON e.batch = m.id"""  # noqa: S608 - the text is ours
_ATTEMPTS = f"""
SELECT a.at, b.key, a.number, b.records, a.worker, a.transport, a.outcome, a.failure, a.code,
  a.detail, a.ms, a.bytes, a.next_due
FROM {_BATCHES} m JOIN batch b ON b.id = m.id JOIN attempt a ON a.batch = b.id"""  # noqa: S608
_PAGE = 1_000
#: What stands first where times are equal.
_RANK = {"entered": 0, "sending": 1, "attempt": 2}


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored: `books` what was read, `delivery` what was sent; empty if never reached."""

    name: str
    target: str
    started: datetime
    ended: datetime | None
    books: Mapping[str, int]
    delivery: Mapping[str, object]

    @property
    def rate(self) -> float | None:
        """Records a second that the target answered; None for a run that did not end."""
        taken = 0.0 if self.ended is None else (self.ended - self.started).total_seconds()
        names = ("delivered", "accepted", "refused")
        done = sum(n for name in names if isinstance(n := self.delivery.get(name), int))
        return done / taken if taken > 0 and self.delivery else None


@dataclass(frozen=True, slots=True)
class Status:
    """Counts by (target, `standard/table`, state); when the oldest version that is ready, in doubt
    or being sent was entered; when the next retry is due; the last runs, newest first; targets that
    did not answer last."""

    counts: Mapping[tuple[str, str, State], int]
    oldest: datetime | None
    next_due: datetime | None
    runs: tuple[Run, ...]
    away: Mapping[str, Open] = field(default_factory=dict)

    @property
    def versions(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Entry:
    """One version; `handle` is the ledger's own id of it."""

    handle: int
    target: str
    table: str
    key: Mapping[str, str]
    division: str
    operation: Operation
    sequence: int
    state: State
    note: str
    lsh: str
    entered: datetime
    changed: datetime
    run: str
    due: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a record's life, by version: it entered, changed its state, or was attempted.

    `what` is `entered`, a state, or `attempt`; `detail` says more, for an attempt outcome and code.
    """

    at: datetime
    sequence: int
    operation: Operation
    what: str
    detail: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt at a batch that held the version."""

    at: datetime
    batch: str
    number: int
    records: int
    worker: str
    transport: str
    outcome: str
    failure: str
    code: str
    detail: str
    ms: float
    bytes: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version with everything that happened to it; `waits_for` are its open links."""

    entry: Entry
    events: tuple[Happening, ...]
    attempts: tuple[Tried, ...]
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """All versions of one record at one target, oldest first."""

    target: str
    table: str
    key: Mapping[str, str]
    versions: tuple[Version, ...]
    timeline: tuple[Happening, ...] = field(default=())


def status(ledger: Ledger, target: str | None = None, *, runs: int = 5) -> Status:
    """How the ledger stands, for one target or all; reads no version rows."""
    db = ledger.db
    counts = {(t, p, State(s)): n for t, p, s, n in db.rows(_COUNTS, (target, target))}
    fresh = db.rows(_OLDEST, (target, target))[0][0]
    pending, due = db.rows(_PENDING, (target, target))[0]
    oldest = min((at for at in (fresh, pending) if at is not None), default=None)
    last = tuple(
        Run(name, at, time_of(started), moment(ended), orjson.loads(books), orjson.loads(delivery))
        for name, at, started, ended, books, delivery in db.rows(_RUNS, (target, target, runs))
    )
    away = {t: open_ for t, open_ in circuits(ledger).items() if target in (None, t)}
    return Status(counts, moment(oldest), moment(due), last, away)


def list_rows(
    ledger: Ledger, selector: Selector, *, limit: int = 100, after: int = 0
) -> Sequence[Entry]:
    """Versions by selector, in order of entering, beyond handle `after`."""
    where, values = conditions(selector)
    sql = f"{_ROWS} WHERE v.id > ? AND {where} ORDER BY v.id LIMIT ?"
    return tuple(_entry(row) for row in ledger.db.rows(sql, (after, *values, limit)))


def every(ledger: Ledger, selector: Selector) -> Iterator[Entry]:
    """All versions by selector, in order of entering, read by pages."""
    after = 0
    while page := list_rows(ledger, selector, limit=_PAGE, after=after):
        yield from page
        after = page[-1].handle


def happenings(ledger: Ledger, entry: Entry) -> tuple[Happening, ...]:
    """Everything that happened to one version, attempts among it, in order."""
    return _timeline([_version(ledger, entry)])


def life(ledger: Ledger, target: str, table: str, key: Mapping[str, str]) -> Life | None:
    """The whole life of one record; None when the ledger does not know it."""
    found = ledger.db.rows(_MET, (hash_of(target, table, canonical(key)),))
    if not found:
        return None
    sql = f"{_ROWS} WHERE v.identity = ? ORDER BY v.sequence"
    versions = tuple(_version(ledger, _entry(row)) for row in ledger.db.rows(sql, (found[0][0],)))
    return Life(target, table, dict(key), versions, _timeline(versions))


def _timeline(versions: Sequence[Version]) -> tuple[Happening, ...]:
    lines = sorted(
        (line for v in versions for line in (*v.events, *(_line(v, a) for a in v.attempts))),
        key=lambda line: (line.at, line.sequence, _RANK.get(line.what, len(_RANK))),
    )
    return tuple(lines)


def _entry(row: tuple[object, ...]) -> Entry:
    (handle, target, table, key, division, operation, sequence, state, note, lsh) = row[:10]
    entered, changed, run, due, attempts = row[10:]
    assert isinstance(handle, int)
    assert isinstance(sequence, int)
    assert isinstance(entered, float)
    assert isinstance(changed, float)
    return Entry(
        handle,
        str(target),
        str(table),
        orjson.loads(str(key)),
        str(division),
        Operation(str(operation)),
        sequence,
        State(str(state)),
        str(note),
        str(lsh),
        time_of(entered),
        time_of(changed),
        str(run),
        moment(due) if isinstance(due, float) else None,
        attempts if isinstance(attempts, int) else 0,
    )


def _version(ledger: Ledger, entry: Entry) -> Version:
    rows = sorted(ledger.db.rows(_EVENTS, (entry.handle,) * 3))
    first = rows[0][2] if rows else entry.state.value
    head = (entry.sequence, entry.operation)
    events = [Happening(entry.entered, *head, "entered", f"{first} · {entry.run}")]
    events += [Happening(time_of(r[0]), *head, r[3], r[4], r[2]) for r in rows]
    tried = sorted(ledger.db.rows(_ATTEMPTS, (entry.handle,) * 2))
    attempts = tuple(Tried(*[time_of(r[0]), r[1][:ID], *r[2:12], moment(r[12])]) for r in tried)
    waits = tuple(row[0] for row in ledger.db.rows(_PARENTS, (entry.handle,)))
    return Version(entry, tuple(events), attempts, waits)


def _line(version: Version, tried: Tried) -> Happening:
    parts = (f"{tried.number}", tried.outcome, tried.code, tried.detail)
    detail = " ".join(part for part in parts if part)
    return Happening(tried.at, version.entry.sequence, version.entry.operation, "attempt", detail)
