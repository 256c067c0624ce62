"""Why records stand refused, and which delivered ones get no answer; nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson

from pusher.ledger.core import Ledger, moment
from pusher.reasons import Reason
from validator.records import Operation

_REASONS = """
SELECT p.name, v.note, COUNT(*), MIN(v.id) FROM version v JOIN place p ON p.id = v.place
WHERE v.state = 'rejected' AND v.changed >= ?
AND (CAST(? AS TEXT) IS NULL OR p.target = ?)
GROUP BY p.name, v.note ORDER BY p.name, v.note"""
_REFUSED = """
SELECT v.id, p.name, i.key, v.division, v.note, v.lsh, v.operation, v.known, r.name FROM version v
JOIN place p ON p.id = v.place JOIN identity i ON i.id = v.identity JOIN run r ON r.id = v.run
WHERE v.state = 'rejected' AND v.changed >= ? AND p.target = ? ORDER BY p.name, v.id"""
_SILENT = """
SELECT p.target, p.name, COUNT(*), MIN(v.changed) FROM version v JOIN place p ON p.id = v.place
WHERE v.watch = 1 AND v.state = 'delivered' AND v.changed < ?
AND (CAST(? AS TEXT) IS NULL OR p.target = ?)
GROUP BY p.target, p.name ORDER BY p.target, p.name"""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused version: its record, the target's reason, and the run that entered it."""

    handle: int
    table: str
    key: dict[str, str]
    division: str
    reason: str
    lsh: str
    operation: Operation
    known: dict[str, str]
    run: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Records of a table that were delivered before some moment and have no verdict yet."""

    target: str
    table: str
    count: int
    oldest: datetime | None


def reasons(
    ledger: Ledger, target: str | None = None, since: datetime | None = None
) -> tuple[Reason, ...]:
    """Reasons of what stands refused, with counts; `since` only what was refused from then on."""
    at = 0.0 if since is None else since.timestamp()
    return tuple(Reason(*row) for row in ledger.db.rows(_REASONS, (at, target, target)))


def refused(ledger: Ledger, target: str, since: datetime) -> Iterator[Refused]:
    """What was refused from a moment on and still stands refused, table by table."""
    for handle, table, key, division, note, lsh, operation, known, run in ledger.db.rows(
        _REFUSED, (since.timestamp(), target)
    ):
        yield Refused(
            handle,
            table,
            orjson.loads(key),
            division,
            note,
            lsh,
            Operation(operation),
            orjson.loads(known),
            run,
        )


def started(ledger: Ledger, target: str, run: str) -> datetime | None:
    """When a run began; None when the ledger does not know it."""
    rows = ledger.db.rows("SELECT started FROM run WHERE target = ? AND name = ?", (target, run))
    return moment(rows[0][0]) if rows else None


def silent(ledger: Ledger, before: datetime, target: str | None = None) -> tuple[Silent, ...]:
    """Delivered before a moment and without an answer, per table."""
    rows = ledger.db.rows(_SILENT, (before.timestamp(), target, target))
    return tuple(Silent(at, table, n, moment(oldest)) for at, table, n, oldest in rows)
