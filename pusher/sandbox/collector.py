"""The collector: what stands behind an exchange database, as far as public code shows it.

It takes rows over in order of arrival, assigns LSH, writes SJSCZT 1, 3, or 2 with SBYY, and flips
the valid row that an invalidating copy names by key. How strict a real one is, is not known: here a
script says. Rows of one identity are never taken out of order; rows of different ones may be. One
step is one transaction, journal included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import sqlalchemy as sa

from pusher.sandbox.arrivals import Arrival, equals, read_arrivals, write_arrival
from pusher.sandbox.exchange_tables import JOURNAL, create_tables, exchange_tables
from pusher.sandbox.journal import Effect, Held, identity_of, version_of
from pusher.sandbox.script import Script
from pusher.transport import Answer
from pusher.transports.dialect import connect
from pusher.transports.exchange_rows import REFUSED, TAKEN_OVER, VALIDATED, WAITING
from pusher.transports.exchange_settings import ExchangeSettings, ExchangeTable
from validator.pack import Packs
from validator.records import Operation

#: Reasons of the sandbox's own; those of a real target are not known.
NO_VALID_ROW = "没有可作废的有效数据"
DUPLICATE_KEY = "主键重复：已有同一主键的有效数据"
NO_PARENT = "上级记录不存在"

_journal = sa.table(
    JOURNAL,
    *(
        sa.column(name)
        for name in ("SEQ", "STANDARD", "TABLE_NAME", "IDENTITY", "OPERATION", "VERSION")
    ),
    *(sa.column(name) for name in ("ANSWER", "REASON", "REPEATED")),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a collector works: it takes each waiting identity with probability `share`, at most
    `rows` rows of a table in a step, and moves a validated row on to 3 with probability `promote`.
    """

    share: float = 1.0
    promote: float = 1.0
    rows: int = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """Numbers of one step: rows read with SJSCZT=0 and answered, and rows moved on from 1."""

    answered: int
    moved: int


