"""The real columns of an exchange database, compared with the pack before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from pusher.transports.columns import real_column
from pusher.transports.dialect import Dialect
from pusher.transports.exchange_settings import ExchangeTable
from pusher.transports.exchange_sql import known_names, written


@dataclass(frozen=True, slots=True)
class Difference:
    """How a table of the exchange database differs from the pack.

    `missing` and `cased` stop it (`cased`: there, but written in another case), `demanded` are
    columns that we leave out and that take no row without a value, `engine` is a storage engine
    that undoes nothing when a batch fails; `unknown` is only told.
    """

    table: str
    absent: bool
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    cased: tuple[str, ...] = ()
    demanded: tuple[str, ...] = ()
    engine: str | None = None

    @property
    def stops(self) -> bool:
        """No row can be written as things are."""
        return self.absent or bool(self.missing or self.cased or self.demanded or self.engine)

    @property
    def any(self) -> bool:
        return self.stops or bool(self.unknown)

    def __str__(self) -> str:
        parts = [f"lacks {', '.join(self.missing[:5])}"] if self.missing else []
        if self.absent:
            parts.append("does not exist")
        if self.cased:
            names = ", ".join(self.cased[:5])
            parts.append(f"has {names} in another case (table_case, column_case)")
        if self.demanded:
            parts.append(f"demands a value for {', '.join(self.demanded[:5])} (extra_columns)")
        if self.engine:
            parts.append(f"knows no transactions (ENGINE={self.engine}; it has to be InnoDB)")
        if self.unknown:
            parts.append(f"has {len(self.unknown)} columns more: {', '.join(self.unknown[:5])}")
        return f"{self.table} {'; '.join(parts)}"


def examine(
    connection: sa.Connection, dialect: Dialect, place: ExchangeTable
) -> tuple[Difference, ExchangeTable]:
    """Compare the real columns with the pack; the table with what the database said of them."""
    try:
        schema = place.clause.schema
        described = sa.inspect(connection).get_columns(place.name, schema=schema)
    except sa.exc.NoSuchTableError:
        return Difference(place.name, True, (), ()), place
    columns = [real_column(column, connection.dialect.name) for column in described]
    found = {column.name.casefold(): column for column in columns}
    ours = {str(column.name).casefold(): official for official, column in place.columns.items()}
    met = {official: found[name] for name, official in ours.items() if name in found}
    need = {official: str(column.name) for official, column in place.columns.items()}
    others = tuple(c for c in columns if c.name.casefold() not in ours)
    filled = {*known_names(place), *written(place), *place.extra}
    silent = (
        *others,
        *(met[name] for name in place.exchange if name in met and name not in filled),
    )
    difference = Difference(
        place.name,
        False,
        missing=tuple(need[official] for official in need if official not in met),
        unknown=tuple(c.name for c in others),
        cased=tuple(c.name for o, c in met.items() if dialect.exact_case and c.name != need[o]),
        demanded=tuple(c.name for c in silent if c.demanded),
        engine=dialect.undoes_nothing and dialect.undoes_nothing(connection, schema, place.name),
    )
    return difference, place.with_real(met)
