"""The sandbox itself: what it promises to tests, demo and oracles."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from random import Random

import aiohttp
import pytest
from transport_values import PROJECT, STANDARD, UNIT, batch, packs, parcel, projects

from pusher.sandbox.__main__ import main
from pusher.sandbox.collector import Collector
from pusher.sandbox.exchange_tables import JOURNAL, exchange_tables
from pusher.sandbox.journal import counted, repeats
from pusher.sandbox.request import read_json, read_xml
from pusher.sandbox.script import (
    Dice,
    Fault,
    Faults,
    Refusal,
    Script,
    ScriptError,
    fraction,
    load_script,
    script_of,
)
from pusher.sandbox.server import Sandbox, SandboxSettings
from pusher.transport import Answer, Batch, Failure, TransportError
from pusher.transports.body import json_body, xml_body
from pusher.transports.exchange_db import ExchangeSettings, ExchangeTransport
from pusher.transports.http import HttpSettings, HttpTransport
from validator.load import load_packs
from validator.pack import Direction
from validator.records import Operation


@asynccontextmanager
async def sandbox(
    script: Script, store: Path | None = None, clock: list[float] | None = None
) -> AsyncIterator[tuple[Sandbox, HttpTransport]]:
    now = clock or [0.0]
    running = Sandbox(SandboxSettings(store=store), script, packs=packs(), clock=lambda: now[0])
    async with running:
        transport = HttpTransport(HttpSettings(running.url))
        await transport.open()
        yield running, transport
        await transport.close()
    running.close()


async def stream(transport: HttpTransport, after: str | None = None) -> list[tuple[str, str, str]]:
    page = await transport.verdicts(STANDARD, (), after)
    return [(v.key["GCDM"], str(v.answer), v.reason) for v in page.verdicts]


def change(number: int, name: str) -> Batch:
    return batch(number, parcel(0, {"GCDM": "P1", "XMMC": name}))


@pytest.mark.asyncio
async def test_it_remembers_over_its_own_restart(tmp_path: Path) -> None:
    store = tmp_path / "sandbox.db"
    async with sandbox(Script(), store) as (_, transport):
        first = await transport.send(projects(1))
    async with sandbox(Script(), store) as (running, transport):
        assert await transport.send(projects(1)) == first
        assert await transport.settle(projects(1)) == first
        assert running.store.counts()["replays"] == 1
        assert len(running.store.effects()) == 3


@pytest.mark.asyncio
async def test_the_same_content_under_another_key_is_a_repeat() -> None:
    async with sandbox(Script()) as (running, transport):
        sent = projects(1)
        await transport.send(sent)
        await transport.send(replace(sent, id="other", idempotency_key="other"))
        assert len(repeats(running.store.effects())) == 3
        assert set(counted(running.store.effects()).values()) == {2}


@pytest.mark.asyncio
async def test_content_that_returns_is_no_repeat() -> None:
    async with sandbox(Script()) as (running, transport):
        for number, name in enumerate(["旧名", "新名", "旧名"]):
            await transport.send(change(number, name))
        assert repeats(running.store.effects()) == []
        assert [h.fields["XMMC"] for h in running.store.held()] == ["旧名"]


@pytest.mark.asyncio
async def test_verdicts_wait_for_their_time_and_a_refusal_restores_what_was_held() -> None:
    clock = [100.0]
    script = Script(refusals=(Refusal("名称有误", where={"XMMC": "坏*"}),), verdict_delay=60.0)
    async with sandbox(script, clock=clock) as (running, transport):
        for number, name in enumerate(["好名", "坏名"]):
            await transport.send(change(number, name))
            assert await stream(transport, str(number)) == []
            assert [h.fields["XMMC"] for h in running.store.held()] == [name]
            clock[0] += 60.0
            await stream(transport)
        expected = [("P1", "accepted", ""), ("P1", "rejected", "名称有误")]
        assert await stream(transport) == expected
        assert [h.fields["XMMC"] for h in running.store.held()] == ["好名"]
        assert [e.answer for e in running.store.effects()] == ["accepted", "rejected"]


@pytest.mark.asyncio
async def test_a_new_record_that_is_refused_later_is_no_longer_held() -> None:
    clock = [0.0]
    script = Script(refusals=(Refusal("不予受理"),), verdict_delay=1.0)
    async with sandbox(script, clock=clock) as (running, transport):
        await transport.send(change(1, "新名"))
        clock[0] = 2.0
        assert await stream(transport) == [("P1", "rejected", "不予受理")]
        assert running.store.held() == []


@pytest.mark.asyncio
async def test_a_late_refusal_takes_an_acceptance_back() -> None:
    script = Script(refusals=(Refusal("复核不通过", late=True),))
    async with sandbox(script) as (running, transport):
        receipts = await transport.send(change(1, "新名"))
        assert [r.answer for r in receipts] == [Answer.ACCEPTED]
        assert await stream(transport) == [("P1", "rejected", "复核不通过")]
        assert running.store.held() == []


@pytest.mark.asyncio
async def test_verdicts_come_out_of_order_when_they_spread() -> None:
    clock = [0.0]
    async with sandbox(Script(verdict_delay=1.0, verdict_spread=50.0), clock=clock) as (_, way):
        await way.send(projects(1, 20))
        clock[0] = 20.0
        early = await stream(way)
        clock[0] = 60.0
        keys = [key for key, _, _ in await stream(way)]
        assert 0 < len(early) < 20
        assert sorted(keys) == sorted(f"P1-{i}" for i in range(20))
        assert keys != [f"P1-{i}" for i in range(20)]


@pytest.mark.asyncio
async def test_parents_are_asked_for_where_the_script_says_so() -> None:
    unit = batch(1, parcel(0, {"GCDM": "P1", "BBH": "1"}, key=("GCDM", "BBH")), table=UNIT)
    async with sandbox(Script(parents="wait")) as (running, transport):
        with pytest.raises(TransportError) as caught:
            await transport.send(unit)
        assert caught.value.failure is Failure.PARENT
        assert running.store.effects() == []
        running.play(Script(parents="reject"))
        receipts = await transport.send(unit)
        assert [(r.answer, r.reason) for r in receipts] == [
            (Answer.REJECTED, f"上级记录不存在：{PROJECT}")
        ]
        await transport.send(change(2, "项目"))
        again = replace(unit, id="again", idempotency_key="again")
        assert [r.answer for r in await transport.send(again)] == [Answer.ACCEPTED]


@pytest.mark.asyncio
async def test_a_table_it_does_not_know_is_a_matter_of_configuration() -> None:
    async with sandbox(Script()) as (_, transport):
        with pytest.raises(TransportError) as caught:
            await transport.send(batch(1, parcel(0, {"GCDM": "P1"}), table="SPGL_NONE"))
        assert caught.value.failure is Failure.CONFIGURATION
    with pytest.raises(ScriptError):
        Sandbox(SandboxSettings(), Script(parents="wait"))


@pytest.mark.asyncio
async def test_a_batch_over_the_limit_is_too_large() -> None:
    async with sandbox(Script(max_records=2)) as (running, transport):
        with pytest.raises(TransportError) as caught:
            await transport.send(projects(1, 3))
        assert caught.value.failure is Failure.TOO_LARGE
        assert running.store.effects() == []
        assert len(await transport.send(projects(2, 2))) == 2


@pytest.mark.asyncio
async def test_what_happened_can_be_looked_at_from_outside() -> None:
    async with sandbox(Script()) as (running, transport):
        await transport.send(projects(1))
        async with aiohttp.ClientSession() as session:
            seen = {}
            for what in ("counts", "effects", "held", "other"):
                async with session.get(f"{running.url}/sandbox/{what}") as response:
                    seen[what] = await response.json()
        assert seen["counts"]["accepted"] == 3
        assert [e["table"] for e in seen["effects"]] == [PROJECT] * 3
        assert [h["fields"]["XMMC"] for h in seen["held"]] == [
            "示例项目0",
            "示例项目1",
            "示例项目2",
        ]
        assert "code" in seen["other"]


@pytest.mark.asyncio
async def test_without_the_token_nothing_happens() -> None:
    running = Sandbox(SandboxSettings(token="secret"), Script())
    async with running, aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "秘密"}):
            async with session.get(f"{running.url}/sandbox/held", headers=headers) as response:
                assert response.status == 401
    running.close()


def test_both_forms_of_a_body_are_read_alike() -> None:
    sent = projects(1)
    assert read_json(json_body(sent)) == read_xml(xml_body(sent))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<batch",
        b"<batch/>",
        b'<!DOCTYPE batch [<!ENTITY a "b">]><batch id="1" standard="" table="" division=""/>',
        b'<batch id="1" standard="s" table="t" division="d"><record index="0" op="x" reason=""/>'
        b"</batch>",
    ],
)
def test_xml_that_is_not_the_convention_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_xml(body)


@pytest.mark.parametrize(
    "change",
    [
        {"records": [{}]},
        {"records": [{"index": "0", "op": "upsert", "reason": "", "key": {}, "fields": {}}]},
        {"records": [{"index": 0, "op": "upsert", "reason": "", "key": {}, "fields": {"A": 1}}]},
        {"records": [{"index": 0, "op": "upsert", "reason": "", "key": {}, "fields": {}}] * 2},
        {"records": 3},
        {"records": [], "batch": 1},
    ],
)
def test_json_that_is_not_the_convention_is_refused(change: dict[str, object]) -> None:
    document = {"batch": "1", "standard": "s", "table": "t", "division": "d", **change}
    with pytest.raises(ValueError, match=r"."):
        read_json(json.dumps(document).encode())


def test_the_same_seed_misbehaves_in_the_same_way() -> None:
    faults = Faults(
        seed=7, steps={"send": ("ok", "html")}, chance={"throttle": 0.2, "reset-after": 0.2}
    )
    one, two, other = (Dice(f) for f in (faults, faults, replace(faults, seed=8)))
    drawn = [one.draw("send") for _ in range(300)]
    assert drawn == [two.draw("send") for _ in range(300)]
    assert drawn != [other.draw("send") for _ in range(300)]
    assert drawn[:2] == ["ok", "html"]
    assert set(Counter(drawn)) == {"ok", "html", Fault.THROTTLE, Fault.RESET_AFTER}
    assert [one.draw("verdicts") for _ in range(50)] == ["ok"] * 50


def test_a_share_refuses_always_the_same_part() -> None:
    refusal = Refusal("抽查不通过", share=0.05)
    keys = [{"GCDM": f"P{i}"} for i in range(2000)]
    refused = [key for key in keys if refusal.matches(PROJECT, key, key)]
    assert 60 <= len(refused) <= 140
    assert refused == [key for key in keys if fraction(PROJECT, key) < 0.05]


def test_a_script_file_says_it_all(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(
        json.dumps(
            {
                "refusals": [{"reason": "项目代码不存在", "table": PROJECT, "where": {"A": "9*"}}],
                "faults": {
                    "seed": 3,
                    "steps": {"send": ["ok", "413"]},
                    "chance": {"slow": 0.1},
                    "routes": ["send", "verdicts"],
                },
                "verdict_delay": 5,
                "parents": "reject",
            }
        ),
        "utf-8",
    )
    script = load_script(path)
    assert script.refusals == (Refusal("项目代码不存在", PROJECT, {"A": "9*"}),)
    assert script.faults == Faults(3, {"send": ("ok", "413")}, {"slow": 0.1}, ("send", "verdicts"))
    assert (script.verdict_delay, script.parents) == (5, "reject")


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "script"),
        ({"refusal": []}, "script.refusal"),
        ({"refusals": [{"reason": "x", "tabel": "y"}]}, "script.refusals[0].tabel"),
        ({"refusals": [{}]}, "script"),
        ({"refusals": {}}, "script.refusals"),
        ({"faults": {"steps": {"send": ["explode"]}}}, "explode"),
        ({"faults": {"chance": {"explode": 1}}}, "explode"),
        ({"faults": {"chance": []}}, "script.faults"),
        ({"parents": "maybe"}, "script.parents"),
        ({"verdict_delay": "5"}, "script.verdict_delay"),
        ({"page": True}, "script.page"),
        ({"refusals": [{"reason": "x", "where": {"A": 1}}]}, "script.refusals[0].where"),
        ({"refusals": [{"reason": 1}]}, "script.refusals[0].reason"),
    ],
)
def test_a_wrong_script_says_where(document: object, place: str) -> None:
    with pytest.raises(ScriptError) as caught:
        script_of(document)
    assert place in caught.value.text.zh
    assert place in caught.value.text.en


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with subprocess.Popen(
        [sys.executable, "-m", "pusher.sandbox", "--store", str(store)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert len(asyncio.run(send_once(url))) == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    with closing(sqlite3.connect(store)) as db:
        assert db.execute("SELECT count(*) FROM held").fetchone() == (3,)


async def send_once(url: str) -> list[object]:
    transport = HttpTransport(HttpSettings(url))
    await transport.open()
    try:
        return list(await transport.send(projects(1)))
    finally:
        await transport.close()


def test_a_script_or_store_that_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--script", str(tmp_path / "none.json")]) == 2
    (tmp_path / "no.db").write_text("这不是数据库" * 1000, "utf-8")
    assert main(["--store", str(tmp_path / "no.db")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.asyncio
async def test_every_table_of_the_shipped_packs_can_be_exchanged(tmp_path: Path) -> None:
    """One record through each table that is sent, with its own key and its own exchange columns."""
    shipped = load_packs()
    settings = ExchangeSettings(f"sqlite:///{tmp_path / 'front.db'}")
    collector = Collector(settings, shipped, Script())
    transport = ExchangeTransport(settings, shipped)
    await transport.open()
    places = exchange_tables(settings, shipped)
    assert len(places) == sum(t.direction is Direction.OUT for t in shipped.tables()) >= 39
    for number, place in enumerate(places):
        fields = {f.name: "1" for f in place.fields if f.kind in ("text", "integer", "decimal")}
        key = place.table.key.fields
        one = parcel(0, fields, key=key)
        gone = parcel(0, fields, key=key, operation=Operation.INVALIDATE)
        for step, entry in enumerate((one, gone)):
            sent = replace(
                batch(number * 2 + step, entry, table=place.table.name),
                standard=place.table.standard,
            )
            assert await transport.settle(sent) is None, place.name
            await transport.send(sent)
            assert await transport.settle(sent) is not None, place.name
    await transport.close()
    collector.collect(Random(1))
    judged = [place for place in places if "SJSCZT" in place.exchange]
    assert len(collector.effects()) == 2 * len(judged)
    assert {e.answer for e in collector.effects()} == {Answer.ACCEPTED}
    assert collector.held() == []
    collector.close()
    with closing(sqlite3.connect(tmp_path / "front.db")) as db:
        assert db.execute(f"SELECT count(*) FROM {JOURNAL}").fetchone() == (2 * len(judged),)
