"""The SQL of rows that wait for us in an exchange database: a page of them, and marking them.

Statements are built from packs and settings, values are always bound. It opens no connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pusher.inbound import Fate, InboundRow
from pusher.transports.dialect import Dialect
from pusher.transports.exchange_settings import ExchangeTable
from pusher.transports.exchange_sql import bound, read_texts
from validator.pack import Kind

_KEY, _TIME = "row_key", "row_time"


@dataclass(frozen=True, slots=True, eq=False)
class WaitingTable:
    """A table that comes in, as it stands there: `names` are the columns that exist, `key` the row
    key, `time` by which rows are read (None: by key alone), `reason` whether SBYY exists."""

    place: ExchangeTable
    names: tuple[str, ...]
    key: str
    time: str | None
    reason: bool

    def waiting(self, dialect: Dialect, position: tuple[Any, ...], limit: int) -> sa.Select[Any]:
        """The next rows: first those with a time by (time, key), then the others by key.
        `position`: (timed, time and key of the last row), without the latter at the beginning. The
        last columns are time and key as the driver gives them."""
        columns = self.place.columns
        key, time = columns[self.key], None if self.time is None else columns[self.time]
        wanted = [columns[name] for name in self.names]
        statement = sa.select(
            *wanted, (key if time is None else time).label(_TIME), key.label(_KEY)
        ).where(self._waits(dialect))
        timed, *last = position
        if time is None:
            order: tuple[sa.ColumnElement[Any], ...] = (key,)
            beyond = [key > last[-1]] if last else []
        elif timed:
            order = (time, key)
            beyond = [time.is_not(None)]
            if last:
                at, after = last
                beyond.append(sa.or_(time > at, sa.and_(time == at, key > after)))
        else:
            order = (key,)
            beyond = [time.is_(None), *([key > last[-1]] if last else [])]
        return statement.where(*beyond).order_by(*order).limit(limit)

    def rows(self, found: Sequence[sa.Row[Any]]) -> list[InboundRow]:
        """Rows of `waiting` as canonical texts."""
        if not found:
            return []
        values = list(zip(*found, strict=True))[: len(self.names)]
        columns = [read_texts(self.place, n, v) for n, v in zip(self.names, values, strict=True)]
        made: list[InboundRow] = []
        for line in zip(*columns, strict=True):
            texts = {name: text for name, text in zip(self.names, line, strict=True) if text}
            own = {name: texts.pop(name) for name in self.place.exchange if name in texts}
            valid, reason = own.get("SJYXBS", "1") != "0", own.get("SJWXYY", "")
            made.append(InboundRow(texts.get(self.key, ""), texts, valid, reason))
        return made

    def marking(self, dialect: Dialect, fate: Fate, reason: str, keys: Sequence[str]) -> sa.Update:
        """Set the state of some rows that still wait, and the reason where they are refused."""
        conduct, columns = self.place.conduct, self.place.columns
        state = conduct.taken_over if fate is Fate.CONSUMED else conduct.refused
        values = {columns["SJSCZT"]: bound(dialect, self.place, "SJSCZT", str(state))}
        if reason and self.reason:
            values[columns["SBYY"]] = bound(dialect, self.place, "SBYY", reason)
        mine = columns[self.key].in_([bound(dialect, self.place, self.key, k) for k in keys])
        return sa.update(self.place.clause).where(mine, self._waits(dialect)).values(values)

    def _waits(self, dialect: Dialect) -> sa.ColumnElement[bool]:
        state = str(self.place.conduct.waiting)
        return self.place.columns["SJSCZT"] == bound(dialect, self.place, "SJSCZT", state)


def waiting_table(place: ExchangeTable, missing: Sequence[str]) -> WaitingTable | None:
    """The table without the columns that are `missing` there; None where it cannot be read: no
    single row key or no state."""
    (key, *others) = place.table.key.fields
    if others or key in missing or "SJSCZT" not in place.exchange or "SJSCZT" in missing:
        return None
    own = ("SJYXBS", "SJWXYY")
    there = [f.name for f in place.fields] + [n for n in own if n in place.exchange]
    names = tuple(name for name in there if name not in missing)
    times = (f.name for f in place.fields if f.kind is Kind.DATETIME and f.name in names)
    reason = "SBYY" in place.exchange and "SBYY" not in missing
    return WaitingTable(place, names, key, next(times, None), reason)
