"""Kill -9 during a push, start again: nothing lost, nothing twice, order kept, books balanced.

Each run prints its seed. `SPGL_KILLS=500` asks for more kills, `SPGL_SEED=…` repeats a run. A kill
is not a power failure: what the operating system has taken over survives it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orjson
import pushing
import pytest
from front_databases import KINDS, front_database

from pusher import crash
from pusher.ledger import LedgerError, open_ledger
from pusher.sandbox.collector import Collector, Pace
from pusher.sandbox.journal import Effect, Held, repeats
from pusher.sandbox.script import Faults, Script
from pusher.sandbox.server import Sandbox, SandboxSettings
from pusher.states import State
from pusher.transport import Answer
from validator.records import Operation

KILLS = int(os.environ.get("SPGL_KILLS", "20"))
SEED = int(os.environ.get("SPGL_SEED", "20260301"))

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="pushes are forked from a warm process"),
    pytest.mark.timeout(120 + 3 * KILLS),
]


@dataclass(slots=True)
class Zygote:
    """The warm process that forks pushes."""

    process: asyncio.subprocess.Process
    order: dict[str, object]

    async def push(self, night: int, seed: int, *, kill_after: float | None, at: str = "") -> int:
        """One push, killed after some seconds or at a point; its exit code (-9: killed)."""
        line = {**self.order, "night": night, "seed": seed, "crash": at}
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(line) + b"\n")
        pid = int(await self._line())
        ended = asyncio.ensure_future(self._line())
        if kill_after is not None:
            await asyncio.wait([ended], timeout=kill_after)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return int(await ended)

    async def _line(self) -> bytes:
        assert self.process.stdout is not None
        return await asyncio.wait_for(self.process.stdout.readline(), 60)


@asynccontextmanager
async def zygote(ledger: Path, kind: str, address: str) -> AsyncIterator[Zygote]:
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("pushing.py")),
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Zygote(process, {"ledger": str(ledger), "kind": kind, "address": address})
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Stand:
    """What a stand-in says happened."""

    effects: Sequence[Effect]
    held: Sequence[Held]


# -- the oracle --------------------------------------------------------------------------------


def expected(night: int) -> dict[tuple[str, str], dict[str, str]]:
    """What the target must hold after the last night: (table, key) → content."""
    return {
        (r.table.partition("/")[2], orjson.dumps(dict(r.key)).decode()): dict(r.content)
        for r in pushing.night(night)
        if r.operation is Operation.UPSERT
    }


def judge(stand: Stand, ledger_path: Path, night: int) -> None:
    """Nothing lost, nothing twice, no child before its parent, the ledger whole and balanced."""
    held = {(h.table, h.identity): dict(h.fields) for h in stand.held}
    assert held == expected(night)
    assert not repeats(stand.effects)
    assert not [e for e in stand.effects if e.answer is Answer.REJECTED]
    _in_order(stand.effects, night)
    ledger = open_ledger(ledger_path)
    ledger.balance()
    ledger.audit()
    rows = dict(ledger.db.rows("SELECT state, SUM(n) FROM tally GROUP BY state"))
    assert {state for state, n in rows.items() if n} <= {
        State.ACCEPTED,
        State.DELIVERED,
        State.WITHDRAWN,
    }
    assert ledger.db.rows("SELECT COUNT(*) FROM batch WHERE phase <> 'closed'") == [(0,)]
    assert ledger.db.rows("SELECT COUNT(*) FROM parent") == [(0,)]
    crashes = ledger.db.rows("SELECT COUNT(*) FROM attempt WHERE code = 'crash'")
    assert crashes > [(0,)], "no kill hit a batch on its way"
    ledger.close()
    with sqlite3.connect(ledger_path) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _in_order(effects: Sequence[Effect], night: int) -> None:
    parents = {
        orjson.dumps(dict(r.key)).decode(): orjson.dumps({"GCDM": r.parents[0].values[0]}).decode()
        for n in range(night + 1)
        for r in pushing.night(n)
        if r.parents
    }
    there: set[str] = set()
    for effect in effects:
        parent = parents.get(effect.identity)
        if effect.operation is Operation.UPSERT:
            assert parent is None or parent in there, "a child arrived before its parent"
            there.add(effect.identity)


# -- pushes --------------------------------------------------------------------------------------


async def nights_of_kills(
    pushes: Zygote, rng: Random, kills: int, longest: float
) -> tuple[int, int]:
    """Push night after night, killing at random moments; (kills that hit, last night)."""
    hit = night = tries = 0
    while hit < kills:
        delay = rng.uniform(0.0, longest)
        code = await pushes.push(night, rng.randrange(1 << 30), kill_after=delay)
        hit += code == -signal.SIGKILL
        tries = tries + 1 if code == -signal.SIGKILL else 0
        if code != -signal.SIGKILL or tries >= 4:
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
    async with sandbox, zygote(folder / "ledger.db", "http", sandbox.url) as pushes:
        yield sandbox, pushes


@asynccontextmanager
async def exchange_stand(
    folder: Path, seed: int, kind: str = "exchange_db", url: str = ""
) -> AsyncIterator[tuple[Collector, Zygote]]:
    settings = pushing.front_settings(url or f"sqlite:///{folder / 'front.db'}")
    collector = Collector(settings, pushing.packs(), Script(), Pace(share=0.5, promote=0.5))
    stop = asyncio.Event()
    collecting = asyncio.create_task(collector.run(Random(seed), every=0.02, stop=stop))
    async with zygote(folder / "ledger.db", kind, settings.url) as pushes:
        yield collector, pushes
    stop.set()
    await collecting
    for _ in range(200):
        taken = collector.collect(Random(seed))
        if not taken.answered and not taken.moved:
            break


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
        judge(Stand(collector.effects(), collector.held()), tmp_path / "ledger.db", night)
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
            if code == -signal.SIGKILL:
                reached.add(point)
            await _finish(pushes, night, rng)
    assert reached == set(crash.POINTS)
    last = len(crash.POINTS) - 1
    if isinstance(other, Sandbox):
        effects = Stand(other.store.effects(), other.store.held())
    else:
        effects = Stand(other.effects(), other.held())
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
        judge(Stand(collector.effects(), collector.held()), tmp_path / "ledger.db", 2)
    assert repeats(collector.effects())
    collector.close()


async def test_two_pushes_at_once_are_one(tmp_path: Path) -> None:
    async with http_stand(tmp_path, SEED) as (sandbox, pushes):
        first = asyncio.ensure_future(pushes.push(0, 1, kill_after=None))
        await asyncio.sleep(0.1)
        with suppress(LedgerError):
            await pushing.push(tmp_path / "ledger.db", "http", sandbox.url, 0, 2)
        assert await first in (0, 75, 1)
        await _finish(pushes, 0, Random(SEED))
        code = await pushes.push(1, 1, kill_after=None, at="answered:3")
        assert code == -signal.SIGKILL
        await _finish(pushes, 1, Random(SEED))
        stand = Stand(sandbox.store.effects(), sandbox.store.held())
    judge(stand, tmp_path / "ledger.db", 1)
