"""`Database` on PostgreSQL, for ledgers that several processes share, on one machine or many.

Writers take turns by an advisory lock, as they do on SQLite: a transaction is a claim or a group of
outcomes and lasts milliseconds, while requests to the target run side by side. Claims that skip
each other's locked rows would let a child enter while its parent's outcome is being written, and
neither would see the other. Who is alive is `pusher.ledger.lease`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.pq import TransactionStatus

from pusher.ledger.database import LedgerError, MissingLedgerError, Row, scripts, statements
from validator.text import Text

#: First numbers of our advisory locks: turns of writing, migrations, runs by target.
WRITING, MIGRATING, RUNNING = 0x5350, 0x5351, 0x5352
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
#: A client that stopped or vanished must not keep its turn of writing: its session ends.
_SETTINGS = (
    "-c synchronous_commit=on -c statement_timeout=0 -c search_path={schema} "
    "-c idle_in_transaction_session_timeout=60s "
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)


class _Whole(Dumper):
    """Truth as the ledger stores it: 1 and 0."""

    def dump(self, obj: Any) -> bytes:
        return b"1" if obj else b"0"


class _Number(Loader):
    """Sums of whole numbers, which PostgreSQL calls numeric."""

    def load(self, data: Any) -> int:
        return int(bytes(data))


class Postgres:
    """`pusher.ledger.database.Database` on one session of PostgreSQL.

    `url` is a SQLAlchemy-style address without password (`PGPASSWORD` or `PGPASSFILE` hold it);
    tables live in `schema`. `read_only`: never writes, not even to migrate. Raises LedgerError.
    """

    shared = True

    def __init__(
        self,
        url: str,
        schema: str = "spgl",
        migrations: Sequence[str] | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        if not _SCHEMA.fullmatch(schema):
            raise LedgerError(_BAD_SCHEMA.fill({"schema": schema}))
        self.url = url
        self.schema = schema
        options = _SETTINGS.format(schema=schema)
        if read_only:
            options += " -c default_transaction_read_only=on"
        try:
            self._db = psycopg.connect(
                url.replace("postgresql+psycopg://", "postgresql://", 1),
                autocommit=True,
                connect_timeout=15,
                application_name="spgl",
                options=options,
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
            )
            self._db.adapters.register_dumper(bool, _whole())
            self._db.adapters.register_loader("numeric", _Number)
            self._cursor = self._db.cursor()
            self._cursor.execute("SELECT set_config('TimeZone', %s, false)", (_zone(),))
        except psycopg.Error as fault:
            raise LedgerError(_UNUSABLE.fill({"url": url, "fault": _said(fault)})) from fault
        wanted = scripts() if migrations is None else tuple(migrations)
        try:
            self._check(wanted) if read_only else self._migrate(wanted)
        except psycopg.Error as fault:
            self._db.close()
            raise LedgerError(_UNUSABLE.fill({"url": url, "fault": _said(fault)})) from fault
        except LedgerError:
            self._db.close()
            raise

    # -- schema ------------------------------------------------------------------------------

    def _check(self, wanted: Sequence[str]) -> None:
        found = self._cursor.execute("SELECT to_regclass('spgl_schema')").fetchone()
        if found is None or found[0] is None:
            raise MissingLedgerError(_MISSING.fill({"url": self.url, "schema": self.schema}))
        version = self._version()
        if version != len(wanted):
            values = {"url": self.url, "version": version, "known": len(wanted)}
            raise LedgerError((_NEWER if version > len(wanted) else _OLDER).fill(values))

    def _migrate(self, wanted: Sequence[str]) -> None:
        """Bring the schema up to date in one transaction; others wait for it."""
        with self._db.transaction():
            self._cursor.execute(f"SELECT pg_advisory_xact_lock({MIGRATING}, {self._key()})")
            found = self._cursor.execute("SELECT to_regclass('spgl_schema')").fetchone()
            if found is None or found[0] is None:
                self._cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
                self._cursor.execute("CREATE TABLE spgl_schema (version BIGINT NOT NULL)")
                self._cursor.execute("INSERT INTO spgl_schema VALUES (0)")
            self._cursor.execute(_FUNCTIONS)
            version = self._version()
            if version > len(wanted):
                values = {"url": self.url, "version": version, "known": len(wanted)}
                raise LedgerError(_NEWER.fill(values))
            for script in wanted[version:]:
                for statement in statements(translated(script)):
                    self._cursor.execute(statement.encode())
            self._cursor.execute("UPDATE spgl_schema SET version = %s", (len(wanted),))

    def _version(self) -> int:
        row = self._cursor.execute("SELECT version FROM spgl_schema").fetchone()
        return int(row[0]) if row else 0

    def _key(self) -> str:
        return f"hashtext('{self.schema}')"

    # -- Database ----------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return self._db.info.transaction_status != TransactionStatus.IDLE

    def begin(self) -> None:
        self.run("BEGIN")
        self.rows(f"SELECT pg_advisory_xact_lock({WRITING}, {self._key()})")

    def commit(self) -> None:
        if self._db.info.transaction_status == TransactionStatus.INERROR:
            raise LedgerError(_TROUBLE.fill({"fault": "the transaction had failed"}))
        self.run("COMMIT")

    def rollback(self) -> None:
        if not self._db.closed and self.busy:
            self._db.rollback()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        try:
            return self._cursor.execute(_words(sql), values).fetchall()
        except psycopg.Error as fault:
            raise LedgerError(_TROUBLE.fill({"fault": _said(fault)})) from fault

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        try:
            return self._cursor.execute(_words(sql), values).rowcount
        except psycopg.Error as fault:
            raise LedgerError(_TROUBLE.fill({"fault": _said(fault)})) from fault

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        given = list(rows)
        if not given:
            return 0
        try:
            self._cursor.executemany(_words(sql), given)
        except psycopg.Error as fault:
            raise LedgerError(_TROUBLE.fill({"fault": _said(fault)})) from fault
        return self._cursor.rowcount

    def lock(self, name: str) -> bool:
        """Take the right called `name` for as long as this session lives; False: another has it."""
        sql = f"SELECT pg_try_advisory_lock({RUNNING}, hashtext(?))"
        return bool(self.rows(sql, (f"{self.schema}/{name}",))[0][0])

    def unlock(self, name: str) -> None:
        if not self._db.closed:
            sql = f"SELECT pg_advisory_unlock({RUNNING}, hashtext(?))"
            self.rows(sql, (f"{self.schema}/{name}",))

    def close(self) -> None:
        self.rollback()
        self._db.close()


def translated(script: str) -> str:
    """A migration in the words of PostgreSQL: types, and tables without a row id."""
    for pattern, words in _TRANSLATION:
        script = re.sub(pattern, words, script)
    return script


_TRANSLATION = (
    (r"--[^\n]*", ""),
    (r"\bINTEGER PRIMARY KEY\b", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
    (r"\bINTEGER\b", "BIGINT"),
    (r"\bREAL\b", "DOUBLE PRECISION"),
    (r"\bBLOB NOT NULL DEFAULT x''", "BYTEA NOT NULL DEFAULT ''"),
    (r"\bBLOB\b", "BYTEA"),
    (r"\) WITHOUT ROWID;", ");"),
)


@lru_cache(maxsize=512)
def _words(sql: str) -> bytes:
    """`?` as psycopg wants it; statements of the ledger hold no question mark of their own."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _whole() -> type[Dumper]:
    _Whole.oid = psycopg.adapters.types["int8"].oid
    return _Whole