class Collector:
    """Takes over what stands in an exchange database; makes its tables when they are missing."""

    def __init__(
        self, settings: ExchangeSettings, packs: Packs, script: Script, pace: Pace | None = None
    ) -> None:
        self._dialect, self._engine = connect(settings, create=True)
        create_tables(self._engine, settings, packs)
        self._places = exchange_tables(settings, packs)
        self._by_name = {place.table.qualified: place for place in self._places}
        self._pace = pace or Pace()
        self.script = script

    def close(self) -> None:
        self._engine.dispose()

    def collect(self, rng: Random) -> Taken:
        """One step over all tables, parents first, in one transaction."""
        answered = moved = 0
        with self._engine.begin() as connection:
            for place in self._places:
                if "SJSCZT" not in place.exchange:
                    continue
                moved += self._promote(connection, place, rng)
                answered += self._answer(connection, place, rng)
        return Taken(answered, moved)

    async def run(self, rng: Random, *, every: float, stop: asyncio.Event) -> None:
        """Steps every `every` seconds until `stop`."""
        while not stop.is_set():
            await asyncio.to_thread(self.collect, rng)
            try:
                async with asyncio.timeout(every):
                    await stop.wait()
            except TimeoutError:
                continue

    def effects(self) -> list[Effect]:
        """Every row that was answered, in order, refused ones too."""
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(_journal).order_by(_journal.c.SEQ)).all()
        return [
            Effect(
                row.STANDARD,
                row.TABLE_NAME,
                row.IDENTITY,
                Operation(row.OPERATION),
                row.VERSION,
                Answer(row.ANSWER),
                row.REASON,
                bool(row.REPEATED),
            )
            for row in rows
        ]

    def held(self) -> list[Held]:
        """The rows that are valid and not refused: waiting (without LSH), validated, taken over."""
        held: list[Held] = []
        with self._engine.begin() as connection:
            for place in self._places:
                if not {"SJSCZT", "SJYXBS"} <= place.exchange.keys():
                    continue
                condition = sa.and_(
                    equals(self._dialect, place, "SJYXBS", 1),
                    sa.not_(equals(self._dialect, place, "SJSCZT", REFUSED)),
                )
                for found in read_arrivals(connection, place, condition):
                    table = place.table
                    key = _key(place, found.fields)
                    held.append(
                        Held(table.standard, table.name, identity_of(key), found.fields, found.lsh)
                    )
        return held

    def _answer(self, connection: sa.Connection, place: ExchangeTable, rng: Random) -> int:
        waiting = read_arrivals(
            connection,
            place,
            equals(self._dialect, place, "SJSCZT", WAITING),
            limit=self._pace.rows,
        )
        groups: dict[str, list[Arrival]] = {}
        for found in waiting:
            groups.setdefault(identity_of(_key(place, found.fields)), []).append(found)
        order = list(groups)
        if self._pace.share < 1.0:
            rng.shuffle(order)
        answered = 0
        for identity in order:
            if rng.random() >= self._pace.share:
                continue
            for found in groups[identity]:
                self._judge(connection, place, identity, found)
                answered += 1
        return answered

    def _judge(
        self, connection: sa.Connection, place: ExchangeTable, identity: str, found: Arrival
    ) -> None:
        standing = self._standing(connection, place, found)
        if found.valid:
            same = any(other.fields == found.fields for other in standing)
            reason = self._refusal(connection, place, found, bool(standing))
        else:
            same = not standing
            reason = NO_VALID_ROW if same else ""
            for other in standing:
                write_arrival(connection, self._dialect, place, other.number, {"SJYXBS": "0"})
        status = REFUSED if reason else VALIDATED
        write_arrival(
            connection,
            self._dialect,
            place,
            found.number,
            {"SJSCZT": str(status), "SBYY": reason, "LSH": str(self._next_lsh(connection))},
        )
        connection.execute(
            sa.insert(_journal).values(
                STANDARD=place.table.standard,
                TABLE_NAME=place.table.name,
                IDENTITY=identity,
                OPERATION=str(Operation.UPSERT if found.valid else Operation.INVALIDATE),
                VERSION=version_of(found.fields),
                ANSWER=str(Answer.REJECTED if reason else Answer.ACCEPTED),
                REASON=reason,
                REPEATED=int(same),
            )
        )

    def _refusal(
        self, connection: sa.Connection, place: ExchangeTable, found: Arrival, standing: bool
    ) -> str:
        """Why a valid row is refused; empty when it is not."""
        refusal = self.script.refusal(place.table.name, _key(place, found.fields), found.fields)
        if refusal is not None and not refusal.late:
            return refusal.reason
        if standing:
            return DUPLICATE_KEY
        if self.script.parents == "off":
            return ""
        for reference in place.table.references:
            parent = self._by_name.get(reference.table)
            values = [found.fields.get(name, "") for name in reference.fields]
            if parent is None or not all(values):
                continue
            wanted = dict(zip(reference.target_fields, values, strict=True))
            if not self._accepted(connection, parent, wanted):
                return f"{NO_PARENT}：{parent.table.name}"
        return ""

    def _standing(
        self, connection: sa.Connection, place: ExchangeTable, found: Arrival
    ) -> Sequence[Arrival]:
        """Rows of the same key that an invalidating copy would flip: accepted ones, and for a copy
        also refused ones, which are corrected in the same way (facts: validity)."""
        rows = self._accepted(
            connection, place, _key(place, found.fields), with_refused=not found.valid
        )
        return [row for row in rows if row.number != found.number]

    def _accepted(
        self,
        connection: sa.Connection,
        place: ExchangeTable,
        wanted: Mapping[str, str],
        *,
        with_refused: bool = False,
    ) -> list[Arrival]:
        states = (VALIDATED, TAKEN_OVER, REFUSED) if with_refused else (VALIDATED, TAKEN_OVER)
        condition = sa.and_(
            equals(self._dialect, place, "SJYXBS", 1),
            sa.or_(*(equals(self._dialect, place, "SJSCZT", state) for state in states)),
            *(equals(self._dialect, place, name, value) for name, value in wanted.items()),
        )
        return read_arrivals(connection, place, condition)

    def _promote(self, connection: sa.Connection, place: ExchangeTable, rng: Random) -> int:
        """Move validated rows on: to 3, or to 2 where a late refusal matches."""
        rows = read_arrivals(
            connection,
            place,
            equals(self._dialect, place, "SJSCZT", VALIDATED),
            limit=self._pace.rows,
        )
        moved = 0
        for found in rows:
            if rng.random() >= self._pace.promote:
                continue
            refusal = self.script.refusal(place.table.name, _key(place, found.fields), found.fields)
            late = refusal is not None and refusal.late and found.valid
            values = {"SJSCZT": str(REFUSED if late else TAKEN_OVER)}
            if late and refusal is not None:
                values["SBYY"] = refusal.reason
            write_arrival(connection, self._dialect, place, found.number, values)
            moved += 1
        return moved

    def _next_lsh(self, connection: sa.Connection) -> int:
        """A serial number over all tables, from the length of the journal."""
        last = connection.execute(sa.select(sa.func.max(_journal.c.SEQ))).scalar()
        return 1 + (last or 0)


def _key(place: ExchangeTable, fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields.get(name, "") for name in place.table.key.fields}
