"""Batches as they are frozen: claims, their rows, and versions as they go out.

Bytes and membership of a batch never change until it is closed; they are rebuilt here from what is
stored, and the idempotency key tells whether they are still the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from pusher import batch as batches
from pusher.batch import Outgoing
from pusher.ledger.content import Contents
from pusher.ledger.core import Ledger
from pusher.ledger.database import Row
from pusher.transport import Batch
from validator.records import Operation

#: What `outgoing` reads of a version `v` and its identity `i`.
COLUMNS = """v.id, v.identity, v.operation, v.sequence, v.round, v.digest, v.division, v.reason,
  i.key, v.known, v.previous, v.touched"""
#: `touched` of a batch, where not 0 (nothing of it left): something may have left without an answer
#: that settles it; something left, and surely nothing came of it or will.
LEFT, UNDONE = 1, 2
_MEMBERS = f"""
SELECT {COLUMNS} FROM json_each(?) j CROSS JOIN version v JOIN identity i ON i.id = v.identity
WHERE v.id = j.value ORDER BY j.key"""  # noqa: S608
_HELD = "SELECT digest, known FROM version WHERE id = ?"
_BATCH = """
INSERT INTO batch (id, key, place, division, run, owner, members, records, bytes, phase, touched,
  first_at, parent, due)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch in the hands of this process. `doubtful`: only to be settled, not sent.

    `attempts`, `asked` (questions since the doubt), `burnt` and the times are what stood before the
    attempt that now begins.
    """

    id: int
    run: int
    place: int
    table: str
    batch: Batch
    versions: tuple[int, ...]
    identities: tuple[int, ...]
    bytes: int
    doubtful: bool = False
    attempts: int = 0
    asked: int = 0
    burnt: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


def outgoing(contents: Contents, row: Row, previous: int | None) -> Outgoing:
    """A version as it goes out; `row` holds COLUMNS, `previous` is the version it replaces."""
    version, identity, operation, sequence, round_, digest, division, reason, key, known = row[:10]
    before, before_digest = None, b""
    if previous is not None:
        before_digest, held_known = contents.ledger.db.rows(_HELD, (previous,))[0]
        before = _content(contents, previous, held_known, key)
    return Outgoing(
        version,
        identity,
        Operation(operation),
        sequence,
        round_,
        digest,
        division,
        reason,
        key.encode(),
        _content(contents, version, known, key),
        before,
        before_digest,
        bool(row[11]),
    )


def _content(contents: Contents, version: int, known: str, key: str) -> bytes:
    """The canonical content; past its keeping time, what is kept for good."""
    content = contents.read(version)
    if content is not None:
        return content
    return batches.canonical({**orjson.loads(known), **orjson.loads(key)})


def freeze(
    ledger: Ledger,
    claims: Sequence[Claim],
    phase: str,
    *,
    touched: int,
    due: datetime | None = None,
    cut_from: int | None = None,
) -> None:
    """Write batches; their versions point to them."""
    ledger.db.many(
        _BATCH,
        [
            (
                c.id,
                c.batch.idempotency_key,
                c.place,
                c.batch.division,
                c.run,
                ledger.owner,
                orjson.dumps(c.versions).decode(),
                len(c.versions),
                c.bytes,
                phase,
                touched,
                None if c.first_at is None else c.first_at.timestamp(),
                cut_from,
                None if due is None else due.timestamp(),
            )
            for c in claims
        ],
    )


def members(ledger: Ledger, versions: Sequence[int]) -> tuple[Outgoing, ...]:
    """Versions as they were sent, in this order."""
    contents = Contents(ledger)
    rows = ledger.db.rows(_MEMBERS, (orjson.dumps(versions).decode(),))
    return tuple(outgoing(contents, row, row[10]) for row in rows)
