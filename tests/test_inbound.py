"""Rows that a province writes for us: read in order, stored once, marked after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import fire_values as fire
import pytest
import structlog
from front_databases import KINDS, Front, front_database

from pusher.inbound import Fate, Inbound, InboundRow, Mark, judge, receive
from pusher.ledger import inbound as stored
from pusher.ledger.core import Ledger
from pusher.sandbox.collector import Collector
from pusher.sandbox.exchange_tables import create_tables
from pusher.sandbox.script import Script
from pusher.target import Target
from pusher.transport import Failure
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.exchange_inbox import ExchangeInbox
from pusher.world import World
from tests.ledgers import ENGINES, ledger_on

PROCESS = "SPGL_XMSPGCXXB"
TABLE = f"{fire.STANDARD}/{PROCESS}"
TARGET = Target("province", feedback_page=3)


@pytest.fixture(params=KINDS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        settings = replace(made.settings, city_prefix=fire.CITY)
        front = replace(made, settings=settings)
        create_tables(front.engine, settings, fire.packs())
        yield front


@pytest.fixture(params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with ledger_on(request.param, tmp_path) as made:
        yield made


def feedback(front: Front, key: str, **values: str | None) -> None:
    """One row of the process table, as the province writes it."""
    cells = {
        "ID": key, "LSH": "CASE1", "DFSJZJ": "local-1", "XZQHDM": fire.DIVISION, "SPBMMC": "示例局",
        "SPRXM": "王五", "SPSJ": "2026-03-02 10:00:00", "SPJG": "3", "SJYXBS": "1", "SJSCZT": "0",
        **values,
    }  # fmt: skip
    given = {name: value for name, value in cells.items() if value is not None}
    names = ", ".join(front.name(name) for name in given)
    texts = ", ".join(f"'{value}'" for value in given.values())
    table = front.name(fire.CITY + PROCESS)
    front.run(f"INSERT INTO {table} ({names}) VALUES ({texts})")


def states(front: Front) -> dict[str, tuple[int, str | None]]:
    """State and reason of every row by its key."""
    names = ", ".join(front.name(n) for n in ("ID", "SJSCZT", "SBYY"))
    rows = front.rows(f"SELECT {names} FROM {front.name(fire.CITY + PROCESS)}")
    return {str(k): (int(str(s)), None if r is None else str(r)) for k, s, r in rows}


def world() -> World:
    return World(lambda: datetime(2026, 3, 2, 22, tzinfo=UTC), Random(1), structlog.get_logger())


def read(front: Front, ledger: Ledger, target: Target = TARGET) -> Inbound:
    inbox = ExchangeInbox(front.settings, fire.packs())
    return asyncio.run(receive(ledger, target, inbox, world()))


def kept(ledger: Ledger, case: str = "CASE1") -> list[tuple[str, str, str]]:
    return [(e.key, e.fate, e.note) for e in stored.of_case(ledger, TARGET.name, case)]


def test_rows_are_read_by_time_and_marked(front: Front, ledger: Ledger) -> None:
    order = [f"r{n}" for n in range(8)]
    for key in Random(1).sample(order, len(order)):  # the times repeat: the key decides then
        feedback(front, key, SPSJ=f"2026-03-02 10:00:0{int(key[1]) // 3}")
    for key in ("x2", "x1"):
        feedback(front, key, SPSJ=None)
    feedback(front, "taken", SJSCZT="4")
    found = read(front, ledger)
    assert (found.read, found.new, found.refused, found.faults) == (10, 10, 0, ())
    assert [key for key, _, _ in kept(ledger)] == [*order, "x1", "x2"]
    assert set(states(front).values()) == {(4, None)}
    entry = stored.of_case(ledger, None, "CASE1")[0]
    assert entry.fields["SPRXM"] == "王五"
    assert (entry.local_key, entry.table) == ("local-1", TABLE)
    assert entry.marked is not None
    assert read(front, ledger).read == 0


def test_what_cannot_be_mapped_is_refused_with_a_reason(front: Front, ledger: Ledger) -> None:
    feedback(front, "a", SPJG="99")
    feedback(front, "b", SPJG=None)
    feedback(front, "c", LSH=None)
    feedback(front, "d", SJYXBS="0")
    assert read(front, ledger).refused == 3
    assert states(front) == {
        "a": (6, "SPJG=99，没有对应的办理状态"),
        "b": (6, "缺少 SPJG，没有对应的办理状态"),
        "c": (6, "缺少 LSH，无法对应办件"),
        "d": (4, None),
    }
    assert kept(ledger) == [
        ("a", "refused", "SPJG=99，没有对应的办理状态"),
        ("b", "refused", "缺少 SPJG，没有对应的办理状态"),
        ("d", "consumed", "SJYXBS=0"),
    ]


def test_a_crash_before_the_mark_reads_again_and_enters_nothing_twice(
    front: Front, ledger: Ledger
) -> None:
    """Stored and committed, the mark lost: the row still waits there."""
    feedback(front, "a")
    read(front, ledger)
    front.run(f"UPDATE {front.name(fire.CITY + PROCESS)} SET {front.name('SJSCZT')} = 0")
    found = read(front, ledger)
    assert (found.read, found.new, found.known) == (1, 0, 1)
    assert kept(ledger) == [("a", "consumed", "")]
    assert states(front)["a"] == (4, None)


def test_a_key_that_comes_again_with_other_content_changes_nothing(
    front: Front, ledger: Ledger
) -> None:
    feedback(front, "a")
    read(front, ledger)
    table, column = front.name(fire.CITY + PROCESS), front.name
    front.run(f"UPDATE {table} SET {column('SJSCZT')} = 0, {column('SPJG')} = 11")
    assert read(front, ledger).refused == 1
    assert states(front)["a"] == (6, stored.OTHER_CONTENT)
    assert stored.of_case(ledger, None, "CASE1")[0].fields["SPJG"] == "3"


def test_an_invalidation_of_what_was_taken_over_is_not_passed_over(
    front: Front, ledger: Ledger
) -> None:
    feedback(front, "a")
    read(front, ledger)
    table, column = front.name(fire.CITY + PROCESS), front.name
    front.run(f"UPDATE {table} SET {column('SJSCZT')} = 0, {column('SJYXBS')} = 0")
    assert read(front, ledger).refused == 1
    assert states(front)["a"] == (6, stored.OTHER_CONTENT)


def test_a_word_to_stop_ends_reading_after_the_page(front: Front, ledger: Ledger) -> None:
    for number in range(5):
        feedback(front, f"r{number}")

    async def scene() -> Inbound:
        stop = asyncio.Event()

        class Told(ExchangeInbox):
            async def mark(self, table: str, marks: Sequence[Mark]) -> None:
                await super().mark(table, marks)
                stop.set()

        return await receive(ledger, TARGET, Told(front.settings, fire.packs()), world(), stop)

    assert asyncio.run(scene()).read == TARGET.feedback_page
    assert sorted(state for state, _ in states(front).values()) == [0, 0, 4, 4, 4]
    assert read(front, ledger).new == 2


def test_a_row_that_no_longer_waits_is_not_marked(front: Front, ledger: Ledger) -> None:
    """Someone else took it over between our reading and our mark."""
    feedback(front, "a")

    class Slow(ExchangeInbox):
        async def mark(self, table: str, marks: Sequence[Mark]) -> None:
            front.run(f"UPDATE {front.name(fire.CITY + PROCESS)} SET {front.name('SJSCZT')} = 6")
            await super().mark(table, marks)

    asyncio.run(receive(ledger, TARGET, Slow(front.settings, fire.packs()), world()))
    assert states(front)["a"] == (6, None)


def test_a_missing_column_or_table_is_told_and_the_others_are_read(
    front: Front, ledger: Ledger
) -> None:
    document = front.name(fire.CITY + "SPGL_XMSPGCPFWJXXB")
    front.run(f"ALTER TABLE {document} DROP COLUMN {front.name('FJZWWURL')}")
    front.run(
        f"INSERT INTO {document} ({front.name('ID')}, {front.name('LSH')}, {front.name('SJSCZT')})"
        " VALUES ('d', 'CASE1', 0)"
    )
    front.run(f"DROP TABLE {front.name(fire.CITY + 'SPGL_XMSPGCTBCXXXB')}")
    feedback(front, "a")
    found = read(front, ledger)
    assert found.new == 2
    ((table, fault),) = found.faults
    assert table == f"{fire.STANDARD}/SPGL_XMSPGCTBCXXXB"
    assert (fault.failure, fault.code) == (Failure.CONFIGURATION, "table")


def test_names_of_persons_stay_out_of_the_log(front: Front, ledger: Ledger) -> None:
    feedback(front, "a")
    with structlog.testing.capture_logs() as lines:
        inbox = ExchangeInbox(front.settings, fire.packs())
        asyncio.run(receive(ledger, TARGET, inbox, world()))
    assert any(line["event"] == "inbound_stored" for line in lines)
    assert "王五" not in str(lines)


def test_the_whole_loop_with_a_supplement(front: Front, ledger: Ledger) -> None:
    """Application → taken over → feedback as the script says; 7 only after the materials came."""
    collector = Collector(
        front.settings, fire.packs(), Script(feedback=("3", "6", "7", "101", "11"))
    )

    async def send(table: str, content: dict[str, str]) -> None:
        transport = ExchangeTransport(front.settings, fire.packs())
        await transport.open()
        batch = fire.batch(hash(table), fire.parcel(content), fresh=True)
        await transport.send(replace(batch, table=table))
        await transport.close()

    asyncio.run(send(fire.APPLICATION, fire.application(1)))
    for _ in range(4):
        collector.collect(Random(1))
    assert read(front, ledger).new == 3  # 3, 6 and the list of materials
    supplement = {
        "LSH": "CASE1", "XZQHDM": fire.DIVISION, "SJGXSJ": "2026-03-03 08:00:00",
        "FORMS_JSON": '{"FireFileDtos":[]}',
    }  # fmt: skip
    asyncio.run(send("SPGL_XMCLBZXXB", supplement))
    for _ in range(4):
        collector.collect(Random(1))
    collector.close()
    assert read(front, ledger).new == 4  # 7, 101, 11 and the approval document
    found = stored.of_case(ledger, TARGET.name, "CASE1")
    process = [e.fields["SPJG"] for e in found if e.table == TABLE]
    assert process == ["3", "6", "7", "101", "11"]
    assert {e.fields.get("FJMC") for e in found} >= {"意见书.pdf"}
    assert all(e.marked for e in found)


def test_a_target_without_its_prefix_says_which_setting(front: Front, ledger: Ledger) -> None:
    found = read(replace(front, settings=replace(front.settings, city_prefix="")), ledger)
    assert "set city_prefix of the target" in str(found.faults[0][1])


@pytest.mark.parametrize("state", ["2", "8", "21", "22", "101", "15"])
def test_every_attested_state_is_taken_over(state: str) -> None:
    feedback = fire.packs().pack(fire.STANDARD).feedback
    row = InboundRow("a", {"LSH": "CASE1", "SPJG": state})
    assert judge(row, PROCESS, feedback).fate is Fate.CONSUMED
    assert judge(row, "SPGL_XMCLBZQDXXB", feedback).fate is Fate.CONSUMED
