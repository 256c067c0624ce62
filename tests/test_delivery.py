"""A run of the push, end to end against a target in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_values import CASES, START, Memory, packs, record, world

from pusher.delivery import deliver
from pusher.ledger.core import Ledger, open_ledger
from pusher.ledger.enter import enter
from pusher.states import State
from pusher.target import Target

TARGET = Target("national", batch_records=10)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "ledger.db")


@pytest.mark.asyncio
async def test_a_child_entered_first_arrives_after_its_parent(ledger: Ledger) -> None:
    cases = [record(f"c{i}", table=CASES, parent=f"p{i % 5}") for i in range(30)]
    projects = [record(f"p{i}", XMMC=f"项目{i}") for i in range(5)]
    books = enter(ledger, cases + projects, TARGET, "r1", START)
    assert books.entered == 35
    memory = Memory()
    done = await deliver(ledger, TARGET, memory, packs(), run_id="r1", world=world())
    assert done.states == {State.ACCEPTED: 35}
    order = [key for _, key, _ in memory.effects]
    assert set(order[:5]) == {f"p{i}" for i in range(5)}
    assert memory.notified == 1
    ledger.audit()
