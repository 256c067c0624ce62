"""What the ledger costs beside sending: resuming in doubt, growth, starting large, log and metrics.

The target answers at once and keeps nothing, so that only our own work is measured. A ledger of ten
million records is made by SQL, in states as after many good nights.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from benchmarks.machine import Aim, peak_mb
from pusher.delivery import deliver
from pusher.ledger.core import open_ledger
from pusher.ledger.enter import enter
from pusher.ledger.outbox import claim
from pusher.ledger.queries import status
from pusher.metrics import prometheus, write
from pusher.order import sending_order
from pusher.target import Target
from pusher.transport import Answer, Awaited, Batch, Expected, Looked, Receipt, VerdictPage
from pusher.world import World
from spgl.log import logger
from validator.load import load_packs
from validator.records import Record

TARGET = Target("bench", batch_records=100, concurrency=4, wait=0.0)
RESUME = Aim("seconds from a start with 100,000 records in doubt to the first new send", 2.0)
LOGGING = Aim("processor time with log and metrics ÷ without", 1.02)


@dataclass(slots=True)
class Willing:
    """A target that takes everything at once; when it was first asked and first sent something."""

    asked: float = 0.0
    sent: float = 0.0
    name: str = "willing"
    stream: bool = True
    certain: bool = False
    _lsh: int = field(default=0)

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def notify(self) -> None:
        return None

    async def send(self, batch: Batch) -> Sequence[Receipt]:
        self.sent = self.sent or time.perf_counter()
        return self._receipts(batch)

    async def settle(self, batch: Batch) -> Sequence[Receipt] | None:
        self.asked = self.asked or time.perf_counter()
        return self._receipts(batch)

    async def verdicts(
        self, standard: str, awaited: Sequence[Awaited], cursor: str | None
    ) -> VerdictPage:
        return VerdictPage((), cursor, more=False)

    async def look_up(self, table: str, expected: Sequence[Expected]) -> Sequence[Looked]:
        return ()

    def _receipts(self, batch: Batch) -> list[Receipt]:
        return [Receipt(p.index, Answer.ACCEPTED, "1") for p in batch.parcels]


def resume(rows: Sequence[Record], folder: Path) -> list[str]:
    """Claim everything, die, enter a little more, start again."""
    path, packs = folder / "ledger.db", load_packs()
    ledger = open_ledger(path)
    some = len(rows) - 100
    enter(ledger, rows[:some], TARGET, "first", datetime.now(UTC))
    order = sending_order(packs)
    with ledger.transaction():
        run = ledger.run(TARGET.name, "first", datetime.now(UTC))
    claimed = claim(ledger, TARGET, order, run, datetime.now(UTC), some)
    ledger.close()
    started = time.perf_counter()
    ledger, willing = open_ledger(path), Willing()
    opened = time.perf_counter() - started
    enter(ledger, rows[some:], TARGET, "second", datetime.now(UTC))
    began = time.perf_counter()
    asyncio.run(deliver(ledger, TARGET, willing, packs, run_id="second", world=_world()))
    ledger.audit()
    ledger.close()
    doubt = sum(len(each.versions) for each in claimed)
    size = path.stat().st_size / len(rows)
    return [
        f"in doubt {doubt:,} records: opened in {opened:.2f} s, first question after "
        f"{willing.asked - began:.2f} s, first new send after {willing.sent - began:.2f} s",
        f"  {RESUME.said(opened + willing.sent - began)}",
        f"ledger: {size:,.0f} bytes a record delivered; peak memory {peak_mb():,.0f} MB",
    ]


def logging(rows: Sequence[Record], repeat: int) -> list[str]:
    """Processor time of a delivery with attempt log and metrics file, and without."""
    best = {True: float("inf"), False: float("inf")}
    for turn in range(repeat + 1):  # the first warms up
        for on in (True, False):
            if turn == 1:
                best[on] = float("inf")
            with tempfile.TemporaryDirectory() as folder:
                best[on] = min(best[on], _delivered(rows, Path(folder), on=on))
    return [f"  {LOGGING.said(best[True] / best[False])}"]


def _delivered(rows: Sequence[Record], folder: Path, *, on: bool) -> float:
    ledger, packs = open_ledger(folder / "ledger.db"), load_packs()
    enter(ledger, rows, TARGET, "bench", datetime.now(UTC))
    with (folder / "attempts.jsonl").open("w") as log:
        world = replace(_world(), log=logger(log, json=True)) if on else _world()
        started = time.process_time()
        asyncio.run(deliver(ledger, TARGET, Willing(), packs, run_id="bench", world=world))
        if on:
            now = datetime.now(UTC)
            write(folder / "spgl.prom", prometheus(status(ledger), now))
        taken = time.process_time() - started
    ledger.close()
    return taken


def large(records: int, rows: Sequence[Record], folder: Path) -> list[str]:
    """Start on a ledger of this many accepted records, and push a hundred new ones."""
    path = folder / "ledger.db"
    open_ledger(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        for statement in _MANY.split(";"):
            db.execute(statement, (records,) if "?" in statement else ())
        db.commit()
    started = time.perf_counter()
    ledger, willing = open_ledger(path), Willing()
    counted = status(ledger).versions
    opened = time.perf_counter() - started
    enter(ledger, rows[:100], TARGET, "new", datetime.now(UTC))
    done = deliver(ledger, TARGET, willing, load_packs(), run_id="new", world=_world())
    asyncio.run(done)
    taken = time.perf_counter() - started
    ledger.close()
    return [
        f"ledger of {counted:,} records ({path.stat().st_size / 1e9:.1f} GB): open and status "
        f"{opened:.2f} s, first send after {willing.sent - started:.2f} s, 100 new records "
        f"delivered after {taken:.2f} s; peak memory {peak_mb():,.0f} MB"
    ]


def _world() -> World:
    return World(lambda: datetime.now(UTC), Random(1), logger(level="error"))


_MANY = """
INSERT INTO place (id, target, name) VALUES (1, 'bench', 'data-sharing-3.0/SPGL_XMJBXXB');
INSERT INTO run (id, name, target, started, ended) VALUES (1, 'old', 'bench', 1, 2);
INSERT INTO identity (id, place, hash, key, sequence, latest)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT i, 1, CAST(printf('%016x', i * 2654435761 % 18446744073709551557) AS BLOB),
  '{"GCDM":"P' || i || '"}', 1, i FROM n;
INSERT INTO version (id, identity, place, sequence, operation, digest, division, reason, known, run,
  entered, seen, state, note, changed, landed, lsh)
SELECT id, id, 1, 1, 'upsert', zeroblob(32), '990100', '', key, 1, 1, 1, 'accepted', '', 2, 1,
  CAST(id AS TEXT) FROM identity;
INSERT INTO tally (place, state, n) SELECT 1, 'accepted', COUNT(*) FROM version"""
