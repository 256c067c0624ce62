"""The real databases that tests may use: MariaDB and PostgreSQL on this machine.

`SPGL_TEST_MARIADB_URL` and `SPGL_TEST_POSTGRES_URL` name them; each test makes a database or schema
of its own and drops it. Where a server is missing the test is skipped with the reason, unless
`SPGL_REQUIRE_SERVICES=1` says that it must be there.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

_MARIADB = "mysql+pymysql://root@127.0.0.1:3306/"
_POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


def mariadb_url() -> URL:
    """The server; skips or fails when it does not answer."""
    return _reached("MariaDB", "SPGL_TEST_MARIADB_URL", _MARIADB)


def postgres_url() -> URL:
    """The server and its maintenance database; skips or fails when it does not answer."""
    return _reached("PostgreSQL", "SPGL_TEST_POSTGRES_URL", _POSTGRES)


@contextmanager
def mariadb_database() -> Iterator[URL]:
    """An empty MariaDB database in utf8mb4, dropped at the end."""
    create = "CREATE DATABASE {} CHARACTER SET utf8mb4"
    with _database(mariadb_url(), create, "DROP DATABASE {}") as url:
        yield url


@contextmanager
def postgres_database() -> Iterator[URL]:
    """An empty PostgreSQL database in UTF-8, dropped at the end."""
    create = "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0"
    # A killed client's session may still be at work.
    with _database(postgres_url(), create, "DROP DATABASE {} WITH (FORCE)") as url:
        yield url


@contextmanager
def _database(server: URL, create: str, drop: str) -> Iterator[URL]:
    name = f"spgl_test_{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(create.format(name))
    try:
        yield server.set(database=name)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(drop.format(name))


def _reached(name: str, variable: str, default: str) -> URL:
    fault = _fault(os.environ.get(variable, default))
    if fault is not None:
        words = f"{name} does not answer ({fault}); start it or set {variable}"
        if os.environ.get("SPGL_REQUIRE_SERVICES") == "1":
            pytest.fail(words)
        pytest.skip(words)
    return make_url(os.environ.get(variable, default))


@cache
def _fault(url: str) -> str | None:
    """Why a server cannot be used; None when it answers."""
    try:
        engine = sa.create_engine(url, connect_args={"connect_timeout": 5}, poolclass=sa.NullPool)
        engine.connect().close()
    except (sa.exc.SQLAlchemyError, ImportError) as fault:
        return str(fault).splitlines()[0][:200]
    return None
