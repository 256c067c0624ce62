"""SQLite: one writer at a time, and that is the fence."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from sqlalchemy.engine import URL

from pusher.transport import Failure
from pusher.transports.columns import Family
from pusher.transports.dialect import Bind, Dialect, Phase, decoded, unknown
from pusher.transports.exchange_settings import ExchangeSettings
from validator.pack import Kind


def _engine(url: URL, settings: ExchangeSettings) -> sa.Engine:
    """Every transaction begins IMMEDIATE."""
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=settings.connections,
        connect_args={"timeout": settings.lock_timeout},
    )

    @sa.event.listens_for(engine, "connect")
    def plain(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _lock(_connection: sa.Connection, _name: str, _seconds: float) -> None:
    """BEGIN IMMEDIATE has already waited for every other writer of the file."""


def _bind(kind: Kind, family: Family) -> Bind:
    """Exact: integers as integers, base64 as bytes, decimals and times as their canonical text."""
    if kind is Kind.INTEGER and family is not Family.TEXT:
        return int
    return decoded if kind is Kind.BINARY and family is not Family.TEXT else None


_FAILURES: dict[int, Failure] = {
    sqlite3.SQLITE_BUSY: Failure.ROLLED_BACK,
    sqlite3.SQLITE_LOCKED: Failure.ROLLED_BACK,
    sqlite3.SQLITE_FULL: Failure.ROLLED_BACK,
    sqlite3.SQLITE_NOMEM: Failure.ROLLED_BACK,
    sqlite3.SQLITE_INTERRUPT: Failure.ROLLED_BACK,
    sqlite3.SQLITE_CANTOPEN: Failure.UNREACHABLE,
    sqlite3.SQLITE_TOOBIG: Failure.TOO_LARGE,
    sqlite3.SQLITE_MISMATCH: Failure.RECORD,
    sqlite3.SQLITE_ERROR: Failure.CONFIGURATION,
    sqlite3.SQLITE_PERM: Failure.CONFIGURATION,
    sqlite3.SQLITE_READONLY: Failure.CONFIGURATION,
    sqlite3.SQLITE_CORRUPT: Failure.CONFIGURATION,
    sqlite3.SQLITE_NOTADB: Failure.CONFIGURATION,
    sqlite3.SQLITE_AUTH: Failure.CONFIGURATION,
}
_CONSTRAINTS: dict[int, Failure] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Failure.DUPLICATE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Failure.DUPLICATE,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: Failure.PARENT,
}


def _classify(fault: BaseException, phase: Phase) -> Failure:
    if isinstance(fault, OverflowError | UnicodeError | ValueError | sqlite3.InterfaceError):
        return Failure.RECORD
    code = getattr(fault, "sqlite_errorcode", None)
    if isinstance(code, int):
        if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
            return _CONSTRAINTS.get(code, Failure.RECORD)
        known = _FAILURES.get(code & 0xFF)
        if known is not None:
            return known
    elif isinstance(fault, sqlite3.ProgrammingError | sqlite3.DataError):
        return Failure.RECORD
    return unknown(phase)


def _code(fault: BaseException) -> str:
    return str(getattr(fault, "sqlite_errorname", None) or type(fault).__name__)


DIALECT = Dialect(
    "sqlite", "pysqlite", _engine, _lock, None, _bind, _classify, _code, exact_case=False
)
