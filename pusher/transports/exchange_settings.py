"""Settings of the exchange-database transport, and what each table is called there.

Names come from packs and settings only; each is checked here before it is quoted into SQL, and no
name ever comes from data. Values are never part of SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from pusher.transport import Failure, TransportError
from pusher.transports.columns import RealColumn, assumed, faithful, stored
from pusher.transports.exchange_rows import Conduct
from validator.pack import Field, Kind, Otherwise, Packs, Role, Table

#: The row's own id and time of writing, in packs that make them exchange columns.
ROW_ID, WRITTEN_AT = "ID", "SJGXSJ"
#: What the pusher writes itself; LSH and SBYY are left to the database.
WRITTEN = (ROW_ID, "SJYXBS", "SJWXYY", "SJSCZT", WRITTEN_AT)
#: A value of `ExchangeSettings.extra` that stands for the time of writing.
NOW = "@now"

_NAME = re.compile(r"[A-Za-z0-9_]{1,63}")


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """Where the exchange database is and how it names things. Times in seconds.

    `url`: a SQLAlchemy URL without password; that comes from `password_env` or `password_file`.
    `city_prefix`: before the names of tables that carry the prefix of a city (`370800_`). `extra`:
    columns of the site's own (`SCSJ`, `GXSJ`) and their value, `@now` for the time.
    `accepted_at`: from which SJSCZT on a record counts as accepted. `page`: keys per look-up.
    `connections`: transactions at once; SQLite has one writer anyway. `fence_table`: a table of the
    site with a column NAME, whose row is held instead of the database's own lock.
    """

    url: str
    password_env: str | None = None
    password_file: Path | None = None
    schema: str | None = None
    prefix: str = ""
    suffix: str = ""
    city_prefix: str = ""
    table_case: Literal["upper", "lower"] = "upper"
    column_case: Literal["upper", "lower"] = "upper"
    extra: Mapping[str, str] = field(default_factory=dict)
    accepted_at: Literal[1, 3] = 1
    page: int = 500
    connections: int = 1
    lock_timeout: float = 10.0
    fence_table: str | None = None
    connect_timeout: float = 10.0
    total_timeout: float = 180.0
    notify_url: str | None = None
    notify_timeout: float = 10.0
    notify_waits: tuple[float, ...] = (0.5, 2.0)
    token_env: str | None = None
    token_file: Path | None = None


class AsBound(sa.types.UserDefinedType[Any]):
    """A column whose values go to the driver and come from it untouched, without a cast: what the
    driver takes for a type is up to the dialect, what it becomes up to the real column."""

    cache_ok = True


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeTable:
    """A pack table as it stands in the exchange database.

    `fields`: business fields in order; `exchange`: the exchange fields this table has, by name.
    `conduct` is what its pack attests of the other side; `clause` carries the quoted names;
    `columns` finds a column by the official field name, `real` what the database said of it (before
    it was asked: what its kind suggests).
    """

    table: Table
    name: str
    fields: tuple[Field, ...]
    exchange: Mapping[str, Field]
    extra: Mapping[str, str]
    columns: Mapping[str, sa.ColumnClause[Any]]
    clause: sa.TableClause
    real: Mapping[str, RealColumn]
    lossy: tuple[str, ...]
    conduct: Conduct

    def kind(self, name: str) -> Kind:
        return self.table.by_name[name].kind

    def kept(self, name: str, text: str) -> str:
        """The text that comes back when `text` is written to a field."""
        return stored(self.kind(name), text, self.real[name])

    def kept_content(self, content: Mapping[str, str]) -> Mapping[str, str]:
        """A content as it comes back from this table; `lossy` are the fields to look at."""
        changed = {n: self.kept(n, content[n]) for n in self.lossy if n in content}
        return {**content, **changed} if changed else content

    def with_real(self, real: Mapping[str, RealColumn]) -> ExchangeTable:
        """The table with what the database said of its columns."""
        known = {**self.real, **real}
        return replace(self, real=known, lossy=_lossy(self.fields, known))


def exchange_table(settings: ExchangeSettings, packs: Packs, qualified: str) -> ExchangeTable:
    """The table of a qualified name. Raises TransportError(CONFIGURATION) for an unknown table or a
    name that is no identifier."""
    try:
        table = packs.table(qualified)
    except KeyError as fault:
        raise TransportError(
            Failure.CONFIGURATION, "table", f"no pack in use knows the table {qualified!r}"
        ) from fault
    if table.city_prefix and not settings.city_prefix:
        raise TransportError(
            Failure.CONFIGURATION,
            "city_prefix",
            f"{table.name} carries the prefix of a city; set city_prefix of the target",
        )
    prefix = settings.prefix + (settings.city_prefix if table.city_prefix else "")
    name = checked_name(_cased(settings.table_case, prefix + table.name + settings.suffix))
    business = tuple(f for f in table.fields if f.role is Role.BUSINESS)
    exchange = {f.name: f for f in table.fields if f.role is Role.EXCHANGE}
    names = [f.name for f in business] + list(exchange) + list(settings.extra)
    columns: dict[str, sa.ColumnClause[Any]] = {}
    for official in names:
        cased = checked_name(_cased(settings.column_case, official))
        columns[official] = sa.column(quoted_name(cased, True), AsBound())
    real = {f.name: assumed(str(columns[f.name].name), f.kind) for f in table.fields}
    schema = None if settings.schema is None else quoted_name(checked_name(settings.schema), True)
    clause = sa.table(quoted_name(name, True), *columns.values(), schema=schema)
    return ExchangeTable(
        table,
        name,
        business,
        exchange,
        settings.extra,
        columns,
        clause,
        real,
        _lossy(business, real),
        conduct_of(packs, table),
    )


def conduct_of(packs: Packs, table: Table) -> Conduct:
    """What the pack of a table attests of its rows at the target: the codes of their states, and a
    change only where there is a column for the reason (SJWXYY) of an invalidating copy."""
    exchange = packs.pack(table.standard).exchange
    return Conduct(
        waiting=int(exchange.new),
        validated=int(exchange.accepted[0]) if len(exchange.accepted) > 1 else None,
        refused=int(exchange.refused[0]),
        taken_over=int(exchange.accepted[-1]),
        otherwise_refused=exchange.otherwise is Otherwise.REFUSED,
        changes="SJWXYY" in table.by_name,
    )


def _lossy(fields: tuple[Field, ...], real: Mapping[str, RealColumn]) -> tuple[str, ...]:
    """The fields whose columns may give back something else than they were given."""
    return tuple(f.name for f in fields if not faithful(f.kind, real[f.name]))


def checked_name(name: str) -> str:
    """`name` if it is a plain identifier: letters, digits, underscore, at most 63 characters."""
    if not _NAME.fullmatch(name):
        raise TransportError(
            Failure.CONFIGURATION,
            "name",
            f"{name[:80]!r} cannot name a schema, table or column: use letters, digits, underscore",
        )
    return name


def _cased(case: Literal["upper", "lower"], name: str) -> str:
    return name.upper() if case == "upper" else name.lower()
