"""Ledgers for tests on every engine: a SQLite file, and a schema of its own on PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pusher.ledger import open_ledger
from pusher.ledger.core import Ledger
from spgl.ledger_place import LedgerPlace
from tests.services import postgres_url

ENGINES = ("sqlite", "postgresql")


@contextmanager
def ledger_on(engine: str, folder: Path) -> Iterator[Ledger]:
    """An empty ledger, closed at the end. Skips or fails where the server is missing."""
    if engine == "sqlite":
        made = open_ledger(folder / "ledger.db")
        try:
            yield made
        finally:
            made.close()
        return
    with postgres_schema() as (url, schema):
        made = open_ledger(url, schema=schema)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def place_on(engine: str, folder: Path) -> Iterator[LedgerPlace]:
    """Where the ledger of a site in `folder` goes; there is none yet, and none at the end."""
    path = folder / ".spgl" / "ledger.db"
    if engine == "sqlite":
        yield LedgerPlace(path)
        return
    with postgres_schema() as (url, schema):
        yield LedgerPlace(path, url, schema)


def settings_of(place: LedgerPlace) -> str:
    """What a site writes into `spgl.toml` to have its ledger there."""
    return f'[ledger]\nurl = "{place.url}"\nschema = "{place.schema}"\n' if place.url else ""


@contextmanager
def postgres_schema() -> Iterator[tuple[str, str]]:
    """The address of a PostgreSQL server and the name of a schema, dropped at the end."""
    url = postgres_url().render_as_string(hide_password=False)
    schema = f"spgl_test_{secrets.token_hex(6)}"
    try:
        yield url, schema
    finally:
        plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())
