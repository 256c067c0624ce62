"""The exchange-database transport on SQLite, with the sandbox's collector as the other side."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transport_values import DIVISION, PROJECT, STANDARD, UNIT, batch, packs, parcel, projects

from pusher.sandbox.collector import DUPLICATE_KEY, NO_PARENT, Collector, Pace
from pusher.sandbox.journal import repeats
from pusher.sandbox.script import Refusal, Script
from pusher.transport import Answer, Awaited, Batch, Failure, Parcel, TransportError, Verdict
from pusher.transports.columns import Family, text_of
from pusher.transports.dialect import Phase
from pusher.transports.dialects import DIALECTS
from pusher.transports.exchange_db import ExchangeSettings, ExchangeTransport
from pusher.transports.exchange_rows import NATIONAL, Row, answered, has_effect, rows_of
from pusher.transports.exchange_settings import checked_name, exchange_table
from validator.lexical import canonical
from validator.pack import Kind
from validator.records import Operation

NOW = datetime(2026, 3, 1, 22, 30, 0, tzinfo=UTC)


@asynccontextmanager
async def exchange(
    folder: Path, script: Script | None = None, pace: Pace | None = None, **changes: object
) -> AsyncIterator[tuple[ExchangeTransport, Collector]]:
    """An open transport and the collector behind the same file."""
    settings = replace(
        ExchangeSettings(f"sqlite:///{folder / 'front.db'}"),
        **changes,  # type: ignore[arg-type]
    )
    collector = Collector(settings, packs(), script or Script(), pace)
    transport = ExchangeTransport(settings, packs(), clock=lambda: NOW)
    await transport.open()
    try:
        yield transport, collector
    finally:
        await transport.close()
        collector.close()


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "front.db")) as db:
        return db.execute(sql).fetchall()


def awaited(sent: Batch) -> list[Awaited]:
    return [
        Awaited(p.index, sent.standard, sent.table, sent.division, p.key, "", p.operation, p.fields)
        for p in sent.parcels
    ]


async def verdicts(transport: ExchangeTransport, sent: Batch) -> list[Verdict]:
    page = await transport.verdicts(STANDARD, awaited(sent), None)
    assert (page.cursor, page.more) == (None, False)
    return list(page.verdicts)


OLD = {"GCDM": "P1", "XMMC": "旧名"}
NEW = {"GCDM": "P1", "XMMC": "新名"}


@pytest.mark.asyncio
async def test_a_new_record_is_one_valid_row_without_serial_number(tmp_path: Path) -> None:
    async with exchange(tmp_path) as (transport, _):
        receipts = await transport.send(batch(1, parcel(0, OLD)))
        assert [(r.index, r.answer) for r in receipts] == [(0, Answer.RECEIVED)]
    written = rows(tmp_path, f"SELECT GCDM, XMMC, SJYXBS, SJWXYY, SJSCZT, LSH FROM {PROJECT}")
    assert written == [("P1", "旧名", 1, None, 0, None)]


@pytest.mark.asyncio
async def test_a_change_is_an_invalidating_copy_and_then_the_new_row(tmp_path: Path) -> None:
    async with exchange(tmp_path) as (transport, _):
        await transport.send(batch(1, parcel(0, OLD)))
        await transport.send(batch(2, parcel(0, NEW, previous=OLD, reason="更名")))
    written = rows(tmp_path, f"SELECT XMMC, SJYXBS, SJWXYY FROM {PROJECT} ORDER BY SANDBOX_SEQ")
    assert written == [("旧名", 1, None), ("旧名", 0, "更名"), ("新名", 1, None)]


@pytest.mark.asyncio
async def test_a_deletion_is_the_invalidating_copy_alone(tmp_path: Path) -> None:
    gone = batch(2, parcel(0, OLD, operation=Operation.INVALIDATE, reason="项目撤销"))
    async with exchange(tmp_path) as (transport, collector):
        await transport.send(batch(1, parcel(0, OLD)))
        await transport.send(gone)
        collector.collect(Random(1))
        assert collector.held() == []
        assert [v.answer for v in await verdicts(transport, gone)] == [Answer.ACCEPTED]
    assert rows(tmp_path, f"SELECT count(*) FROM {PROJECT}") == [(2,)]


@pytest.mark.asyncio
async def test_one_bad_row_takes_the_whole_batch_back(tmp_path: Path) -> None:
    sent = batch(1, parcel(0, OLD), parcel(1, {"GCDM": "P2", "SL": "9223372036854775808"}))
    async with exchange(tmp_path) as (transport, _):
        with pytest.raises(TransportError) as caught:
            await transport.send(sent)
        assert caught.value.failure is Failure.RECORD
        assert await transport.settle(sent) is None
    assert rows(tmp_path, f"SELECT count(*) FROM {PROJECT}") == [(0,)]


@pytest.mark.asyncio
async def test_every_kind_comes_back_as_it_went(tmp_path: Path) -> None:
    tricky = {
        "GCDM": "P'1\"; DROP TABLE SPGL_XMJBXXB; --",
        "XMMC": "引号'\"、分号;、反斜杠\\、换行\n、表情😀、%s ? :x",
        "ZTZ": "12345678901234567890.123456789",
        "SL": "-9223372036854775807",
        "RQ": "2026-02-28",
        "SJ": "2026-02-28 23:59:59",
        "NR": "AAEC/w==",
    }
    sent = batch(1, parcel(0, tricky))
    async with exchange(tmp_path) as (transport, collector):
        await transport.send(sent)
        assert [dict(h.fields) for h in collector.held()] == [tricky]
        settled = await transport.settle(sent)
        assert settled is not None
    kinds = rows(tmp_path, f"SELECT typeof(ZTZ), typeof(SL), typeof(RQ), typeof(NR) FROM {PROJECT}")
    assert kinds == [("text", "integer", "text", "blob")]


@pytest.mark.asyncio
@pytest.mark.parametrize("fresh", [True, False])
async def test_a_lost_answer_is_settled_without_a_second_row(tmp_path: Path, fresh: bool) -> None:
    sent = replace(projects(1), fresh=fresh)
    async with exchange(tmp_path) as (transport, _):
        await transport.send(sent)  # committed; suppose the process died before it noted that
    async with exchange(tmp_path) as (transport, collector):
        settled = await transport.settle(sent)
        assert settled is not None
        assert [r.index for r in settled] == [0, 1, 2]
        await transport.send(replace(sent, fresh=False))
        collector.collect(Random(1))
        await transport.send(replace(sent, fresh=False))
        settled = await transport.settle(sent)
        assert settled is not None
        assert all(r.lsh for r in settled)
        collector.collect(Random(2))
        assert len(collector.effects()) == 3
        assert repeats(collector.effects()) == []


@pytest.mark.asyncio
async def test_a_refused_row_counts_as_written_after_doubt_but_can_be_sent_again(
    tmp_path: Path,
) -> None:
    script = Script(refusals=(Refusal("项目代码不存在"),))
    sent = projects(1, 1)
    async with exchange(tmp_path, script) as (transport, collector):
        await transport.send(sent)
        collector.collect(Random(1))
        assert await transport.settle(sent) is not None
        assert len(collector.effects()) == 1
        collector.script = Script()
        await transport.send(sent)
        collector.collect(Random(1))
        assert [e.answer for e in collector.effects()] == [Answer.REJECTED, Answer.ACCEPTED]
        assert [v.answer for v in await verdicts(transport, sent)] == [Answer.ACCEPTED]


@pytest.mark.asyncio
async def test_content_that_returns_is_sent_and_doubt_about_it_is_settled(tmp_path: Path) -> None:
    first = batch(1, parcel(0, OLD))
    there = batch(2, parcel(0, NEW, previous=OLD))
    back = batch(3, parcel(0, OLD, previous=NEW))
    for collect in (False, True):
        folder = tmp_path / str(collect)
        folder.mkdir()
        async with exchange(folder) as (transport, collector):
            for sent in (first, there, back):
                assert await transport.settle(sent) is None
                await transport.send(sent)
                assert await transport.settle(sent) is not None
                if collect:
                    collector.collect(Random(1))
                    assert await transport.settle(sent) is not None
                await transport.send(sent)
            collector.collect(Random(1))
            assert [dict(h.fields) for h in collector.held()] == [OLD]
            assert len(collector.effects()) == 5
            assert repeats(collector.effects()) == []


@pytest.mark.asyncio
async def test_a_deletion_after_a_deletion_is_told_apart(tmp_path: Path) -> None:
    gone = batch(2, parcel(0, OLD, operation=Operation.INVALIDATE))
    async with exchange(tmp_path) as (transport, collector):
        for number in range(1, 3):
            assert await transport.settle(batch(number, parcel(0, OLD))) is None
            await transport.send(batch(number, parcel(0, OLD)))
            assert await transport.settle(gone) is None
            await transport.send(gone)
            assert await transport.settle(gone) is not None
            collector.collect(Random(1))
            assert await transport.settle(gone) is not None
        assert collector.held() == []
        assert repeats(collector.effects()) == []


@pytest.mark.asyncio
async def test_a_part_of_a_batch_is_completed_not_doubled(tmp_path: Path) -> None:
    sent = projects(1)
    async with exchange(tmp_path) as (transport, _):
        await transport.send(sent)
        with closing(sqlite3.connect(tmp_path / "front.db")) as db, db:
            db.execute(f"DELETE FROM {PROJECT} WHERE GCDM = 'P1-1'")
        settled = await transport.settle(sent)
        assert settled is not None
        assert len(settled) == 3
    found = rows(tmp_path, f"SELECT GCDM, count(*) FROM {PROJECT} GROUP BY GCDM ORDER BY GCDM")
    assert found == [("P1-0", 1), ("P1-1", 1), ("P1-2", 1)]


@pytest.mark.asyncio
async def test_verdicts_follow_the_states_of_the_row(tmp_path: Path) -> None:
    script = Script(refusals=(Refusal("资料不全", where={"GCDM": "*-1"}),))
    sent = projects(1)
    async with exchange(tmp_path, script, Pace(promote=0.0), accepted_at=3) as (transport, coll):
        await transport.send(sent)
        assert await verdicts(transport, sent) == []
        coll.collect(Random(1))
        page = await verdicts(transport, sent)
        assert [v.answer for v in page] == ["received", "rejected", "received"]
        assert [v.reason for v in page] == ["", "资料不全", ""]
        assert all(v.lsh for v in page)
    async with exchange(tmp_path, script, Pace(promote=1.0), accepted_at=3) as (transport, coll):
        coll.collect(Random(1))
        page = await verdicts(transport, sent)
        assert [v.answer for v in page] == ["accepted", "rejected", "accepted"]
    assert [s for (s,) in rows(tmp_path, f"SELECT SJSCZT FROM {PROJECT} ORDER BY GCDM")] == [
        3,
        2,
        3,
    ]


@pytest.mark.asyncio
async def test_a_validated_row_counts_as_accepted_by_default_and_may_be_refused_later(
    tmp_path: Path,
) -> None:
    script = Script(refusals=(Refusal("复核不通过", late=True),))
    sent = projects(1, 1)
    async with exchange(tmp_path, script) as (transport, collector):
        await transport.send(sent)
        collector.collect(Random(1))
        page = await verdicts(transport, sent)
        assert [(v.answer, v.final) for v in page] == [(Answer.ACCEPTED, False)]
        collector.collect(Random(1))
        page = await verdicts(transport, sent)
        assert [(v.answer, v.reason, v.final) for v in page] == [
            (Answer.REJECTED, "复核不通过", True)
        ]


@pytest.mark.asyncio
async def test_a_correction_after_a_refusal_gets_its_own_verdict(tmp_path: Path) -> None:
    script = Script(refusals=(Refusal("名称有误", where={"XMMC": "旧名"}),))
    wrong, right = batch(1, parcel(0, OLD)), batch(2, parcel(0, NEW))
    async with exchange(tmp_path, script) as (transport, collector):
        await transport.send(wrong)
        collector.collect(Random(1))
        await transport.send(right)
        assert await verdicts(transport, right) == []
        collector.collect(Random(1))
        assert [v.answer for v in await verdicts(transport, right)] == [Answer.ACCEPTED]
        by_key = [replace(a, fields=None) for a in awaited(right)]
        page = await transport.verdicts(STANDARD, by_key, None)
        assert [v.answer for v in page.verdicts] == [Answer.ACCEPTED]


@pytest.mark.asyncio
async def test_a_refused_row_is_never_taken_for_what_came_after_it(tmp_path: Path) -> None:
    """Whether the row of the correction is there or not. Only where a record had no other version
    and its key has one row is the content not compared."""
    script = Script(refusals=(Refusal("名称有误", where={"XMMC": "旧名"}),))
    wrong, right = batch(1, parcel(0, OLD)), batch(2, parcel(0, NEW))
    async with exchange(tmp_path, script) as (transport, collector):
        await transport.send(wrong)
        collector.collect(Random(1))
        assert await verdicts(transport, right) == [], "it is not there"
        sole = [replace(a, sole=True) for a in awaited(wrong)]
        page = await transport.verdicts(STANDARD, sole, None)
        assert [(v.answer, v.reason) for v in page.verdicts] == [(Answer.REJECTED, "名称有误")]
        await transport.send(right)
        foreign = [replace(a, sole=True) for a in awaited(right)]
        assert (await transport.verdicts(STANDARD, foreign, None)).verdicts == (), "it still waits"
        collector.collect(Random(1))
        page = await transport.verdicts(STANDARD, foreign, None)
        assert [v.answer for v in page.verdicts] == [Answer.ACCEPTED]


@pytest.mark.asyncio
async def test_composite_and_incomplete_keys_are_found(tmp_path: Path) -> None:
    key = ("GCDM", "BBH")
    sent = batch(
        1,
        *(parcel(i, {"GCDM": f"P{i}", "BBH": "1.5", "MC": "甲"}, key=key) for i in range(7)),
        parcel(7, {"GCDM": "P0", "MC": "乙"}, key=key),
        parcel(8, {"MC": "丙"}, key=key),
        table=UNIT,
    )
    async with exchange(tmp_path, page=3) as (transport, collector):
        assert await transport.settle(sent) is None
        await transport.send(sent)
        settled = await transport.settle(sent)
        assert settled is not None
        assert len(settled) == 9
        await transport.send(sent)
        assert len(collector.held()) == 9


@pytest.mark.asyncio
async def test_names_are_settings(tmp_path: Path) -> None:
    changes: dict[str, object] = {
        "prefix": "T_",
        "suffix": "_990100",
        "table_case": "lower",
        "column_case": "lower",
        "extra": {"SCSJ": "@now", "LY": "示例"},
    }
    sent = projects(1, 1)
    async with exchange(tmp_path, None, None, **changes) as (transport, collector):
        await transport.send(sent)
        assert await transport.settle(sent) is not None
        collector.collect(Random(1))
        assert len(await verdicts(transport, sent)) == 1
        found = await transport.compare(packs().tables())
        assert {d.unknown for d in found} == {("SANDBOX_SEQ",)}
        assert not any(d.absent or d.missing for d in found)
    written = rows(tmp_path, "SELECT scsj, ly, gcdm, lsh FROM t_spgl_xmjbxxb_990100")
    assert written == [("2026-03-01 22:30:00", "示例", "P1-0", 1)]


@pytest.mark.parametrize(
    "name", ["", "A B", 'A"; DROP TABLE X; --', "A`", "A.B", "名称", "A" * 64, "A\n"]
)
def test_a_hostile_identifier_is_refused(name: str) -> None:
    with pytest.raises(TransportError) as caught:
        checked_name(name)
    assert caught.value.failure is Failure.CONFIGURATION
    for change in ({"schema": name}, {"suffix": name or "'"}, {"extra": {name: "1"}}):
        settings = replace(ExchangeSettings("sqlite://"), **change)  # type: ignore[arg-type]
        with pytest.raises(TransportError):
            exchange_table(settings, packs(), f"{STANDARD}/{PROJECT}")


@pytest.mark.asyncio
async def test_a_field_the_pack_does_not_know_stops_the_target(tmp_path: Path) -> None:
    hostile: Mapping[str, str] = {"GCDM": "P1", 'XMMC") --': "x"}
    async with exchange(tmp_path) as (transport, _):
        for sent in (batch(1, parcel(0, hostile)), batch(1, parcel(0, OLD), table="SPGL_NONE")):
            with pytest.raises(TransportError) as caught:
                await transport.send(sent)
            assert caught.value.failure is Failure.CONFIGURATION


@pytest.mark.asyncio
async def test_a_table_that_differs_from_the_pack_stops_the_target(tmp_path: Path) -> None:
    async with exchange(tmp_path) as (transport, _):
        with closing(sqlite3.connect(tmp_path / "front.db")) as db:
            db.execute(f"ALTER TABLE {PROJECT} DROP COLUMN XMMC")
            db.execute(f"ALTER TABLE {PROJECT} ADD COLUMN OTHER TEXT")
            db.execute(f"DROP TABLE {UNIT}")
        for table, word in ((PROJECT, "lacks XMMC"), (UNIT, "does not exist")):
            with pytest.raises(TransportError) as caught:
                await transport.send(batch(1, parcel(0, {"GCDM": "P1"}), table=table))
            assert caught.value.failure is Failure.CONFIGURATION
            assert word in caught.value.detail
        found = await transport.compare(packs().tables())
        assert [(d.table, d.absent, d.missing) for d in found] == [
            (PROJECT, False, ("XMMC",)),
            (UNIT, True, ()),
        ]
        assert "OTHER" in found[0].unknown


@pytest.mark.asyncio
async def test_a_locked_database_is_rolled_back_and_nothing_is_there(tmp_path: Path) -> None:
    sent = projects(1)
    async with exchange(tmp_path, lock_timeout=0.05) as (transport, _):
        await transport.send(batch(9, parcel(0, {"GCDM": "warm"})))
        with closing(sqlite3.connect(tmp_path / "front.db", isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            with pytest.raises(TransportError) as caught:
                await transport.send(sent)
            assert (caught.value.failure, caught.value.code) == (
                Failure.ROLLED_BACK,
                "sqlite SQLITE_BUSY",
            )
            db.execute("ROLLBACK")
        assert await transport.settle(sent) is None


@pytest.mark.asyncio
async def test_what_outlasts_the_limit_is_in_doubt_and_settled_behind_the_fence(
    tmp_path: Path,
) -> None:
    sent = projects(1)
    async with exchange(tmp_path, total_timeout=0.2) as (transport, _):
        await transport.send(batch(9, parcel(0, {"GCDM": "warm"})))
        with closing(sqlite3.connect(tmp_path / "front.db", isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            with pytest.raises(TransportError) as caught:
                await transport.send(sent)
            assert caught.value.failure is Failure.IN_DOUBT
            db.execute("ROLLBACK")
        settled: object = sent
        while settled is sent:  # until it is out of the way of the write that nobody waits for
            with suppress(TransportError):
                settled = await transport.settle(sent)
        assert settled is None, "what nobody waits for is not written any more"
        assert len(await transport.send(sent)) == 3
    assert rows(tmp_path, f"SELECT count(*) FROM {PROJECT}") == [(4,)]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE UNIQUE INDEX u ON SPGL_XMJBXXB (GCDM)", Failure.DUPLICATE),
        (
            "CREATE TRIGGER t BEFORE INSERT ON SPGL_XMJBXXB WHEN NEW.XMMC = '新名'"
            " BEGIN SELECT RAISE(ABORT, '拒绝'); END",
            Failure.RECORD,
        ),
    ],
)
async def test_what_the_database_refuses_has_its_class(
    tmp_path: Path, sql: str, expected: Failure
) -> None:
    async with exchange(tmp_path) as (transport, _):
        await transport.send(batch(1, parcel(0, OLD)))
        with closing(sqlite3.connect(tmp_path / "front.db")) as db:
            db.execute(sql)
        with pytest.raises(TransportError) as caught:
            await transport.send(batch(2, parcel(0, NEW, previous=OLD)))
        assert caught.value.failure is expected
    assert rows(tmp_path, f"SELECT count(*) FROM {PROJECT}") == [(1,)]


@pytest.mark.parametrize(
    ("code", "phase", "expected"),
    [
        (sqlite3.SQLITE_FULL, Phase.WORKING, Failure.ROLLED_BACK),
        (sqlite3.SQLITE_IOERR_FSYNC, Phase.WORKING, Failure.ROLLED_BACK),
        (sqlite3.SQLITE_IOERR_FSYNC, Phase.COMMITTING, Failure.IN_DOUBT),
        (sqlite3.SQLITE_READONLY, Phase.WORKING, Failure.CONFIGURATION),
        (sqlite3.SQLITE_CANTOPEN, Phase.WORKING, Failure.UNREACHABLE),
        (sqlite3.SQLITE_TOOBIG, Phase.WORKING, Failure.TOO_LARGE),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, Phase.WORKING, Failure.PARENT),
        (sqlite3.SQLITE_CONSTRAINT_NOTNULL, Phase.WORKING, Failure.RECORD),
        (sqlite3.SQLITE_CONSTRAINT_CHECK, Phase.WORKING, Failure.RECORD),
    ],
)
def test_codes_of_sqlite(code: int, phase: Phase, expected: Failure) -> None:
    fault = sqlite3.OperationalError("x")
    fault.sqlite_errorcode = code
    assert DIALECTS["sqlite"].classify(fault, phase) is expected


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("not a url", Failure.CONFIGURATION),
        ("mssql+pymssql://city@example.invalid/front", Failure.CONFIGURATION),
        ("mysql+nodriver://city@example.invalid/front", Failure.CONFIGURATION),
        ("mysql://city@example.invalid/front", Failure.UNREACHABLE),
        ("postgresql://city@example.invalid/front", Failure.UNREACHABLE),
        ("sqlite:////no/such/folder/front.db", Failure.CONFIGURATION),
        ("postgresql://city:hidden@example.invalid/front", Failure.CONFIGURATION),
    ],
)
async def test_a_wrong_address_is_found_when_opening(url: str, expected: Failure) -> None:
    transport = ExchangeTransport(ExchangeSettings(url), packs())
    with pytest.raises(TransportError) as caught:
        await transport.open()
    assert caught.value.failure is expected
    assert "hidden" not in str(caught.value)
    await transport.close()


@pytest.mark.asyncio
async def test_a_child_before_its_parent_is_refused_where_the_script_is_strict(
    tmp_path: Path,
) -> None:
    unit = batch(1, parcel(0, {"GCDM": "P1", "BBH": "1"}, key=("GCDM", "BBH")), table=UNIT)
    async with exchange(tmp_path, Script(parents="reject")) as (transport, collector):
        await transport.send(unit)
        collector.collect(Random(1))
        page = await verdicts(transport, unit)
        assert [v.reason for v in page] == [f"{NO_PARENT}：{PROJECT}"]
        await transport.send(batch(2, parcel(0, OLD)))
        await transport.send(unit)
        collector.collect(Random(1))
        assert [v.answer for v in await verdicts(transport, unit)] == [Answer.ACCEPTED]


@pytest.mark.asyncio
async def test_a_row_written_twice_is_seen_by_the_collector(tmp_path: Path) -> None:
    blind = replace(batch(1, parcel(0, OLD)), fresh=True)
    async with exchange(tmp_path) as (transport, collector):
        await transport.send(blind)
        await transport.send(blind)  # what a pusher without a look-up would do
        collector.collect(Random(1))
        assert [e.reason for e in repeats(collector.effects())] == [DUPLICATE_KEY]
        assert len(collector.held()) == 1


@pytest.mark.asyncio
async def test_a_slow_collector_answers_out_of_order_and_in_the_end_all(tmp_path: Path) -> None:
    async with exchange(tmp_path, None, Pace(share=0.4, promote=0.4)) as (transport, collector):
        sent = projects(1, 12)
        await transport.send(sent)
        changed = batch(
            2,
            *(
                parcel(p.index, {**p.fields, "XMMC": "新名"}, previous=p.fields)
                for p in sent.parcels
            ),
        )
        await transport.send(changed)
        rng = Random(7)
        stop = asyncio.Event()
        running = asyncio.create_task(collector.run(rng, every=0.001, stop=stop))
        answers: list[Verdict] = []
        while len(answers) < 12 and not running.done():
            answers = await verdicts(transport, changed)
        stop.set()
        await running
        assert {v.answer for v in answers} == {Answer.ACCEPTED}
        order = [e.identity for e in collector.effects() if e.operation is Operation.INVALIDATE]
        assert order != sorted(order)
        assert repeats(collector.effects()) == []
        assert {h.fields["XMMC"] for h in collector.held()} == {"新名"}


STEPS = st.lists(
    st.tuples(st.sampled_from(["A", "B", ""]), st.sampled_from(["", "accept", "refuse"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_presence_is_told_from_rows_for_every_history(steps: list[tuple[str, str]]) -> None:
    """Whatever came before, was taken over or refused: a parcel shows no effect before it is
    written and shows it ever after, until the next one."""
    table: list[Row] = []
    held: str | None = None
    for content, collect in steps:
        fields = {"GCDM": "P1", "XMMC": content}
        refused_before = any(r.valid and r.status == 2 and r.fields == fields for r in table)
        if content == (held or "") or refused_before:
            continue
        if content:
            previous = None if held is None else {"GCDM": "P1", "XMMC": held}
            entry = parcel(0, fields, previous=previous)
        else:
            entry = parcel(0, {"GCDM": "P1", "XMMC": held or ""}, operation=Operation.INVALIDATE)
        assert not has_effect(entry, table, NATIONAL, count_refused=True)
        table += [Row(r.fields, r.valid, 0, "", "") for r in rows_of(entry)]
        assert has_effect(entry, table, NATIONAL, count_refused=True)
        held = content or None
        if collect:
            table = taken_over(table, refuse=collect == "refuse")
            assert has_effect(entry, table, NATIONAL, count_refused=True)
            if collect == "refuse" and content:
                held = None


def taken_over(table: list[Row], *, refuse: bool) -> list[Row]:
    """What the collector makes of rows of one key; it refuses the newest row if it is valid."""
    done: list[Row] = []
    for place, row in enumerate(table, 1):
        if row.status == 0 and not row.valid:
            done = [replace(other, valid=False) for other in done]
        status = 2 if refuse and row.valid and place == len(table) else 1
        done.append(replace(row, status=status) if row.status == 0 else row)
    return done


def test_no_word_while_any_candidate_waits() -> None:
    entry = Awaited(1, STANDARD, PROJECT, DIVISION, {"GCDM": "P1"}, "")
    old = Row(OLD, True, 2, "9", "旧的退回")
    assert answered(entry, [old, Row(NEW, True, 0, "", "")], NATIONAL, at_once=True) is None
    found = answered(entry, [old, Row(NEW, True, 1, "10", "")], NATIONAL, at_once=True)
    assert found is not None
    assert (found[0], found[1].lsh) == (Answer.ACCEPTED, "10")
    assert answered(entry, [], NATIONAL, at_once=True) is None
    assert answered(entry, [Row(NEW, True, 7, "10", "")], NATIONAL, at_once=True) is None


@given(
    st.sampled_from(
        [
            (Kind.INTEGER, "0"),
            (Kind.INTEGER, "-12"),
            (Kind.DECIMAL, "0.1"),
            (Kind.DECIMAL, "12345678901234567890.5"),
            (Kind.DATE, "2026-02-28"),
            (Kind.DATETIME, "2026-02-28 10:00:00"),
            (Kind.BINARY, "AAEC"),
            (Kind.TEXT, "文字"),
        ]
    )
)
def test_binding_and_reading_are_inverse(value: tuple[Kind, str]) -> None:
    kind, text = value
    assert canonical(kind, text) == text
    for family in Family:
        bind = DIALECTS["sqlite"].bind(kind, family)
        assert text_of(kind, text if bind is None else bind(text)) == text


def test_a_parcel_without_reason_still_says_why(tmp_path: Path) -> None:
    bare: Parcel = parcel(0, OLD, operation=Operation.INVALIDATE)
    assert [row.reason for row in rows_of(bare)] == ["数据作废"]
    changed = parcel(0, NEW, previous=OLD)
    assert [row.reason for row in rows_of(changed)] == ["数据变更", ""]


@pytest.mark.asyncio
@pytest.mark.parametrize("limit", [5, 1000])
async def test_a_slow_collector_takes_no_child_before_its_waiting_parent(
    tmp_path: Path, limit: int
) -> None:
    key = ("GCDM", "BBH")
    pace = Pace(share=0.5, rows=limit)
    async with exchange(tmp_path, Script(parents="reject"), pace) as (transport, collector):
        await transport.send(projects(1, 20))
        units = (parcel(i, {"GCDM": f"P1-{i}", "BBH": "1"}, key=key) for i in range(20))
        await transport.send(batch(2, *units, table=UNIT))
        rng = Random(3)
        while len(collector.effects()) < 40:
            collector.collect(rng)
        assert {e.answer for e in collector.effects()} == {Answer.ACCEPTED}
