"""A lease that can no longer be renewed ends the run while it still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg
import pytest
from ledger_values import START, Memory, Time, packs, record, world

from pusher.delivery import deliver
from pusher.ledger import LedgerError, enter, lease, open_ledger
from pusher.target import Target
from pusher.transport import Batch, Receipt
from tests.ledgers import postgres_schema

TARGET = Target("national", batch_records=10, timeout=60)


class Mute(Memory):
    """Never answers; counts what is waited for and what no longer is."""

    tried = 0
    left = 0

    def __init__(self) -> None:
        super().__init__()
        self.sending = asyncio.Event()

    async def send(self, batch: Batch) -> Sequence[Receipt]:
        self.tried += 1
        self.sending.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.left += 1
            raise
        raise AssertionError("nobody stopped waiting")


@pytest.mark.asyncio
async def test_without_its_ledger_a_run_waits_for_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "LEASE", 1.5)
    mute = Mute()
    with postgres_schema() as (url, schema):
        ledger = open_ledger(url, schema=schema)
        enter(ledger, [record(f"p{i}") for i in range(25)], TARGET, "r1", START)
        (pid,) = ledger.db.rows("SELECT pg_backend_pid()")[0]
        running = asyncio.create_task(
            deliver(ledger, TARGET, mute, packs(), run_id="r1", world=world(Time()))
        )
        await mute.sending.wait()
        plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(plain, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        with pytest.raises(LedgerError):
            await asyncio.wait_for(running, 20)
        assert mute.left == mute.tried
        assert not running.cancelled()
        ledger.close()
        again = open_ledger(url, schema=schema)
        again.balance()
        again.audit()
        assert {row[0] for row in again.db.rows("SELECT DISTINCT phase FROM batch")} == {"sending"}
        again.close()


@pytest.mark.asyncio
async def test_a_run_that_is_cancelled_ends_as_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE", 1.5)
    mute = Mute()
    with postgres_schema() as (url, schema):
        ledger = open_ledger(url, schema=schema)
        enter(ledger, [record("p1")], TARGET, "r1", START)
        running = asyncio.create_task(
            deliver(ledger, TARGET, mute, packs(), run_id="r1", world=world(Time()))
        )
        await asyncio.sleep(2)  # longer than a lease that nobody renews
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (mute.tried, mute.left) == (1, 1)
        assert [row[0] for row in ledger.db.rows("SELECT phase FROM batch")] == ["in_doubt"]
        ledger.close()
