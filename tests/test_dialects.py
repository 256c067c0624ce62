"""Failure codes as real servers give them; SQL of the databases that nobody has here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from front_databases import Front, front_database
from transport_values import PROJECT, STANDARD, packs

from pusher.transport import Failure, TransportError
from pusher.transports.columns import Family, RealColumn, stored
from pusher.transports.dialect import Phase
from pusher.transports.dialects import DIALECTS, connect
from pusher.transports.dialects.postgresql import version_reader
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.exchange_rows import NewRow
from pusher.transports.exchange_settings import ExchangeSettings, exchange_table
from pusher.transports.exchange_sql import insert_rows, key_conditions
from pusher.transports.fence import fence_ddl, raise_fence
from validator.pack import Kind

CHILD = "CREATE TABLE c (id INT REFERENCES t (id))"
TABLE = "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(2), d DATE, n INT NOT NULL)"

#: What is run on tables `t` and `c`, the code it gets, and its class, per database.
PROVOKED: dict[str, list[tuple[str, str, Failure]]] = {
    "mariadb": [
        ("INSERT INTO t VALUES (1, 'a', NULL, 1), (1, 'a', NULL, 1)", "1062", Failure.DUPLICATE),
        ("INSERT INTO c VALUES (99)", "1452", Failure.PARENT),
        ("INSERT INTO t VALUES (1, 'abc', NULL, 1)", "1406", Failure.RECORD),
        ("INSERT INTO t VALUES (99999999999, 'a', NULL, 1)", "1264", Failure.RECORD),
        ("INSERT INTO t VALUES (1, 'a', '2026-02-30', 1)", "1292", Failure.RECORD),
        ("INSERT INTO t VALUES ('x', 'a', NULL, 1)", "1366", Failure.RECORD),
        ("INSERT INTO t VALUES (1, 'a', NULL, NULL)", "1048", Failure.RECORD),
        ("INSERT INTO t (id) VALUES (1)", "1364", Failure.CONFIGURATION),
        ("INSERT INTO t (id, nope) VALUES (1, 1)", "1054", Failure.CONFIGURATION),
        ("INSERT INTO nope VALUES (1)", "1146", Failure.CONFIGURATION),
        ("INSERT INTO t VALUES", "1064", Failure.CONFIGURATION),
        ("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '拒绝'", "1644", Failure.RECORD),
        ("SET STATEMENT max_statement_time=0.01 FOR SELECT SLEEP(9)", "1969", Failure.ROLLED_BACK),
        ("KILL CONNECTION_ID()", "1927", Failure.IN_DOUBT),
    ],
    "postgresql": [
        ("INSERT INTO t VALUES (1, 'a', NULL, 1), (1, 'a', NULL, 1)", "23505", Failure.DUPLICATE),
        ("INSERT INTO c VALUES (99)", "23503", Failure.PARENT),
        ("INSERT INTO t VALUES (1, 'abc', NULL, 1)", "22001", Failure.RECORD),
        ("INSERT INTO t VALUES ('99999999999', 'a', NULL, 1)", "22003", Failure.RECORD),
        ("INSERT INTO t VALUES (1, 'a', '2026-02-30', 1)", "22008", Failure.RECORD),
        ("INSERT INTO t VALUES ('x', 'a', NULL, 1)", "22P02", Failure.RECORD),
        ("INSERT INTO t VALUES (1, 'a', NULL, NULL)", "23502", Failure.RECORD),
        ("INSERT INTO t (id, nope) VALUES (1, 1)", "42703", Failure.CONFIGURATION),
        ("INSERT INTO nope VALUES (1)", "42P01", Failure.CONFIGURATION),
        ("INSERT INTO t VALUES", "42601", Failure.CONFIGURATION),
        ("DO $$ BEGIN RAISE EXCEPTION '拒绝'; END $$", "P0001", Failure.RECORD),
        ("SELECT pg_sleep(30)", "57014", Failure.ROLLED_BACK),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "57P01", Failure.IN_DOUBT),
        ("SET TRANSACTION READ ONLY; INSERT INTO t VALUES (1, 'a', NULL, 1)", "25006",
         Failure.ROLLED_BACK),
    ],
}  # fmt: skip


@pytest.fixture(scope="module", params=list(PROVOKED))
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    with front_database(request.param, Path()) as made:
        made.run(TABLE, CHILD if request.param == "postgresql" else f"{CHILD[:-1]}, "
                 "FOREIGN KEY (id) REFERENCES t (id))")  # fmt: skip
        yield made


def test_codes_of_real_servers(front: Front) -> None:
    """Every code as the server itself gives it, so that the tables are no memory."""
    kind = "mariadb" if front.engine.dialect.name == "mysql" else "postgresql"
    dialect, engine = connect(replace(front.settings, total_timeout=1.0, lock_timeout=0.5))
    for sql, code, expected in PROVOKED[kind]:
        with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql(sql)
        fault = caught.value.orig
        assert fault is not None
        assert dialect.code(fault) == code, sql
        assert dialect.classify(fault, Phase.WORKING) is expected, sql
    engine.dispose()


def test_a_row_locked_by_another_session_is_rolled_back(front: Front) -> None:
    front.run("INSERT INTO t VALUES (7, 'a', NULL, 1)")
    dialect, engine = connect(replace(front.settings, lock_timeout=1.0))
    with front.engine.begin() as holder:
        holder.exec_driver_sql("UPDATE t SET n = 2 WHERE id = 7")
        with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql("UPDATE t SET n = 3 WHERE id = 7")
    fault = caught.value.orig
    assert fault is not None
    assert dialect.code(fault) in ("1205", "55P03")
    assert dialect.classify(fault, Phase.WORKING) is Failure.ROLLED_BACK
    engine.dispose()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda url: url.set(port=1), Failure.UNREACHABLE),
        (lambda url: url.set(host="no-such-host.invalid"), Failure.UNREACHABLE),
        (lambda url: url.set(database="spgl_no_such_database"), Failure.CONFIGURATION),
        (lambda url: url.set(username="spgl_nobody"), Failure.CONFIGURATION),
    ],
)
async def test_a_connection_that_fails_has_its_class(
    front: Front, change: Callable[[sa.URL], sa.URL], expected: Failure
) -> None:
    url = change(sa.engine.make_url(front.settings.url))
    transport = ExchangeTransport(replace(front.settings, url=str(url)), packs())
    with pytest.raises(TransportError) as caught:
        await transport.open()
    assert caught.value.failure is expected


@pytest.mark.parametrize(
    ("kind", "code", "phase", "expected"),
    [
        ("mysql", 1213, Phase.WORKING, Failure.ROLLED_BACK),
        ("mysql", 1290, Phase.WORKING, Failure.ROLLED_BACK),
        ("mysql", 1226, Phase.WORKING, Failure.THROTTLED),
        ("mysql", 1153, Phase.WORKING, Failure.TOO_LARGE),
        ("mysql", 1040, Phase.CONNECTING, Failure.UNREACHABLE),
        ("mysql", 2013, Phase.CONNECTING, Failure.UNREACHABLE),
        ("mysql", 2013, Phase.WORKING, Failure.IN_DOUBT),
        ("mysql", 2013, Phase.COMMITTING, Failure.IN_DOUBT),
        ("mysql", 9999, Phase.WORKING, Failure.ROLLED_BACK),
        ("mysql", 9999, Phase.COMMITTING, Failure.IN_DOUBT),
        ("postgresql", "40P01", Phase.WORKING, Failure.ROLLED_BACK),
        ("postgresql", "53300", Phase.CONNECTING, Failure.UNREACHABLE),
        ("postgresql", "53400", Phase.WORKING, Failure.THROTTLED),
        ("postgresql", "08006", Phase.CONNECTING, Failure.UNREACHABLE),
        ("postgresql", "08006", Phase.COMMITTING, Failure.IN_DOUBT),
        ("postgresql", "40003", Phase.COMMITTING, Failure.IN_DOUBT),
        ("postgresql", "XX000", Phase.WORKING, Failure.ROLLED_BACK),
        ("oracle", 1, Phase.WORKING, Failure.DUPLICATE),
        ("oracle", 2291, Phase.WORKING, Failure.PARENT),
        ("oracle", 12899, Phase.WORKING, Failure.RECORD),
        ("oracle", 942, Phase.WORKING, Failure.CONFIGURATION),
        ("oracle", 60, Phase.WORKING, Failure.ROLLED_BACK),
        ("oracle", 12541, Phase.CONNECTING, Failure.UNREACHABLE),
        ("oracle", 3113, Phase.COMMITTING, Failure.IN_DOUBT),
        ("dm", -6602, Phase.WORKING, Failure.DUPLICATE),
        ("dm", -2106, Phase.WORKING, Failure.CONFIGURATION),
        ("dm", -9999, Phase.WORKING, Failure.IN_DOUBT),
    ],
)
def test_codes_that_no_test_provokes(
    kind: str, code: int | str, phase: Phase, expected: Failure
) -> None:
    fault: Exception = Exception(code, "x")
    if kind == "postgresql":
        fault.sqlstate = code  # type: ignore[attr-defined]
    elif kind in ("oracle", "dm"):
        fault = Exception(SimpleNamespace(code=code))
    assert DIALECTS[kind].classify(fault, phase) is expected


@pytest.mark.parametrize(
    ("kind", "text", "family", "scale", "expected"),
    [
        (Kind.TEXT, "文字 ", Family.TEXT, None, "文字 "),
        (Kind.TEXT, "文字 ", Family.PADDED, None, "文字"),
        (Kind.TEXT, "01", Family.INTEGER, None, "1"),
        (Kind.TEXT, "2026-02-28", Family.DATETIME, None, "2026-02-28 00:00:00"),
        (Kind.TEXT, "2026-02-28 10:00:00", Family.DATE, None, "2026-02-28"),
        (Kind.DECIMAL, "1.005", Family.DECIMAL, 2, "1.01"),
        (Kind.DECIMAL, "-1.005", Family.DECIMAL, 2, "-1.01"),
        (Kind.DECIMAL, "1.005", Family.DECIMAL, None, "1.005"),
        (Kind.DECIMAL, "0.1", Family.SINGLE, None, "0.1"),
        (Kind.DECIMAL, "16777217", Family.SINGLE, None, "16777200"),
        (Kind.DECIMAL, "12345678901234567890.5", Family.DOUBLE, None, "12345678901234567000"),
        (Kind.DATE, "2026-02-28", Family.DATETIME, None, "2026-02-28"),
        (Kind.DATETIME, "2026-02-28 10:00:00", Family.DATE, None, "2026-02-28 00:00:00"),
        (Kind.INTEGER, "7", Family.DECIMAL, 2, "7"),
    ],
)
def test_what_a_column_keeps(
    kind: Kind, text: str, family: Family, scale: int | None, expected: str
) -> None:
    column = RealColumn("C", family, scale)
    assert stored(kind, text, column) == expected
    assert stored(kind, expected, column) == expected


def compiled(kind: str) -> list[str]:
    """SQL of the fence, an insert and a look-up, as it would go to the server."""
    settings = ExchangeSettings(f"{kind}://city@example.invalid/front", fence_table="SPGL_FENCE")
    place = exchange_table(settings, packs(), f"{STANDARD}/{PROJECT}")
    dialect = sa.engine.make_url(settings.url).get_dialect()()
    recorded: list[str] = [fence_ddl(settings, dialect)]

    def run(statement: sa.Executable, *_: object) -> None:
        assert isinstance(statement, sa.ClauseElement)
        made = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        recorded.append(" ".join(str(made).split()))

    session = SimpleNamespace(
        dialect=dialect,
        execute=lambda statement: run(statement) or SimpleNamespace(first=lambda: None),
        exec_driver_sql=lambda sql, *_: recorded.append(" ".join(sql.split())),
    )
    raise_fence(DIALECTS[kind], session, settings, "x")  # type: ignore[arg-type]
    row = NewRow({"GCDM": "P1", "SL": "1"}, True, "")
    insert_rows(session, DIALECTS[kind], place, [row], "2026-03-01")  # type: ignore[arg-type]
    for condition in key_conditions(DIALECTS[kind], place, ("GCDM", "SL"), [("P1", "1")], 500):
        run(sa.select(place.columns["GCDM"]).where(condition))
    return recorded


def test_keys_of_several_texts_are_two_arrays_on_postgresql_however_many_they_are() -> None:
    """A list of tuples is an OR there: slow to plan, slower to try."""
    place = exchange_table(ExchangeSettings("postgresql://"), packs(), f"{STANDARD}/{PROJECT}")
    dialect, made = sa.engine.make_url("postgresql+psycopg://").get_dialect()(), set()
    for count in (2, 300):
        keys = [(f"P{i}", "名") for i in range(count)]
        (condition,) = key_conditions(DIALECTS["postgresql"], place, ("GCDM", "XMMC"), keys, 500)
        made.add(str(condition.compile(dialect=dialect)))
    (sql,) = made
    assert "unnest(" in sql
    assert "P1" not in sql


@pytest.mark.parametrize("kind", ["oracle", "dm"])
def test_sql_of_databases_never_run_is_at_least_compiled(kind: str) -> None:
    try:
        sa.engine.make_url(f"{kind}://").get_dialect()
    except Exception as fault:  # a vendor package fails in ways of its own
        pytest.skip(f"the SQLAlchemy dialect of {kind} is not installed: {fault}")
    ddl, fence, row, insert, *look = compiled(kind)
    assert ddl == 'CREATE TABLE "SPGL_FENCE" (NAME VARCHAR(64) NOT NULL PRIMARY KEY)'
    assert fence.endswith("FOR UPDATE")
    assert row.startswith('INSERT INTO "SPGL_FENCE"')
    assert insert.startswith(f'INSERT INTO "{PROJECT}" ("GCDM"')
    assert ("P1" in insert, ":" in insert or "?" in insert) == (False, True)
    assert len(look) == 1
    assert "IN (" in look[0]


def test_a_database_without_a_lock_of_its_own_asks_for_a_table() -> None:
    with pytest.raises(TransportError, match="fence_table"):
        raise_fence(DIALECTS["oracle"], sa.Connection, ExchangeSettings("oracle://"), "x")  # type: ignore[arg-type]


def test_a_server_of_the_family_with_another_name_is_taken_for_an_old_postgresql() -> None:
    def read(_: object) -> tuple[int, ...]:
        raise AssertionError("Could not determine version from string 'HighGo Database 9 ...'")

    assert version_reader(read)(None) == (9, 6)  # type: ignore[arg-type]
    assert version_reader(lambda _: (15, 20))(None) == (15, 20)  # type: ignore[arg-type]
