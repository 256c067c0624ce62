"""The sandbox's own durable store: answered batches, effects, what is held, later verdicts.

A batch, its effects and its answer are one transaction, so a killed sandbox has either all of it or
nothing. It speaks no HTTP and misbehaves in nothing.
"""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import orjson

from pusher.sandbox.holdings import Holdings, Place
from pusher.sandbox.journal import Effect, Held, identity_of, version_of
from pusher.sandbox.request import SentBatch, SentRecord
from pusher.sandbox.script import Script, fraction
from pusher.transport import Answer, Receipt
from validator.pack import Packs
from validator.records import Operation


@dataclass(frozen=True, slots=True)
class Stored:
    """An answered batch: digest of its body, and the answer as bytes."""

    digest: bytes
    answer: bytes


class ParentMissingError(Exception):
    """The script wants parents first and one is not held; the batch had no effect."""


class Store:
    """One SQLite file (None: in memory). `packs` are needed only where parents are checked."""

    def __init__(self, path: Path | None, packs: Packs | None = None) -> None:
        """Raises OSError for a file that cannot be opened or is no store."""
        try:
            self._db = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as fault:
            raise OSError(errno.EIO, f"{path} cannot be opened as a store: {fault}") from fault
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(files("pusher.sandbox").joinpath("store.sql").read_text("utf-8"))
        self._holdings = Holdings(self._db, packs)

    def knows(self, qualified: str) -> bool:
        """True for a table of the packs; without packs for every one."""
        return self._holdings.knows(qualified)

    def close(self) -> None:
        self._db.close()

    def find(self, key: str) -> Stored | None:
        """The answered batch of an idempotency key."""
        row = self._db.execute("SELECT digest, answer FROM batch WHERE key = ?", (key,)).fetchone()
        return None if row is None else Stored(row[0], row[1])

    def replay(self, key: str) -> None:
        """Count that a key came again with the same content."""
        self._db.execute("UPDATE batch SET replays = replays + 1 WHERE key = ?", (key,))

    def answer_of(self, batch_id: str) -> bytes | None:
        """The answer to a batch, by the batch's own id."""
        row = self._db.execute(
            "SELECT answer FROM batch WHERE id = ? ORDER BY rowid DESC", (batch_id,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def take(self, key: str, digest: bytes, sent: SentBatch, script: Script, now: float) -> bytes:
        """Judge and apply a batch, keep and return its answer. Raises ParentMissingError."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            receipts = [self._judge(sent, record, script, now) for record in sent.records]
            answer = orjson.dumps(
                {
                    "batch": sent.id,
                    "receipts": [
                        {"index": r.index, "status": r.answer, "lsh": r.lsh, "reason": r.reason}
                        for r in receipts
                    ],
                }
            )
            self._db.execute(
                "INSERT INTO batch (key, id, digest, answer) VALUES (?, ?, ?, ?)",
                (key, sent.id, digest, answer),
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return answer

    def verdict_page(
        self, standard: str, after: int, limit: int, now: float
    ) -> tuple[list[dict[str, object]], int, bool]:
        """Verdicts after a cursor, the new cursor, and whether more wait now."""
        self._publish(now)
        rows = self._db.execute(
            "SELECT seq, table_name, division, identity, answer, lsh, reason FROM verdict"
            " WHERE standard = ? AND seq > ? ORDER BY seq LIMIT ?",
            (standard, after, limit + 1),
        ).fetchall()
        page = [
            {
                "table": table,
                "division": division,
                "key": orjson.loads(identity),
                "status": answer,
                "lsh": lsh,
                "reason": reason,
            }
            for _, table, division, identity, answer, lsh, reason in rows[:limit]
        ]
        return page, (rows[:limit][-1][0] if page else after), len(rows) > limit

    def note_notice(self, now: float) -> None:
        """Remember that the notify address was called."""
        self._db.execute("INSERT INTO notice (at) VALUES (?)", (now,))

    def effects(self) -> list[Effect]:
        """Every record that was taken, in order, refused ones too."""
        rows = self._db.execute(
            "SELECT standard, table_name, identity, operation, version, answer, reason, repeat"
            " FROM effect ORDER BY seq"
        )
        return [
            Effect(s, t, i, Operation(o), v, Answer(a), reason, bool(repeat))
            for s, t, i, o, v, a, reason, repeat in rows
        ]

    def held(self) -> list[Held]:
        """What is held as valid now."""
        return self._holdings.all()

    def rows_of(self, place: Place) -> list[dict[str, object]]:
        """What is held at a place, as the answer to a look-up has it: one row or none."""
        row = self._holdings.row(place)
        return [] if row is None else [{"fields": row[0], "valid": True, "lsh": row[1]}]

    def counts(self) -> dict[str, int]:
        """Numbers for people: batches, replays, records by answer, repeats, held, notices."""
        queries = {
            "batches": "SELECT count(*) FROM batch",
            "replays": "SELECT coalesce(sum(replays), 0) FROM batch",
            "repeats": "SELECT coalesce(sum(repeat), 0) FROM effect",
            "held": "SELECT count(*) FROM held",
            "notices": "SELECT count(*) FROM notice",
        }
        counts = {name: int(self._db.execute(q).fetchone()[0]) for name, q in queries.items()}
        for answer in Answer:
            row = self._db.execute("SELECT count(*) FROM effect WHERE answer = ?", (answer,))
            counts[str(answer)] = int(row.fetchone()[0])
        return counts

    def _judge(self, sent: SentBatch, record: SentRecord, script: Script, now: float) -> Receipt:
        reason, late = self._reason(sent, record, script)
        identity, version = identity_of(record.key), version_of(record.fields)
        lsh = self._next_lsh()
        answer = Answer.REJECTED if reason and not late else Answer.ACCEPTED
        due = now if late else None
        if script.verdict_delay is not None:
            answer = Answer.RECEIVED
            spread = script.verdict_spread * fraction(sent.table + version, record.key)
            due = now + script.verdict_delay + spread
        repeat, before = False, None
        if answer is not Answer.REJECTED:
            repeat, before = self._apply(sent, record, identity, version, lsh)
        self._db.execute(
            "INSERT INTO effect (standard, table_name, division, identity, operation, version,"
            " answer, lsh, reason, repeat, due, before)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(sent.standard, sent.table, sent.division, identity, record.operation, version),
                *(answer, lsh, reason, repeat, due, before),
            ),
        )
        if answer is Answer.REJECTED:
            return Receipt(record.index, answer, "", reason)
        return Receipt(record.index, answer, lsh)

    def _reason(self, sent: SentBatch, record: SentRecord, script: Script) -> tuple[str, bool]:
        """Why the record is refused (empty: it is not), and whether only later."""
        if record.operation is Operation.INVALIDATE:
            return "", False
        refusal = script.refusal(sent.table, record.key, record.fields)
        if refusal is not None:
            return refusal.reason, refusal.late
        if script.parents == "off":
            return "", False
        missing = self._holdings.missing_parent(f"{sent.standard}/{sent.table}", record.fields)
        if missing and script.parents == "wait":
            raise ParentMissingError(missing)
        return missing, False

    def _apply(
        self, sent: SentBatch, record: SentRecord, identity: str, version: str, lsh: str
    ) -> tuple[bool, str | None]:
        """Change what is held; whether nothing changed, and what was held before."""
        place = (sent.standard, sent.table, identity)
        row = self._holdings.at(place)
        before = None if row is None else row[1]
        if record.operation is Operation.INVALIDATE:
            self._holdings.drop(place)
            return row is None, before
        if row is not None and row[0] == version:
            return True, before
        self._holdings.keep(place, record.fields, lsh)
        return False, before

    def _publish(self, now: float) -> None:
        """Turn what is due into verdicts; a refusal puts back what was held before."""
        rows = self._db.execute(
            "SELECT seq, standard, table_name, division, identity, lsh, reason FROM effect"
            " WHERE due <= ? ORDER BY due, seq",
            (now,),
        ).fetchall()
        if not rows:
            return
        self._db.execute("BEGIN IMMEDIATE")
        for seq, standard, table, division, identity, lsh, reason in rows:
            answer = Answer.REJECTED if reason else Answer.ACCEPTED
            self._db.execute(
                "INSERT INTO verdict (standard, table_name, division, identity, answer, lsh,"
                " reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (standard, table, division, identity, answer, lsh, reason),
            )
            self._db.execute(
                "UPDATE effect SET due = NULL, answer = ? WHERE seq = ?", (answer, seq)
            )
            if reason:
                self._restore(seq, (standard, table, identity), lsh)
        self._db.execute("COMMIT")

    def _restore(self, seq: int, place: Place, lsh: str) -> None:
        """Undo a refused effect, unless a later one already changed the same record."""
        version, operation, before = self._db.execute(
            "SELECT version, operation, before FROM effect WHERE seq = ?", (seq,)
        ).fetchone()
        row = self._holdings.at(place)
        current = None if row is None else row[0]
        if current != (None if operation == Operation.INVALIDATE else version):
            return
        if before is None:
            self._holdings.drop(place)
        else:
            self._holdings.keep(place, orjson.loads(before), lsh)

    def _next_lsh(self) -> str:
        row = self._db.execute("SELECT coalesce(max(seq), 0) + 1 FROM effect").fetchone()
        return str(row[0])
