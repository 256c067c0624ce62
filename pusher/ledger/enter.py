"""Judged records enter the ledger: what is new, what is known, what has to wait.

Decisions 1, 2 and 4 are kept here. In chunks, each its own transaction: after a kill, entering the
same records again gives the same ledger. Nothing is sent here and no record is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice

import orjson

from pusher import batch as batches
from pusher import crash, notes
from pusher.ledger.core import Ledger
from pusher.ledger.database import LedgerError, Row
from pusher.ledger.dissolve import dissolve, has_left, may_have_left
from pusher.ledger.held import held
from pusher.ledger.intake import Intake, Known
from pusher.ledger.waiting import is_met, link_hash, link_text, own_hash, release_all
from pusher.states import REFUSED, UNSENT, State
from pusher.target import Target
from validator.records import Operation, Record, Standing
from validator.text import Text

#: Records per transaction: what a kill makes the next run enter again.
CHUNK = 8_000
_CACHE = 200_000

_BLOCKED = """
SELECT id, sequence, operation, digest, seen FROM version
WHERE identity = ? AND state = 'blocked' ORDER BY sequence"""
_IN_FLIGHT = f"SELECT 1 FROM version v WHERE v.identity = ? AND {may_have_left('v')}"  # noqa: S608 - ours
_COUNTS = (
    "read",
    "unreadable",
    "skipped",
    "unchanged",
    "refused",
    "duplicate",
    "blocked",
    "entered",
)


@dataclass(frozen=True, slots=True)
class Books:
    """What was read in a run and what became of it; `refused` are those of `unchanged` whose
    version the target refused or that were given up."""

    read: int = 0
    unreadable: int = 0
    skipped: int = 0
    unchanged: int = 0
    refused: int = 0
    duplicate: int = 0
    blocked: int = 0
    entered: int = 0

    @property
    def balanced(self) -> bool:
        """read = unreadable + skipped + unchanged + duplicate + blocked + entered."""
        parts = self.unreadable + self.skipped + self.unchanged + self.duplicate
        return self.read == parts + self.blocked + self.entered


def enter(
    ledger: Ledger,
    records: Iterable[Record],
    target: Target,
    run_id: str,
    now: datetime,
    *,
    unreadable: int = 0,
    chunk: int = CHUNK,
) -> Books:
    """Enter judged records of one run; the books of the run are stored with it and returned.

    `unreadable` counts records that were read but could not be judged; `chunk` records are one
    transaction. Raises LedgerError.
    """
    with ledger.transaction():
        run = ledger.run(target.name, run_id, now)
    rows = Intake(ledger, target.name, run, now.timestamp())
    entering = _Entering(ledger, target, now, rows)
    stream = iter(records)
    while some := list(islice(stream, chunk)):
        with ledger.transaction():
            entering.enter(some)
        crash.at("entering")
    with ledger.transaction():
        return entering.finish(unreadable)


@dataclass(slots=True)
class _Entering:
    """One run of entering. `stale`: identities with versions the gate held in earlier runs."""

    ledger: Ledger
    target: Target
    now: datetime
    rows: Intake
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    met: dict[bytes, bool] = field(default_factory=dict)
    stale: set[int] = field(default_factory=set)

    def enter(self, records: list[Record]) -> None:
        """Enter some records inside the present transaction."""
        self.counts["read"] += len(records)
        judged: list[Record] = []
        for record in records:
            if record.standing in (Standing.SKIPPED, Standing.DUPLICATE):
                self.counts[record.standing] += 1
            else:
                judged.append(record)
        for record, known in self.rows.look_up(judged):
            self._record(record, known)
        self.rows.flush()
        if len(self.met) > _CACHE:
            self.met.clear()

    def finish(self, unreadable: int) -> Books:
        """Withdraw held-back versions that the source no longer has, release, store the books."""
        for identity in self.stale:
            self._withdraw_blocked(identity)
        release_all(self.ledger, self.target, self.now)
        self.counts["unreadable"] += unreadable
        self.counts["read"] += unreadable
        books = Books(**self.counts)
        if not books.balanced:
            raise LedgerError(_UNBALANCED.fill(self.counts))
        sql = "UPDATE run SET books = ? WHERE id = ?"
        self.ledger.db.run(sql, (orjson.dumps(asdict(books)).decode(), self.rows.run))
        return books

    def _record(self, record: Record, known: Known) -> None:
        content = batches.canonical(record.content)
        digest = batches.digest(content)
        same = known.digest == digest and known.operation == record.operation
        if record.standing is Standing.BLOCKED:
            self._block(record, known, content, digest)
        elif same and known.state is not State.BLOCKED:
            self._unchanged(known)
        elif record.operation is Operation.INVALIDATE and not self._may_be_held(known):
            self._nothing_to_invalidate(known)
        else:
            self._enter(record, known, content, digest)

    def _unchanged(self, known: Known) -> None:
        self.counts["unchanged"] += 1
        if known.state in REFUSED:
            self.counts["refused"] += 1
        if known.blocked:
            self.stale.add(known.id)

    def _enter(self, record: Record, known: Known, content: bytes, digest: bytes) -> None:
        """A new version, or one that the gate held and now lets pass."""
        self.counts["entered"] += 1
        released = self._held_back(record, known, digest) if known.blocked else None
        before = self._supersede(known, keep=released)
        waits = self._waits(record, known)
        state = State.WAITING if waits else State.QUEUED
        if released is None:
            if before is State.HELD:  # a person's word outlives the content it was given for
                state = State.HELD
            version = self.rows.insert(known, record, content, digest, state, "")
        else:
            version = released
            self._move(known, version, State.BLOCKED, state, "")
            known.blocked -= 1
        self.rows.wait(version, waits)
        known.latest, known.operation, known.digest = version, record.operation.value, digest
        known.state = state
        self.rows.changed(known)
        if known.blocked:
            self.stale.add(known.id)

    def _waits(self, record: Record, known: Known) -> list[tuple[bytes, str]]:
        """(hash, text) of each open link of a new version."""
        waits: list[tuple[bytes, str]] = []
        if record.parents and record.operation is Operation.UPSERT:
            own = {known.hash, *(link_hash(self.target.name, h) for h in record.handles)}
            for link in record.parents:
                hash_ = link_hash(self.target.name, link)
                if hash_ not in own and not self._is_met(hash_):
                    waits.append((hash_, link_text(link)))
        if self._in_flight(known):
            waits.append((own_hash(known.id), "earlier version"))
        return waits

    def _is_met(self, hash_: bytes) -> bool:
        met = self.met.get(hash_)
        if met is None:
            met = self.met[hash_] = is_met(self.ledger, self.target, hash_)
        return met

    def _supersede(self, known: Known, keep: int | None = None) -> State | None:
        """Withdraw the latest version if nothing of it left; the state it had."""
        before = known.state
        if known.latest is None or before is None or known.latest == keep:
            return None
        if before in UNSENT or before is State.BLOCKED:
            self.rows.flush()
            if before is State.QUEUED and has_left(self.ledger, known.latest):
                return before
            known.blocked -= before is State.BLOCKED
            self._move(known, known.latest, before, State.WITHDRAWN, notes.SUPERSEDED)
        return before

    def _move(self, known: Known, version: int, before: State, after: State, note: str) -> None:
        if before is State.QUEUED:
            dissolve(self.ledger, [version])
        self.ledger.move(known.place, [version], before, after, self.now, note=note)
        if before is State.WAITING:
            self.ledger.db.run("DELETE FROM parent WHERE version = ?", (version,))

    def _may_be_held(self, known: Known) -> bool:
        """The target holds this record, or may."""
        if not known.sequence:
            return False
        self.rows.flush()
        return self._in_flight(known) or held(self.ledger, known.id) is not None

    def _in_flight(self, known: Known) -> bool:
        """Some version of this record may be on its way."""
        return bool(known.sequence and self.ledger.db.rows(_IN_FLIGHT, (known.id,)))

    def _nothing_to_invalidate(self, known: Known) -> None:
        """A deletion of what the target never had: whatever is unsent goes, nothing enters."""
        self.counts["skipped"] += 1
        if not known.new:
            self._supersede(known)
            known.latest = known.operation = known.digest = known.state = None
            self.rows.changed(known)

    # -- the gate ----------------------------------------------------------------------------

    def _block(self, record: Record, known: Known, content: bytes, digest: bytes) -> None:
        """Keep a version the gate holds; one that was entered before and not sent is taken back."""
        self.counts["blocked"] += 1
        note = ", ".join(record.blocked_by)
        same = known.digest == digest and known.operation == record.operation
        if same and known.latest is not None and known.state is not State.BLOCKED:
            if known.state in (State.QUEUED, State.WAITING):
                self.rows.flush()
                if has_left(self.ledger, known.latest):
                    return
                self._move(known, known.latest, known.state, State.BLOCKED, note)
                self._seen(known.latest, note)
                known.state = State.BLOCKED
                known.blocked += 1
                self.rows.changed(known)
            return
        version = self._held_back(record, known, digest, last=False) if known.blocked else None
        if version is not None:
            self._seen(version, note)
        else:
            self.rows.insert(known, record, content, digest, State.BLOCKED, note)
            known.blocked += 1
        self.stale.add(known.id)

    def _held_back(
        self, record: Record, known: Known, digest: bytes, *, last: bool = True
    ) -> int | None:
        """The version of this content that the gate held; with `last` only if nothing is newer."""
        for version, sequence, operation, held_digest, _ in self._blocked_rows(known.id):
            this = (operation, held_digest) == (record.operation, digest)
            if this and (not last or sequence == known.sequence):
                return int(version)
        return None

    def _blocked_rows(self, identity: int) -> list[Row]:
        self.rows.flush()
        return self.ledger.db.rows(_BLOCKED, (identity,))

    def _seen(self, version: int, note: str) -> None:
        sql = "UPDATE version SET seen = ?, note = ? WHERE id = ?"
        self.ledger.db.run(sql, (self.rows.run, note, version))

    def _withdraw_blocked(self, identity: int) -> None:
        """What the gate held earlier and this run did not meet again is withdrawn."""
        gone = [row[0] for row in self._blocked_rows(identity) if row[4] != self.rows.run]
        if gone:
            sql = "UPDATE identity SET blocked = blocked - ? WHERE id = ? RETURNING place"
            place = self.ledger.db.rows(sql, (len(gone), identity))[0][0]
            self.ledger.move(
                place, gone, State.BLOCKED, State.WITHDRAWN, self.now, note=notes.SUPERSEDED
            )


_UNBALANCED = Text(
    "本次账目不平：读取 {read}，无法读取 {unreadable}，跳过 {skipped}，未变 {unchanged}，"
    "重复 {duplicate}，未放行 {blocked}，入账 {entered}",
    "the books of this run do not balance: read {read}, unreadable {unreadable}, "
    "skipped {skipped}, unchanged {unchanged}, "
    "duplicate {duplicate}, blocked {blocked}, entered {entered}",
)
