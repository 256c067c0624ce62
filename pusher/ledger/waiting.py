"""What waits for what: links to parents by hash, and the release of those whose wait is over.

A waiting version has one row per open link. A link is met when a record with that handle stands at
the target, or when the ledger has no such record at all (the check found it elsewhere). A version
also waits for an earlier version of its own record that is in flight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson

from pusher.batch import canonical
from pusher.ledger.core import Ledger
from pusher.ledger.dissolve import may_have_left
from pusher.states import State
from pusher.target import Target
from validator.records import Link

_HASH = 16

_MET = """
EXISTS (SELECT 1 FROM (
  SELECT id FROM identity WHERE hash = {hash} UNION ALL
  SELECT identity FROM handle WHERE hash = {hash}) h WHERE (
    SELECT v.operation = 'upsert' AND v.state IN ({states}) FROM version v
    WHERE v.identity = h.id AND v.landed = 1 ORDER BY v.sequence DESC LIMIT 1))"""
_DROP_MET = """
DELETE FROM parent WHERE length(hash) = 16 AND version IN (
  SELECT id FROM version WHERE state = 'waiting' AND place IN (SELECT value FROM json_each(?)))
AND ({met} OR NOT EXISTS (
  SELECT 1 FROM identity WHERE hash = parent.hash UNION ALL
  SELECT 1 FROM handle WHERE hash = parent.hash))"""
_DROP_OWN = f"""
DELETE FROM parent WHERE length(hash) = 8 AND NOT EXISTS (
  SELECT 1 FROM version v JOIN version o ON o.identity = v.identity AND o.sequence < v.sequence
  WHERE v.id = parent.version AND {may_have_left("o")})"""  # noqa: S608 - ours
_FREE = """
SELECT v.id, v.place FROM version v
WHERE v.state = 'waiting' AND v.place IN (SELECT value FROM json_each(?))
AND NOT EXISTS (SELECT 1 FROM parent p WHERE p.version = v.id)"""
_FREE_OF = """
SELECT v.id, v.place FROM json_each(?) j JOIN version v ON v.id = j.value
WHERE v.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM parent p WHERE p.version = v.id)"""


def hash_of(target: str, table: str, key: bytes) -> bytes:
    """16 bytes that stand for a record at a target; `key` is canonical JSON."""
    return hashlib.blake2b(f"{target}\n{table}\n".encode() + key, digest_size=_HASH).digest()


def link_hash(target: str, link: Link) -> bytes:
    """16 bytes that stand for a pointer by values, in any order of its fields."""
    key = canonical(dict(zip(link.fields, link.values, strict=True)))
    return hash_of(target, link.table, key)


def own_hash(identity: int) -> bytes:
    """8 bytes: waits for an earlier version of the same record."""
    return identity.to_bytes(8, "big")


def link_text(link: Link) -> str:
    """`standard/TABLE FIELD=value …`, for people."""
    pairs = " ".join(f"{f}={v}" for f, v in zip(link.fields, link.values, strict=True))
    return f"{link.table} {pairs}"


def _met(target: Target, column: str) -> str:
    states = "'accepted'" if target.parent_status == "accepted" else "'delivered', 'accepted'"
    return _MET.format(hash=column, states=states)


def is_met(ledger: Ledger, target: Target, hash_: bytes) -> bool:
    """True when a record with this handle stands at the target."""
    sql = f"SELECT {_met(target, '?')}"
    return bool(ledger.db.rows(sql, (hash_, hash_))[0][0])


def release_all(ledger: Ledger, target: Target, now: datetime) -> int:
    """Release every version of the target whose wait is over; how many. Inside a transaction."""
    places = orjson.dumps(list(ledger.places(target.name).values())).decode()
    ledger.db.run(_DROP_MET.format(met=_met(target, "parent.hash")), (places,))
    ledger.db.run(_DROP_OWN)
    return _queue(ledger, ledger.db.rows(_FREE, (places,)), now)


def release_after(ledger: Ledger, target: Target, identities: Sequence[int], now: datetime) -> int:
    """Release what waited for these records, whose versions just got an outcome; how many."""
    if not ledger.waiting:
        return 0
    sql = "SELECT i.id, i.hash, i.handles FROM json_each(?) j JOIN identity i ON i.id = j.value"
    waited: set[int] = set()
    for identity, hash_, more in ledger.db.rows(sql, (orjson.dumps(list(identities)).decode(),)):
        hashes = [hash_, *(more[i : i + _HASH] for i in range(0, len(more), _HASH))]
        met = [h for h in hashes if is_met(ledger, target, h)]
        for open_ in (own_hash(identity), *met):
            drop = "DELETE FROM parent WHERE hash = ? RETURNING version"
            waited.update(row[0] for row in ledger.db.rows(drop, (open_,)))
    if not waited:
        return 0
    rows = ledger.db.rows(_FREE_OF, (orjson.dumps(sorted(waited)).decode(),))
    return _queue(ledger, rows, now)


def _queue(ledger: Ledger, rows: Iterable[tuple[int, int]], now: datetime) -> int:
    by_place: dict[int, list[int]] = {}
    for version, place in rows:
        by_place.setdefault(place, []).append(version)
    for place, versions in by_place.items():
        ledger.move(place, versions, State.WAITING, State.QUEUED, now)
    return sum(map(len, by_place.values()))
