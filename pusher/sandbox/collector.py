"""The collector: what stands behind an exchange database, as far as public code shows it.

It takes rows over in order of arrival, assigns LSH, writes SJSCZT 1, 3, or 2 with SBYY, and flips
the valid row that an invalidating copy names by key. How strict a real one is, is not known: here a
script says. Rows of one identity are never taken out of order, nor a child while its parent stands
waiting; others may be. One step is one transaction, journal included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import sqlalchemy as sa

from pusher.sandbox.arrivals import Arrival, equals, read_arrivals, write_arrivals
from pusher.sandbox.exchange_tables import (
    create_tables,
    exchange_tables,
    inbound_places,
    journal_table,
)
from pusher.sandbox.journal import Effect, Held, identity_of, version_of
from pusher.sandbox.province import Province
from pusher.sandbox.script import Script
from pusher.transport import Answer
from pusher.transports.dialects import connect
from pusher.transports.exchange_columns import examine
from pusher.transports.exchange_settings import ExchangeSettings, ExchangeTable
from pusher.transports.exchange_sql import KeyTuple as _Key
from pusher.transports.exchange_sql import key_conditions, key_of
from validator.pack import Packs
from validator.records import Operation

#: Reasons of the sandbox's own; those of a real target are not known.
NO_VALID_ROW = "没有可作废的有效数据"
DUPLICATE_KEY = "主键重复：已有同一主键的有效数据"
NO_PARENT = "上级记录不存在"

#: A pointer by values: table, fields, values.
_Link = tuple[str, tuple[str, ...], tuple[str, ...]]


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


@dataclass(frozen=True, slots=True)
class _Step:
    """What one step still has to write: changes of rows by number, and journal lines."""

    changes: list[tuple[int, Mapping[str, str]]]
    effects: list[dict[str, object]]


class Collector:
    """Takes over what stands in an exchange database; makes its tables when they are missing."""

    def __init__(
        self, settings: ExchangeSettings, packs: Packs, script: Script, pace: Pace | None = None
    ) -> None:
        self._dialect, engine = connect(settings, create=True)
        create_tables(engine, settings, packs)
        self._engine: sa.Engine = engine
        if self._dialect.name != "sqlite":  # one view of all tables: no child before its parent
            self._engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._journal = journal_table(sa.MetaData(schema=settings.schema))
        with self._engine.begin() as connection:
            self._places = tuple(
                examine(connection, self._dialect, place)[1]
                for place in exchange_tables(settings, packs)
            )
            self._province = self._province_of(connection, settings, packs, script)
        self._by_name = {place.table.qualified: place for place in self._places}
        self._handles: dict[str, set[tuple[str, ...]]] = {}
        for reference in (r for place in self._places for r in place.table.references):
            self._handles.setdefault(reference.table, set()).add(reference.target_fields)
        self._pace = pace or Pace()
        self.script = script

    def _province_of(
        self,
        connection: sa.Connection,
        settings: ExchangeSettings,
        packs: Packs,
        script: Script,
    ) -> Province | None:
        """What writes feedback, where a pack has tables that come in."""
        inbound = [
            examine(connection, self._dialect, place)[1]
            for place in inbound_places(settings, packs)
        ]
        if not inbound:
            return None
        standards = {place.table.standard for place in inbound}
        own = [place for place in self._places if place.table.standard in standards]
        places = {place.table.name: place for place in (*own, *inbound)}
        return Province(self._dialect, places, script.feedback)

    def close(self) -> None:
        self._engine.dispose()

    def collect(self, rng: Random) -> Taken:
        """One step over all tables, parents first, in one transaction."""
        answered = moved = 0
        back: set[_Link] = set()
        with self._engine.begin() as connection:
            for place in self._places:
                if "SJSCZT" not in place.exchange:
                    continue
                moved += self._promote(connection, place, rng)
            for place in self._places:
                if "SJSCZT" not in place.exchange:
                    continue
                taken, more = self._answer(connection, place, back, rng)
                answered += taken
                if more:  # children wait until their parents' table is read to its end
                    break
            if self._province is not None:
                self._province.step(connection)
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
            rows = connection.execute(sa.select(self._journal).order_by(self._journal.c.SEQ)).all()
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
                    sa.not_(equals(self._dialect, place, "SJSCZT", place.conduct.refused)),
                )
                for found in read_arrivals(connection, place, condition):
                    table = place.table
                    key = _named(place, found.fields)
                    held.append(
                        Held(table.standard, table.name, identity_of(key), found.fields, found.lsh)
                    )
        return held

    def _answer(
        self, connection: sa.Connection, place: ExchangeTable, back: set[_Link], rng: Random
    ) -> tuple[int, bool]:
        """How many rows were answered, and whether more wait than one step reads."""
        condition = equals(self._dialect, place, "SJSCZT", place.conduct.waiting)
        groups: dict[_Key, list[Arrival]] = {}
        waiting = read_arrivals(connection, place, condition, limit=self._pace.rows)
        for arrival in waiting:
            groups.setdefault(_key(place, arrival.fields), []).append(arrival)
        chosen = self._chosen(place, groups, back, rng)
        standing = self._standing(connection, place, chosen)
        lsh = 1 + (connection.execute(sa.select(sa.func.max(self._journal.c.SEQ))).scalar() or 0)
        answered = 0
        step = _Step([], [])
        for key in chosen:
            for arrival in groups[key]:
                self._judge(connection, place, arrival, standing.setdefault(key, []), step, lsh)
                lsh, answered = lsh + 1, answered + 1
            if self.script.parents != "off":  # rows of one table may refer to each other
                self._flush(connection, place, step)
        self._flush(connection, place, step)
        return answered, len(waiting) == self._pace.rows

    def _chosen(
        self,
        place: ExchangeTable,
        groups: Mapping[_Key, Sequence[Arrival]],
        back: set[_Link],
        rng: Random,
    ) -> list[_Key]:
        """The identities taken in this step. What refers to one that is left `back` is left too."""
        own = place.table.qualified
        order = list(groups)
        if self._pace.share < 1.0 and all(r.table != own for r in place.table.references):
            rng.shuffle(order)
        chosen: list[_Key] = []
        for key in order:
            links = {
                (ref.table, ref.target_fields, key_of(ref.fields, row.fields))
                for row in groups[key]
                for ref in place.table.references
            }
            if rng.random() < self._pace.share and not links & back:
                chosen.append(key)
                continue
            back.update(
                (own, names, key_of(names, row.fields))
                for row in groups[key]
                for names in self._handles.get(own, ())
            )
        return chosen

    def _judge(
        self,
        connection: sa.Connection,
        place: ExchangeTable,
        arrival: Arrival,
        standing: list[Arrival],
        step: _Step,
        lsh: int,
    ) -> None:
        """Answer one row; `standing` holds the valid answered rows of its key and is kept so.

        A copy flips all of them, refused ones too, which are corrected in the same way (facts:
        validity).
        """
        states = place.conduct
        accepted = [row for row in standing if row.status != str(states.refused)]
        if arrival.valid:
            repeated = any(row.fields == arrival.fields for row in accepted)
            reason = self._refusal(connection, place, arrival, bool(accepted))
        else:
            repeated = not standing
            reason = NO_VALID_ROW if repeated else ""
            step.changes.extend((row.number, {"SJYXBS": "0"}) for row in standing)
            standing.clear()
        good = states.taken_over if states.validated is None else states.validated
        status = str(states.refused if reason else good)
        step.changes.append((arrival.number, {"SJSCZT": status, "SBYY": reason, "LSH": str(lsh)}))
        if arrival.valid:
            standing.append(replace(arrival, status=status))
        step.effects.append(
            {
                "SEQ": lsh,
                "STANDARD": place.table.standard,
                "TABLE_NAME": place.table.name,
                "IDENTITY": identity_of(_named(place, arrival.fields)),
                "OPERATION": str(Operation.UPSERT if arrival.valid else Operation.INVALIDATE),
                "VERSION": version_of(arrival.fields),
                "ANSWER": str(Answer.REJECTED if reason else Answer.ACCEPTED),
                "REASON": reason,
                "REPEATED": int(repeated),
            }
        )

    def _flush(self, connection: sa.Connection, place: ExchangeTable, step: _Step) -> None:
        write_arrivals(connection, self._dialect, place, step.changes)
        if step.effects:
            connection.execute(sa.insert(self._journal), step.effects)
        step.changes.clear()
        step.effects.clear()

    def _refusal(
        self, connection: sa.Connection, place: ExchangeTable, arrival: Arrival, standing: bool
    ) -> str:
        """Why a valid row is refused; empty when it is not."""
        fields = arrival.fields
        refusal = self.script.refusal(place.table.name, _named(place, fields), fields)
        if refusal is not None and not refusal.late:
            return refusal.reason
        if standing:
            return DUPLICATE_KEY
        if self.script.parents == "off":
            return ""
        for reference in place.table.references:
            parent = self._by_name.get(reference.table)
            values = [fields.get(name, "") for name in reference.fields]
            if parent is None or not all(values):
                continue
            wanted = dict(zip(reference.target_fields, values, strict=True))
            if not self._accepted(connection, parent, wanted):
                return f"{NO_PARENT}：{parent.table.name}"
        return ""

    def _standing(
        self, connection: sa.Connection, place: ExchangeTable, keys: Sequence[_Key]
    ) -> dict[_Key, list[Arrival]]:
        """The valid answered rows of some keys."""
        states = place.conduct
        answered = self._in_state(place, states.validated, states.taken_over, states.refused)
        found: dict[_Key, list[Arrival]] = {}
        names = place.table.key.fields
        for condition in key_conditions(self._dialect, place, names, keys, 500):
            for arrival in read_arrivals(connection, place, sa.and_(condition, answered)):
                found.setdefault(_key(place, arrival.fields), []).append(arrival)
        return found

    def _accepted(
        self, connection: sa.Connection, place: ExchangeTable, wanted: Mapping[str, str]
    ) -> bool:
        condition = sa.and_(
            self._in_state(place, place.conduct.validated, place.conduct.taken_over),
            *(equals(self._dialect, place, name, value) for name, value in wanted.items()),
        )
        return bool(read_arrivals(connection, place, condition, limit=1))

    def _in_state(self, place: ExchangeTable, *states: int | None) -> sa.ColumnElement[bool]:
        """The condition that a row is valid and in one of these states."""
        return sa.and_(
            equals(self._dialect, place, "SJYXBS", 1),
            sa.or_(*(equals(self._dialect, place, "SJSCZT", s) for s in states if s is not None)),
        )

    def _promote(self, connection: sa.Connection, place: ExchangeTable, rng: Random) -> int:
        """Move validated rows on: to 3, or to 2 where a late refusal matches."""
        states = place.conduct
        if states.validated is None:
            return 0
        condition = equals(self._dialect, place, "SJSCZT", states.validated)
        changes: list[tuple[int, dict[str, str]]] = []
        for row in read_arrivals(connection, place, condition, limit=self._pace.rows):
            if rng.random() >= self._pace.promote:
                continue
            key = _named(place, row.fields)
            refusal = self.script.refusal(place.table.name, key, row.fields)
            if refusal is not None and refusal.late and row.valid:
                changes.append(
                    (row.number, {"SJSCZT": str(states.refused), "SBYY": refusal.reason})
                )
            else:
                changes.append((row.number, {"SJSCZT": str(states.taken_over)}))
        write_arrivals(connection, self._dialect, place, changes)
        return len(changes)


def _key(place: ExchangeTable, fields: Mapping[str, str]) -> _Key:
    return key_of(place.table.key.fields, fields)


def _named(place: ExchangeTable, fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields.get(name, "") for name in place.table.key.fields}
