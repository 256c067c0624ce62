"""Front databases for tests: a file, MariaDB in the shape of a Guangdong city, PostgreSQL.

Each test gets an empty one of its own; a server that is missing is a skip with its reason, see
`services`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from services import mariadb_database, postgres_database
from sqlalchemy.engine import URL

from pusher.transports.exchange_settings import ExchangeSettings

SERVERS = ("mariadb", "postgresql")
KINDS = ("sqlite", *SERVERS)
_PASSWORD = "SPGL_TEST_FRONT_PASSWORD"


@dataclass(frozen=True, slots=True)
class Front:
    """An empty front database: our settings for it, and an engine of the test's own to look and
    meddle with."""

    settings: ExchangeSettings
    engine: sa.Engine

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for sql in statements:
                connection.exec_driver_sql(sql)

    def name(self, table: str) -> str:
        """A table or column quoted for SQL of the test's own."""
        return self.engine.dialect.identifier_preparer.quote_identifier(table)


@contextmanager
def front_database(kind: str, folder: Path) -> Iterator[Front]:
    """An empty front database of a kind."""
    if kind == "sqlite":
        yield from _front(sa.engine.make_url(f"sqlite:///{folder / 'front.db'}"), {})
    elif kind == "mariadb":
        with mariadb_database() as url:
            yield from _front(url, {"extra": {"SCSJ": "@now", "GXSJ": "@now"}})
    else:
        with postgres_database() as url:
            yield from _front(url, {"extra": {"GXSJ": "@now"}})


def _front(url: URL, changes: dict[str, object]) -> Iterator[Front]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    if url.password:
        os.environ[_PASSWORD] = str(url.password)
        changes = {**changes, "password_env": _PASSWORD}
        url = url.set(password=None)
    settings = ExchangeSettings(url.render_as_string(hide_password=False), **changes)  # type: ignore[arg-type]
    yield Front(settings, engine)
    engine.dispose()
