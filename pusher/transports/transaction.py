"""One transaction of an exchange database under a fence; every failure leaves in its class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from pusher.transport import Failure, TransportError
from pusher.transports.answer import mask
from pusher.transports.dialect import Dialect, Phase
from pusher.transports.exchange_settings import ExchangeSettings
from pusher.transports.fence import lower_fence, raise_fence

_Result = TypeVar("_Result")


def transact(
    dialect: Dialect,
    engine: sa.Engine,
    settings: ExchangeSettings,
    work: Callable[[sa.Connection], _Result],
    fence: str | None,
) -> _Result:
    """`work` in one transaction, under a fence if one is named; every failure in its class."""
    phase = Phase.CONNECTING
    try:
        with engine.connect() as connection:
            try:
                with connection.begin() as transaction:
                    if fence is not None:
                        raise_fence(dialect, connection, settings, fence)
                    phase = Phase.WORKING
                    result = work(connection)
                    phase = Phase.COMMITTING
                    transaction.commit()
            finally:
                if fence is not None:
                    lower_fence(dialect, connection, settings, fence)
            return result
    except TransportError:
        raise
    except sa.exc.StatementError as fault:
        raise _failed(dialect, fault.orig or fault, phase) from fault
    except (ValueError, OverflowError) as fault:
        raise _failed(dialect, fault, phase) from fault
    except sa.exc.TimeoutError as fault:
        raise TransportError(
            Failure.UNREACHABLE, "pool", "no connection became free in time"
        ) from fault
    except RuntimeError as fault:
        if phase is not Phase.CONNECTING:
            raise
        raise TransportError(Failure.CONFIGURATION, dialect.name, mask(str(fault))) from fault


def _failed(dialect: Dialect, fault: BaseException, phase: Phase) -> TransportError:
    """Drivers may repeat values in their messages: personal numbers are covered, length is cut."""
    detail = mask(str(fault)) if not isinstance(fault, ValueError) else "a value cannot be bound"
    code = f"{dialect.name} {dialect.code(fault)}"
    return TransportError(dialect.classify(fault, phase), code, detail)
