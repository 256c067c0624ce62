"""Where a campaign keeps its ledger: a file of the run, or a schema on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import oracle
import sqlalchemy as sa
from places import end_sessions

from pusher.ledger import open_ledger
from tests.services import postgres_database

LEDGERS = ("sqlite", "postgresql")
_SCHEMA = "spgl"


class Books(Protocol):
    """One kind of ledger."""

    def begin(self, folder: Path) -> dict[str, str]:
        """Empty for the next run; what a push is told of it (`pushing.Order`)."""
        ...

    def bury(self) -> None:
        """No push lives any more: what a dead one held may be taken over."""
        ...

    def cut(self) -> int:
        """End the sessions of whoever works with it; how many there were."""
        ...

    def findings(self, stand: oracle.Stand, nights: oracle.Nights) -> list[str]:
        """What is wrong with the run."""
        ...


class FileBooks:
    """A SQLite file; the operating system frees what a dead push held."""

    def __init__(self) -> None:
        self._path = Path()

    def begin(self, folder: Path) -> dict[str, str]:
        self._path = folder / "ledger.db"
        return {"ledger": str(self._path)}

    def bury(self) -> None:
        """The lock died with its process."""

    def cut(self) -> int:
        return 0

    def findings(self, stand: oracle.Stand, nights: oracle.Nights) -> list[str]:
        return oracle.findings(stand, self._path, nights)


class SharedBooks:
    """A schema on PostgreSQL. Leases run on the clock of the server, which nobody sets: to bury the
    dead is to end their leases at once instead of a minute later."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._url = engine.url.render_as_string(hide_password=False)

    def begin(self, folder: Path) -> dict[str, str]:
        self._run(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")
        open_ledger(self._url, schema=_SCHEMA).close()
        return {"ledger": self._url, "schema": _SCHEMA}

    def bury(self) -> None:
        self._run(f"UPDATE {_SCHEMA}.worker SET lease = 0")

    def cut(self) -> int:
        return end_sessions(self._engine)

    def findings(self, stand: oracle.Stand, nights: oracle.Nights) -> list[str]:
        ledger = open_ledger(self._url, schema=_SCHEMA)
        try:
            return oracle.judged(stand, ledger, nights)
        finally:
            ledger.close()

    def _run(self, sql: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(sql)


@contextmanager
def books(name: str) -> Iterator[Books]:
    """A ledger of a kind (`LEDGERS`)."""
    if name == "sqlite":
        yield FileBooks()
        return
    with postgres_database() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        yield SharedBooks(engine)
        engine.dispose()
