"""MySQL and MariaDB through PyMySQL. The fence is `GET_LOCK`, which ends with the session.

The server rolls a dead session's transaction back before it frees the session's locks. Sessions are
strict, so that nothing is cut or rounded to nothing without a word, and short-lived when idle, so
that the lock of a client that vanished does not stay for hours.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import URL

from pusher.transport import Failure, TransportError
from pusher.transports.dialect import Dialect, Phase, lost, text_or_bytes, unknown
from pusher.transports.exchange_settings import ExchangeSettings

#: Seconds after which the server ends an idle session, and ours are replaced before.
IDLE = 600


def _engine(url: URL, settings: ExchangeSettings) -> sa.Engine:
    wait = max(1, round(settings.lock_timeout))
    return sa.create_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=settings.connections,
        max_overflow=0,
        pool_recycle=IDLE // 2,
        connect_args={
            "connect_timeout": max(1, round(settings.connect_timeout)),
            "read_timeout": max(1, round(settings.total_timeout)),
            "write_timeout": max(1, round(settings.total_timeout)),
            "init_command": "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''),"
            f" 'STRICT_ALL_TABLES'), innodb_lock_wait_timeout = {wait}, wait_timeout = {IDLE}",
        },
    )


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
    undoes_nothing=_undoes_nothing,
)
