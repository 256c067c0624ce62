"""Rows of an exchange database that the other side wrote for us (tables of direction `in`).

They are read by key pages while they wait and marked by key, only while they still wait. Nothing
else of them is ever changed, and no file that they point to is fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa

from pusher.inbound import Fate, InboundRow, Mark, Page
from pusher.transport import Failure, TransportError
from pusher.transports.dialect import Dialect
from pusher.transports.dialects import connect
from pusher.transports.exchange_columns import examine
from pusher.transports.exchange_settings import ExchangeSettings, exchange_table
from pusher.transports.exchange_waiting import WaitingTable, waiting_table
from pusher.transports.transaction import transact
from validator.feedback import Feedback
from validator.pack import Direction, Packs, Table

_Result = TypeVar("_Result")


class ExchangeInbox:
    """`pusher.inbound.Inbox` on a SQL database; its work runs in a thread of its own."""

    def __init__(self, settings: ExchangeSettings, packs: Packs) -> None:
        self._settings = settings
        self._packs = packs
        self._base: tuple[Dialect, sa.Engine] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._tables: dict[str, WaitingTable] = {}

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(t.qualified for t in inbound_tables(self._packs))

    @property
    def feedback(self) -> Mapping[str, Feedback]:
        return {pack.name: pack.feedback for pack in self._packs if pack.feedback is not None}

    async def open(self) -> None:
        """Ready the engine; a wrong address shows with the first page."""
        if self._base is None:
            self._base = connect(self._settings)
            self._thread = ThreadPoolExecutor(1, "exchange-inbox")

    async def close(self) -> None:
        if self._base is None or self._thread is None:
            return
        (_, engine), thread = self._base, self._thread
        self._base = self._thread = None
        await asyncio.get_running_loop().run_in_executor(thread, engine.dispose)
        thread.shutdown(wait=False)

    async def page(self, table: str, after: tuple[object, ...] | None, limit: int) -> Page:
        """Waiting rows by (time, key), those without a time last."""
        return await self._run(lambda: self._transact(lambda c: self._page(c, table, after, limit)))

    async def mark(self, table: str, marks: Sequence[Mark]) -> None:
        """In one transaction; a row that was changed meanwhile is left alone."""
        await self._run(lambda: self._transact(lambda c: self._mark(c, table, marks)))

    def _page(
        self,
        connection: sa.Connection,
        table: str,
        after: tuple[object, ...] | None,
        limit: int,
    ) -> Page:
        waiting = self._table(connection, table)
        dialect, _ = self._connected()
        rows: list[InboundRow] = []
        position = after or (waiting.time is not None,)
        while True:
            timed = bool(position[0])
            found = connection.execute(waiting.waiting(dialect, position, limit - len(rows))).all()
            rows += waiting.rows(found)
            if len(rows) == limit:
                at, key = found[-1][-2:]
                return Page(tuple(rows), (True, at, key) if timed else (False, key))
            if not timed:
                return Page(tuple(rows), None)
            position = (False,)

    def _mark(self, connection: sa.Connection, table: str, marks: Sequence[Mark]) -> None:
        waiting = self._table(connection, table)
        dialect, _ = self._connected()
        alike: dict[tuple[Fate, str], list[str]] = {}
        for mark in marks:
            alike.setdefault((mark.fate, mark.reason), []).append(mark.key)
        for (fate, reason), keys in alike.items():
            for start in range(0, len(keys), self._settings.page):
                some = keys[start : start + self._settings.page]
                connection.execute(waiting.marking(dialect, fate, reason, some))

    def _table(self, connection: sa.Connection, name: str) -> WaitingTable:
        """The table as it stands there, looked at before its first use. A column that we do not
        need may be missing: two were seen to be."""
        found = self._tables.get(name)
        if found is None:
            assumed = exchange_table(self._settings, self._packs, name)
            dialect, _ = self._connected()
            difference, real = examine(connection, dialect, assumed)
            made = waiting_table(real, difference.missing)
            if made is None or difference.absent or difference.cased:
                raise TransportError(
                    Failure.CONFIGURATION, "table", f"in the exchange database {difference}"
                )
            found = self._tables[name] = made
        return found

    def _transact(self, work: Callable[[sa.Connection], _Result]) -> _Result:
        dialect, engine = self._connected()
        return transact(dialect, engine, self._settings, work, None)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._thread is None:
            raise RuntimeError("the inbox is not open")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _connected(self) -> tuple[Dialect, sa.Engine]:
        if self._base is None:
            raise RuntimeError("the inbox is not open")
        return self._base


def inbound_tables(packs: Packs) -> tuple[Table, ...]:
    """The tables that come in, in the order of their packs."""
    return tuple(t for t in packs.tables() if t.direction is Direction.IN)
