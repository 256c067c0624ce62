"""The rows of one chunk of entering: identities as known, new versions until they are flushed.

What a record means for the ledger is decided by `pusher.ledger.enter`; here are only look-up and
writing, in bulk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from pusher import batch as batches
from pusher.ledger.content import BLOCK, block
from pusher.ledger.core import Ledger
from pusher.ledger.waiting import hash_of, link_hash
from pusher.states import State
from validator.records import Record

_MANY = 500
_LOOK_UP = f"""
SELECT i.hash, i.id, i.place, i.sequence, i.latest, i.blocked, i.handles, v.operation, v.digest,
  v.state
FROM identity i LEFT JOIN version v ON v.id = i.latest
WHERE i.hash IN ({", ".join("?" * _MANY)})"""  # noqa: S608 - nothing but question marks
_NEW_IDENTITY = """
INSERT INTO identity (id, place, hash, key, sequence, latest, blocked, handles)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_IDENTITY = """
UPDATE identity SET sequence = ?, latest = ?, blocked = ?, handles = ? WHERE id = ?"""
_VERSION = """
INSERT INTO version (id, identity, place, sequence, operation, digest, division, reason, known, run,
  entered, seen, state, note, changed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_CONTENT = "INSERT INTO content (first, records, body) VALUES (?, ?, ?)"
_HANDLE = "INSERT INTO handle (hash, identity) VALUES (?, ?) ON CONFLICT DO NOTHING"
_PARENT = "INSERT INTO parent (version, hash, link) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(slots=True)
class Known:
    """An identity as the ledger holds it now; operation, digest and state are the latest's."""

    id: int
    place: int
    hash: bytes
    key: bytes
    sequence: int = 0
    latest: int | None = None
    blocked: int = 0
    handles: bytes = b""
    operation: str | None = None
    digest: bytes | None = None
    state: State | None = None
    new: bool = False


@dataclass(slots=True)
class Intake:
    """Rows of the present chunk. `run` and `at` (seconds) stand in every new version."""

    ledger: Ledger
    target: str
    run: int
    at: float
    known: dict[bytes, Known] = field(default_factory=dict)
    _dirty: dict[int, Known] = field(default_factory=dict)
    _versions: list[tuple[object, ...]] = field(default_factory=list)
    _lines: list[bytes] = field(default_factory=list)
    _blocks: list[tuple[int, int, bytes]] = field(default_factory=list)
    _handles: list[tuple[bytes, int]] = field(default_factory=list)
    _parents: list[tuple[int, bytes, str]] = field(default_factory=list)

    def look_up(self, records: Iterable[Record]) -> list[tuple[Record, Known]]:
        """Each record with its identity; those the ledger has not seen are marked new."""
        keys = [(record, batches.canonical(record.key)) for record in records]
        hashed = [(r, key, hash_of(self.target, r.table, key)) for r, key in keys]
        self.known = self._find([hash_ for _, _, hash_ in hashed])
        found: list[tuple[Record, Known]] = []
        for record, key, hash_ in hashed:
            known = self.known.get(hash_)
            if known is None:
                place = self.ledger.place(self.target, record.table)
                known = Known(self.ledger.next_id("identity"), place, hash_, key, new=True)
                self.known[hash_] = known
            found.append((record, known))
        return found

    def _find(self, hashes: Sequence[bytes]) -> dict[bytes, Known]:
        found: dict[bytes, Known] = {}
        for start in range(0, len(hashes), _MANY):
            some = list(hashes[start : start + _MANY])
            some += some[:1] * (_MANY - len(some))
            for row in self.ledger.db.rows(_LOOK_UP, some):
                hash_, id_, place, sequence, latest, blocked, handles, operation, digest, state = (
                    row
                )
                found[hash_] = Known(
                    id_,
                    place,
                    hash_,
                    b"",
                    sequence,
                    latest,
                    blocked,
                    handles,
                    operation,
                    digest,
                    None if state is None else State(state),
                )
        return found

    def insert(
        self, known: Known, record: Record, content: bytes, digest: bytes, state: State, note: str
    ) -> int:
        """A new version of an identity; its id. Written with the next `flush`."""
        version = self.ledger.next_id("version")
        known.sequence += 1
        self.changed(known)
        self._versions.append(
            (
                version,
                known.id,
                known.place,
                known.sequence,
                record.operation.value,
                digest,
                record.division,
                record.reason,
                orjson.dumps(record.known).decode(),
                self.run,
                self.at,
                self.run,
                state.value,
                note,
                self.at,
            )
        )
        self._lines.append(content)
        if len(self._lines) == BLOCK:
            self._close_block(version)
        self.ledger.count(known.place, state, 1)
        for handle in record.handles:
            self._handle(known, link_hash(self.target, handle))
        return version

    def _handle(self, known: Known, hash_: bytes) -> None:
        have = known.handles
        if hash_ == known.hash or any(have[i : i + 16] == hash_ for i in range(0, len(have), 16)):
            return
        known.handles += hash_
        self._handles.append((hash_, known.id))

    def _close_block(self, last: int) -> None:
        count = len(self._lines)
        if count:
            self._blocks.append((last - count + 1, count, block(self._lines)))
            self._lines.clear()

    def wait(self, version: int, links: Iterable[tuple[bytes, str]]) -> None:
        """Note what a version waits for: (hash, readable text)."""
        self._parents += [(version, hash_, text) for hash_, text in links]

    def changed(self, known: Known) -> None:
        """The identity's row is to be written with the next `flush`."""
        self._dirty[known.id] = known

    def flush(self) -> None:
        """Write what is pending, so that statements see it."""
        db = self.ledger.db
        if self._dirty:
            new = [k for k in self._dirty.values() if k.new]
            old = [k for k in self._dirty.values() if not k.new]
            db.many(
                _NEW_IDENTITY,
                [
                    (
                        k.id,
                        k.place,
                        k.hash,
                        k.key.decode(),
                        k.sequence,
                        k.latest,
                        k.blocked,
                        k.handles,
                    )
                    for k in new
                ],
            )
            db.many(_IDENTITY, [(k.sequence, k.latest, k.blocked, k.handles, k.id) for k in old])
            for known in new:
                known.new = False
            self._dirty.clear()
        if self._versions:
            db.many(_VERSION, self._versions)
            last = self._versions[-1][0]
            assert isinstance(last, int)
            self._close_block(last)
            self._versions.clear()
        for sql, rows in (
            (_CONTENT, self._blocks),
            (_HANDLE, self._handles),
            (_PARENT, self._parents),
        ):
            if rows:
                db.many(sql, rows)
                rows.clear()
