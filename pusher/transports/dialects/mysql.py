"""MySQL and MariaDB through PyMySQL. The fence is `GET_LOCK`, which ends with the session.

The server rolls a dead session's transaction back before it frees the session's locks. Sessions are
strict, so that nothing is cut or rounded to nothing without a word, and short-lived when idle, so
that the lock of a client that vanished does not stay for hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from pusher.transport import Failure, TransportError
from pusher.transports.dialect import Dialect, Into, Phase, lost, text_or_bytes, unknown
from pusher.transports.exchange_settings import ExchangeSettings

#: Seconds after which the server ends an idle session, and ours are replaced before.
IDLE = 600


def _engine(url: URL, settings: ExchangeSettings) -> sa.Engine:
    wait = max(1, round(settings.lock_timeout))
    encoders = {}
    if url.get_driver_name() == "pymysql":
        from pymysql.converters import conversions  # type: ignore[import-untyped]

        encoders = {"conv": {**conversions, _Literal: lambda literal, _: literal.sql}}
    return sa.create_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=settings.connections,
        max_overflow=0,
        pool_recycle=IDLE // 2,
        connect_args={
            **encoders,
            "connect_timeout": max(1, round(settings.connect_timeout)),
            "read_timeout": max(1, round(settings.total_timeout)),
            "write_timeout": max(1, round(settings.total_timeout)),
            "init_command": "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''),"
            f" 'STRICT_ALL_TABLES'), innodb_lock_wait_timeout = {wait}, wait_timeout = {IDLE}",
        },
    )


#: Between two values, between two rows, and in place of NULL, while values are quoted together.
MARKS = _CELL, _ROW, _NULL = "\x1f", "\x1d", "\x1e"
#: What the driver may change in a text when it quotes it.
QUOTED = ("'", '"', "\\", "\n", "\r", "\0", "\x1a")
#: Letters of one statement: a million bytes, as in the driver's own `executemany`.
_LONGEST = 250_000


@dataclass(frozen=True, slots=True)
class _Literal:
    """A parameter that is quoted already; the driver takes it as it is."""

    sql: str


def _gather(connection: sa.Connection, into: Into, lines: Sequence[tuple[object, ...]]) -> bool:
    """The driver quotes value by value, five calls of Python each; here it quotes many at once.

    It quotes letter by letter, so values quoted together are what they would be alone, provided
    that it leaves what stands between them as it is and that this occurs in none of them.
    """
    if connection.dialect.driver != "pymysql":
        return False
    try:
        rows = [_joined(line) for line in lines]
    except TypeError:  # bytes
        return False
    joined, nulls = _ROW.join(rows), sum(line.count(None) for line in lines)
    between = len(lines) * (len(into.names) - 1)
    found = tuple(joined.count(mark) for mark in MARKS)
    if found != (between, len(lines) - 1, nulls):
        return False
    for part in _parts(rows):
        values = _Literal(_values(connection, _ROW.join(part)))
        connection.exec_driver_sql(f"{into.head} VALUES %s", (values,))
    return True


def _joined(line: Iterable[Any]) -> str:
    return _CELL.join([_NULL if value is None else value for value in line])


def _values(connection: sa.Connection, joined: str) -> str:
    """Rows that are joined by the marks, as lists of quoted values."""
    driver: Any = connection.connection.driver_connection
    plain = not any(letter in joined for letter in QUOTED)
    quoted: str = f"'{joined}'" if plain else driver.escape(joined)
    between = quoted.replace(_CELL, "','").replace(_ROW, "'),('")
    return "(" + between.replace(f"'{_NULL}'", "NULL") + ")"


def _parts(rows: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for row in rows:
        if part and size + len(row) > _LONGEST:
            yield part
            part, size = [], 0
        part.append(row)
        size += len(row)
    yield part


def _lock(connection: sa.Connection, name: str, seconds: float) -> None:
    got = connection.exec_driver_sql("SELECT GET_LOCK(%s, %s)", (name, seconds)).scalar()
    if got != 1:
        raise TransportError(
            Failure.ROLLED_BACK, "mysql GET_LOCK", "another session still works on this batch"
        )


def _unlock(connection: sa.Connection, name: str) -> None:
    connection.exec_driver_sql("DO RELEASE_LOCK(%s)", (name,))


_CODES: dict[Failure, tuple[int, ...]] = {
    Failure.UNREACHABLE: (1040, 1053, 1129, 1203, 2002, 2003, 2005),
    Failure.ROLLED_BACK: (
        *(1021, 1114, 1205, 1213, 1290, 1317, 1792, 1836, 1969, 3024, 3058, 3572, 4031),
    ),
    Failure.THROTTLED: (1226,),
    Failure.DUPLICATE: (1062, 1169, 1586),
    Failure.PARENT: (1216, 1452),
    Failure.RECORD: (
        *(1048, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1525, 1644, 1690, 3140, 3819),
        4025,
    ),
    Failure.TOO_LARGE: (1153, 1301),
    Failure.CONFIGURATION: (
        *(1044, 1045, 1046, 1049, 1054, 1064, 1130, 1136, 1142, 1143, 1146, 1227, 1251, 1364),
        *(1370, 1698, 1820, 1862, 2026, 2054, 2059),
    ),
}
_FAILURES = {code: failure for failure, codes in _CODES.items() for code in codes}
#: The connection broke or was ended.
_LOST = frozenset({1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2014, 2027, 2055})


def _number(fault: BaseException) -> int | None:
    first = fault.args[0] if fault.args else None
    return first if isinstance(first, int) and first > 0 else None


def _classify(fault: BaseException, phase: Phase) -> Failure:
    if isinstance(fault, OverflowError | UnicodeError | ValueError):
        return Failure.RECORD
    if isinstance(fault, RuntimeError | ImportError):  # a way to sign in that needs a package
        return Failure.CONFIGURATION
    code = _number(fault)
    if code in _LOST:
        return lost(phase)
    if code in (1040, 1053, 2002, 2003, 2005) and phase is not Phase.CONNECTING:
        return Failure.IN_DOUBT
    if code == 2003 and "certificate verify failed" in str(fault):  # waiting will not heal it
        return Failure.CONFIGURATION
    known = None if code is None else _FAILURES.get(code)
    if known is not None:
        return known
    if isinstance(fault, OSError) or code is None:
        return lost(phase)
    return unknown(phase)


def _undoes_nothing(connection: sa.Connection, schema: str | None, table: str) -> str | None:
    words = {"schema": schema, "name": table}
    row = connection.execute(_ENGINE, words).first()
    return None if row is None else str(row[0])


#: A view has no engine; on what it stands on nothing can be said.
_ENGINE = sa.text("""
SELECT t.ENGINE FROM information_schema.TABLES t
JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA = COALESCE(:schema, DATABASE()) AND t.TABLE_NAME = :name
AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'""")


def _code(fault: BaseException) -> str:
    return str(_number(fault) or type(fault).__name__)


DIALECT = Dialect(
    "mysql",
    "pymysql",
    _engine,
    _lock,
    _unlock,
    text_or_bytes,
    _classify,
    _code,
    exact_case=False,
    gather=_gather,
    undoes_nothing=_undoes_nothing,
)
