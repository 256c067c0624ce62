"""Later words of the target: whom we still await, and what a verdict changes.

A verdict belongs to the version with its LSH, else to the last one that landed. `accepted →
rejected` is legal; an older word than the one we have (accepted after rejected) changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from pusher import batch as batches
from pusher.ledger.content import Contents
from pusher.ledger.core import Ledger
from pusher.ledger.waiting import hash_of, release_after
from pusher.states import State
from pusher.target import Target
from pusher.transport import Answer, Awaited, Verdict
from validator.records import Operation

_AWAITED = """
SELECT v.id, i.key, v.division, v.lsh, v.operation, v.previous,
  i.sequence = 1 FROM version v
JOIN identity i ON i.id = v.identity
WHERE v.place = ? AND v.watch = 1 AND v.id > ? ORDER BY v.id LIMIT ?"""
_LANDED = """
SELECT v.id, v.identity, v.place, v.state, v.lsh, v.watch FROM identity i
JOIN version v ON v.identity = i.id
WHERE i.hash = ? AND v.landed = 1 ORDER BY v.sequence DESC"""
_CURSOR = "SELECT value FROM cursor WHERE target = ? AND standard = ?"
_KEEP = """
INSERT INTO cursor (target, standard, value) VALUES (?, ?, ?)
ON CONFLICT (target, standard) DO UPDATE SET value = excluded.value"""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a page of verdicts changed; `unknown` fit no delivered version, `released` are children
    whose wait is over."""

    accepted: int = 0
    rejected: int = 0
    unchanged: int = 0
    unknown: int = 0
    released: int = 0


def awaited(
    ledger: Ledger, target: Target, table: str, after: int, limit: int
) -> tuple[Awaited, ...]:
    """Versions of a table whose last word is still to come, oldest first, beyond handle `after`."""
    place = ledger.places(target.name).get(table)
    if place is None:
        return ()
    standard, _, name = table.partition("/")
    contents = Contents(ledger)
    made: list[Awaited] = []
    for id_, key, division, lsh, word, previous, sole in ledger.db.rows(
        _AWAITED, (place, after, limit)
    ):
        operation = Operation(word)
        deleted = operation is Operation.INVALIDATE and previous is not None
        content = contents.read(previous if deleted else id_)
        fields = None if content is None else orjson.loads(content)
        made.append(
            Awaited(
                id_,
                standard,
                name,
                division,
                orjson.loads(key),
                lsh,
                operation,
                fields,
                bool(sole),
            )
        )
    return tuple(made)


def cursor(ledger: Ledger, target: Target, standard: str) -> str | None:
    """Where the stream of verdicts of a standard continues."""
    rows = ledger.db.rows(_CURSOR, (target.name, standard))
    return str(rows[0][0]) if rows else None


def keep_cursor(ledger: Ledger, target: Target, standard: str, value: str) -> None:
    """Remember it, in the transaction that applies the page."""
    ledger.write()
    ledger.db.run(_KEEP, (target.name, standard, value))


def apply(ledger: Ledger, target: Target, verdicts: Sequence[Verdict], now: datetime) -> Applied:
    """Enter the verdicts of a page; inside a transaction."""
    counts = {"accepted": 0, "rejected": 0, "unchanged": 0, "unknown": 0}
    settled: list[int] = []
    for verdict in verdicts:
        table = f"{verdict.standard}/{verdict.table}"
        hash_ = hash_of(target.name, table, batches.canonical(verdict.key))
        rows = ledger.db.rows(_LANDED, (hash_,))
        known = [row for row in rows if verdict.lsh and row[4] == verdict.lsh]
        known = known or [row for row in rows if not verdict.lsh or not row[4]]
        if not known:
            counts["unknown"] += 1
            continue
        version, identity, place, state, _, watch = known[0]
        result = _word(ledger, place, version, State(state), verdict, bool(watch), now)
        counts[result] += 1
        if result != "unchanged":
            settled.append(identity)
    released = release_after(ledger, target, settled, now) if settled else 0
    return Applied(**counts, released=released)


def _word(
    ledger: Ledger,
    place: int,
    version: int,
    state: State,
    verdict: Verdict,
    watched: bool,
    now: datetime,
) -> str:
    """Apply one verdict to one version: `accepted`, `rejected` or `unchanged`."""
    watch = not verdict.final
    one = [(version, verdict.lsh)]
    if verdict.answer is Answer.REJECTED and state in (State.DELIVERED, State.ACCEPTED):
        ledger.answer(place, one, state, State.REJECTED, now, note=verdict.reason)
        return "rejected"
    if verdict.answer is Answer.ACCEPTED and state is State.DELIVERED:
        ledger.answer(place, one, state, State.ACCEPTED, now, watch=watch)
        return "accepted"
    if verdict.answer is Answer.ACCEPTED and watched != watch:
        ledger.db.run("UPDATE version SET watch = ? WHERE id = ?", (watch, version))
    return "unchanged"
