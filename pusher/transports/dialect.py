"""What differs from one database to the next: connecting, the fence, binding, failure codes.

A database is supported when it has a `Dialect` here; everything else of the exchange-database
transport is the same SQL for all of them. SQLite stands today.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from pusher.transport import Failure, TransportError
from pusher.transports.credentials import read_secret
from pusher.transports.exchange_settings import ExchangeSettings
from validator.lexical import canonical, matches
from validator.pack import Kind


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of database.

    `engine` connects; a transaction that begins on it holds off other writers as far as the
    database can. `fence(connection, name)` returns only when no other session, dead or alive, has
    an open transaction under the same name. `bind` turns a canonical text into the value a column
    of that kind takes; kinds in `plain` take the text itself. `classify(fault, committing)` names
    the failure.
    """

    name: str
    engine: Callable[[URL, ExchangeSettings], sa.Engine]
    fence: Callable[[sa.Connection, str], None]
    bind: Callable[[Kind, str], object]
    plain: frozenset[Kind]
    classify: Callable[[BaseException, bool], Failure]


def connect(settings: ExchangeSettings, *, create: bool = False) -> tuple[Dialect, sa.Engine]:
    """The dialect and an engine for a URL; nothing is sent yet.

    Raises TransportError(CONFIGURATION), also for a database file that is not there, unless it is
    to be created: a mistyped path must not become an empty database.
    """
    try:
        url = make_url(settings.url)
    except sa.exc.ArgumentError as fault:
        raise TransportError(
            Failure.CONFIGURATION, "address", "the exchange database has no valid SQLAlchemy URL"
        ) from fault
    if url.password is not None:
        raise TransportError(
            Failure.CONFIGURATION,
            "address",
            "leave the password out of the URL; name it by password_env or password_file",
        )
    dialect = DIALECTS.get(url.get_backend_name())
    if dialect is None:
        raise TransportError(
            Failure.CONFIGURATION,
            "address",
            f"no exchange database of kind {url.get_backend_name()!r}; "
            f"known: {', '.join(sorted(DIALECTS))}",
        )
    file = url.database if dialect.name == "sqlite" else None
    if file and file != ":memory:" and not create and not Path(file).is_file():
        raise TransportError(Failure.CONFIGURATION, "address", f"there is no database file {file}")
    secret = read_secret(env=settings.password_env, file=settings.password_file)
    return dialect, dialect.engine(url.set(password=secret) if secret else url, settings)


def text_of(kind: Kind, value: object) -> str:
    """The canonical text of a value as a driver returns it; empty for NULL."""
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        return base64.b64encode(raw).decode() if kind is Kind.BINARY else raw.decode("utf-8")
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, Decimal):
        text = format(value, "f")
    elif isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
    else:
        text = str(value)
    return canonical(kind, text) if matches(kind, text) else text


def texts_of(kind: Kind, values: Iterable[object]) -> list[str]:
    """`text_of` for the values of a column, quick where a driver returns what is canonical."""
    if kind is Kind.TEXT:
        return [value if type(value) is str else text_of(kind, value) for value in values]
    if kind is Kind.INTEGER:
        return [str(value) if type(value) is int else text_of(kind, value) for value in values]
    return [_kept_text(kind, v) if type(v) is str else text_of(kind, v) for v in values]


@lru_cache(maxsize=65_536)
def _kept_text(kind: Kind, value: str) -> str:
    """Dates and amounts repeat."""
    return text_of(kind, value)


def _sqlite_engine(url: URL, settings: ExchangeSettings) -> sa.Engine:
    """One writer at a time: every transaction begins IMMEDIATE, and that is also the fence."""
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


def _no_fence(_connection: sa.Connection, _name: str) -> None:
    """BEGIN IMMEDIATE has already waited for every other writer of the file."""


def _sqlite_bind(kind: Kind, text: str) -> object:
    """Exact: integers as integers, base64 as bytes, decimals and times as their canonical text."""
    if kind is Kind.INTEGER:
        return int(text)
    if kind is Kind.BINARY:
        return base64.b64decode(text, validate=True)
    return text


_SQLITE_FAILURES: dict[int, Failure] = {
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
_SQLITE_CONSTRAINTS: dict[int, Failure] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Failure.DUPLICATE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Failure.DUPLICATE,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: Failure.PARENT,
}


def _sqlite_failure(fault: BaseException, committing: bool) -> Failure:
    if isinstance(fault, OverflowError | UnicodeError | ValueError | sqlite3.InterfaceError):
        return Failure.RECORD
    code = getattr(fault, "sqlite_errorcode", None)
    if isinstance(code, int):
        if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
            return _SQLITE_CONSTRAINTS.get(code, Failure.RECORD)
        known = _SQLITE_FAILURES.get(code & 0xFF)
        if known is not None:
            return known
    elif isinstance(fault, sqlite3.ProgrammingError | sqlite3.DataError):
        return Failure.RECORD
    return Failure.IN_DOUBT if committing else Failure.ROLLED_BACK


DIALECTS: dict[str, Dialect] = {
    "sqlite": Dialect(
        "sqlite",
        _sqlite_engine,
        _no_fence,
        _sqlite_bind,
        frozenset({Kind.TEXT, Kind.DECIMAL, Kind.DATE, Kind.DATETIME}),
        _sqlite_failure,
    ),
}
