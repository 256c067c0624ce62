"""The SQL of the exchange database: add rows, read the rows of some keys, compare columns.

Statements are built from packs and settings, values are always bound. It opens no connection and
knows no transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pusher.transport import Failure, TransportError
from pusher.transports.dialect import Dialect, texts_of
from pusher.transports.exchange_rows import WAITING, NewRow, Row
from pusher.transports.exchange_settings import NOW, WRITTEN, ExchangeTable

#: A key as a tuple of texts, empty where a part is missing.
KeyTuple = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How a table of the exchange database differs from the pack."""

    table: str
    absent: bool
    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def insert_rows(
    connection: sa.Connection,
    dialect: Dialect,
    place: ExchangeTable,
    rows: Sequence[NewRow],
    now: str,
) -> None:
    """Add rows in order with SJSCZT=0, LSH left to the database, in one `executemany`.

    Raises TransportError(CONFIGURATION) for a field that the table does not have.
    """
    if not rows:
        return
    written = [name for name in WRITTEN if name in place.exchange]
    business = known_names(place)
    names = [*business, *written, *place.extra]
    extra = [now if value == NOW else value for value in place.extra.values()]
    known = set(business)
    converted = [(i, f.kind) for i, f in enumerate(place.fields) if f.kind not in dialect.plain]
    values: list[list[object]] = []
    for row in rows:
        if not row.fields.keys() <= known:
            raise TransportError(
                Failure.CONFIGURATION,
                "column",
                f"{place.name} has no field {min(row.fields.keys() - known)} in the pack",
            )
        get = row.fields.get
        line: list[object] = [get(name) or None for name in business]
        for i, kind in converted:
            if line[i] is not None:
                line[i] = dialect.bind(kind, str(line[i]))
        line += [_exchange_value(dialect, place, name, row) for name in written]
        values.append(line + extra)
    statement = sa.insert(place.clause).values({place.columns[n]: sa.bindparam(n) for n in names})
    compiled = statement.compile(dialect=connection.dialect)
    order = compiled.positiontup
    if order is None:
        connection.exec_driver_sql(
            str(compiled), [dict(zip(names, line, strict=True)) for line in values]
        )
        return
    if list(order) != names:
        index = [names.index(name) for name in order]
        values = [[line[i] for i in index] for line in values]
    connection.exec_driver_sql(str(compiled), [tuple(line) for line in values])


def known_names(place: ExchangeTable) -> tuple[str, ...]:
    """The business fields in order."""
    return tuple(f.name for f in place.fields)


def rows_by_key(
    connection: sa.Connection,
    dialect: Dialect,
    place: ExchangeTable,
    names: tuple[str, ...],
    keys: Iterable[KeyTuple],
    page: int,
) -> dict[KeyTuple, list[Row]]:
    """Every row of each key, valid or not; a key without rows is absent. One query per page."""
    for name in names:
        if name not in place.columns:
            raise TransportError(
                Failure.CONFIGURATION, "column", f"{place.name} has no key field {name[:60]}"
            )
    shapes: dict[tuple[bool, ...], list[KeyTuple]] = {}
    for key in dict.fromkeys(keys):
        shapes.setdefault(tuple(bool(part) for part in key), []).append(key)
    found: dict[KeyTuple, list[Row]] = {}
    for shape, same in shapes.items():
        for start in range(0, len(same), page):
            condition = _condition(dialect, place, names, shape, same[start : start + page])
            for key, row in _read(connection, place, names, condition):
                found.setdefault(key, []).append(row)
    return found


def difference(connection: sa.Connection, place: ExchangeTable) -> Difference:
    """Compare the real columns with the pack, names without regard to case."""
    inspector = sa.inspect(connection)
    try:
        real = inspector.get_columns(place.name, schema=place.clause.schema)
    except sa.exc.NoSuchTableError:
        return Difference(place.name, True, (), ())
    have = {str(column["name"]).casefold() for column in real}
    need = {str(column.name).casefold(): str(column.name) for column in place.columns.values()}
    missing = tuple(name for folded, name in need.items() if folded not in have)
    unknown = tuple(
        str(column["name"]) for column in real if str(column["name"]).casefold() not in need
    )
    return Difference(place.name, False, missing, unknown)


def key_of(names: tuple[str, ...], key: Mapping[str, str]) -> KeyTuple:
    """A key mapping in the order of `names`."""
    return tuple(key.get(name, "") for name in names)


def _exchange_value(dialect: Dialect, place: ExchangeTable, name: str, row: NewRow) -> object:
    text = {"SJYXBS": "1" if row.valid else "0", "SJWXYY": row.reason, "SJSCZT": str(WAITING)}[name]
    return dialect.bind(place.kind(name), text) if text else None


def _condition(
    dialect: Dialect,
    place: ExchangeTable,
    names: tuple[str, ...],
    shape: tuple[bool, ...],
    keys: Sequence[KeyTuple],
) -> sa.ColumnElement[bool]:
    """Keys of one shape: the parts that are there by IN, the others IS NULL."""
    given = [i for i, present in enumerate(shape) if present]
    absent = [place.columns[name].is_(None) for i, name in enumerate(names) if not shape[i]]
    if not given:
        return sa.and_(*absent)
    kinds = [place.kind(names[i]) for i in given]
    columns = [place.columns[names[i]] for i in given]
    values = [
        tuple(dialect.bind(kind, key[i]) for kind, i in zip(kinds, given, strict=True))
        for key in keys
    ]
    if len(columns) == 1:
        return sa.and_(columns[0].in_([value[0] for value in values]), *absent)
    return sa.and_(sa.tuple_(*columns).in_(values), *absent)


def _read(
    connection: sa.Connection,
    place: ExchangeTable,
    names: tuple[str, ...],
    condition: sa.ColumnElement[bool],
) -> Iterable[tuple[KeyTuple, Row]]:
    business = known_names(place)
    wanted = business + tuple(place.exchange)
    statement = sa.select(*(place.columns[name] for name in wanted)).where(condition)
    rows = connection.execute(statement).all()
    columns = [
        texts_of(place.kind(name), column)
        for name, column in zip(wanted, zip(*rows, strict=True), strict=False)
    ]
    for values in zip(*columns, strict=True):
        texts = {name: text for name, text in zip(wanted, values, strict=True) if text}
        yield key_of(names, texts), _row(texts)


def _row(texts: dict[str, str]) -> Row:
    """Takes the exchange columns out of `texts`; what is left is the content."""
    take = texts.pop
    status = take("SJSCZT", "")
    row = Row(
        texts,
        take("SJYXBS", "1") != "0",
        int(status) if status.lstrip("-").isdigit() else WAITING,
        take("LSH", ""),
        take("SBYY", ""),
    )
    take("SJWXYY", "")
    return row
