"""The fence of an exchange database: proof that a dead session's transaction has ended.

A session holds its fence from before its first statement until its transaction has ended, whoever
killed the client. Whoever gets the same fence later therefore sees what the dead session committed,
or that it will commit nothing. Where a database has no lock of that kind, a row is held.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from pusher.transport import Failure, TransportError
from pusher.transports.dialect import Dialect
from pusher.transports.exchange_settings import ExchangeSettings, checked_name

#: The row of `fence_table` that is held; one writer at a time for the whole target.
ROW = "spgl"


def raise_fence(
    dialect: Dialect, connection: sa.Connection, settings: ExchangeSettings, name: str
) -> None:
    """Take the fence inside the transaction. Raises TransportError when it stays taken."""
    if settings.fence_table is None and dialect.lock is not None:
        dialect.lock(connection, f"spgl:{name}"[:64], settings.lock_timeout)
    else:
        _hold_row(connection, settings)


def lower_fence(
    dialect: Dialect, connection: sa.Connection, settings: ExchangeSettings, name: str
) -> None:
    """Give it back after the transaction; where that fails, the session ends and with it the
    fence."""
    if settings.fence_table is not None or dialect.unlock is None or connection.invalidated:
        return
    try:
        dialect.unlock(connection, f"spgl:{name}"[:64])
    except sa.exc.SQLAlchemyError:
        connection.invalidate()


def fence_ddl(settings: ExchangeSettings, dialect: sa.Dialect) -> str:
    """What the site runs once to make the table."""
    place = _table(settings)
    quote = dialect.identifier_preparer.format_table(place)
    return f"CREATE TABLE {quote} (NAME VARCHAR(64) NOT NULL PRIMARY KEY)"


def _hold_row(connection: sa.Connection, settings: ExchangeSettings) -> None:
    """Hold the row until the transaction ends; it is made when first needed."""
    if settings.fence_table is None:
        raise TransportError(
            Failure.CONFIGURATION,
            "fence",
            "this database needs fence_table: name a table with one column NAME VARCHAR(64)",
        )
    place = _table(settings)
    found = sa.select(place.c.NAME).where(place.c.NAME == ROW).with_for_update()
    if connection.execute(found).first() is None:
        connection.execute(sa.insert(place).values(NAME=ROW))


def _table(settings: ExchangeSettings) -> sa.Table:
    """A Table, not a clause: its columns need the name of no official field."""
    return sa.Table(
        quoted_name(checked_name(settings.fence_table or ""), True),
        sa.MetaData(),
        sa.Column("NAME", sa.String(64), primary_key=True),
        schema=None if settings.schema is None else quoted_name(settings.schema, True),
    )
