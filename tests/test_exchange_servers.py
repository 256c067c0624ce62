"""The exchange-database transport on real servers: MariaDB, PostgreSQL, and a file beside them.

A missing server is a skip with its reason (`services`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from front_databases import KINDS, SERVERS, Front, front_database
from transport_values import DIVISION, PROJECT, STANDARD, UNIT, batch, packs, parcel, projects

from pusher.sandbox.collector import Collector
from pusher.sandbox.journal import repeats
from pusher.sandbox.script import Refusal, Script
from pusher.transport import Awaited, Batch, Expected, Failure, TransportError
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.exchange_settings import ExchangeSettings
from validator.records import Operation

NOW = datetime(2026, 3, 1, 22, 30, 0, tzinfo=UTC)
OLD = {"GCDM": "P1", "XMMC": "旧名", "ZTZ": "12.5"}
NEW = {"GCDM": "P1", "XMMC": "新名", "ZTZ": "12.5"}


@pytest.fixture(params=KINDS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        yield made


@asynccontextmanager
async def opened(settings: ExchangeSettings) -> AsyncIterator[ExchangeTransport]:
    transport = ExchangeTransport(settings, packs(), clock=lambda: NOW)
    await transport.open()
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def exchange(
    front: Front, script: Script | None = None, **changes: object
) -> AsyncIterator[tuple[ExchangeTransport, Collector]]:
    """An open transport and the collector behind the same database."""
    settings = replace(front.settings, **changes)  # type: ignore[arg-type]
    collector = Collector(settings, packs(), script or Script())
    async with opened(settings) as transport:
        yield transport, collector
    collector.close()


async def words(transport: ExchangeTransport, sent: Batch) -> list[tuple[str, str]]:
    asked = [
        Awaited(p.index, sent.standard, sent.table, sent.division, p.key, "", p.operation, p.fields)
        for p in sent.parcels
    ]
    page = await transport.verdicts(STANDARD, asked, None)
    return [(str(v.answer), v.reason) for v in page.verdicts]


def count(front: Front, table: str = PROJECT, where: str = "1 = 1") -> int:
    found = front.rows(f"SELECT count(*) FROM {front.name(table)} WHERE {where}")[0][0]
    assert isinstance(found, int)
    return found


@pytest.mark.asyncio
async def test_a_record_lives_its_whole_life(front: Front) -> None:
    """New, taken over, changed, taken over, deleted, taken over; then refused and corrected."""
    script = Script(refusals=(Refusal("项目代码不存在", where={"XMMC": "错名"}),))
    gone = batch(3, parcel(0, NEW, operation=Operation.INVALIDATE, reason="项目撤销"))
    wrong = batch(4, parcel(0, {"GCDM": "P1", "XMMC": "错名"}))
    async with exchange(front, script) as (transport, collector):
        for sent in (batch(1, parcel(0, OLD)), batch(2, parcel(0, NEW, previous=OLD)), gone, wrong):
            assert await transport.settle(sent) is None
            await transport.send(sent)
            assert await transport.settle(sent) is not None
            assert await words(transport, sent) == []
            collector.collect(Random(1))
            await transport.send(sent if sent is not wrong else batch(2, parcel(0, NEW)))
            collector.collect(Random(1))
        assert [e.answer for e in collector.effects()] == ["accepted"] * 4 + [
            "rejected",
            "accepted",
        ]
        assert repeats(collector.effects()) == []
        assert await words(transport, wrong) == [("rejected", "项目代码不存在")]
        assert [dict(h.fields) for h in collector.held()] == [NEW]
        assert all(h.lsh for h in collector.held())


TRICKY = {
    "GCDM": "P'1\"; DROP TABLE SPGL_XMJBXXB; --",
    "XMMC": "引号'\"、分号;、反斜杠\\、换行\n、表情😀、%s ? :x %(a)s ",
    "ZTZ": "12345678901234567890.123456789",
    "SL": "-9223372036854775807",
    "RQ": "2026-02-28",
    "SJ": "2026-02-28 23:59:59",
    "NR": "AAEC/w==",
}


@pytest.mark.asyncio
async def test_every_kind_comes_back_as_it_went(front: Front) -> None:
    sent = batch(1, parcel(0, TRICKY))
    async with exchange(front) as (transport, collector):
        await transport.send(sent)
        assert [dict(h.fields) for h in collector.held()] == [TRICKY]
        assert await transport.settle(sent) is not None
        await transport.send(sent)
        assert count(front) == 1


#: Alone and together: what a driver quotes, what looks like a placeholder, what could be taken for
#: the end of a value or of a row.
HOSTILE = (
    "'", "''", '"', "\\", "\\'", "a\nb\rc", "\x1a", "%s", "%(a)s", "%%", "'),('", "NULL", "\\N",
    "\\x41", '{"a": 1}',
    "\x1f", "x\x1ey", "\x1d", "\x1c\x7f", "x'); DROP TABLE t; --", "引'号", "😀",
)  # fmt: skip


@pytest.mark.asyncio
async def test_many_rows_at_once_come_back_as_they_went(server: Front) -> None:
    """Every hostile value in a batch of its own and all in one, beside values that are missing,
    and more letters than one statement takes; on MySQL also where a backslash is a letter."""
    await many_rows(server)
    if server.engine.dialect.name == "mysql":
        server.run(f"DELETE FROM {server.name(PROJECT)}")
        url = f"{server.settings.url}?sql_mode=NO_BACKSLASH_ESCAPES"
        await many_rows(replace(server, settings=replace(server.settings, url=url)))


async def many_rows(server: Front) -> None:
    texts = [*HOSTILE, "".join(HOSTILE), *("长" * 60_000 + str(i) for i in range(6))]
    rows = [{"GCDM": f"P{i}", "XMMC": text} for i, text in enumerate(texts)]
    rows += [{"GCDM": f"N{i}", "ZTZ": f"{i}.5"} for i in range(3)]
    plain = {"GCDM": "P", "XMMC": "plain", "NR": "AAEC/w=="}
    async with exchange(server) as (transport, collector):
        for at, row in enumerate([*rows, plain]):
            entries = (
                parcel(0, {**row, "GCDM": f"{row['GCDM']}-alone"}),
                parcel(1, {"GCDM": f"B{at}"}),
            )
            await transport.send(batch(100 + at, *entries, fresh=True))
        together = tuple(parcel(i, row) for i, row in enumerate(rows))
        await transport.send(batch(1, *together, fresh=True))
        held = {h.fields["GCDM"]: dict(h.fields) for h in collector.held()}
    assert len(held) == 3 * len(rows) + 2
    for row in rows:
        assert held[row["GCDM"]] == row
        assert held[f"{row['GCDM']}-alone"] == {**row, "GCDM": f"{row['GCDM']}-alone"}
    assert held["P-alone"] == {**plain, "GCDM": "P-alone"}


#: Column types as a site may have chosen them; each keeps something else than it was given.
OWN_TYPES = {
    "mariadb": {
        "GCDM": "CHAR(20)", "XMMC": "VARCHAR(100)", "ZTZ": "DECIMAL(18,2)", "SL": "VARCHAR(20)",
        "RQ": "DATETIME", "SJ": "DATE", "NR": "LONGTEXT", "BBH": "FLOAT", "MC": "CHAR(10)",
    },
    "postgresql": {
        "GCDM": "CHAR(20)", "XMMC": "VARCHAR(100)", "ZTZ": "NUMERIC(18,2)", "SL": "VARCHAR(20)",
        "RQ": "TIMESTAMP", "SJ": "DATE", "NR": "TEXT", "BBH": "REAL", "MC": "CHAR(10)",
    },
}  # fmt: skip
EXCHANGE_TYPES = {
    "LSH": "BIGINT", "SJYXBS": "CHAR(1)", "SJWXYY": "VARCHAR(200)", "SJSCZT": "DECIMAL(2,0)",
    "SBYY": "VARCHAR(400)",
}  # fmt: skip


def make_own(front: Front, table: str, fields: tuple[str, ...], **changes: str) -> None:
    kind = "mariadb" if front.engine.dialect.name == "mysql" else "postgresql"
    types = {**{f: OWN_TYPES[kind][f] for f in fields}, **changes, **EXCHANGE_TYPES}
    stamped = dict.fromkeys(front.settings.extra, "VARCHAR(30)")
    columns = ", ".join(f"{front.name(n)} {t}" for n, t in {**types, **stamped}.items())
    front.run(f"CREATE TABLE {front.name(table)} ({columns})")


@pytest.mark.asyncio
async def test_what_a_column_makes_of_a_value_is_recognised_after_doubt(server: Front) -> None:
    """Rounded, padded, cut to a day, kept as text: it is there, and it is not written again."""
    make_own(server, PROJECT, ("GCDM", "XMMC", "ZTZ", "SL", "RQ", "SJ", "NR"))
    make_own(server, UNIT, ("GCDM", "BBH", "MC"))
    content = {**TRICKY, "GCDM": "P1 ", "ZTZ": "1234.565", "SL": "7", "XMMC": "尾随空格  "}
    unit = {"GCDM": "P1", "BBH": "0.1", "MC": "乙 "}
    for number, table, entry in ((1, PROJECT, parcel(0, content)), (2, UNIT, parcel(0, unit))):
        sent = batch(number, entry, table=table)
        async with opened(server.settings) as transport:
            assert await transport.settle(sent) is None
            await transport.send(replace(sent, fresh=True))
        async with opened(server.settings) as transport:  # another process, its answer lost
            assert await transport.settle(sent) is not None
            await transport.send(sent)
            assert count(server, table) == 1
            server.run(
                f"UPDATE {server.name(table)} SET {server.name('SJSCZT')} = 2,"
                f" {server.name('SBYY')} = '不符', {server.name('LSH')} = 7"
            )
            assert await words(transport, sent) == [("rejected", "不符")]


@pytest.mark.asyncio
async def test_keys_are_found_in_any_column_type(server: Front) -> None:
    """A number in a text column, texts padded, a composite key with a gap."""
    key = ("GCDM", "BBH")
    make_own(server, UNIT, ("GCDM", "BBH", "MC"), BBH="VARCHAR(8)")
    sent = batch(
        1,
        *(parcel(i, {"GCDM": f"p{i}", "BBH": "1.5", "MC": "甲"}, key=key) for i in range(7)),
        parcel(7, {"GCDM": "P0", "MC": "乙"}, key=key),
        parcel(8, {"MC": "丙"}, key=key),
        table=UNIT,
    )
    async with opened(replace(server.settings, page=3)) as transport:
        assert await transport.settle(sent) is None
        await transport.send(sent)
        settled = await transport.settle(sent)
        assert settled is not None
        assert len(settled) == 9
        await transport.send(sent)
    assert count(server, UNIT) == 9


@pytest.mark.asyncio
@pytest.mark.parametrize("type_", ["TEXT", "VARCHAR(8)", "KINDS", 'VARCHAR(8) COLLATE "loose"'])
async def test_keys_of_several_texts_are_found_on_postgresql(tmp_path: Path, type_: str) -> None:
    """Each row once, also where the column takes two of the keys for one."""
    with front_database("postgresql", tmp_path) as front:
        front.run(
            "CREATE TYPE KINDS AS ENUM ('p1', 'P1', 'p2')",
            "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2',"
            " deterministic = false)",
        )
        make_own(front, UNIT, ("GCDM", "BBH", "MC"), GCDM=type_, BBH="VARCHAR(8)")
        keys = [{"GCDM": code, "BBH": "1.5"} for code in ("p1", "P1", "p2")] + [{"GCDM": "p1"}]
        key = ("GCDM", "BBH")
        entries = [parcel(i, {**keys[i], "MC": "甲"}, key=key) for i in range(4)]
        async with opened(front.settings) as transport:
            await transport.send(batch(1, *entries, table=UNIT, fresh=True))
            asked = [Expected(k, None, b"") for k in (*keys, {"GCDM": "p2"})]
            found = await transport.look_up(f"{STANDARD}/{UNIT}", asked)
        assert [len(looked.rows) for looked in found] == [1, 1, 1, 1, 0]


@pytest.mark.asyncio
async def test_a_batch_is_all_or_nothing_and_its_halves_find_the_bad_row(front: Front) -> None:
    rows = [{"GCDM": f"P{i}", "SL": str(i)} for i in range(300)]
    rows[177]["SL"] = "9223372036854775808"
    sent = batch(1, *(parcel(i, r) for i, r in enumerate(rows)))
    async with exchange(front) as (transport, _):
        with pytest.raises(TransportError) as caught:
            await transport.send(replace(sent, fresh=True))
        assert caught.value.failure is Failure.RECORD
        assert count(front) == 0
        good = batch(2, *(p for p in sent.parcels if p.index != 177))
        await transport.send(replace(good, fresh=True))
        assert count(front) == 299


@pytest.mark.asyncio
@pytest.mark.parametrize("case", ["upper", "lower"])
async def test_schema_names_and_own_columns_are_settings(server: Front, case: str) -> None:
    """The shape of Guangdong cities: a schema `pre_xmjg_<division>`, SCSJ and GXSJ stamped."""
    changes: dict[str, object] = {
        "schema": f"pre_xmjg_{DIVISION}_{case}",
        "suffix": "_V3",
        "table_case": case,
        "column_case": case,
        "extra": {"SCSJ": "@now", "GXSJ": "@now", "LY": "示例"},
    }
    schema = server.name(str(changes["schema"]))
    try:
        async with exchange(server, None, **changes) as (transport, collector):
            sent = projects(1, 2)
            await transport.send(sent)
            assert await transport.settle(sent) is not None
            collector.collect(Random(1))
            assert [w for w, _ in await words(transport, sent)] == ["accepted"] * 2
            found = await transport.compare(packs().tables())
            assert {d.unknown for d in found} == {("SANDBOX_SEQ",)}
            assert not any(d.stops for d in found)
            name, stamp = f"{PROJECT}_V3", "SCSJ"
            if case == "lower":
                name, stamp = name.lower(), stamp.lower()
            stamps = server.rows(f"SELECT {server.name(stamp)} FROM {schema}.{server.name(name)}")
            assert [str(s) for (s,) in stamps] == ["2026-03-01 22:30:00"] * 2
    finally:
        cascade = " CASCADE" if server.engine.dialect.name == "postgresql" else ""
        server.run(f"DROP SCHEMA {schema}{cascade}")


@pytest.mark.asyncio
@pytest.mark.parametrize("engine", ["MyISAM", "Aria"])
async def test_a_table_without_transactions_takes_no_row(tmp_path: Path, engine: str) -> None:
    """What a failed batch had written by then would stay there."""
    with front_database("mariadb", tmp_path) as front:
        Collector(front.settings, packs(), Script()).close()
        table = front.name(UNIT)
        front.run(f"ALTER TABLE {table} ENGINE={engine}")
        async with opened(front.settings) as transport:
            await transport.send(projects(1, 1))
            with pytest.raises(TransportError, match=f"no transactions .ENGINE={engine}") as caught:
                await transport.send(batch(2, parcel(0, {"GCDM": "P1", "BBH": "1"}), table=UNIT))
            assert caught.value.failure is Failure.CONFIGURATION
            stopped = [d.table for d in await transport.compare(packs().tables()) if d.stops]
            assert stopped == [UNIT]
        assert count(front, UNIT) == 0
        front.run(
            f"CREATE TABLE BASE ENGINE=MyISAM AS SELECT * FROM {table}", f"DROP TABLE {table}"
        )
        front.run(f"CREATE VIEW {table} AS SELECT * FROM BASE")
        async with opened(front.settings) as transport:
            assert not any(d.engine for d in await transport.compare(packs().tables())), "a view"


@pytest.mark.asyncio
async def test_a_column_nobody_fills_and_a_wrong_case_are_told_before_the_first_write(
    server: Front,
) -> None:
    make_own(server, PROJECT, ("GCDM", "XMMC", "ZTZ", "SL", "RQ", "SJ"))
    table = server.name(PROJECT)
    server.run(f"ALTER TABLE {table} ADD COLUMN {server.name('BMBM')} VARCHAR(9) NOT NULL")
    async with opened(server.settings) as transport:
        with pytest.raises(TransportError) as caught:
            await transport.send(batch(1, parcel(0, OLD)))
        assert caught.value.failure is Failure.CONFIGURATION
        for word in ("lacks NR", "demands a value for BMBM", "1 columns more"):
            assert word in caught.value.detail
        found = {d.table: d for d in await transport.compare(packs().tables())}
        assert found[UNIT].absent
    if server.engine.dialect.name == "postgresql":
        server.run(f"ALTER TABLE {table} DROP COLUMN {server.name('BMBM')}")
        server.run(f"ALTER TABLE {table} ADD COLUMN {server.name('nr')} TEXT")
        async with opened(server.settings) as transport:
            with pytest.raises(TransportError, match="has nr in another case"):
                await transport.send(batch(1, parcel(0, OLD)))


# -- the fence -----------------------------------------------------------------------------------


class Paused:
    """A session that wrote a batch under its fence and has not committed yet."""

    def __init__(self, front: Front, settings: ExchangeSettings, sent: Batch) -> None:
        from pusher.transports.dialects import connect
        from pusher.transports.exchange_columns import examine
        from pusher.transports.exchange_rows import rows_of
        from pusher.transports.exchange_settings import exchange_table
        from pusher.transports.exchange_sql import insert_rows
        from pusher.transports.fence import raise_fence

        dialect, self.engine = connect(settings)
        self.connection = self.engine.connect()
        self.transaction = self.connection.begin()
        raise_fence(dialect, self.connection, settings, sent.idempotency_key)
        assumed = exchange_table(settings, packs(), f"{STANDARD}/{sent.table}")
        _, place = examine(self.connection, dialect, assumed)
        rows = [row for p in sent.parcels for row in rows_of(p)]
        insert_rows(self.connection, dialect, place, rows, "2026-03-01 22:30:00")

    def commit(self) -> None:
        self.transaction.commit()
        self.end()

    def end(self) -> None:
        """The connection drops: the server ends the session."""
        self.connection.invalidate()
        self.connection.close()
        self.engine.dispose()


@pytest.mark.asyncio
@pytest.mark.parametrize("table", [None, "SPGL_FENCE"])
@pytest.mark.parametrize("commits", [True, False])
async def test_an_old_session_that_commits_after_the_restart_is_waited_for(
    server: Front, table: str | None, commits: bool
) -> None:
    """C22: the new process settles while the old transaction is still open."""
    if table is not None:
        server.run(f"CREATE TABLE {server.name(table)} (NAME VARCHAR(64) NOT NULL PRIMARY KEY)")
        if server.engine.dialect.name == "postgresql":
            server.run(f'ALTER TABLE "{table}" RENAME COLUMN name TO "NAME"')
    settings = replace(server.settings, fence_table=table, lock_timeout=20.0)
    sent = projects(1)
    async with exchange(server, None, fence_table=table, lock_timeout=20.0) as (transport, coll):
        await transport.send(projects(9, 1))  # also makes the row of the fence
        old = await asyncio.to_thread(Paused, server, settings, sent)
        settling = asyncio.create_task(transport.settle(sent))
        await asyncio.sleep(0.3)
        assert not settling.done(), "settled past a transaction that was still open"
        await asyncio.to_thread(old.commit if commits else old.end)
        settled = await settling
        assert (settled is not None) is commits
        if settled is None:
            await transport.send(sent)
        coll.collect(Random(1))
        assert len(coll.held()) == 4
        assert repeats(coll.effects()) == []


@pytest.mark.asyncio
async def test_a_fence_that_stays_taken_leaves_the_doubt(server: Front) -> None:
    sent = projects(1)
    async with exchange(server, None, lock_timeout=1.0) as (transport, _):
        old = await asyncio.to_thread(Paused, server, server.settings, sent)
        with pytest.raises(TransportError) as caught:
            await transport.settle(sent)
        assert caught.value.failure is Failure.ROLLED_BACK
        with suppress(TransportError):  # other batches go on meanwhile
            await transport.send(projects(2, 1))
        old.commit()
        assert await transport.settle(sent) is not None
    assert count(server) == 4


@pytest.mark.asyncio
async def test_the_fence_is_given_back_after_every_end(server: Front) -> None:
    async with exchange(server) as (transport, _):
        with pytest.raises(TransportError):
            await transport.send(batch(1, parcel(0, {"GCDM": "P1", "SL": "9" * 30})))
        assert await transport.settle(batch(1, parcel(0, OLD))) is None
        assert await transport.send(batch(1, parcel(0, OLD)))
        async with opened(server.settings) as other:  # while the first keeps its connection
            assert await other.settle(batch(1, parcel(0, OLD))) is not None


@pytest.mark.asyncio
async def test_a_connection_ended_by_the_server_is_in_doubt_and_replaced(server: Front) -> None:
    async with exchange(server) as (transport, collector):
        await transport.send(projects(1))
        kill_sessions(server)
        sent = projects(2)
        failures = []
        for _ in range(3):
            try:
                await transport.send(sent)
            except TransportError as fault:
                failures.append(fault.failure)
        assert failures
        assert set(failures) <= {Failure.UNREACHABLE, Failure.IN_DOUBT}
        assert len(failures) < 3
        collector._engine.dispose()
        assert len(collector.held()) == 6


def kill_sessions(front: Front) -> None:
    """End every other session on the test's own database."""
    with front.engine.connect() as connection:
        if front.engine.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return
        sql = (
            "SELECT ID FROM information_schema.PROCESSLIST"
            " WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"
        )
        for (number,) in connection.exec_driver_sql(sql).all():
            with suppress(sa.exc.OperationalError):
                connection.exec_driver_sql(f"KILL {number:d}")
