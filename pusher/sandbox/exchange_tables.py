"""The exchange tables of a sandbox, made from packs, on SQLite, MySQL/MariaDB or PostgreSQL.

No DDL of a real front database was seen: the column types are plausible ones that carry every
value of ours exactly, not what a real one has. The site's own columns are times where they are
stamped with `@now`. A column (order of arrival) and a table (the collector's journal) are the
sandbox's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import TypeEngine

from pusher.transports.exchange_settings import NOW, ExchangeSettings, ExchangeTable, exchange_table
from validator.pack import Direction, Kind, Packs

#: Order of arrival of a row, the sandbox's own column.
ARRIVAL = "SANDBOX_SEQ"
#: The journal of the collector, the sandbox's own table.
JOURNAL = "SANDBOX_EFFECT"
#: Databases on which tables can be made.
MADE_ON = ("sqlite", "mysql", "mariadb", "postgresql")
_KEY_LENGTH = 120

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.TEXT: _TEXT,
    Kind.INTEGER: sa.BigInteger(),
    Kind.DECIMAL: sa.Numeric().with_variant(mysql.DECIMAL(65, 30), "mysql", "mariadb"),
    Kind.DATE: sa.Date(),
    Kind.DATETIME: sa.DateTime(),
    Kind.BINARY: _BYTES,
}


def exchange_tables(settings: ExchangeSettings, packs: Packs) -> tuple[ExchangeTable, ...]:
    """Every table that is sent, in order of sending."""
    return tuple(
        exchange_table(settings, packs, table.qualified)
        for table in packs.tables()
        if table.direction is Direction.OUT
    )


def inbound_places(settings: ExchangeSettings, packs: Packs) -> tuple[ExchangeTable, ...]:
    """Every table in which the other side writes for us; those with the prefix of a city only where
    one is set."""
    return tuple(
        exchange_table(settings, packs, table.qualified)
        for table in packs.tables()
        if table.direction is Direction.IN and (settings.city_prefix or not table.city_prefix)
    )


def create_tables(engine: sa.Engine, settings: ExchangeSettings, packs: Packs) -> None:
    """Create the schema and the tables that are missing; existing ones stay as they are.

    Raises NotImplementedError on a database that the sandbox was never run on.
    """
    kind = engine.dialect.name
    if kind not in MADE_ON:
        raise NotImplementedError(f"the sandbox makes exchange tables on {', '.join(MADE_ON)} only")
    if kind == "sqlite":
        with engine.connect() as connection:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA journal_mode = WAL")
            raw.close()
    elif settings.schema is not None:
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateSchema(settings.schema, if_not_exists=True))
    metadata = sa.MetaData(schema=settings.schema)
    for place in (*exchange_tables(settings, packs), *inbound_places(settings, packs)):
        _define(metadata, place, kind)
    journal_table(metadata)
    metadata.create_all(engine)


def journal_table(metadata: sa.MetaData) -> sa.Table:
    """The collector's own account of what it answered."""
    return sa.Table(
        JOURNAL,
        metadata,
        sa.Column("SEQ", _NUMBER, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, _TEXT, nullable=False)
            for name in ("STANDARD", "TABLE_NAME", "IDENTITY", "OPERATION", "VERSION")
        ),
        sa.Column("ANSWER", _TEXT, nullable=False),
        sa.Column("REASON", _TEXT, nullable=False),
        sa.Column("REPEATED", sa.Integer, nullable=False),
        **_STORAGE,
    )


#: InnoDB knows transactions, utf8mb4 every character; a binary collation compares as we do.
_STORAGE: dict[str, Any] = {
    f"{name}_{option}": value
    for name in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def _define(metadata: sa.MetaData, place: ExchangeTable, kind: str) -> None:
    key = [place.columns[name].name for name in place.table.key.fields]
    sa.Table(
        quoted_name(place.name, True),
        metadata,
        sa.Column(ARRIVAL, _NUMBER, primary_key=True, autoincrement=True),
        *_columns(place, kind),
        sa.Index(f"{place.name}_KEY", *key),
        sa.Index(f"{place.name}_STATE", *_state(place)),
        sqlite_autoincrement=True,
        **_STORAGE,
    )


def _columns(place: ExchangeTable, dialect: str) -> Iterable[sa.Column[Any]]:
    for official, column in place.columns.items():
        field = place.table.by_name.get(official)
        if field is None:
            type_ = sa.DateTime() if place.extra[official] == NOW else _TYPES[Kind.TEXT]
        else:
            type_ = _TYPES[field.kind]
        if dialect == "sqlite" and not isinstance(type_, sa.BigInteger | sa.LargeBinary):
            type_ = sa.Text()  # its own numbers and times would not be exact
        elif official in place.table.key.fields and type_ is _TEXT:
            type_ = sa.String(_KEY_LENGTH)
        yield sa.Column(quoted_name(column.name, True), type_)


def _state(place: ExchangeTable) -> list[str]:
    return [place.columns[name].name for name in ("SJSCZT",) if name in place.columns]
