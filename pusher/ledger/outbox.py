"""The way out: what is due is claimed, the intent committed before the first byte leaves.

A batch is frozen at its intent and re-sent unchanged under the same key until it is closed. A batch
that may have been sent is claimed only to be settled. What came of it is recorded by
`pusher.ledger.outcome`; talking to the target is `pusher.worker`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import orjson

from pusher import batch as batches
from pusher import crash, notes
from pusher.batch import Outgoing
from pusher.ledger.content import Contents
from pusher.ledger.core import Ledger, moment
from pusher.ledger.database import LedgerError, Row
from pusher.ledger.frozen import COLUMNS, LEFT, Claim, freeze, members, outgoing
from pusher.ledger.held import replaced
from pusher.ledger.outcome import FOREVER
from pusher.states import State
from pusher.target import Target
from validator.records import Operation
from validator.text import Text

#: One claim in so many is kept for what was never sent.
NEW = 4

_FRESH = f"""
SELECT {COLUMNS} FROM version v
JOIN identity i ON i.id = v.identity
WHERE v.place = ? AND v.state = 'queued' AND v.batch IS NULL AND v.operation = ?
ORDER BY v.division, v.id LIMIT ?"""  # noqa: S608 - the columns are ours
_SAME = "SELECT 1 FROM version WHERE id = ? AND digest = ? AND state <> 'rejected'"
_OPEN = """
SELECT b.id, b.key, b.place, p.name, b.members, b.phase, b.touched, b.attempts, b.asked, b.burnt,
  b.first_at, b.last_at, b.bytes
