"""Claim, send, record: what is durable when, and what the target's condition does."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from ledger_values import PROJECTS, START, Fault, Memory, Time, packs, record, world

from pusher.delivery import deliver
from pusher.ledger import LedgerError, Selector, enter, list_rows, open_ledger
from pusher.ledger.core import Ledger
from pusher.ledger.database import Row, Sqlite
from pusher.retry import Schedule
from pusher.states import State
from pusher.target import Target
from pusher.transport import Answer, Batch, Failure, TransportError
from validator.text import Text

SINGLE = Target("national", batch_records=1, concurrency=8)


@dataclass(slots=True)
class Watched:
    """An engine that counts commits and can run out of disk."""

    db: Sqlite
    commits: int = 0
    left: int = 1_000_000
    sizes: list[int] = field(default_factory=list)

    @property
    def shared(self) -> bool:
        return self.db.shared

    @property
    def busy(self) -> bool:
        return self.db.busy

    def begin(self) -> None:
        self.db.begin()

    def commit(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise LedgerError(Text("磁盘已满", "disk full"))
        self.commits += 1
        self.db.commit()

    def rollback(self) -> None:
        self.db.rollback()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        return self.db.rows(sql, values)

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        return self.db.run(sql, values)

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        return self.db.many(sql, rows)

    def lock(self, name: str) -> bool:
        return self.db.lock(name)

    def unlock(self, name: str) -> None:
        self.db.unlock(name)

    def close(self) -> None:
        self.db.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def seen(path: Path, sql: str) -> list[Row]:
    """What another process sees: committed rows only."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def sometimes(rng: Random, *failures: Failure) -> Fault:
    """Fail three attempts in ten."""

    def fault(batch: Batch) -> TransportError | None:
        hit = rng.random() < 0.3
        return TransportError(rng.choice(failures), "scripted", "") if hit else None

    return fault


@pytest.mark.asyncio
async def test_commits_are_grouped(path: Path) -> None:
    engine = Watched(Sqlite(path))
    ledger = Ledger(engine)
    enter(ledger, [record(f"p{i}") for i in range(1000)], SINGLE, "r1", START)
    before, memory = engine.commits, Memory()
    done = await deliver(ledger, SINGLE, memory, packs(), run_id="r1", world=world())
    assert done.states == {State.ACCEPTED: 1000}
    assert len(memory.sent) == 1000
    assert engine.commits - before < 100


@pytest.mark.asyncio
async def test_the_intent_is_durable_before_the_first_byte_leaves(path: Path) -> None:
    ledger = open_ledger(path)
    enter(ledger, [record(f"p{i}") for i in range(30)], SINGLE, "r1", START)
    states: set[Row] = set()

    def look(batch: Batch) -> None:
        sql = f"""SELECT v.state, b.phase, b.members = '[' || v.id || ']' FROM batch b
        JOIN version v ON v.batch = b.id WHERE b.key = '{batch.idempotency_key}'"""
        states.update(seen(path, sql))

    await deliver(ledger, SINGLE, Memory(before=look), packs(), run_id="r1", world=world())
    assert states == {("sending", "sending", 1)}


@pytest.mark.asyncio
async def test_an_answer_is_committed_soon_though_another_batch_hangs(path: Path) -> None:
    ledger = open_ledger(path)
    target = Target("national", batch_records=1, concurrency=2)
    enter(ledger, [record("p0"), record("p1")], target, "r1", START)
    go = asyncio.Event()

    class Slow(Memory):
        async def send(self, batch: Batch) -> Sequence[object]:  # type: ignore[override]
            if batch.parcels[0].key["GCDM"] == "p1":
                await go.wait()
            return self._take(batch)

    run = asyncio.create_task(deliver(ledger, target, Slow(), packs(), run_id="r1", world=world()))
    async with asyncio.timeout(20):
        while not seen(path, "SELECT 1 FROM version WHERE state = 'accepted'"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # another process has no event to wait for
    go.set()
    assert (await run).states == {State.ACCEPTED: 2}


@pytest.mark.asyncio
async def test_no_answer_in_time_is_a_doubt(path: Path) -> None:
    ledger = open_ledger(path)
    target = Target("national", timeout=0.02, wait=0)
    enter(ledger, [record("p0")], target, "r1", START)
    memory = Memory(delay=5)
    done = await deliver(ledger, target, memory, packs(), run_id="r1", world=world())
    codes = [row[0] for row in ledger.db.rows("SELECT code FROM attempt")]
    assert codes[0] == "timeout"
    assert done.states in ({State.QUEUED: 1}, {State.IN_DOUBT: 1})
    assert memory.effects == []


@pytest.mark.asyncio
async def test_a_full_disk_stops_the_run_with_one_line_and_loses_nothing(path: Path) -> None:
    stopped = 0
    for left in range(10):
        engine = Watched(Sqlite(path))
        ledger = Ledger(engine)
        enter(ledger, [record(f"p{left}-{i}") for i in range(40)], SINGLE, f"r{left}", START)
        memory, engine.left = Memory(), left
        try:
            await deliver(ledger, SINGLE, memory, packs(), run_id=f"r{left}", world=world())
        except LedgerError as fault:
            stopped += str(fault) == "disk full"
        ledger.close()
        ledger = open_ledger(path)
        done = await deliver(ledger, SINGLE, memory, packs(), run_id=f"x{left}", world=world())
        assert set(done.states) == {State.ACCEPTED}
        assert len(memory.effects) == 40
        ledger.audit()
        ledger.close()
    assert stopped >= 4, "the disk was full at the start, at a claim, at an answer, at the end"


@pytest.mark.asyncio
async def test_faults_of_every_kind_at_random_end_with_everything_delivered_once(
    path: Path,
) -> None:
    for seed in range(5):
        ledger = open_ledger(path.with_name(f"{seed}.db"))
        outer = world(Time(), seed=seed)
        away, doubt = Failure.UNREACHABLE, Failure.IN_DOUBT
        memory = Memory(
            before=sometimes(outer.rng, away, Failure.THROTTLED, doubt),
            after=sometimes(outer.rng, doubt),
            asked=sometimes(outer.rng, away),
        )
        target = Target("national", batch_records=5, wait=3600, retry=Schedule((1.0, 5.0)))
        enter(ledger, [record(f"p{i}", parent=f"p{i // 2}") for i in range(60)], target, "r", START)
        done = await deliver(ledger, target, memory, packs(), run_id="r", world=outer)
        assert done.states == {State.ACCEPTED: 60}
        assert len(memory.effects) == 60
        order = {key: n for n, (_, key, _) in enumerate(memory.effects)}
        assert all(order[f"p{i // 2}"] < order[f"p{i}"] for i in range(1, 60))
        ledger.audit()


@pytest.mark.asyncio
async def test_divisions_and_tables_never_share_a_batch(path: Path) -> None:
    ledger = open_ledger(path)
    target = Target("national")
    rows = [record(f"p{i}", division=f"44180{i % 3}") for i in range(30)]
    enter(ledger, rows, target, "r", START)
    memory = Memory(answer=Answer.RECEIVED)
    await deliver(ledger, target, memory, packs(), run_id="r", world=world())
    assert sorted(b.division for b in memory.sent) == ["441800", "441801", "441802"]
    assert {b.table for b in memory.sent} == {PROJECTS.partition("/")[2]}
    assert {len(b.parcels) for b in memory.sent} == {10}
    assert len(list_rows(ledger, Selector(states=(State.DELIVERED,)))) == 30
