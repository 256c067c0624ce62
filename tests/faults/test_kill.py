"""Kill -9 during a push, start again: nothing lost, nothing twice, order kept, books balanced.

Each run prints its seed. `SPGL_KILLS=500` asks for more kills, `SPGL_SEED=…` repeats a run. A kill
is not a power failure: what the operating system has taken over survives it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from random import Random

import pushing
import pytest
from front_databases import KINDS, front_database
from oracle import Nights, Stand, findings
from places import rest
from pushes import KILLED, Zygote, zygote

from pusher import crash
from pusher.ledger import LedgerError
from pusher.sandbox.collector import Collector, Pace
from pusher.sandbox.journal import repeats
from pusher.sandbox.script import Faults, Script
from pusher.sandbox.server import Sandbox, SandboxSettings

KILLS = int(os.environ.get("SPGL_KILLS", "20"))
SEED = int(os.environ.get("SPGL_SEED", "20260301"))

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="pushes are forked from a warm process"),
    pytest.mark.timeout(120 + 3 * KILLS),
]


def judge(stand: Stand, ledger_path: Path, night: int) -> None:
    """All is well, and a kill hit a batch on its way."""
    assert findings(stand, ledger_path, Nights(night)) == []
    with sqlite3.connect(ledger_path) as db:
        crashes = db.execute("SELECT COUNT(*) FROM attempt WHERE code = 'crash'").fetchone()
    assert crashes > (0,), "no kill hit a batch on its way"


# -- pushes --------------------------------------------------------------------------------------


async def nights_of_kills(
    pushes: Zygote, rng: Random, kills: int, longest: float
) -> tuple[int, int]:
    """Push night after night, killing at random moments, the first time while batches are on their
    way, which a quick machine may never give by chance; (kills that hit, last night)."""
    night = tries = 0
    hit = int(await pushes.push(night, 1, kill_after=None, at="answered:1") == KILLED)
    while hit < kills:
        delay = rng.uniform(0.0, longest)
        code = await pushes.push(night, rng.randrange(1 << 30), kill_after=delay)
        hit += code == KILLED
        tries = tries + 1 if code == KILLED else 0
        if code != KILLED or tries >= 4:
            await _finish(pushes, night, rng)
            night, tries = night + 1, 0
    await _finish(pushes, night, rng)
    return hit, night


async def _finish(pushes: Zygote, night: int, rng: Random) -> None:
    for _ in range(20):
        code = await pushes.push(night, rng.randrange(1 << 30), kill_after=None)
        if code == 0:
            return
        assert code == 75
    raise AssertionError("the push never came to an end")


@asynccontextmanager
async def http_stand(folder: Path, seed: int) -> AsyncIterator[tuple[Sandbox, Zygote]]:
    chance = {
        "reset-before": 0.03, "reset-after": 0.05, "truncate": 0.03, "html": 0.02,
        "gateway-after": 0.02, "missing": 0.02, "duplicate": 0.02, "unavailable": 0.02,
    }  # fmt: skip
    faults = Faults(seed=seed, chance=chance, slow_seconds=0.05, retry_after=0.02)
    script = Script(faults=faults, verdict_delay=0.01, page=20)
    sandbox = Sandbox(SandboxSettings(store=folder / "sandbox.db"), script)
    async with (
        sandbox,
        zygote(ledger=str(folder / "ledger.db"), kind="http", address=sandbox.url) as pushes,
    ):
        yield sandbox, pushes


@asynccontextmanager
async def exchange_stand(
    folder: Path, seed: int, kind: str = "exchange_db", url: str = ""
) -> AsyncIterator[tuple[Collector, Zygote]]:
    settings = pushing.front_settings(url or f"sqlite:///{folder / 'front.db'}")
    collector = Collector(settings, pushing.packs(), Script(), Pace(share=0.5, promote=0.5))
    stop = asyncio.Event()
    collecting = asyncio.create_task(collector.run(Random(seed), every=0.02, stop=stop))
    async with zygote(ledger=str(folder / "ledger.db"), kind=kind, address=settings.url) as pushes:
        yield collector, pushes
    stop.set()
    await collecting
    rest(collector)


async def test_kills_at_random_moments_over_http(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    async with http_stand(tmp_path, SEED) as (sandbox, pushes):
        hit, night = await nights_of_kills(pushes, Random(SEED), KILLS, 0.5)
    assert hit >= KILLS
    judge(Stand(sandbox.store.effects(), sandbox.store.held()), tmp_path / "ledger.db", night)


@pytest.mark.parametrize("kind", KINDS)
async def test_kills_at_random_moments_into_an_exchange_database(tmp_path: Path, kind: str) -> None:
    print(f"seed {SEED}")
    kills = KILLS if kind == "sqlite" else max(10, KILLS // 2)
    with front_database(kind, tmp_path) as front:
        async with exchange_stand(tmp_path, SEED, url=front.settings.url) as (collector, pushes):
            hit, night = await nights_of_kills(pushes, Random(SEED), kills, 0.6)
        assert hit >= kills
        judge(
            Stand(collector.effects(), collector.held(), replaces=False),
            tmp_path / "ledger.db",
            night,
        )
        collector.close()


@pytest.mark.parametrize("kind", ["http", *KINDS])
async def test_a_kill_at_every_named_point(tmp_path: Path, kind: str) -> None:
    with ExitStack() as opened:
        if kind == "http":
            stand: AbstractAsyncContextManager[tuple[Sandbox | Collector, Zygote]]
            stand = http_stand(tmp_path, SEED)
        else:
            front = opened.enter_context(front_database(kind, tmp_path))
            stand = exchange_stand(tmp_path, SEED, url=front.settings.url)
        await _kill_at_every_point(tmp_path, stand)


async def _kill_at_every_point(
    tmp_path: Path, stand: AbstractAsyncContextManager[tuple[Sandbox | Collector, Zygote]]
) -> None:
    rng, reached = Random(SEED), set[str]()
    async with stand as (other, pushes):
        for night, point in enumerate(crash.POINTS):
            if point == "settling":  # leave something in doubt first
                await pushes.push(night, 1, kill_after=None, at="answered:2")
            code = await pushes.push(night, 1, kill_after=None, at=f"{point}:1")
            if code == KILLED:
                reached.add(point)
            await _finish(pushes, night, rng)
    assert reached == set(crash.POINTS)
    last = len(crash.POINTS) - 1
    if isinstance(other, Sandbox):
        effects = Stand(other.store.effects(), other.store.held())
    else:
        effects = Stand(other.effects(), other.held(), replaces=False)
        other.close()
    judge(effects, tmp_path / "ledger.db", last)


async def test_the_oracle_notices_a_pusher_that_writes_again_without_looking(
    tmp_path: Path,
) -> None:
    async with exchange_stand(tmp_path, SEED, "blind") as (collector, pushes):
        for night in range(3):
            await pushes.push(night, 1, kill_after=None, at="answered:2")
            await _finish(pushes, night, Random(SEED))
    with pytest.raises(AssertionError):
        judge(
            Stand(collector.effects(), collector.held(), replaces=False), tmp_path / "ledger.db", 2
        )
    assert repeats(collector.effects())
    collector.close()


async def test_two_pushes_at_once_are_one(tmp_path: Path) -> None:
    async with http_stand(tmp_path, SEED) as (sandbox, pushes):
        first = asyncio.ensure_future(pushes.push(0, 1, kill_after=None))
        await asyncio.sleep(0.1)
        with suppress(LedgerError):
            await pushing.push(
                pushing.Order(str(tmp_path / "ledger.db"), "http", sandbox.url, 0, 2)
            )
        assert await first in (0, 75, 2)
        await _finish(pushes, 0, Random(SEED))
        code = await pushes.push(1, 1, kill_after=None, at="answered:3")
        assert code == KILLED
        await _finish(pushes, 1, Random(SEED))
        stand = Stand(sandbox.store.effects(), sandbox.store.held())
    judge(stand, tmp_path / "ledger.db", 1)
