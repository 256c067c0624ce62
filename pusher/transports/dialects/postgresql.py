"""PostgreSQL and its family (HighGo, Kingbase) through psycopg 3. The fence is an advisory lock of
the transaction, which ends with it.

Texts are sent without a type, so that the column decides how they are read. HighGo and Kingbase
were never run; only what they announce as their version is taken care of.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import URL

from pusher.transport import Failure
from pusher.transports.dialect import Dialect, Into, Phase, lost, text_or_bytes, unknown
from pusher.transports.exchange_settings import ExchangeSettings

_Version = tuple[int, ...]


def _engine(url: URL, settings: ExchangeSettings) -> sa.Engine:
    limits = {
        "lock_timeout": settings.lock_timeout,
        "statement_timeout": settings.total_timeout,
        "idle_in_transaction_session_timeout": settings.total_timeout,
    }
    options = " ".join(f"-c {name}={max(1, round(s * 1000))}" for name, s in limits.items())
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=settings.connections,
        max_overflow=0,
        pool_recycle=300,
        use_native_hstore=False,
        connect_args={
            "connect_timeout": max(2, round(settings.connect_timeout)),
            "options": options,
        },
    )
    dialect: Any = engine.dialect
    dialect._get_server_version_info = version_reader(dialect._get_server_version_info)
    return engine


def version_reader(
    read: Callable[[sa.Connection], _Version],
) -> Callable[[sa.Connection], _Version]:
    """SQLAlchemy knows PostgreSQL by its name in `version()`; its family uses other names. What it
    does not know is taken for PostgreSQL 9.6."""

    def version(connection: sa.Connection) -> _Version:
        try:
            return read(connection)
        except AssertionError:
            return (9, 6)

    return version


def _lock(connection: sa.Connection, name: str, _seconds: float) -> None:
    """Waits as long as `lock_timeout` of the session allows."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": number})


def _listed(
    columns: Sequence[sa.ColumnElement[Any]], keys: Sequence[tuple[str, ...]]
) -> sa.ColumnElement[bool]:
    """A semi-join with one array a column. The server makes an OR of a list of tuples, which it
    plans arm by arm and then tries arm by arm on whatever rows the index leaves."""
    arrays = [sa.literal(list(part), ARRAY(sa.Text())) for part in zip(*keys, strict=True)]
    names = [f"part_{i}" for i in range(len(arrays))]
    listed = sa.func.unnest(*arrays).table_valued(*names).render_derived()
    return sa.tuple_(*columns).in_(sa.select(*(listed.c[name] for name in names)))


def _gather(connection: sa.Connection, into: Into, lines: Sequence[tuple[object, ...]]) -> None:
    """One document for many rows: the server reads each text as its column would. It costs half of
    a round of messages a row, on both sides."""
    rows = [dict(zip(into.names, line, strict=True)) for line in lines]
    values = ", ".join(f"r.{name}" for name in into.quoted)
    given = f"json_populate_recordset(NULL::{into.table}, %s::json) r"
    document = orjson.dumps(rows, default=_hexadecimal).decode()
    connection.exec_driver_sql(f"{into.head} SELECT {values} FROM {given}", (document,))  # noqa: S608 - quoted names


def _hexadecimal(value: bytes) -> str:
    """Bytes as the server reads them from text."""
    return f"\\x{value.hex()}"


_STATES: dict[str, Failure] = {
    "08001": Failure.UNREACHABLE,
    "08004": Failure.UNREACHABLE,
    "53300": Failure.UNREACHABLE,
    "57P03": Failure.UNREACHABLE,
    "40001": Failure.ROLLED_BACK,
    "40002": Failure.ROLLED_BACK,
    "40P01": Failure.ROLLED_BACK,
    "55P03": Failure.ROLLED_BACK,
    "57014": Failure.ROLLED_BACK,
    "25006": Failure.ROLLED_BACK,
    "25P03": Failure.ROLLED_BACK,
    "53100": Failure.ROLLED_BACK,
    "53200": Failure.ROLLED_BACK,
    "23505": Failure.DUPLICATE,
    "23503": Failure.PARENT,
    "23502": Failure.RECORD,
    "23514": Failure.RECORD,
    "23P01": Failure.RECORD,
    "P0001": Failure.RECORD,
    "3D000": Failure.CONFIGURATION,
    "3F000": Failure.CONFIGURATION,
    "0A000": Failure.CONFIGURATION,
    "0LP01": Failure.CONFIGURATION,
}
_CLASSES: dict[str, Failure] = {
    "22": Failure.RECORD,
    "28": Failure.CONFIGURATION,
    "42": Failure.CONFIGURATION,
    "53": Failure.THROTTLED,
    "54": Failure.TOO_LARGE,
}
_LOST = frozenset({"57P01", "57P02", "57P05", "40003"})
#: A failed connection has no code, only the server's words in its language.
_REFUSED = re.compile(
    r"authentication failed|does not exist|no pg_hba\.conf entry|not permitted to log in"
    r"|permission denied|no password supplied|invalid connection option|认证失败|不存在|pg_hba"
    r"|certificate verify failed|does not match host name"
)


def _classify(fault: BaseException, phase: Phase) -> Failure:
    if isinstance(fault, OverflowError | UnicodeError | ValueError):
        return Failure.RECORD
    state = getattr(fault, "sqlstate", None)
    if not isinstance(state, str):
        return _without_state(fault, phase)
    if state in _LOST or (state.startswith("08") and state not in _STATES):
        return lost(phase)
    known = _STATES.get(state) or _CLASSES.get(state[:2])
    if known is Failure.UNREACHABLE and phase is not Phase.CONNECTING:
        return Failure.IN_DOUBT
    return known or unknown(phase)


def _without_state(fault: BaseException, phase: Phase) -> Failure:
    if type(fault).__name__ in ("DataError", "NotSupportedError"):  # found by the driver
        return Failure.RECORD
    if type(fault).__name__ == "ProgrammingError" and phase is Phase.CONNECTING:
        return Failure.CONFIGURATION
    if phase is Phase.CONNECTING and _REFUSED.search(str(fault)):
        return Failure.CONFIGURATION
    return lost(phase)


def _code(fault: BaseException) -> str:
    return str(getattr(fault, "sqlstate", None) or type(fault).__name__)


DIALECT = Dialect(
    "postgresql",
    "psycopg",
    _engine,
    _lock,
    None,
    text_or_bytes,
    _classify,
    _code,
    listed=_listed,
    gather=_gather,
)