FROM batch b JOIN place p ON p.id = b.place
WHERE b.phase <> 'closed' AND b.phase IN ('in_doubt', 'queued') AND b.due <= ? AND p.target = ?
AND (b.last_at IS NULL OR b.last_at < ? OR (b.phase = 'in_doubt' AND b.asked = 0))
ORDER BY b.phase, b.due LIMIT ?"""
_ON_ITS_WAY = """
SELECT 1 FROM batch b JOIN place p ON p.id = b.place
WHERE b.phase <> 'closed' AND b.phase = 'sending' AND p.target = ? LIMIT 1"""
_SENDING = """
UPDATE version SET state = 'sending', batch = b.id FROM batch b, json_each(b.members) j
WHERE b.id BETWEEN ? AND ? AND version.id = j.value AND version.state = 'queued'"""


def claim(
    ledger: Ledger,
    target: Target,
    order: Sequence[str],
    run: int,
    now: datetime,
    limit: int,
    untried: float = FOREVER,
) -> list[Claim]:
    """Up to `limit` batches: doubts, what is due again, new ones in `order`. A quarter is kept for
    new ones, which need not wait until everything old is settled.

    With `untried` (seconds since 1970) only what was not attempted since. Deletions come last,
    children before parents: those of one table at a time, and only when nothing else is on its
    way. The intent is durable on return.
    """
    ledger.write()
    old = limit - limit // NEW
    claims = _claim_open(ledger, target, run, now, old, untried)
    more = len(claims) == old
    places = ledger.places(target.name)
    known = [name for name in order if name in places]
    for name in known:
        room = limit - len(claims)
        if room > 0:
            claims += _claim_fresh(ledger, target, name, Operation.UPSERT, room, run, now)
    if more and len(claims) < limit:
        claims += _claim_open(ledger, target, run, now, limit - len(claims), untried)
    if not claims and not ledger.db.rows(_ON_ITS_WAY, (target.name,)):
        for name in reversed(known):
            claims = _claim_fresh(ledger, target, name, Operation.INVALIDATE, limit, run, now)
            if claims:
                break
    crash.at("claiming")
    ledger.commit()
    return claims


def _claim_fresh(
    ledger: Ledger,
    target: Target,
    table: str,
    operation: Operation,
    limit: int,
    run: int,
    now: datetime,
) -> list[Claim]:
    place = ledger.place(target.name, table)
    rows = _fresh(ledger, place, operation, limit * target.batch_records, now)
    groups = batches.grouped(rows, target.batch_records, target.batch_bytes)
    return _intend(ledger, target, table, list(islice(groups, limit)), run, now)


def _fresh(
    ledger: Ledger, place: int, operation: Operation, limit: int, now: datetime
) -> list[Outgoing]:
    """Queued versions in no batch, with what the target holds before them.

    What would change nothing at the target is withdrawn.
    """
    contents = Contents(ledger)
    while True:
        ready: list[Outgoing] = []
        idle: list[int] = []
        for row in ledger.db.rows(_FRESH, (place, operation.value, limit)):
            previous = None
            if row[3] > 1:
                previous = replaced(ledger, row[1], row[0])
                if _idle(ledger, row, previous):
                    idle.append(row[0])
                    continue
                ledger.db.run("UPDATE version SET previous = ? WHERE id = ?", (previous, row[0]))
            ready.append(outgoing(contents, row, previous))
        if idle:
            ledger.move(place, idle, State.QUEUED, State.WITHDRAWN, now, note=notes.IDLE)
        if ready or not idle:
            return ready


def _idle(ledger: Ledger, row: Row, previous: int | None) -> bool:
    """Sending would change nothing: it invalidates what is not there, or what is there is the same
    (the versions between were never sent)."""
    if row[2] == Operation.INVALIDATE:
        return previous is None
    return previous is not None and bool(ledger.db.rows(_SAME, (previous, row[5])))


def _intend(
    ledger: Ledger,
    target: Target,
    table: str,
    groups: Sequence[tuple[Outgoing, ...]],
    run: int,
    now: datetime,
) -> list[Claim]:
    """Freeze new versions of a table into batches, ready to leave once committed."""
    if not groups:
        return []
    place = ledger.place(target.name, table)
    claims: list[Claim] = []
    for rows in groups:
        key = batches.idempotency_key(target.name, table, rows)
        fresh = not any(row.touched for row in rows)
        claims.append(
            Claim(
                ledger.next_id("batch"),
                run,
                place,
                table,
                batches.made(table, key, rows, fresh=fresh),
                tuple(row.version for row in rows),
                tuple(row.identity for row in rows),
                sum(row.size for row in rows),
            )
        )
    freeze(ledger, claims, "sending", touched=LEFT)
    moved = ledger.db.run(_SENDING, (claims[0].id, claims[-1].id))  # ids have no gaps
    if moved != sum(len(c.versions) for c in claims):
        raise LedgerError(_CHANGED.fill({"batch": claims[0].batch.id}))
    ledger.count(place, State.QUEUED, -moved)
    ledger.count(place, State.SENDING, moved)
    ledger.note_batches([c.id for c in claims], State.QUEUED, State.SENDING, now)
    return claims


def _claim_open(
    ledger: Ledger, target: Target, run: int, now: datetime, limit: int, untried: float
) -> list[Claim]:
    """Frozen batches that are due: doubts to settle, others to send again unchanged."""
    claims: list[Claim] = []
    for row in ledger.db.rows(_OPEN, (now.timestamp(), target.name, untried, limit)):
        id_, key, place, table, versions, phase, touched = row[:7]
        attempts, asked, burnt, first, last, size = row[7:]
        rows = members(ledger, orjson.loads(versions))
        if batches.idempotency_key(target.name, table, rows) != key:
            raise LedgerError(_CHANGED.fill({"batch": key[: batches.ID]}))
        doubtful = phase == "in_doubt"
        if not doubtful:
            ledger.db.run(
                "UPDATE batch SET phase = 'sending', touched = 1, asked = 0 WHERE id = ?", (id_,)
            )
            ledger.move(
                place, [r.version for r in rows], State.QUEUED, State.SENDING, now, batch=id_
            )
        ledger.db.run(
            "UPDATE batch SET due = NULL, owner = ?, run = ? WHERE id = ?", (ledger.owner, run, id_)
        )
        claims.append(
            Claim(
                id_,
                run,
                place,
                table,
                batches.made(table, key, rows, fresh=not touched),
                tuple(r.version for r in rows),
                tuple(r.identity for r in rows),
                size,
                doubtful,
                attempts,
                asked,
                burnt,
                moment(first),
                moment(last),
            )
        )
    return claims


_CHANGED = Text(
    "批次 {batch} 的内容与投送时不一致，台账可能被改动。请停止投送并保留台账文件备查",
    "batch {batch} no longer holds what was sent, the ledger may have been edited; stop pushing "
    "and keep the ledger file for inspection",
)
