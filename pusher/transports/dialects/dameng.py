"""Dameng (达梦) through its own SQLAlchemy dialect: SQL compiled by our tests where that package is
installed, never run on a server. Its codes are recalled, not verified: what is not known is in
doubt, which is slow but safe. The fence is a held row (`fence_table`)."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.engine import URL

from pusher.transport import Failure
from pusher.transports.dialect import Dialect, Phase, lost
from pusher.transports.dialects.oracle import typed
from pusher.transports.exchange_settings import ExchangeSettings


def _engine(url: URL, settings: ExchangeSettings) -> sa.Engine:
    return sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=settings.connections,
        max_overflow=0,
        pool_recycle=300,
    )


_FAILURES: dict[int, Failure] = {
    -70028: Failure.UNREACHABLE,
    -6403: Failure.ROLLED_BACK,
    -6407: Failure.ROLLED_BACK,
    -6602: Failure.DUPLICATE,
    -6607: Failure.PARENT,
    -6609: Failure.RECORD,
    -6169: Failure.RECORD,
    -2106: Failure.CONFIGURATION,
    -2111: Failure.CONFIGURATION,
    -2501: Failure.CONFIGURATION,
}
_CODE = re.compile(r"\[?CODE:\s*(-[0-9]+)|(?<![0-9])(-[0-9]{4,5})(?![0-9])")


def _number(fault: BaseException) -> int | None:
    first = fault.args[0] if fault.args else None
    code = getattr(first, "code", None)
    if isinstance(code, int):
        return code
    found = _CODE.search(str(fault))
    return int(found[1] or found[2]) if found else None


def _classify(fault: BaseException, phase: Phase) -> Failure:
    if isinstance(fault, OverflowError | UnicodeError | ValueError):
        return Failure.RECORD
    known = _FAILURES.get(_number(fault) or 0)
    if known is None or (known is Failure.UNREACHABLE and phase is not Phase.CONNECTING):
        return lost(phase)
    return known


def _code(fault: BaseException) -> str:
    return str(_number(fault) or type(fault).__name__)


DIALECT = Dialect("dm", "dmPython", _engine, None, None, typed, _classify, _code, tried=False)
