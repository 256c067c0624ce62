"""The SQL of the exchange database: add rows, read the rows of some keys.

Statements are built from packs and settings, values are always bound. It opens no connection and
knows no transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from pusher.transport import Failure, TransportError
from pusher.transports.columns import Family, texts_of
from pusher.transports.dialect import Bind, Dialect, Into
from pusher.transports.exchange_rows import NewRow, Row
from pusher.transports.exchange_settings import (
    NOW,
    ROW_ID,
    WRITTEN,
    WRITTEN_AT,
    ExchangeTable,
)

#: A key as a tuple of texts, empty where a part is missing.
KeyTuple = tuple[str, ...]


def insert_rows(
    connection: sa.Connection,
    dialect: Dialect,
    place: ExchangeTable,
    rows: Sequence[NewRow],
    now: str,
) -> None:
    """Add rows in order as waiting (SJSCZT=0), LSH left to the database.

    Raises TransportError(CONFIGURATION) for a field that the table does not have.
    """
    if not rows:
        return
    statement = _insert(place, connection.dialect)
    lines = _lines(dialect, place, rows, now)
    if dialect.gather is not None:
        dialect.gather(connection, statement.into, lines)
        return
    if statement.order is None:
        named = [dict(zip(statement.names, line, strict=True)) for line in lines]
        connection.exec_driver_sql(statement.sql, named)
        return
    if statement.order != statement.names:
        places = [statement.names.index(name) for name in statement.order]
        lines = [tuple(line[i] for i in places) for line in lines]
    connection.exec_driver_sql(statement.sql, lines)


@dataclass(frozen=True, slots=True)
class _Insert:
    """An INSERT as its driver takes it for one row; `order` of the values, None where they go by
    name. `into`: the same for many."""

    sql: str
    names: tuple[str, ...]
    order: tuple[str, ...] | None
    into: Into


@lru_cache(maxsize=512)
def _insert(place: ExchangeTable, dialect: sa.Dialect) -> _Insert:
    names = (*known_names(place), *written(place), *place.extra)
    columns = [place.columns[name] for name in names]
    statement = sa.insert(place.clause).values({place.columns[n]: sa.bindparam(n) for n in names})
    quoting = dialect.identifier_preparer
    into = Into(
        quoting.format_table(place.clause),
        tuple(map(quoting.format_column, columns)),
        tuple(str(column.name) for column in columns),
    )
    if dialect.paramstyle == "pyformat":  # by position is quicker than by name
        positional: Callable[..., sa.Dialect] = type(dialect)
        dialect = positional(paramstyle="format")
    compiled = statement.compile(dialect=dialect)
    order = compiled.positiontup
    return _Insert(str(compiled), names, None if order is None else tuple(order), into)


def _lines(
    dialect: Dialect, place: ExchangeTable, rows: Sequence[NewRow], now: str
) -> list[tuple[object, ...]]:
    """Values of the rows in the order of `_Insert.names`; the quick way is one tuple a row."""
    business = known_names(place)
    bound = [(i, _bind(dialect, place, f.name)) for i, f in enumerate(place.fields)]
    converted = [(i, bind) for i, bind in bound if bind is not None]
    plain = {valid: _own(dialect, place, valid, now) for valid in (True, False)}
    reason_at = written(place).index("SJWXYY") if "SJWXYY" in place.exchange else None
    id_at = written(place).index(ROW_ID) if ROW_ID in place.exchange else None
    lines: list[tuple[object, ...]] = []
    for row in rows:
        cells: Sequence[object] = tuple(map(row.fields.get, business))
        if len(row.fields) + cells.count(None) != len(business):
            _refuse_unknown(place, row)
        if "" in cells or converted:
            cells = [value or None for value in cells]  # an empty text and no value are one thing
            for i, bind in converted:
                if cells[i] is not None:
                    cells[i] = bind(str(cells[i]))
        own = plain[row.valid]
        if row.reason and reason_at is not None:
            own = (*own[:reason_at], row.reason, *own[reason_at + 1 :])
        if id_at is not None:
            own = (*own[:id_at], row.id, *own[id_at + 1 :])
        lines.append((*cells, *own))
    return lines


def _own(dialect: Dialect, place: ExchangeTable, valid: bool, now: str) -> tuple[object, ...]:
    """What every row without a reason has beside its content."""
    values = {
        ROW_ID: None,
        WRITTEN_AT: _bound(dialect, place, WRITTEN_AT, now),
        "SJYXBS": _bound(dialect, place, "SJYXBS", "1" if valid else "0"),
        "SJWXYY": None,
        "SJSCZT": _bound(dialect, place, "SJSCZT", str(place.conduct.waiting)),
    }
    extra = (now if value == NOW else value for value in place.extra.values())
    return (*(values[name] for name in written(place)), *extra)


def _refuse_unknown(place: ExchangeTable, row: NewRow) -> None:
    unknown = row.fields.keys() - set(known_names(place))
    if unknown:
        raise TransportError(
            Failure.CONFIGURATION,
            "column",
            f"{place.name} has no field {min(unknown)} in the pack",
        )


def written(place: ExchangeTable) -> tuple[str, ...]:
    """The exchange fields that we fill ourselves."""
    return tuple(name for name in WRITTEN if name in place.exchange)


def _bound(dialect: Dialect, place: ExchangeTable, name: str, text: str) -> object:
    """An exchange value, or None where the table has no such column."""
    return bound(dialect, place, name, text) if name in place.exchange else None


def _bind(dialect: Dialect, place: ExchangeTable, name: str) -> Bind:
    return dialect.bind(place.kind(name), place.real[name].family)


def bound(dialect: Dialect, place: ExchangeTable, name: str, text: str) -> object:
    """A canonical text as the column of a field takes it."""
    bind = _bind(dialect, place, name)
    return text if bind is None else bind(text)


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
    *,
    states_only: bool = False,
) -> dict[KeyTuple, list[Row]]:
    """Every row of each key, valid or not; a key without rows is absent. One query per page.

    `states_only` leaves the content out of the rows: a tenth of the bytes.
    """
    for name in names:
        if name not in place.columns:
            raise TransportError(
                Failure.CONFIGURATION, "column", f"{place.name} has no key field {name[:60]}"
            )
    found: dict[KeyTuple, list[Row]] = {}
    for condition in key_conditions(dialect, place, names, keys, page):
        fields = names if states_only else known_names(place)
        for key, row in _read(connection, place, names, condition, fields):
            found.setdefault(key, []).append(row)
    return found


def key_conditions(
    dialect: Dialect,
    place: ExchangeTable,
    names: tuple[str, ...],
    keys: Iterable[KeyTuple],
    page: int,
) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions that together select the rows of some keys, at most `page` keys each."""
    shapes: dict[tuple[bool, ...], list[KeyTuple]] = {}
    for key in dict.fromkeys(keys):
        shapes.setdefault(tuple(bool(part) for part in key), []).append(key)
    for shape, same in shapes.items():
        for start in range(0, len(same), page):
            yield _condition(dialect, place, names, shape, same[start : start + page])


