"""The weaknesses of docs/weaknesses.md: each names tests that exist; those no other file had."""

from __future__ import annotations

import ast
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
import structlog
from ledger_values import START, Time
from transport_values import PROJECT, STANDARD, UNIT, batch, packs, parcel

from pusher.delivery import Delivery, deliver
from pusher.ledger import enter, open_ledger
from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Refusal, Script
from pusher.target import Target
from pusher.transport import Awaited
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.exchange_settings import ExchangeSettings
from pusher.world import World
from validator.records import Operation, Record, Standing

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| *([0-9]+) *\|(.*)\|$", re.M)
NAMED = re.compile(r"`([a-z_/]+)::([a-z_0-9]+)`")
TARGET = Target("front", batch_records=500, concurrency=2, wait=0)


def test_every_weakness_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "weaknesses.md").read_text(encoding="utf-8")
    rows = {int(number): cells for number, cells in ROW.findall(text)}
    assert sorted(rows) == list(range(1, 24))
    for number, cells in rows.items():
        named = NAMED.findall(cells)
        assert named, f"weakness {number} names no test"
        for file, name in named:
            path = ROOT / "tests" / f"{file}.py"
            assert path.is_file(), f"weakness {number}: no file tests/{file}.py"
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found = {
                n.name
                for n in ast.walk(tree)
                if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert name in found, f"weakness {number}: no test {name} in tests/{file}.py"


def project(number: int, count: str) -> Record:
    key = {"GCDM": f"P{number:04d}"}
    content = {**key, "XMMC": "示例项目", "SL": count}
    return Record(
        f"{STANDARD}/{PROJECT}", "990100", key, Operation.UPSERT, content, "",
        Standing.CONFORMING, (), (), (), key, "export.csv", number, number + 1,
    )  # fmt: skip


async def night(folder: Path, records: list[Record]) -> Delivery:
    """One push of some records into the front database of a folder."""
    time = Time(START)
    log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(50))
    ledger = open_ledger(folder / "ledger.db")
    try:
        enter(ledger, records, TARGET, "night", time())
        transport = ExchangeTransport(ExchangeSettings(f"sqlite:///{folder}/front.db"), packs())
        world = World(time, Random(1), log, time.sleep)
        return await deliver(ledger, TARGET, transport, packs(), run_id="night", world=world)
    finally:
        ledger.close()


@pytest.fixture
def front(tmp_path: Path) -> Path:
    settings = ExchangeSettings(f"sqlite:///{tmp_path}/front.db")
    Collector(settings, packs(), Script()).close()
    return tmp_path


def count(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "front.db")) as db:
        return int(db.execute(f"SELECT count(*) FROM {PROJECT}").fetchone()[0])


@pytest.mark.asyncio
async def test_one_bad_row_costs_a_dozen_transactions_not_one_per_row(front: Path) -> None:
    rows = [project(n, "9223372036854775808" if n == 377 else str(n)) for n in range(500)]
    done = await night(front, rows)
    assert count(front) == 499
    assert (done.delivered, done.refused) == (499, 1)
    assert done.attempts <= 2 * 9 + 1


@pytest.mark.asyncio
async def test_a_run_sends_everything_there_is(front: Path) -> None:
    done = await night(front, [project(n, "1") for n in range(2_100)])
    assert count(front) == done.delivered == 2_100
    assert not done.incomplete


@pytest.mark.asyncio
async def test_a_look_up_asks_once_for_a_page_of_keys(front: Path) -> None:
    transport = ExchangeTransport(ExchangeSettings(f"sqlite:///{front}/front.db"), packs())
    await transport.open()
    sent = batch(1, *(parcel(n, {"GCDM": f"P{n}"}) for n in range(400)))
    await transport.send(sent)
    asked: list[str] = []
    sa.event.listen(
        transport._connected()[1], "before_cursor_execute", lambda *a: asked.append(str(a[2]))
    )
    awaited = [Awaited(p.index, STANDARD, PROJECT, "990100", p.key, "") for p in sent.parcels]
    await transport.settle(sent)
    await transport.verdicts(STANDARD, awaited, None)
    assert sum(PROJECT in sql for sql in asked) == 2
    await transport.close()


@pytest.mark.asyncio
async def test_a_state_is_read_from_the_records_own_table(front: Path) -> None:
    """Two tables, one key: the refusal of one is none of the other, nor is its serial number."""
    settings = ExchangeSettings(f"sqlite:///{front}/front.db")
    script = Script(refusals=(Refusal("资料不全", table=UNIT),))
    collector = Collector(settings, packs(), script)
    transport = ExchangeTransport(settings, packs())
    await transport.open()
    key = {"GCDM": "P1"}
    for number, table in enumerate((PROJECT, UNIT)):
        await transport.send(batch(number, parcel(0, key), table=table))
    collector.collect(Random(1))
    asked = [Awaited(n, STANDARD, t, "990100", key, "") for n, t in enumerate((PROJECT, UNIT))]
    page = await transport.verdicts(STANDARD, asked, None)
    assert [(v.table, str(v.answer), v.reason) for v in page.verdicts] == [
        (PROJECT, "accepted", ""),
        (UNIT, "rejected", "资料不全"),
    ]
    assert len({v.lsh for v in page.verdicts}) == 2
    await transport.close()
    collector.close()


@pytest.mark.asyncio
async def test_what_a_person_adds_to_the_exchange_database_is_never_taken_for_ours(
    front: Path,
) -> None:
    """A serial number is bound by key and content, never to any row that happens to be valid."""
    with closing(sqlite3.connect(front / "front.db")) as db, db:
        db.execute(f"INSERT INTO {PROJECT} (GCDM, SJYXBS, SJSCZT, LSH) VALUES ('P1', 1, 3, 77)")
    transport = ExchangeTransport(ExchangeSettings(f"sqlite:///{front}/front.db"), packs())
    await transport.open()
    sent = batch(1, parcel(0, {"GCDM": "P1", "XMMC": "甲"}))
    assert await transport.settle(sent) is None
    asked = Awaited(
        1, STANDARD, PROJECT, "990100", {"GCDM": "P1"}, "", fields={"GCDM": "P1", "XMMC": "甲"}
    )
    assert (await transport.verdicts(STANDARD, [asked], None)).verdicts == ()
    other = replace(asked, key={"GCDM": "P2"}, fields=None)
    assert (await transport.verdicts(STANDARD, [other], None)).verdicts == ()
    await transport.close()
