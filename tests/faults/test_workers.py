"""Several workers on one PostgreSQL ledger, killed, stopped and cut off: nothing lost, nothing
twice, order kept, books balanced."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pushing
import pytest
from front_databases import front_database
from oracle import Nights, Stand, judged
from places import rest
from working import Shared, kill

from pusher.ledger import enter, open_ledger
from pusher.sandbox.collector import Collector, Pace
from pusher.sandbox.script import Faults, Script
from pusher.sandbox.server import Sandbox, SandboxSettings
from tests.ledgers import postgres_schema

KILLS = int(os.environ.get("SPGL_WORKER_KILLS", "6"))
SEED = int(os.environ.get("SPGL_SEED", "20260301"))
CREW = 3

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked from a warm process"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def place() -> Iterator[tuple[str, str]]:
    with postgres_schema() as made:
        yield made


def judge(stand: Stand, shared: Shared, night: int) -> None:
    ledger = open_ledger(shared.url, schema=shared.schema)
    try:
        assert judged(stand, ledger, Nights(night)) == []
    finally:
        ledger.close()


def begin(shared: Shared, night: int) -> None:
    """Enter a night."""
    ledger = open_ledger(shared.url, schema=shared.schema)
    try:
        enter(ledger, pushing.night(night), pushing.TARGET, f"night-{night}", datetime.now(UTC))
    finally:
        ledger.close()


async def ended(process: BaseProcess) -> int | None:
    await asyncio.to_thread(process.join, 120)
    return process.exitcode


async def until(shared: Shared, sql: str, *values: object) -> list[tuple[object, ...]]:
    """The rows of a question, asked until there are some."""
    for _ in range(1_000):
        if rows := await asyncio.to_thread(shared.rows, sql, *values):
            return rows
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to that")


async def busy(shared: Shared, crew: Mapping[str, BaseProcess], rng: Random) -> str:
    """A worker that has batches on their way; any, when all have ended."""
    while any(one.is_alive() for one in crew.values()):
        rows = await asyncio.to_thread(shared.rows, _BUSY)
        if names := sorted(str(row[0]) for row in rows if row[0] in crew):
            return rng.choice(names)
        await asyncio.sleep(0.02)
    return rng.choice(sorted(crew))


_BUSY = "SELECT DISTINCT owner FROM batch WHERE phase = 'sending'"


async def nights_of_kills(shared: Shared, rng: Random) -> int:
    """Nights with three workers of which one after the other is killed; the number of the last.
    The next night is entered while workers of the last still send."""
    number = night = hit = 0
    crew: dict[str, BaseProcess] = {}
    while hit < KILLS:
        begin(shared, night)
        for _ in range(3):
            while len(crew) < CREW:
                number += 1
                crew[f"w{number}"] = await asyncio.to_thread(shared.start, f"w{number}")
            name = await busy(shared, crew, rng)
            await asyncio.sleep(rng.choice((0.0, rng.uniform(0.0, 0.2))))
            process = crew.pop(name)
            if process.is_alive():
                kill(process)
            hit += await ended(process) == -signal.SIGKILL
            shared.forget(name)
            crew = {name: one for name, one in crew.items() if one.is_alive()}
        night += 1
    for process in crew.values():
        assert await ended(process) in (0, 75)
    for _ in range(60):
        number += 1
        if await ended(await asyncio.to_thread(shared.start, f"w{number}")) == 0:
            return night - 1
    raise AssertionError("the workers never came to an end")


@asynccontextmanager
async def http(folder: Path, faults: Faults, delay: float | None = None) -> AsyncIterator[Sandbox]:
    script = Script(faults=faults, verdict_delay=delay, page=20)
    async with Sandbox(SandboxSettings(store=folder / "sandbox.db"), script) as sandbox:
        yield sandbox


async def test_three_workers_killed_at_random_over_http(
    tmp_path: Path, place: tuple[str, str]
) -> None:
    print(f"seed {SEED}")
    chance = {"reset-before": 0.03, "reset-after": 0.05, "missing": 0.02, "slow": 0.3}
    faults = Faults(seed=SEED, chance=chance, slow_seconds=0.05)
    async with http(tmp_path, faults, delay=0.01) as sandbox:
        shared = Shared(*place, "http", sandbox.url)
        last = await nights_of_kills(shared, Random(SEED))
        judge(Stand(sandbox.store.effects(), sandbox.store.held()), shared, last)
    owners = {row[0] for row in shared.rows("SELECT DISTINCT worker FROM attempt")}
    assert len(owners) >= CREW, "several workers had their share"
    assert shared.rows("SELECT 1 FROM attempt WHERE code = 'crash' LIMIT 1"), "no kill hit a batch"


async def test_three_workers_killed_at_random_into_an_exchange_database(
    tmp_path: Path, place: tuple[str, str]
) -> None:
    print(f"seed {SEED}")
    with front_database("postgresql", tmp_path) as front:
        settings = pushing.front_settings(front.settings.url)
        collector = Collector(settings, pushing.packs(), Script(), Pace(share=0.5, promote=0.5))
        stop = asyncio.Event()
        collecting = asyncio.create_task(collector.run(Random(SEED), every=0.02, stop=stop))
        shared = Shared(*place, "exchange_db", settings.url)
        last = await nights_of_kills(shared, Random(SEED))
        stop.set()
        await collecting
        rest(collector)
        judge(Stand(collector.effects(), collector.held(), replaces=False), shared, last)
        collector.close()


_SENDING = "SELECT id FROM batch WHERE phase = 'sending' AND owner = %s"
_STATES = "SELECT id, state, changed FROM version ORDER BY id"


async def test_a_stopped_worker_that_wakes_late_changes_nothing(
    tmp_path: Path, place: tuple[str, str]
) -> None:
    faults = Faults(steps={"send": ("slow",) * 3}, slow_seconds=1.5)
    async with http(tmp_path, faults) as sandbox:
        shared = Shared(*place, "http", sandbox.url)
        begin(shared, 0)
        late = await asyncio.to_thread(shared.start, "late")
        held = await until(shared, _SENDING, "late")
        await asyncio.sleep(0.5)  # its requests are on their way, its transaction is over
        kill(late, signal.SIGSTOP)
        shared.forget("late")
        assert await ended(await asyncio.to_thread(shared.start, "other")) == 0
        before = shared.rows(_STATES)
        judge(Stand(sandbox.store.effects(), sandbox.store.held()), shared, 0)
        kill(late, signal.SIGCONT)
        assert await ended(late) == 0
        assert shared.rows(_STATES) == before
        taken = shared.rows("SELECT DISTINCT batch FROM attempt WHERE code = 'crash'")
        assert set(taken) >= set(held), "what it held was in doubt"
        assert shared.rows("SELECT id FROM batch WHERE owner = 'late' AND phase <> 'closed'") == []
        judge(Stand(sandbox.store.effects(), sandbox.store.held()), shared, 0)


async def test_a_worker_that_loses_its_session_ends_and_another_goes_on(
    tmp_path: Path, place: tuple[str, str]
) -> None:
    faults = Faults(steps={"send": ("slow",) * 3}, slow_seconds=1.0)
    async with http(tmp_path, faults) as sandbox:
        shared = Shared(*place, "http", sandbox.url)
        begin(shared, 0)
        cut = await asyncio.to_thread(shared.start, "cut")
        await until(shared, _SENDING, "cut")
        leads = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
        leads += "classid = 21330 AND objid::bigint = (hashtext(%s)::bigint & 4294967295)"
        assert shared.rows(leads, f"{shared.schema}/{pushing.TARGET.name}") == [(True,)]
        assert await ended(cut) == 2
        shared.forget("cut")
        assert await ended(await asyncio.to_thread(shared.start, "other")) == 0
        judge(Stand(sandbox.store.effects(), sandbox.store.held()), shared, 0)
