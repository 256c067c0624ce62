"""What differs from one database to the next: connecting, the fence, binding, failure codes.

A database is supported when it has a `Dialect` in `pusher.transports.dialects`; everything else of
the exchange-database transport is the same SQL for all of them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from pusher.transport import Failure
from pusher.transports.columns import Family
from pusher.transports.exchange_settings import ExchangeSettings
from validator.pack import Kind

#: Turns a canonical text into the value a column takes; None where it takes the text itself.
Bind = Callable[[str], object] | None
#: The condition that some columns of texts hold one of some tuples of texts.
Listed = Callable[
    [Sequence[sa.ColumnElement[Any]], Sequence[tuple[str, ...]]], sa.ColumnElement[bool]
]


@dataclass(frozen=True, slots=True)
class Into:
    """Where rows go: the quoted table, its columns quoted and as they are named, in the order of
    the values of a row."""

    table: str
    quoted: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def head(self) -> str:
        return f"INSERT INTO {self.table} ({', '.join(self.quoted)})"


#: Adds rows by one statement with one parameter.
Gather = Callable[[sa.Connection, Into, Sequence[tuple[object, ...]]], None]


class Phase(StrEnum):
    """How far a transaction had come when it failed."""

    #: No statement of it was sent.
    CONNECTING = "connecting"
    #: Its statements were being sent.
    WORKING = "working"
    #: The commit may have been sent.
    COMMITTING = "committing"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of database.

    `driver`: the SQLAlchemy driver used where the URL names none. `engine` connects.
    `lock(connection, name, seconds)` returns only when no other session, dead or alive, works under
    the same name, and raises TransportError when that takes longer; `unlock` gives it back where
    the end of the transaction does not. Without `lock` a row of a table of the site is held
    (`ExchangeSettings.fence_table`). `bind` gives the converter for a kind in a column family.
    `classify` names the failure and `code` its number as people look it up. `exact_case`: a quoted
    name must have the case in which it was made. `tried`: run against a real server by our tests.
    `listed` selects keys of several texts where a plain list of tuples makes a poor plan. `gather`
    adds rows where the driver's `executemany` costs more than what the server does.
    `undoes_nothing(connection, schema, table)` names the storage engine of a table that keeps what
    a transaction wrote before it failed, where there are such tables; else it gives None.
    """

    name: str
    driver: str
    engine: Callable[[URL, ExchangeSettings], sa.Engine]
    lock: Callable[[sa.Connection, str, float], None] | None
    unlock: Callable[[sa.Connection, str], None] | None
    bind: Callable[[Kind, Family], Bind]
    classify: Callable[[BaseException, Phase], Failure]
    code: Callable[[BaseException], str]
    exact_case: bool = True
    tried: bool = True
    listed: Listed | None = None
    gather: Gather | None = None
    undoes_nothing: Callable[[sa.Connection, str | None, str], str | None] | None = None


def text_or_bytes(kind: Kind, family: Family) -> Bind:
    """For servers that read numbers and times from text: only bytes are converted."""
    return decoded if kind is Kind.BINARY and family is Family.BINARY else None


def decoded(text: str) -> bytes:
    """The bytes of a base64 text."""
    return base64.b64decode(text, validate=True)


def lost(phase: Phase) -> Failure:
    """A connection that broke: before the first statement surely nothing was sent."""
    return Failure.UNREACHABLE if phase is Phase.CONNECTING else Failure.IN_DOUBT


def unknown(phase: Phase) -> Failure:
    """A failure without a known code: before the commit the transaction is undone."""
    return Failure.IN_DOUBT if phase is Phase.COMMITTING else Failure.ROLLED_BACK
