"""The exchange tables of a sandbox, made from packs, on SQLite.

No DDL of a real front database was seen: column types here are what carries every value exactly,
not what a real one has. A column (order of arrival) and a table (the collector's journal) are the
sandbox's own.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from pusher.transports.exchange_settings import ExchangeSettings, ExchangeTable, exchange_table
from validator.pack import Direction, Kind, Packs

#: Order of arrival of a row, the sandbox's own column.
ARRIVAL = "SANDBOX_SEQ"
#: The journal of the collector, the sandbox's own table.
JOURNAL = "SANDBOX_EFFECT"


def exchange_tables(settings: ExchangeSettings, packs: Packs) -> tuple[ExchangeTable, ...]:
    """Every table that is sent, in order of sending."""
    return tuple(
        exchange_table(settings, packs, table.qualified)
        for table in packs.tables()
        if table.direction is Direction.OUT
    )


def create_tables(engine: sa.Engine, settings: ExchangeSettings, packs: Packs) -> None:
    """Create what is missing; existing tables stay as they are. SQLite only."""
    if engine.dialect.name != "sqlite":
        raise NotImplementedError("the sandbox makes exchange tables on SQLite only")
    with engine.connect() as connection:
        raw = connection.connection.cursor()
        raw.execute("PRAGMA journal_mode = WAL")
        raw.close()
    metadata = sa.MetaData()
    for place in exchange_tables(settings, packs):
        _define(metadata, place)
    sa.Table(
        JOURNAL,
        metadata,
        sa.Column("SEQ", sa.Integer, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("STANDARD", "TABLE_NAME", "IDENTITY", "OPERATION", "VERSION")
        ),
        sa.Column("ANSWER", sa.Text, nullable=False),
        sa.Column("REASON", sa.Text, nullable=False),
        sa.Column("REPEATED", sa.Integer, nullable=False),
    )
    metadata.create_all(engine)


def _define(metadata: sa.MetaData, place: ExchangeTable) -> None:
    key = [place.columns[name].name for name in place.table.key.fields]
    sa.Table(
        quoted_name(place.name, True),
        metadata,
        sa.Column(ARRIVAL, sa.Integer, primary_key=True),
        *_columns(place),
        sa.Index(f"{place.name}_KEY", *key),
        sa.Index(f"{place.name}_STATE", *_state(place)),
        sqlite_autoincrement=True,
    )


def _columns(place: ExchangeTable) -> Iterable[sa.Column[object]]:
    for official, column in place.columns.items():
        field = place.table.by_name.get(official)
        yield sa.Column(
            quoted_name(column.name, True), _type(None if field is None else field.kind)
        )


def _type(kind: Kind | None) -> sa.BigInteger | sa.LargeBinary | sa.Text:
    if kind is Kind.INTEGER:
        return sa.BigInteger()
    if kind is Kind.BINARY:
        return sa.LargeBinary()
    return sa.Text()


def _state(place: ExchangeTable) -> list[str]:
    return [place.columns[name].name for name in ("SJSCZT",) if name in place.columns]
