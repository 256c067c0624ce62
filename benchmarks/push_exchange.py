"""Records a second into an exchange database, against the same driver without a ledger.

Four ways over the same records and tables, taking turns: a bare multi-row insert, 500 a
transaction; `spgl push`'s way with a full-sync ledger, 500 a transaction, until the last row is
confirmed; our imitation of the deployed systems, one insert and commit and one local update and
commit a row over pooled connections; and reading verdicts back, by pages of keys against one select
a key. Every row must stand in the database afterwards, once.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from benchmarks.machine import Aim
from benchmarks.wide_table import TABLE
from pusher.delivery import deliver
from pusher.ledger.core import Ledger, open_ledger
from pusher.ledger.enter import enter
from pusher.sandbox.exchange_tables import create_tables
from pusher.target import Target
from pusher.transport import Awaited, VerdictPage
from pusher.transports.dialects import connect
from pusher.transports.exchange_db import ExchangeTransport
from pusher.transports.exchange_settings import ExchangeSettings
from pusher.world import World
from spgl.log import logger
from validator.lexical import canonical
from validator.load import load_packs
from validator.pack import Packs
from validator.records import Record

SIZE = 500
SERVERS = {
    "mariadb": ("SPGL_TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/"),
    "postgresql": ("SPGL_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
}  # fmt: skip
PAGES = ("before a word has come", "answered", "answered, contents compared")
AIMS = {
    "push": Aim("push ÷ bare insert, 500 a transaction", 0.88, least=True),
    "row by row": Aim("push ÷ insert and commit row by row", 12.0, least=True),
    "look-up": Aim("verdicts by pages ÷ one select a key", 10.0, least=True),
}


class Watched(ExchangeTransport):
    """Notes when sending was over: when it is first asked for verdicts."""

    sent_at = 0.0

    async def verdicts(
        self, standard: str, awaited: Sequence[Awaited], cursor: str | None
    ) -> VerdictPage:
        self.sent_at = self.sent_at or time.perf_counter()
        return VerdictPage((), None, more=False)


@dataclass(slots=True)
class Bench:
    """An empty exchange database and the records for it."""

    settings: ExchangeSettings
    engine: sa.Engine
    packs: Packs
    rows: Sequence[Record]

    def __post_init__(self) -> None:
        create_tables(self.engine, self.settings, self.packs)
        self.run(f"CREATE TABLE {self.name('BENCH_LOCAL')} (ID INT PRIMARY KEY, DONE INT)")

    def name(self, text: str) -> str:
        return self.engine.dialect.identifier_preparer.quote_identifier(text)

    def keys(self) -> list[str]:
        """The columns of the key, quoted."""
        return [self.name(name) for name in self.rows[0].key]

    def run(self, sql: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(sql)

    def empty(self) -> None:
        self.run(f"DELETE FROM {self.name(TABLE)}")

    def stands(self, count: int) -> None:
        with self.engine.connect() as connection:
            keys = f"SELECT DISTINCT {', '.join(self.keys())} FROM {self.name(TABLE)}"
            sql = f"SELECT (SELECT COUNT(*) FROM {self.name(TABLE)}), COUNT(*) FROM ({keys}) k"
            found = tuple(connection.exec_driver_sql(sql).one())
        if found != (count, count):
            raise RuntimeError(f"{found} rows and keys stand there, not {count}")

    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for r in self.rows[:500] for name in r.content))

    def statement(self) -> str:
        names = [*self.columns(), "SJYXBS", "SJSCZT"]
        columns = ", ".join(self.name(n) for n in names)
        marks = ", ".join(["%s"] * len(names))
        return f"INSERT INTO {self.name(TABLE)} ({columns}) VALUES ({marks})"

    def lines(self, rows: Sequence[Record]) -> list[tuple[object, ...]]:
        names = self.columns()
        return [(*map(r.content.get, names), 1, 0) for r in rows]


def bare(bench: Bench) -> float:
    """Seconds of the driver alone, 500 rows a transaction."""
    raw = bench.engine.raw_connection()
    sql, started = bench.statement(), time.perf_counter()
    for start in range(0, len(bench.rows), SIZE):
        cursor = raw.cursor()
        cursor.executemany(sql, bench.lines(bench.rows[start : start + SIZE]))
        raw.commit()
    taken = time.perf_counter() - started
    raw.close()
    bench.stands(len(bench.rows))
    return taken


def row_by_row(bench: Bench, count: int) -> float:
    """Seconds for `count` rows, each with two commits on open connections."""
    raw, local = bench.engine.raw_connection(), bench.engine.raw_connection()
    cursor, mine = raw.cursor(), local.cursor()
    mine.execute(f"DELETE FROM {bench.name('BENCH_LOCAL')}")
    insert = f"INSERT INTO {bench.name('BENCH_LOCAL')} VALUES (%s, 0)"
    mine.executemany(insert, [(i,) for i in range(count)])
    local.commit()
    update = f"UPDATE {bench.name('BENCH_LOCAL')} SET DONE = 1 WHERE ID = %s"
    sql, started = bench.statement(), time.perf_counter()
    for i, line in enumerate(bench.lines(bench.rows[:count])):
        cursor.execute(sql, line)
        raw.commit()
        mine.execute(update, (i,))
        local.commit()
    taken = time.perf_counter() - started
    raw.close()
    local.close()
    bench.stands(count)
    return taken


def push(bench: Bench, folder: Path) -> float:
    """Seconds from the first claim to the last confirmed row, ledger and log on disk; as for the
    bare insert, the connection is there already."""
    target = Target("bench", batch_records=SIZE, concurrency=1, wait=0.0)
    ledger = open_ledger(folder / "ledger.db")
    transport = Watched(bench.settings, bench.packs)
    with (folder / "attempts.jsonl").open("w") as log:
        world = World(lambda: datetime.now(UTC), Random(1), logger(log, json=True))
        enter(ledger, bench.rows, target, "bench", datetime.now(UTC))
        started = asyncio.run(_delivered(bench, target, ledger, transport, world))
    ledger.audit()
    ledger.close()
    bench.stands(len(bench.rows))
    return transport.sent_at - started


async def _delivered(
    bench: Bench, target: Target, ledger: Ledger, transport: ExchangeTransport, world: World
) -> float:
    """Deliver; when that began."""
    await transport.open()
    started = time.perf_counter()
    await deliver(ledger, target, transport, bench.packs, run_id="bench", world=world)
    return started


def pages(bench: Bench, words: int, *, sole: bool = True) -> float:
    """Seconds to ask for the verdicts of all rows, 500 keys a page; `words` must have come. Of
    records that had other versions (not `sole`) the content is read and compared."""
    asked = [
        Awaited(
            i, "data-sharing-3.0", TABLE, r.division, r.key, "", r.operation, r.content, sole=sole
        )
        for i, r in enumerate(bench.rows)
    ]

    async def ask() -> float:
        transport = ExchangeTransport(bench.settings, bench.packs)
        await transport.open()
        found, started = 0, time.perf_counter()
        for start in range(0, len(asked), SIZE):
            page = await transport.verdicts("data-sharing-3.0", asked[start : start + SIZE], None)
            found += len(page.verdicts)
        taken = time.perf_counter() - started
        await transport.close()
        if found != words:
            raise RuntimeError(f"{found} of {words} verdicts")
        return taken

    return asyncio.run(ask())


def one_by_one(bench: Bench, count: int) -> float:
    """Seconds for `count` keys, a select of all columns each."""
    raw = bench.engine.raw_connection()
    cursor = raw.cursor()
    names = ", ".join(bench.name(n) for n in (*bench.columns(), "SJSCZT", "LSH", "SBYY"))
    keys = list(bench.rows[0].key)
    where = " AND ".join(f"{bench.name(k)} = %s" for k in keys)
    sql = f"SELECT {names} FROM {bench.name(TABLE)} WHERE {where}"
    started = time.perf_counter()
    for record in bench.rows[:count]:
        cursor.execute(sql, tuple(record.key[k] for k in keys))
        if len(cursor.fetchall()) != 1:
            raise RuntimeError("a row is missing")
    taken = time.perf_counter() - started
    raw.close()
    return taken


def measure(kind: str, rows: Sequence[Record], repeat: int) -> list[str]:
    """All four ways into one server; lines with aims."""
    few = max(100, len(rows) // 20)
    ways = ("bare", "push", "row by row", *PAGES, "one by one")
    best = dict.fromkeys(ways, 0.0)

    def note(what: str, count: int, seconds: float) -> None:
        best[what] = max(best[what], count / seconds)

    with database(kind) as url:
        text = url.render_as_string(hide_password=False)
        settings = ExchangeSettings(text, connections=2)
        _, engine = connect(settings)
        packs = load_packs()
        bench = Bench(settings, engine, packs, [in_canonical_form(packs, r) for r in rows])
        for _ in range(repeat):
            bench.empty()
            note("bare", len(rows), bare(bench))
            bench.empty()
            note("row by row", few, row_by_row(bench, few))
            bench.empty()
            with tempfile.TemporaryDirectory() as folder:
                note("push", len(rows), push(bench, Path(folder)))
            _settle(bench)
            note(PAGES[0], len(rows), pages(bench, 0))
            _answer(bench)
            note(PAGES[1], len(rows), pages(bench, len(rows)))
            note(PAGES[2], len(rows), pages(bench, len(rows), sole=False))
            note("one by one", few, one_by_one(bench, few))
        engine.dispose()
    rates = ", ".join(f"{what} {rate:,.0f}/s" for what, rate in best.items())
    return [
        f"{kind}: {rates}",
        f"  {AIMS['push'].said(best['push'] / best['bare'])}",
        f"  {AIMS['row by row'].said(best['push'] / best['row by row'])}",
        f"  {AIMS['look-up'].said(best[PAGES[1]] / best['one by one'])};"
        f" {best[PAGES[0]] / best['one by one']:.2f} {PAGES[0]},"
        f" {best[PAGES[2]] / best['one by one']:.2f} {PAGES[2]}",
    ]


def in_canonical_form(packs: Packs, record: Record) -> Record:
    """The record as the second pass of a validation hands it over."""
    fields = packs.table(record.table).by_name
    content = {n: canonical(fields[n].kind, text) for n, text in record.content.items()}
    return replace(record, content=content, key={name: content[name] for name in record.key})


def _settle(bench: Bench) -> None:
    """Fresh statistics, as the server's own upkeep has them a minute after a load."""
    kind = "" if bench.engine.dialect.name == "postgresql" else "TABLE "
    bench.run(f"ANALYZE {kind}{bench.name(TABLE)}")


def _answer(bench: Bench) -> None:
    """Every row taken over, as the national system would have it."""
    names = [bench.name(n) for n in ("SJSCZT", "LSH", "SANDBOX_SEQ")]
    bench.run(f"UPDATE {bench.name(TABLE)} SET {names[0]} = 3, {names[1]} = {names[2]}")


@contextmanager
def database(kind: str) -> Iterator[URL]:
    """An empty database on the server of a kind, dropped at the end. SQLAlchemyError without it."""
    variable, default = SERVERS[kind]
    server = make_url(os.environ.get(variable, default))
    name = f"spgl_bench_{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        more = " CHARACTER SET utf8mb4" if kind == "mariadb" else ""
        connection.exec_driver_sql(f"CREATE DATABASE {name}{more}")
    try:
        yield server.set(database=name)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
