"""Records → batches: canonical bytes, digests, idempotency keys; pure.

The content of a record is JSON with its names sorted: the same content gives the same bytes
whatever the pack's order of fields, and its SHA-256 is the version's digest. Sending is the
transports', storing the ledger's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from pusher.transport import Batch, Parcel
from validator.records import Operation

#: So many digits of the idempotency key are the id of the batch.
ID = 32


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One version on its way: `key` and the JSON texts as stored.

    `fields` is the version's own content, `held` what the target holds before it (None: nothing);
    `held_digest` names that. `sequence` counts the identity's versions, `round` how often a person
    sent this version again; `touched`: bytes of it may have left in an earlier batch.
    """

    version: int
    identity: int
    operation: Operation
    sequence: int
    round: int
    digest: bytes
    division: str
    reason: str
    key: bytes
    fields: bytes
    held: bytes | None = None
    held_digest: bytes = b""
    touched: bool = False

    @property
    def size(self) -> int:
        """Canonical bytes this record adds to a batch."""
        return len(self.key) + len(self.fields)


def canonical(values: Mapping[str, str]) -> bytes:
    """JSON of `values` with sorted names, UTF-8. Raises ValueError for text JSON cannot carry."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def digest(content: bytes) -> bytes:
    """SHA-256 of canonical content: with the operation, the version of a record."""
    return hashlib.sha256(content).digest()


def grouped(
    rows: Iterable[Outgoing], max_records: int, max_bytes: int
) -> Iterator[tuple[Outgoing, ...]]:
    """Consecutive rows of one table in groups of one division, within both limits.

    A record larger than `max_bytes` goes alone.
    """
    group: list[Outgoing] = []
    size = 0
    for row in rows:
        full = len(group) >= max_records or size + row.size > max_bytes
        if group and (full or row.division != group[0].division):
            yield tuple(group)
            group, size = [], 0
        group.append(row)
        size += row.size
    if group:
        yield tuple(group)


def idempotency_key(target: str, table: str, rows: Iterable[Outgoing]) -> str:
    """Stands for exactly these versions in this order at this target; 64 hexadecimal digits."""
    made = hashlib.sha256(f"{target}\n{table}\n".encode())
    for row in rows:
        head = f"{row.sequence} {row.round} {row.operation} {row.division} {len(row.key)}\n"
        made.update(head.encode() + row.key + row.digest + row.held_digest)
        made.update(f"{len(row.reason.encode())}\n{row.reason}".encode())
    return made.hexdigest()


def made(table: str, key: str, rows: tuple[Outgoing, ...], *, fresh: bool) -> Batch:
    """The batch as transports take it; `table` is qualified."""
    standard, _, name = table.partition("/")
    parcels = tuple(_parcel(index, row) for index, row in enumerate(rows))
    return Batch(key[:ID], key, standard, name, rows[0].division, parcels, fresh)


def _parcel(index: int, row: Outgoing) -> Parcel:
    held = None if row.held is None else orjson.loads(row.held)
    invalidate = row.operation is Operation.INVALIDATE
    fields = held if invalidate and held is not None else orjson.loads(row.fields)
    return Parcel(
        index,
        row.operation,
        row.reason,
        orjson.loads(row.key),
        fields,
        None if invalidate else held,
    )
