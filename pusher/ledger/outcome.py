"""What came of an attempt: answers, failures, doubts, and the take-over after a crash.

Every function writes into the open transaction and commits nothing: the worker groups commits. The
functions do not wait for anything, so a cancellation can never cut one in half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from pusher import batch as batches
from pusher import notes
from pusher.ledger.core import Ledger, moment
from pusher.ledger.dissolve import dissolve, remember
from pusher.ledger.frozen import LEFT, UNDONE, Claim, freeze, members
from pusher.ledger.lease import alive, mine
from pusher.ledger.waiting import release_after
from pusher.retry import Await, Decision, GiveUp, Reject, RetryAt, Settle, Split, Stop, Verify
from pusher.states import State
from pusher.target import Target
from pusher.transport import Answer, Receipt

_ATTEMPT = """
INSERT INTO attempt (batch, number, at, worker, transport, outcome, failure, code, detail, ms,
  bytes, next_due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_TRIED = """
UPDATE batch SET phase = ?, due = ?, touched = ?, attempts = attempts + ?, asked = asked + ?,
  burnt = burnt + ?, first_at = COALESCE(first_at, ?), last_at = ? WHERE id = ?"""
_CRASHED = """
SELECT b.id, b.owner, b.place, b.members, b.attempts, b.bytes FROM batch b
JOIN place p ON p.id = b.place
WHERE b.phase <> 'closed' AND b.phase = 'sending' AND p.target = ?"""
_UNCLAIMED = """
SELECT id, owner FROM batch
WHERE phase <> 'closed' AND phase IN ('queued', 'in_doubt') AND due IS NULL
AND place IN (SELECT id FROM place WHERE target = ?)"""
_TAKEN = "UPDATE batch SET phase = 'in_doubt', due = ?, owner = '' WHERE id = ?"
_SUPERSEDED = """
SELECT v.id FROM json_each(?) j JOIN version v ON v.id = j.value
JOIN identity i ON i.id = v.identity WHERE i.latest > v.id"""
#: Later than any attempt, in seconds since 1970.
FOREVER = 1e12
_AFTER = {
    Answer.RECEIVED: State.DELIVERED,
    Answer.ACCEPTED: State.ACCEPTED,
    Answer.REJECTED: State.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as it is stored and logged; `ms` its duration, `code` such as `HTTP 503`.
    `undone`: surely nothing of the batch has effect, or ever will."""

    at: datetime
    worker: str
    transport: str
    outcome: str
    failure: str = ""
    code: str = ""
    detail: str = ""
    ms: float = 0.0
    next_due: datetime | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The target's word on every record of a batch."""

    claim: Claim
    receipts: Sequence[Receipt]
    attempt: Attempt


def answered(ledger: Ledger, target: Target, answers: Sequence[Answered], now: datetime) -> int:
    """Close answered batches, many at once; how many waiting versions they released."""
    groups: dict[tuple[int, State, State, str, bool], _Group] = {}
    for answer in answers:
        claim, receipts = answer.claim, answer.receipts
        words = [_word(receipt) for receipt in receipts]
        whole = words.count(words[0]) == len(words)
        for receipt, (after, note) in zip(receipts, words, strict=True):
            key = claim.place, _state(claim), after, note, whole
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group()
            group.versions.append((claim.versions[receipt.index], receipt.lsh))
        if whole:
            groups[claim.place, _state(claim), *words[0], whole].batches.append(claim.id)
    for (place, before, after, note, _), group in groups.items():
        ledger.answer(
            place,
            group.versions,
            before,
            after,
            now,
            note=note,
            batches=group.batches,
            watch=after is State.DELIVERED,
        )
    _tried(ledger, [(answer.claim, answer.attempt) for answer in answers], "closed")
    return release_after(ledger, target, [i for a in answers for i in a.claim.identities], now)


@dataclass(slots=True)
class _Group:
    """Versions with one outcome, and the batches they are all the members of."""

    versions: list[tuple[int, str]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)


def _word(receipt: Receipt) -> tuple[State, str]:
    after = _AFTER[receipt.answer]
    return after, receipt.reason if after is State.REJECTED else ""


def failed(
    ledger: Ledger,
    target: Target,
    claim: Claim,
    decision: Decision,
    attempt: Attempt,
    now: datetime,
) -> None:
    """An attempt that brought no answer, and what was decided about it."""
    note = f"{attempt.code}: {attempt.detail}" if attempt.detail else attempt.code
    match decision:
        case RetryAt(due, burns):
            _tried(ledger, [(claim, attempt)], "queued", due, burns)
            _requeue(ledger, target, claim, now, undone=attempt.undone)
        case Stop():
            _tried(ledger, [(claim, attempt)], "queued", now)
            _requeue(ledger, target, claim, now, undone=attempt.undone)
        case Settle(due):
            _tried(ledger, [(claim, attempt)], "in_doubt", due)
            if not claim.doubtful:
                _move(ledger, claim, State.IN_DOUBT, now, note)
        case Split():
            _tried(ledger, [(claim, attempt)], "closed")
            _move(ledger, claim, State.QUEUED, now, "")
            _cut(ledger, target, claim, now, _touched(claim, attempt))
        case Await():
            _end(ledger, claim, attempt, State.WAITING, now, note)
        case Reject():
            _end(ledger, claim, attempt, State.REJECTED, now, attempt.detail or attempt.code)
            release_after(ledger, target, claim.identities, now)
        case GiveUp():
            _end(ledger, claim, attempt, State.GIVEN_UP, now, note)
            release_after(ledger, target, claim.identities, now)
        case Verify():
            raise AssertionError("a duplicate is verified before its outcome is recorded")


def unclaim(ledger: Ledger, target: Target, claims: Sequence[Claim], now: datetime) -> None:
    """Put back what was claimed and not begun: surely nothing of it left. What another process
    has taken over is its own."""
    held = mine(ledger, [claim.id for claim in claims])
    for claim in [c for c in claims if c.id in held]:
        sql = "UPDATE batch SET phase = ?, due = ?, touched = ? WHERE id = ?"
        phase = "in_doubt" if claim.doubtful else "queued"
        ledger.db.run(sql, (phase, now.timestamp(), not claim.batch.fresh, claim.id))
        if not claim.doubtful:
            _requeue(ledger, target, claim, now, undone=claim.batch.fresh)


def recover(ledger: Ledger, target: Target, now: datetime, *, began: bool = False) -> int:
    """Take over from dead processes: what was being sent is in doubt; how many batches. Unless this
    one `began` to send, what stands in its own name was left by an earlier run."""
    living = alive(ledger) if began else alive(ledger) - {ledger.owner}
    crashed = [r for r in ledger.db.rows(_CRASHED, (target.name,)) if r[1] not in living]
    at = now.timestamp()
    for batch, _, place, versions, attempts, size in crashed:
        note = notes.CRASHED
        ledger.move(
            place,
            orjson.loads(versions),
            State.SENDING,
            State.IN_DOUBT,
            now,
            note=note,
            batch=batch,
        )
        ledger.db.run(_TAKEN, (at, batch))
        row = (batch, attempts + 1, at, ledger.owner, "", "in_doubt", "in_doubt", "crash", note)
        ledger.db.run(_ATTEMPT, (*row, 0.0, size, at))
    left = [b for b, o in ledger.db.rows(_UNCLAIMED, (target.name,)) if o not in living]
    ledger.db.many("UPDATE batch SET due = ?, owner = '' WHERE id = ?", [(at, b) for b in left])
    return len(crashed)


def next_due(ledger: Ledger, target: Target, untried: float = FOREVER) -> datetime | None:
    """When the next frozen batch may go that was not attempted since `untried` (seconds since
    1970); None when there is none."""
    sql = """SELECT MIN(b.due) FROM batch b JOIN place p ON p.id = b.place
    WHERE b.phase <> 'closed' AND b.phase IN ('in_doubt', 'queued') AND p.target = ?
    AND (b.last_at IS NULL OR b.last_at < ? OR (b.phase = 'in_doubt' AND b.asked = 0))"""
    return moment(ledger.db.rows(sql, (target.name, untried))[0][0])


def put_off(ledger: Ledger, target: Target, since: float) -> int:
    """Batches attempted since then (seconds since 1970) that are still open."""
    sql = """SELECT COUNT(*) FROM batch b JOIN place p ON p.id = b.place
    WHERE b.phase <> 'closed' AND b.phase IN ('in_doubt', 'queued') AND p.target = ?
    AND b.last_at >= ?"""
    return int(ledger.db.rows(sql, (target.name, since))[0][0])


def number(claim: Claim) -> int:
    """Which attempt at the batch this is; a question belongs to the attempt it is about."""
    return max(1, claim.attempts + (0 if claim.doubtful else 1))


def _state(claim: Claim) -> State:
    return State.IN_DOUBT if claim.doubtful else State.SENDING


def _move(ledger: Ledger, claim: Claim, after: State, now: datetime, note: str) -> None:
    ledger.move(claim.place, claim.versions, _state(claim), after, now, note=note, batch=claim.id)


def _tried(
    ledger: Ledger,
    tries: Sequence[tuple[Claim, Attempt]],
    phase: str,
    due: datetime | None = None,
    burns: bool = False,
) -> None:
    """Write attempts and what they make of their batches."""
    next_at = None if due is None else due.timestamp()
    batch_rows: list[tuple[object, ...]] = []
    attempt_rows: list[tuple[object, ...]] = []
    for claim, attempt in tries:
        at = attempt.at.timestamp()
        asked = claim.doubtful
        touched = _touched(claim, attempt)
        batch_rows.append((phase, next_at, touched, not asked, asked, burns, at, at, claim.id))
        head = claim.id, number(claim), at, attempt.worker, attempt.transport, attempt.outcome
        tail = attempt.failure, attempt.code, attempt.detail, attempt.ms, claim.bytes, next_at
        attempt_rows.append((*head, *tail))
    ledger.db.many(_TRIED, batch_rows)
    ledger.db.many(_ATTEMPT, attempt_rows)


def _touched(claim: Claim, attempt: Attempt) -> int:
    """What is known of a batch's bytes. After `UNDONE` a transport still looks before it writes:
    a site's tables may undo nothing."""
    if claim.batch.fresh and attempt.failure == "unreachable":
        return 0
    return UNDONE if attempt.undone else LEFT


def _requeue(ledger: Ledger, target: Target, claim: Claim, now: datetime, *, undone: bool) -> None:
    """Back to `queued` in the frozen batch; what was superseded meanwhile is withdrawn instead, if
    surely nothing of it left."""
    _move(ledger, claim, State.QUEUED, now, "")
    if not undone or not ledger.waiting:
        return
    rows = ledger.db.rows(_SUPERSEDED, (orjson.dumps(claim.versions).decode(),))
    if rows:
        gone = [row[0] for row in rows]
        dissolve(ledger, gone)
        ledger.move(claim.place, gone, State.QUEUED, State.WITHDRAWN, now, note=notes.SUPERSEDED)
        release_after(ledger, target, claim.identities, now)


def _end(
    ledger: Ledger, claim: Claim, attempt: Attempt, after: State, now: datetime, note: str
) -> None:
    _tried(ledger, [(claim, attempt)], "closed")
    _move(ledger, claim, after, now, note)
    if after is State.WAITING:
        remember(ledger, claim.versions)
        sql = "UPDATE version SET batch = NULL, previous = NULL, touched = 1 WHERE id = ?"
        ledger.db.many(sql, [(version,) for version in claim.versions])


def _cut(ledger: Ledger, target: Target, claim: Claim, now: datetime, touched: int) -> None:
    """Two frozen halves take the place of a batch."""
    rows = members(ledger, claim.versions)
    middle = len(rows) // 2
    halves: list[Claim] = []
    for half in (rows[:middle], rows[middle:]):
        key = batches.idempotency_key(target.name, claim.table, half)
        batch = batches.made(claim.table, key, half, fresh=claim.batch.fresh)
        versions = tuple(row.version for row in half)
        identities = tuple(row.identity for row in half)
        made = ledger.next_id("batch")
        size = sum(row.size for row in half)
        halves.append(
            Claim(
                made,
                claim.run,
                claim.place,
                claim.table,
                batch,
                versions,
                identities,
                size,
                first_at=claim.first_at,
            )
        )
    freeze(ledger, halves, "queued", touched=touched, due=now, cut_from=claim.id)
    remember(ledger, claim.versions)
    ledger.db.many(
        "UPDATE version SET batch = ? WHERE id = ?",
        [(half.id, version) for half in halves for version in half.versions],
    )