def key_of(names: tuple[str, ...], key: Mapping[str, str]) -> KeyTuple:
    """A key mapping in the order of `names`."""
    return tuple(key.get(name, "") for name in names)


def kept_key(place: ExchangeTable, names: tuple[str, ...], key: Mapping[str, str]) -> KeyTuple:
    """`key_of` in the form in which the table keeps it."""
    if place.lossy and not set(names).isdisjoint(place.lossy):
        return tuple(place.kept(name, key.get(name, "")) for name in names)
    return key_of(names, key)


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
    columns = [place.columns[names[i]] for i in given]
    texts = all(place.real[names[i]].family is Family.TEXT for i in given)
    if dialect.listed is not None and texts and len(columns) > 1:
        listed = dialect.listed(columns, [tuple(key[i] for i in given) for key in keys])
        return sa.and_(listed, *absent)
    binds = [_bind(dialect, place, names[i]) for i in given]
    values = [
        tuple(
            key[i] if bind is None else bind(key[i]) for i, bind in zip(given, binds, strict=True)
        )
        for key in keys
    ]
    # a condition on the first part alone lets every database use an index on it
    firsts = columns[0].in_(list(dict.fromkeys(value[0] for value in values)))
    if len(columns) == 1:
        return sa.and_(firsts, *absent)
    return sa.and_(firsts, sa.tuple_(*columns).in_(values), *absent)


def _read(
    connection: sa.Connection,
    place: ExchangeTable,
    names: tuple[str, ...],
    condition: sa.ColumnElement[bool],
    fields: tuple[str, ...],
) -> Iterable[tuple[KeyTuple, Row]]:
    wanted = fields + tuple(place.exchange)
    statement = sa.select(*(place.columns[name] for name in wanted)).where(condition)
    rows = connection.execute(statement).all()
    columns = [
        read_texts(place, name, column)
        for name, column in zip(wanted, zip(*rows, strict=True), strict=False)
    ]
    for values in zip(*columns, strict=True):
        texts = {name: text for name, text in zip(wanted, values, strict=True) if text}
        yield key_of(names, texts), _row(place, texts)


#: Columns whose values the driver gives back with more than they hold.
_LOOSE = frozenset({Family.PADDED, Family.SINGLE})


def read_texts(place: ExchangeTable, name: str, values: Iterable[object]) -> list[str]:
    """The canonical texts of the values of a field."""
    texts = texts_of(place.kind(name), values)
    return [place.kept(name, t) for t in texts] if place.real[name].family in _LOOSE else texts


def _row(place: ExchangeTable, texts: dict[str, str]) -> Row:
    """Takes the exchange columns out of `texts`; what is left is the content."""
    own = {name: texts.pop(name) for name in place.exchange if name in texts}
    status = own.get("SJSCZT", "")
    return Row(
        texts,
        own.get("SJYXBS", "1") != "0",
        int(status) if status.lstrip("-").isdigit() else place.conduct.waiting,
        own.get("LSH", ""),
        own.get("SBYY", ""),
    )
