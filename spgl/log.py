"""Logging set-up: JSON lines for unattended runs, readable lines on a terminal.

Record values are never logged; what is logged are names, counts, codes and durations.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_SECRETS = ("token", "secret", "password", "authorization")
_LEVELS = {"error": 40, "warning": 30, "info": 20, "debug": 10}


@cache
def _is_secret(name: str) -> bool:
    return any(secret in name.lower() for secret in _SECRETS)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace values of keys that look like secrets, whoever logged them."""
    for name in event:
        if _is_secret(name):
            event[name] = "***"
    return event


def _json(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


def logger(
    stream: TextIO | None = None, *, level: str = "info", json: bool | None = None
) -> FilteringBoundLogger:
    """A logger on `stream` (default stderr). JSON unless the stream is a terminal, or as asked."""
    out = stream or sys.stderr
    as_json = json if json is not None else not out.isatty()
    render = (
        structlog.processors.JSONRenderer(serializer=_json)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    made: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            redact,
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    return made
