"""Work in a thread that nobody waits for any more writes nothing, however late it wakes.

A thread that hangs before its fence (a slow connection, a stopped process) outlives the question
whether it wrote; what it wrote after that question would be there twice, or against a decision made
since.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from front_databases import KINDS, Front, front_database
from transport_values import PROJECT, packs, projects

from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from pusher.transport import Failure, TransportError
from pusher.transports import errand, exchange_db
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.transaction import transact


@pytest.fixture(params=KINDS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        Collector(made.settings, packs(), Script()).close()  # makes the tables
        yield made


class Held:
    """The next transaction hangs before it has a connection, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.armed, self.let_go, self.ended = False, threading.Event(), threading.Event()
        self.hung = threading.Event()
        monkeypatch.setattr(exchange_db, "transact", self._transact)

    def _transact(self, *given: object) -> object:
        if not self.armed:
            return transact(*given)  # type: ignore[arg-type]
        self.armed = False
        self.hung.set()
        assert self.let_go.wait(30)
        try:
            return transact(*given)  # type: ignore[arg-type]
        finally:
            self.ended.set()


def count(front: Front) -> object:
    return front.rows(f"SELECT count(*) FROM {front.name(PROJECT)}")[0][0]


@pytest.mark.asyncio
@pytest.mark.parametrize("again", [True, False])
async def test_a_late_thread_does_not_write(
    front: Front, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Neither beside the second try nor after the batch was withdrawn."""
    held = Held(monkeypatch)
    transport = ExchangeTransport(replace(front.settings, connections=2), packs())
    await transport.open()
    sent = replace(projects(1, 3), fresh=True)
    await transport.send(replace(projects(2, 0), fresh=True))  # knows the table from here on
    held.armed = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await transport.send(sent)
    assert held.hung.is_set()
    assert await transport.settle(sent) is None
    if again:
        await transport.send(replace(sent, fresh=False))
    held.let_go.set()
    assert await asyncio.to_thread(held.ended.wait, 30)
    await transport.close()
    assert count(front) == (3 if again else 0)


@pytest.mark.asyncio
async def test_what_has_not_begun_never_begins() -> None:
    """An errand that waits for a thread is taken back with whoever waited for it."""
    hold, begun = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(hold.wait, 30)
        with pytest.raises(TimeoutError):
            await errand.run_errand(threads, lambda _: begun.set(), 0.05)
        hold.set()
    assert not begun.is_set()


@pytest.mark.asyncio
async def test_a_fault_of_the_work_comes_out() -> None:
    def fail(_: errand.Errand) -> None:
        raise ValueError("defect")

    with ThreadPoolExecutor(1) as threads, pytest.raises(ValueError, match="defect"):
        await errand.run_errand(threads, fail, 5)


@pytest.mark.parametrize("woken_first", ["thread", "loop"])
def test_a_process_that_was_away_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, woken_first: str
) -> None:
    """Whichever side wakes first after a stop, what was begun before it is not wanted."""
    now = 100.0
    monkeypatch.setattr(errand.time, "monotonic", lambda: now)
    work = errand.Errand()
    now += errand.AWAY
    work.check()
    work.keep()
    now += errand.AWAY
    work.check()
    now += 0.1
    if woken_first == "loop":
        work.keep()
    with pytest.raises(TransportError) as caught:
        work.check()
    assert caught.value.failure is Failure.ROLLED_BACK
