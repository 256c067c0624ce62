"""Rows of an exchange database in order of arrival, read and changed by the collector.

Only the sandbox changes rows; the pusher never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pusher.sandbox.exchange_tables import ARRIVAL
from pusher.transports.dialect import Dialect
from pusher.transports.exchange_settings import ExchangeTable
from pusher.transports.exchange_sql import bound, read_texts
from validator.lexical import matches


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row: its place in the order, its non-null business fields, SJYXBS, LSH, SJSCZT."""

    number: int
    fields: Mapping[str, str]
    valid: bool
    lsh: str
    status: str


def read_arrivals(
    connection: sa.Connection,
    place: ExchangeTable,
    condition: sa.ColumnElement[bool],
    limit: int | None = None,
) -> list[Arrival]:
    """The rows that meet a condition, oldest first."""
    number: sa.ColumnClause[int] = sa.column(ARRIVAL)
    names = [f.name for f in place.fields]
    wanted = [*names, *(n for n in ("SJYXBS", "LSH", "SJSCZT") if n in place.exchange)]
    statement = (
        sa.select(number, *(place.columns[name] for name in wanted))
        .select_from(place.clause)
        .where(condition)
        .order_by(number)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    if not rows:
        return []
    numbers, *values = zip(*rows, strict=True)
    columns = [read_texts(place, name, column) for name, column in zip(wanted, values, strict=True)]
    arrivals: list[Arrival] = []
    for at, *line in zip(numbers, *columns, strict=True):
        texts = {name: text for name, text in zip(wanted, line, strict=True) if text}
        own = {name: texts.pop(name) for name in place.exchange if name in texts}
        valid, lsh = own.get("SJYXBS", "1") != "0", own.get("LSH", "")
        arrivals.append(Arrival(at, texts, valid, lsh, own.get("SJSCZT", "")))
    return arrivals


def write_arrivals(
    connection: sa.Connection,
    dialect: Dialect,
    place: ExchangeTable,
    changes: Sequence[tuple[int, Mapping[str, str]]],
) -> None:
    """Set exchange columns of rows; those that the table does not have are left out."""
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for number, values in changes:
        names = tuple(name for name in values if name in place.exchange)
        line: dict[str, object] = {
            name: bound(dialect, place, name, values[name]) if values[name] else None
            for name in names
        }
        if names:
            groups.setdefault(names, []).append({**line, "number": number})
    for names, lines in groups.items():
        statement = (
            sa.update(place.clause)
            .where(sa.column(ARRIVAL) == sa.bindparam("number"))
            .values({place.columns[name]: sa.bindparam(name) for name in names})
        )
        connection.execute(statement, lines)


def equals(
    dialect: Dialect, place: ExchangeTable, name: str, value: int | str
) -> sa.ColumnElement[bool]:
    """The condition that a column holds a canonical value; empty stands for NULL."""
    column, kind, text = place.columns[name], place.kind(name), str(value)
    if not text:
        return column.is_(None)
    return column == bound(dialect, place, name, text) if matches(kind, text) else sa.false()