def _zone() -> str:
    """The zone of local times, as an offset in words of POSIX (whose signs are the other way)."""
    from datetime import datetime

    offset = datetime.now().astimezone().utcoffset()
    minutes = 0 if offset is None else int(offset.total_seconds() // 60)
    sign = "-" if minutes >= 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _said(fault: BaseException) -> str:
    """The first line: drivers add where in the statement, which says nothing to a person."""
    return str(fault).strip().partition("\n")[0] or type(fault).__name__


#: What statements of the ledger call and only SQLite has, as functions of the schema.
_FUNCTIONS = b"""
CREATE OR REPLACE FUNCTION json_each(list text) RETURNS TABLE (key bigint, value bigint)
LANGUAGE sql IMMUTABLE ROWS 100 AS $$
  SELECT place - 1, member::bigint
  FROM jsonb_array_elements_text(list::jsonb) WITH ORDINALITY AS given (member, place)
$$;
CREATE OR REPLACE FUNCTION json_extract(document text, path text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN path = '$[0]' THEN document::jsonb ->> 0
    ELSE document::jsonb ->> substr(path, 3) END
$$;
CREATE OR REPLACE FUNCTION strftime(format text, value text, modifier text)
RETURNS double precision LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN extract(epoch FROM value::timestamp AT TIME ZONE current_setting('TimeZone'));
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
"""
_BAD_SCHEMA = Text(
    "台账模式名 {schema} 不合法：只用小写字母、数字和下划线",
    "ledger schema {schema} is no plain name; use lower-case letters, digits and underscores",
)
_UNUSABLE = Text(
    "台账 {url} 无法使用：{fault}。请检查地址、账号（PGPASSWORD 或 PGPASSFILE）和权限",
    "ledger {url} cannot be used: {fault}; check its address, account (PGPASSWORD or PGPASSFILE) "
    "and privileges",
)
_MISSING = Text(
    "{url} 的模式 {schema} 中没有台账；先运行 spgl push",
    "there is no ledger in schema {schema} of {url}; run spgl push first",
)
_NEWER = Text(
    "台账 {url} 的结构版本是 {version}，本程序只认识到 {known}，请升级 spgl",
    "ledger {url} has schema {version}, this program knows {known}; upgrade spgl",
)
_OLDER = Text(
    "台账 {url} 的结构版本是 {version}，本程序使用 {known}；请先运行一次 spgl status 升级",
    "ledger {url} has schema {version}, this program uses {known}; run spgl status once",
)
_TROUBLE = Text(
    "台账读写失败：{fault}。未提交的结果将在下次运行时核对",
    "reading or writing the ledger failed: {fault}; results not yet stored are settled next run",
)
