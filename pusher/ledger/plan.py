"""What a push would do with these records: entered into a copy of the ledger, then counted.

The ledger itself is only read. Nothing here tells whether the target will accept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pusher.ledger.core import Ledger
from pusher.ledger.enter import Books, enter
from pusher.target import Target
from validator.records import Record

_ENTERED = """
SELECT p.name, CASE WHEN v.operation = 'invalidate' THEN 'withdrawn'
  WHEN v.sequence > 1 THEN 'changed' ELSE 'new' END, COUNT(*)
FROM version v JOIN place p ON p.id = v.place
WHERE v.run = ? AND v.id > ? AND v.state <> 'blocked' GROUP BY 1, 2"""
_RELEASED = """
SELECT p.name, COUNT(*) FROM event e JOIN version v ON v.id = e.version
JOIN place p ON p.id = v.place
WHERE e.id > ? AND e.before = 'blocked' AND e.after IN ('queued', 'waiting') GROUP BY 1"""
_BLOCKED = """
SELECT p.name, v.note, COUNT(*) FROM version v JOIN place p ON p.id = v.place
WHERE p.target = ? AND v.state = 'blocked' AND v.seen = ? GROUP BY 1, 2"""
_OPEN = """
SELECT COALESCE(SUM(t.n), 0) FROM tally t JOIN place p ON p.id = t.place
WHERE p.target = ? AND t.state IN ('waiting', 'queued', 'sending', 'in_doubt')"""


class Change(StrEnum):
    """What a version that would be sent is, against what was entered before."""

    #: The ledger has not met the record.
    NEW = "new"
    #: Other content than last entered.
    CHANGED = "changed"
    #: A deletion of what the target holds.
    WITHDRAWN = "withdrawn"
    #: Held by the gate until now.
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Plan:
    """Books of the records; versions to send by (table, change); versions the gate holds by
    (table, rule), one of several rules counting under each; what earlier runs left to send."""

    books: Books
    changes: Mapping[tuple[str, Change], int]
    blocked: Mapping[tuple[str, str], int]
    open_before: int


def plan(
    copy: Ledger,
    records: Iterable[Record],
    target: Target,
    run_id: str,
    now: datetime,
    *,
    unreadable: int = 0,
) -> Plan:
    """Enter the records into this copy of a ledger and count what came of them."""
    open_before = int(copy.db.rows(_OPEN, (target.name,))[0][0])
    version, event = copy.last_id("version"), copy.last_id("event")
    books = enter(copy, records, target, run_id, now, unreadable=unreadable)
    run = copy.run(target.name, run_id, now)
    changes = Counter(
        {(table, Change(word)): n for table, word, n in copy.db.rows(_ENTERED, (run, version))}
    )
    for table, n in copy.db.rows(_RELEASED, (event,)):
        changes[table, Change.RELEASED] += n
    blocked: Counter[tuple[str, str]] = Counter()
    for table, note, n in copy.db.rows(_BLOCKED, (target.name, run)):
        for rule in note.split(", "):
            blocked[table, rule] += n
    return Plan(books, dict(changes), dict(blocked), open_before)
