"""`spgl ledger verify`: what stands at a target against what it took over, on every database."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from front_databases import KINDS, Front, front_database
from ledger_values import START, Memory, world
from transport_values import DIVISION, PROJECT, STANDARD, packs

from pusher.delivery import deliver
from pusher.drift import Drift
from pusher.ledger import Ledger, enter
from pusher.ledger.content import purge
from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from pusher.sandbox.server import Sandbox, SandboxSettings
from pusher.target import Target
from pusher.transport import Expected, Failure, Looked, TransportError
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.http import HttpSettings, HttpTransport
from pusher.verify import Compared, totals, verify
from spgl.cli import Exit, main
from tests.ledgers import ENGINES, ledger_on
from validator.load import load_packs
from validator.records import Operation, Record, Standing

TABLE = f"{STANDARD}/{PROJECT}"
TARGET = Target("national", wait=0.0)


def record(key: str, name: str = "示例项目", *, gone: bool = False) -> Record:
    content = {"GCDM": key, "XMMC": name, "ZTZ": "12.5", "RQ": "2026-03-01"}
    return Record(
        TABLE, DIVISION, {"GCDM": key}, Operation.INVALIDATE if gone else Operation.UPSERT,
        content, "项目撤销" if gone else "", Standing.CONFORMING, (), (), (), {"GCDM": key},
        "export.csv", 1, 2,
    )  # fmt: skip


@pytest.fixture(params=KINDS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with ledger_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def collector(front: Front) -> Iterator[Collector]:
    made = Collector(front.settings, packs(), Script())
    yield made
    made.close()


async def night(
    ledger: Ledger, front: Front, collector: Collector, run: str, *records: Record
) -> None:
    """One push, and the other side takes everything over."""
    enter(ledger, list(records), TARGET, run, START)
    transport = ExchangeTransport(front.settings, packs())
    await deliver(ledger, TARGET, transport, packs(), run_id=run, world=world())
    for _ in range(2):
        collector.collect(Random(1))
    later = ExchangeTransport(front.settings, packs())
    await deliver(ledger, TARGET, later, packs(), run_id=f"{run}-back", world=world())


async def compared(ledger: Ledger, front: Front) -> Compared:
    transport = ExchangeTransport(front.settings, packs())
    try:
        return (await verify(ledger, TARGET, transport, [TABLE], lambda table, n: None))[0]
    finally:
        await transport.close()


def kinds(found: Compared) -> dict[str, tuple[Drift, tuple[str, ...]]]:
    return {d.key["GCDM"]: (d.drift, d.fields) for d in found.listed}


@pytest.mark.asyncio
async def test_every_kind_of_drift_is_found_and_nothing_else(
    ledger: Ledger, front: Front, collector: Collector
) -> None:
    names = ["whole", "lost", "altered", "doubled", "other", "fallen", "old", "withdrawn"]
    await night(ledger, front, collector, "one", *(record(n) for n in names))
    await night(
        ledger, front, collector, "two", record("old", "新名"), record("withdrawn", gone=True)
    )
    found = await compared(ledger, front)
    assert not found.drifted, kinds(found)
    assert (found.checked, found.untold, found.moving) == (8, 0, 0)

    q = front.name
    table, key = q(PROJECT), q("GCDM")
    columns = ", ".join(q(n) for n in ("GCDM", "XMMC", "ZTZ", "RQ", "SJYXBS", "SJSCZT"))
    row = f"INSERT INTO {table} ({columns}) VALUES"
    front.run(
        f"DELETE FROM {table} WHERE {key} = 'lost'",
        f"UPDATE {table} SET {q('XMMC')} = '改名', {q('ZTZ')} = 9 WHERE {key} = 'altered'",
        f"{row} ('doubled', '示例项目', 12.5, '2026-03-01', 1, 3)",
        f"{row} ('other', '另一个', 12.5, '2026-03-01', 1, 3)",
        f"UPDATE {table} SET {q('SJYXBS')} = 0 WHERE {key} = 'fallen'",
        f"{row} ('withdrawn', '示例项目', 12.5, '2026-03-01', 1, 3)",
    )
    before = front.rows(f"SELECT * FROM {table} ORDER BY 1")
    found = await compared(ledger, front)
    assert kinds(found) == {
        "lost": (Drift.MISSING, ()),
        "altered": (Drift.CHANGED, ("XMMC", "ZTZ")),
        "doubled": (Drift.TWICE, ()),
        "other": (Drift.EXTRA, ()),
        "fallen": (Drift.INVALID, ()),
        "withdrawn": (Drift.EXTRA, ()),
    }
    assert totals([found])[Drift.EXTRA] == 2
    assert front.rows(f"SELECT * FROM {table} ORDER BY 1") == before, "it reads only"


class Mute:
    """A target that is reached and never answers a question."""

    async def open(self) -> None:
        """It is there."""

    async def look_up(self, table: str, expected: Sequence[Expected]) -> Sequence[Looked]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


@pytest.mark.asyncio
async def test_a_target_that_does_not_answer_is_a_failure_of_the_line(ledger: Ledger) -> None:
    enter(ledger, [record("p")], TARGET, "r1", START)
    await deliver(ledger, TARGET, Memory(), packs(), run_id="r1", world=world())
    quick = replace(TARGET, timeout=0.01)
    with pytest.raises(TransportError, match=r"no answer within 0\.01 s") as told:
        await verify(ledger, quick, Mute(), [TABLE], lambda table, n: None)
    assert told.value.failure is Failure.UNREACHABLE


@pytest.mark.asyncio
async def test_a_change_that_waits_to_be_taken_over_is_no_drift(
    ledger: Ledger, front: Front, collector: Collector
) -> None:
    await night(ledger, front, collector, "one", record("a"))
    enter(ledger, [record("a", "新名")], TARGET, "two", START)
    transport = ExchangeTransport(front.settings, packs())
    await deliver(ledger, TARGET, transport, packs(), run_id="two", world=world())
    rows = front.rows(f"SELECT {front.name('SJYXBS')} FROM {front.name(PROJECT)}")
    assert len(rows) == 3, "the old row, its invalidating copy, the new row"
    assert not (await compared(ledger, front)).drifted


@pytest.mark.asyncio
async def test_content_past_its_time_is_compared_by_digest_or_by_presence(
    ledger: Ledger, front: Front, collector: Collector
) -> None:
    """Where columns keep values as given the digest tells; a double or a decimal does not."""
    await night(ledger, front, collector, "one", record("a"), record("b"))
    late = START + timedelta(days=60)
    with ledger.transaction():
        assert purge(ledger, TARGET, late) == 1
    found = await compared(ledger, front)
    assert not found.drifted
    assert found.checked == 2
    faithful = found.untold == 0
    q = front.name
    front.run(f"UPDATE {q(PROJECT)} SET {q('XMMC')} = '改名' WHERE {q('GCDM')} = 'a'")
    front.run(f"DELETE FROM {q(PROJECT)} WHERE {q('GCDM')} = 'b'")
    after = kinds(await compared(ledger, front))
    assert after["b"] == (Drift.MISSING, ())
    assert after.get("a") == ((Drift.CHANGED, ()) if faithful else None)


@pytest.mark.asyncio
async def test_an_http_target_is_asked_by_key(ledger: Ledger) -> None:
    enter(ledger, [record(n) for n in ("a", "b", "c", "d")], TARGET, "r", START)
    async with Sandbox(SandboxSettings(), Script()) as sandbox:
        settings = HttpSettings(sandbox.url)
        sent = HttpTransport(settings)
        await deliver(ledger, TARGET, sent, packs(), run_id="r", world=world())
        place = (STANDARD, PROJECT)
        asked = HttpTransport(settings)
        found = (await verify(ledger, TARGET, asked, [TABLE], lambda t, n: None))[0]
        assert (found.checked, found.drifted) == (4, False)
        holdings = sandbox.store._holdings
        holdings.drop((*place, '{"GCDM":"a"}'))
        holdings.keep((*place, '{"GCDM":"b"}'), {"GCDM": "b", "XMMC": "改名"}, "7")
        found = (await verify(ledger, TARGET, asked, [TABLE], lambda t, n: None))[0]
        assert kinds(found) == {
            "a": (Drift.MISSING, ()),
            "b": (Drift.CHANGED, ("RQ", "XMMC", "ZTZ")),
        }
        await asked.close()
        deaf = HttpTransport(HttpSettings(sandbox.url, lookup_path="/api/v9/{standard}/{table}"))
        with pytest.raises(TransportError) as refused:
            await verify(ledger, TARGET, deaf, [TABLE], lambda t, n: None)
        assert (refused.value.failure, refused.value.code) == (Failure.CONFIGURATION, "no look-up")
        await deaf.close()


HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ\n"


def test_the_command_tells_what_drifted_and_masks_nothing_it_need_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    Path("spgl.toml").write_text(
        '[target.t]\ntransport = "exchange_db"\nurl = "sqlite:///x.db"\n', encoding="utf-8"
    )
    columns = "LSH INTEGER PRIMARY KEY, SJYXBS INTEGER, SJWXYY TEXT, SJSCZT INTEGER, SBYY TEXT"
    table = {t.name: t for t in load_packs(["data-sharing-3.0"]).tables()}["SPGL_XMBQXXB"]
    names = ", ".join(f"{f.name} TEXT" for f in table.fields if f.name not in columns)
    with closing(sqlite3.connect("x.db")) as db:
        db.execute(f"CREATE TABLE SPGL_XMBQXXB ({columns}, {names})")
    Path("in").mkdir()
    lines = "".join(f"a{n},990100,2401-990100-04-01-{n:06d},001,00101,2024,x\n" for n in (1, 2, 3))
    Path("in/SPGL_XMBQXXB.csv").write_text(HEAD + lines, encoding="utf-8")
    assert main(["push", "in", "--wait", "0"]) == Exit.FINE
    capsys.readouterr()
    assert main(["ledger", "verify"]) == Exit.FINE
    assert "3 records compared, no drift" in capsys.readouterr().out
    with closing(sqlite3.connect("x.db")) as db, db:
        db.execute("UPDATE SPGL_XMBQXXB SET BZ = 'other' WHERE XMDM LIKE '%000002'")
        db.execute("DELETE FROM SPGL_XMBQXXB WHERE XMDM LIKE '%000003'")
    assert main(["ledger", "verify"]) == Exit.REFUSED
    told = capsys.readouterr().out
    assert re.search(r"changed .*000002.*\(BZ\)", told)
    assert re.search(r"missing .*000003", told)
    assert "other" not in told
    assert main(["ledger", "verify", "--format", "json", "--tables", "SPGL_XMBQXXB"]) == 3
    table = json.loads(capsys.readouterr().out)["targets"][0]["tables"][0]
    assert table["counts"] == {"changed": 1, "missing": 1}
    assert main(["ledger", "verify", "--tables", "SPGL_XMJBXXB"]) == Exit.FINE
    monkeypatch.setenv("SPGL_LANG", "zh")
    assert main(["ledger", "verify"]) == Exit.REFUSED
    assert "内容不同" in capsys.readouterr().out
