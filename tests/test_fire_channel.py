"""The fire application channel in a front database: own row ids and states, new rows only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import fire_values as fire
import polars as pl
import pytest
from front_databases import KINDS, Front, front_database

from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Refusal, Script
from pusher.transport import Answer
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.exchange_rows import NO_CHANGES
from validator.dataset import Mark, marks
from validator.records import Operation

NOW = datetime(2026, 3, 1, 22, 30, 0, tzinfo=UTC)
REFUSED = "XZQHDM 与用户不符"


@pytest.fixture(params=KINDS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        yield made


@asynccontextmanager
async def channel(front: Front) -> AsyncIterator[tuple[ExchangeTransport, Collector]]:
    """An open transport, and a province that refuses what is named `bad`."""
    script = Script((Refusal(REFUSED, where={"XMMC": "bad"}),))
    collector = Collector(front.settings, fire.packs(), script)
    transport = ExchangeTransport(front.settings, fire.packs(), clock=lambda: NOW)
    await transport.open()
    try:
        yield transport, collector
    finally:
        await transport.close()
        collector.close()


def rows(front: Front) -> list[tuple[object, ...]]:
    names = ", ".join(front.name(n) for n in ("ID", "LSH", "SJSCZT", "SJYXBS", "SJGXSJ", "SBYY"))
    return front.rows(
        f"SELECT {names} FROM {front.name(fire.APPLICATION)} ORDER BY {front.name('SANDBOX_SEQ')}"
    )


def test_an_application_is_taken_over_with_the_codes_of_its_pack(front: Front) -> None:
    async def scene() -> None:
        async with channel(front) as (transport, collector):
            good = fire.application(1)
            receipts = await transport.send(fire.batch(1, fire.parcel(good), fresh=True))
            assert [r.answer for r in receipts] == [Answer.RECEIVED]
            ((id_, lsh, state, valid, at, reason),) = rows(front)
            assert len(str(id_)) == 36
            assert (lsh, int(str(state)), int(str(valid)), reason) == ("CASE1", 0, 1, None)
            assert str(at).startswith("2026-03-01 22:30:00")
            asked = (fire.awaited(good),)
            assert (await transport.verdicts(fire.STANDARD, asked, None)).verdicts == ()
            collector.collect(Random(1))
            assert [int(str(row[2])) for row in rows(front)] == [4]
            (verdict,) = (await transport.verdicts(fire.STANDARD, asked, None)).verdicts
            assert (verdict.answer, verdict.lsh, verdict.final) == (Answer.ACCEPTED, "", True)

    asyncio.run(scene())


def test_the_row_id_is_the_same_on_every_attempt_and_new_for_every_row(front: Front) -> None:
    async def scene() -> None:
        async with channel(front) as (transport, _):
            first = fire.batch(1, fire.parcel(fire.application(1)), fresh=True)
            await transport.send(first)
            before = rows(front)
            assert await transport.settle(first) is not None
            await transport.send(fire.batch(1, fire.parcel(fire.application(1))))
            assert rows(front) == before
            front.run(f"DELETE FROM {front.name(fire.APPLICATION)}")
            assert await transport.settle(first) is None
            await transport.send(first)
            assert [row[0] for row in rows(front)] == [before[0][0]]
            await transport.send(fire.batch(2, fire.parcel(fire.application(2)), fresh=True))
            assert len({row[0] for row in rows(front)}) == 2

    asyncio.run(scene())


def test_what_was_refused_goes_again_as_a_new_row(front: Front) -> None:
    async def scene() -> None:
        async with channel(front) as (transport, collector):
            bad, good = fire.application(1, "bad"), fire.application(1)
            await transport.send(fire.batch(1, fire.parcel(bad), fresh=True))
            collector.collect(Random(1))
            (verdict,) = (
                await transport.verdicts(fire.STANDARD, (fire.awaited(bad),), None)
            ).verdicts
            assert (verdict.answer, verdict.reason) == (Answer.REJECTED, REFUSED)
            receipts = await transport.send(
                fire.batch(2, fire.parcel(good, previous=bad), fresh=True)
            )
            assert [r.answer for r in receipts] == [Answer.RECEIVED]
            found = rows(front)
            assert [(int(str(row[2])), int(str(row[3]))) for row in found] == [(6, 1), (0, 1)]
            assert found[0][0] != found[1][0]

    asyncio.run(scene())


@pytest.mark.parametrize("operation", list(Operation))
def test_a_change_or_deletion_has_no_form(front: Front, operation: Operation) -> None:
    async def scene() -> None:
        async with channel(front) as (transport, collector):
            old = fire.application(1)
            await transport.send(fire.batch(1, fire.parcel(old), fresh=True))
            for step in ("waiting", "taken over"):
                new = fire.application(1, "新名") if operation is Operation.UPSERT else old
                batch = fire.batch(2, fire.parcel(new, operation=operation, previous=old))
                (receipt,) = await transport.send(batch)
                assert (receipt.answer, receipt.reason) == (Answer.REJECTED, NO_CHANGES), step
                assert await transport.settle(batch) is None
                assert len(rows(front)) == 1
                collector.collect(Random(1))

    asyncio.run(scene())


def test_a_reason_without_a_state_is_a_refusal(front: Front) -> None:
    """Only success has an attested state: the province may leave 0 and fill SBYY."""

    async def scene() -> None:
        async with channel(front) as (transport, _):
            good = fire.application(1)
            await transport.send(fire.batch(1, fire.parcel(good), fresh=True))
            table, reason = front.name(fire.APPLICATION), front.name("SBYY")
            for change in (f"{reason} = '{REFUSED}'", f"{front.name('SJSCZT')} = 2"):
                front.run(f"UPDATE {table} SET {change}")
                (verdict,) = (
                    await transport.verdicts(fire.STANDARD, (fire.awaited(good),), None)
                ).verdicts
                assert (verdict.answer, verdict.reason) == (Answer.REJECTED, REFUSED)

    asyncio.run(scene())


def test_what_the_states_of_a_source_mean_is_the_word_of_the_pack() -> None:
    states = pl.DataFrame({"SJSCZT": ["0", "1", "2", "3", "4", "6", "-1", None]})
    valid, refused, draft = Mark.VALID, Mark.REFUSED, Mark.DRAFT
    assert marks(states).tolist() == [
        valid, valid, refused, valid, valid, valid, draft, valid,
    ]  # fmt: skip
    exchange = fire.packs().pack(fire.STANDARD).exchange
    assert marks(states, exchange).tolist() == [
        valid, refused, refused, refused, valid, refused, draft, valid,
    ]  # fmt: skip
