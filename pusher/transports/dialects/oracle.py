"""Oracle through python-oracledb: SQL compiled by our tests, never run on a server.

The fence is a held row (`fence_table`); `DBMS_LOCK` would need a grant. Times and numbers are bound
as such, since Oracle reads texts by the settings of the session. An empty text is NULL there, as it
is here.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import URL

from pusher.transport import Failure
from pusher.transports.columns import Family
from pusher.transports.dialect import Bind, Dialect, Phase, decoded, lost, unknown
from pusher.transports.exchange_settings import ExchangeSettings
from validator.pack import Kind


def _engine(url: URL, settings: ExchangeSettings) -> sa.Engine:
    return sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=settings.connections,
        max_overflow=0,
        pool_recycle=300,
        connect_args={"tcp_connect_timeout": settings.connect_timeout},
    )


def typed(kind: Kind, family: Family) -> Bind:
    """Numbers, times and bytes as what they are, wherever the column is of that family."""
    if kind is Kind.BINARY and family is Family.BINARY:
        return decoded
    if kind is Kind.INTEGER and family in (Family.INTEGER, Family.DECIMAL):
        return int
    if kind is Kind.DECIMAL and family is Family.DECIMAL:
        return Decimal
    if kind in (Kind.DATE, Kind.DATETIME) and family in (Family.DATE, Family.DATETIME):
        return _time
    return None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


_CODES: dict[Failure, tuple[int, ...]] = {
    Failure.UNREACHABLE: (12154, 12170, 12514, 12541, 12543, 12545, 1033, 1034, 1089, 1090),
    Failure.ROLLED_BACK: (54, 60, 1013, 1536, 1652, 1653, 8177, 16000, 30006),
    Failure.THROTTLED: (18, 20, 2391),
    Failure.DUPLICATE: (1,),
    Failure.PARENT: (2291,),
    Failure.RECORD: (1400, 1401, 1407, 1438, 1461, 1722, 1830, 1839, 1843, 1861, 2290, 12899),
    Failure.CONFIGURATION: (900, 904, 911, 942, 1005, 1017, 1031, 1045, 28000, 28001),
}
_FAILURES = {code: failure for failure, codes in _CODES.items() for code in codes}
_LOST = frozenset({28, 1012, 1092, 3113, 3114, 3135, 12537, 12547, 12571, 25408})
_PREFIX = re.compile(r"(?:ORA|DPY|DPI)-0*([0-9]+)")


def _number(fault: BaseException) -> int | None:
    first = fault.args[0] if fault.args else None
    code = getattr(first, "code", None)
    if isinstance(code, int) and code:
        return code
    found = _PREFIX.search(str(fault))
    return int(found[1]) if found else None


def _classify(fault: BaseException, phase: Phase) -> Failure:
    if isinstance(fault, OverflowError | UnicodeError | ValueError):
        return Failure.RECORD
    code = _number(fault)
    if code is None or code in _LOST:
        return lost(phase)
    known = _FAILURES.get(code)
    if known is Failure.UNREACHABLE and phase is not Phase.CONNECTING:
        return Failure.IN_DOUBT
    return known or unknown(phase)


def _code(fault: BaseException) -> str:
    number = _number(fault)
    return type(fault).__name__ if number is None else f"ORA-{number:05d}"


DIALECT = Dialect("oracle", "oracledb", _engine, None, None, typed, _classify, _code, tried=False)
