"""The exchange-database transport: rows in a front database that another system takes over.

Such a database has no idempotency: what makes a repeated send harmless here is one transaction per
batch, a fence that proves a dead session's transaction ended, and looking for key and content
before anything is written again. It assumes, as the deployed systems do, that the target flips
SJYXBS of the row an invalidating copy names. It never updates or deletes a row, and it judges none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

import aiohttp
import sqlalchemy as sa

from pusher import crash
from pusher.transport import (
    Awaited,
    Batch,
    Expected,
    Failure,
    Looked,
    Parcel,
    Receipt,
    TransportError,
    Verdict,
    VerdictPage,
)
from pusher.transports.credentials import Credentials, read_secret
from pusher.transports.dialect import Dialect
from pusher.transports.dialects import connect
from pusher.transports.errand import Errand, run_errand
from pusher.transports.exchange_columns import Difference, examine
from pusher.transports.exchange_presence import kept, looked, missing, new_rows, receipt
from pusher.transports.exchange_rows import (
    Row,
    answered,
    is_change,
    is_sole,
    may_be_answered,
    receipt_lsh,
    verdict_of,
)
from pusher.transports.exchange_settings import (
    ExchangeSettings,
    ExchangeTable,
    exchange_table,
)
from pusher.transports.exchange_sql import (
    KeyTuple,
    insert_rows,
    kept_key,
    rows_by_key,
)
from pusher.transports.notice import Notice, send_notice
from pusher.transports.transaction import transact
from validator.pack import Packs, Table

__all__ = ["ExchangeSettings", "ExchangeTransport"]

_Result = TypeVar("_Result")


class ExchangeTransport:
    """`pusher.transport.Transport` on a SQL database; its work runs in threads of its own."""

    def __init__(
        self,
        settings: ExchangeSettings,
        packs: Packs,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
    ) -> None:
        self._settings = settings
        self._packs = packs
        self._clock = clock
        self._base: tuple[Dialect, sa.Engine] | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._tables: dict[str, ExchangeTable] = {}

    @property
    def name(self) -> str:
        return "exchange_db"

    @property
    def certain(self) -> bool:
        return True

    @property
    def stream(self) -> bool:
        return False

    async def open(self) -> None:
        """Connect once, so that a wrong address or password is found here."""
        if self._base is not None:
            return
        dialect, engine = connect(self._settings)
        self._threads = ThreadPoolExecutor(self._settings.connections, "exchange-db")
        self._base = dialect, engine
        try:
            await self._run(lambda _: self._transact(lambda connection: None, fence="open"))
        except TransportError:
            await self.close()
            raise

    async def close(self) -> None:
        if self._base is None or self._threads is None:
            return
        (_, engine), threads = self._base, self._threads
        self._base = self._threads = None
        await asyncio.get_running_loop().run_in_executor(threads, engine.dispose)
        threads.shutdown(wait=False)

    async def send(self, batch: Batch) -> Sequence[Receipt]:
        """Write what is not there yet, in one transaction; every parcel is then `received`."""
        return await self._run(lambda errand: self._send(batch, errand))

    async def settle(self, batch: Batch) -> Sequence[Receipt] | None:
        """Under the fence, look for key and content of every parcel.

        A part of a batch cannot be there, for it was one transaction; if it is (a person deleted
        rows), the rest is written now.
        """
        return await self._run(lambda errand: self._settle(batch, errand))

    async def verdicts(
        self, standard: str, awaited: Sequence[Awaited], cursor: str | None
    ) -> VerdictPage:
        """Look the awaited records of `standard` up by key; one without a word yet is left out."""
        mine = [entry for entry in awaited if entry.standard == standard]
        return await self._run(lambda _: VerdictPage(self._verdicts(mine), None, more=False))

    async def notify(self) -> None:
        """GET the notify address, with its own short retry. Raises TransportError for the log."""
        settings = self._settings
        if not settings.notify_url:
            return
        secret = read_secret(env=settings.token_env, file=settings.token_file)
        notice = Notice(settings.notify_url, settings.notify_timeout, settings.notify_waits)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            await send_notice(session, notice, Credentials(secret))

    async def look_up(self, table: str, expected: Sequence[Expected]) -> Sequence[Looked]:
        """Every row of some keys, one query per page; no fence, nothing is written."""
        return await self._run(lambda _: self._look_up(self._table(table), expected))

    async def compare(self, tables: Iterable[Table]) -> tuple[Difference, ...]:
        """How the real tables differ from the pack; empty differences are left out."""
        return await self._run(lambda _: self._compare(tuple(tables)))

    def _send(self, batch: Batch, errand: Errand) -> tuple[Receipt, ...]:
        place = self._place(batch)

        def write(connection: sa.Connection) -> frozenset[int]:
            if batch.fresh and (place.conduct.changes or not any(map(is_change, batch.parcels))):
                self._write(connection, place, batch, batch.parcels, errand)
                return frozenset()
            rows = self._rows(connection, place, batch.parcels)
            absent, formless = missing(place, rows, count_refused=False)
            self._write(connection, place, batch, absent, errand)
            return formless

        formless = self._transact(write, fence=batch.idempotency_key)
        return tuple(receipt(parcel, formless) for parcel in batch.parcels)

    def _settle(self, batch: Batch, errand: Errand) -> tuple[Receipt, ...] | None:
        place = self._place(batch)

        def look(connection: sa.Connection) -> tuple[Receipt, ...] | None:
            rows = self._rows(connection, place, batch.parcels)
            absent, formless = missing(place, rows, count_refused=True)
            if len(absent) + len(formless) == len(batch.parcels):
                return None
            self._write(connection, place, batch, absent, errand)
            return tuple(
                receipt(p, formless, receipt_lsh(kept(place, p), found)) for p, found in rows
            )

        return self._transact(look, fence=batch.idempotency_key)

    def _verdicts(self, awaited: Sequence[Awaited]) -> tuple[Verdict, ...]:
        groups: dict[str, list[Awaited]] = {}
        for entry in awaited:
            groups.setdefault(f"{entry.standard}/{entry.table}", []).append(entry)
        return tuple(
            verdict
            for qualified, entries in groups.items()
            for verdict in self._verdicts_in(self._table(qualified), entries)
        )

    def _verdicts_in(self, place: ExchangeTable, awaited: Sequence[Awaited]) -> Iterable[Verdict]:
        names = _names(entry.key.keys() for entry in awaited)
        keys = [kept_key(place, names, entry.key) for entry in awaited]
        states = self._transact(lambda c: self._by_key(c, place, names, keys, states_only=True))
        open_ = [
            (entry, key, is_sole(entry, states.get(key, ())))
            for entry, key in zip(awaited, keys, strict=True)
            if may_be_answered(entry, states.get(key, ()), place.conduct)
        ]
        unclear = [key for _, key, sole in open_ if not sole]
        rows = self._transact(lambda c: self._by_key(c, place, names, unclear)) if unclear else {}
        at_once = self._settings.accepted_at == 1
        for entry, key, sole in open_:
            compared = not sole and entry.fields is not None
            word = answered(
                entry,
                states[key] if sole else rows.get(key, ()),
                place.conduct,
                at_once=at_once,
                content=place.kept_content(entry.fields or {}) if compared else None,
            )
            if word is not None:
                yield verdict_of(entry, *word, place.conduct)

    def _look_up(self, place: ExchangeTable, expected: Sequence[Expected]) -> tuple[Looked, ...]:
        names = _names(entry.key.keys() for entry in expected)
        keys = [kept_key(place, names, entry.key) for entry in expected]
        found = self._transact(lambda c: self._by_key(c, place, names, keys))
        return tuple(
            looked(place, entry, found.get(key, ()))
            for entry, key in zip(expected, keys, strict=True)
        )

    def _compare(self, tables: Sequence[Table]) -> tuple[Difference, ...]:
        places = [exchange_table(self._settings, self._packs, table.qualified) for table in tables]
        dialect, _ = self._connected()
        found = self._transact(lambda c: [examine(c, dialect, place)[0] for place in places])
        return tuple(d for d in found if d.any)

    def _place(self, batch: Batch) -> ExchangeTable:
        return self._table(f"{batch.standard}/{batch.table}")

    def _table(self, qualified: str) -> ExchangeTable:
        """The table, its real columns compared with the pack before it is used first."""
        place = self._tables.get(qualified)
        if place is not None:
            return place
        assumed = exchange_table(self._settings, self._packs, qualified)
        dialect, _ = self._connected()
        found, place = self._transact(lambda connection: examine(connection, dialect, assumed))
        if found.stops:
            raise TransportError(
                Failure.CONFIGURATION, "table", f"in the exchange database {found}"
            )
        self._tables[qualified] = place
        return place

    def _rows(
        self, connection: sa.Connection, place: ExchangeTable, parcels: Sequence[Parcel]
    ) -> list[tuple[Parcel, Sequence[Row]]]:
        """Each parcel with every row of its identity."""
        names = _names(parcel.key.keys() for parcel in parcels)
        keys = [kept_key(place, names, parcel.key) for parcel in parcels]
        found = self._by_key(connection, place, names, keys)
        return [(p, found.get(key, ())) for p, key in zip(parcels, keys, strict=True)]

    def _by_key(
        self,
        connection: sa.Connection,
        place: ExchangeTable,
        names: tuple[str, ...],
        keys: Sequence[KeyTuple],
        *,
        states_only: bool = False,
    ) -> dict[KeyTuple, list[Row]]:
        dialect, _ = self._connected()
        page = self._settings.page
        return rows_by_key(connection, dialect, place, names, keys, page, states_only=states_only)

    def _write(
        self,
        connection: sa.Connection,
        place: ExchangeTable,
        batch: Batch,
        parcels: Iterable[Parcel],
        errand: Errand,
    ) -> None:
        dialect, _ = self._connected()
        errand.check()
        rows = [row for parcel in parcels for row in new_rows(place, batch, parcel)]
        insert_rows(connection, dialect, place, rows, f"{self._clock():%Y-%m-%d %H:%M:%S}")
        crash.at("written")

    def _transact(
        self, work: Callable[[sa.Connection], _Result], fence: str | None = None
    ) -> _Result:
        dialect, engine = self._connected()
        return transact(dialect, engine, self._settings, work, fence)

    async def _run(self, work: Callable[[Errand], _Result]) -> _Result:
        """`work` in a thread. It cannot be stopped: what outlasts the limit is in doubt."""
        if self._threads is None:
            raise RuntimeError("the transport is not open")
        try:
            return await run_errand(self._threads, work, self._settings.total_timeout)
        except TimeoutError as fault:
            raise TransportError(
                Failure.IN_DOUBT, "time-out", "the exchange database did not answer in time"
            ) from fault

    def _connected(self) -> tuple[Dialect, sa.Engine]:
        if self._base is None:
            raise RuntimeError("the transport is not open")
        return self._base


def _names(keys: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Every key field that occurs."""
    return tuple(dict.fromkeys(name for key in keys for name in key))
