"""The engine below the ledger: transactions, parameters, rows; SQLite, others follow `Database`.

Statements of the package keep to SQL that PostgreSQL speaks too, apart from lists, which are passed
as JSON to `json_each`; `pusher.ledger.postgresql` tells how it hears that. This module knows no
table of the ledger; migrations are plain scripts.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from pusher import crash
from validator.text import Text

Row = tuple[Any, ...]
MIN_SQLITE = (3, 35)


class LedgerError(Exception):
    """A ledger that cannot be used: one line saying what and what to do, in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class MissingLedgerError(LedgerError):
    """There is no ledger yet, and none was to be made."""


class Database(Protocol):
    """What the ledger asks of an engine. Writes happen between `begin` and `commit`."""

    @property
    def shared(self) -> bool:
        """Several processes may push from this ledger at once."""
        ...

    @property
    def busy(self) -> bool:
        """True inside a transaction."""
        ...

    def begin(self) -> None:
        """Start writing; other writers wait."""
        ...

    def commit(self) -> None:
        """Durable when it returns."""
        ...

    def rollback(self) -> None: ...

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Every row of a query, or of a change with RETURNING."""
        ...

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """One change; the number of rows it touched."""
        ...

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """The same change for many values; the number of rows touched in all."""
        ...

    def lock(self, name: str) -> bool:
        """Take the right called `name` while this session lives; False: another session has it.
        An engine for one process gives it always (`pusher.ledger.lock` has a file there)."""
        ...

    def unlock(self, name: str) -> None: ...

    def close(self) -> None: ...


def scripts() -> tuple[str, ...]:
    """The migrations in order; the schema version is their number."""
    folder = files("pusher.ledger")
    found = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
    return tuple(folder.joinpath(name).read_text(encoding="utf-8") for name in found)


class Sqlite:
    """`Database` on stdlib sqlite3: WAL, `synchronous=FULL`, file mode 0600.

    Raises LedgerError for an old SQLite, an unusable file, or a schema newer than this program.
    """

    shared = False

    def __init__(self, path: Path, migrations: Sequence[str] | None = None) -> None:
        if sqlite3.sqlite_version_info < MIN_SQLITE:
            raise LedgerError(_OLD.fill({"version": sqlite3.sqlite_version}))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
            self._db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
            for pragma in _PRAGMAS:
                self._db.execute(pragma)
        except (OSError, sqlite3.Error) as fault:
            raise LedgerError(_UNUSABLE.fill({"file": path, "fault": fault})) from fault
        self._migrate(path, scripts() if migrations is None else migrations)

    def _migrate(self, path: Path, migrations: Sequence[str]) -> None:
        """Bring the schema up to date, one transaction per step."""
        try:
            version = self._version()
            if version > len(migrations):
                known = len(migrations)
                raise LedgerError(_NEWER.fill({"file": path, "version": version, "known": known}))
            for number in range(version, len(migrations)):
                self._step(number, migrations[number])
        except sqlite3.Error as fault:
            raise LedgerError(_UNUSABLE.fill({"file": path, "fault": fault})) from fault

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _step(self, number: int, script: str) -> None:
        self.begin()
        try:
            if self._version() == number:  # another process may have migrated meanwhile
                for statement in statements(script):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {number + 1:d}")
            crash.at("migrating")
            self.commit()
        except BaseException:
            self.rollback()
            raise

    @property
    def busy(self) -> bool:
        return self._db.in_transaction

    def begin(self) -> None:
        self.run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.run("COMMIT")

    def rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.OperationalError as fault:
            raise LedgerError(_TROUBLE.fill({"fault": fault})) from fault

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        try:
            return self._db.execute(sql, values).rowcount
        except sqlite3.OperationalError as fault:
            raise LedgerError(_TROUBLE.fill({"fault": fault})) from fault

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        try:
            return self._db.executemany(sql, rows).rowcount
        except sqlite3.OperationalError as fault:
            raise LedgerError(_TROUBLE.fill({"fault": fault})) from fault

    def lock(self, name: str) -> bool:
        return True

    def unlock(self, name: str) -> None:
        """Nothing was taken."""

    def close(self) -> None:
        self.rollback()
        self._db.close()


def statements(script: str) -> Iterable[str]:
    """Single statements of a script; `executescript` would commit behind our back."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 15000",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 8000",  # 32 MB: pages changed often are copied back once
)
_OLD = Text(
    "SQLite {version} 太旧，台账需要 3.35 或以上，请升级 Python 或 SQLite",
    "SQLite {version} is too old, the ledger needs 3.35 or newer; upgrade Python or SQLite",
)
_UNUSABLE = Text(
    "台账 {file} 无法使用：{fault}。请检查路径、权限和磁盘空间",
    "ledger {file} cannot be used: {fault}; check its path, permissions and disk space",
)
_NEWER = Text(
    "台账 {file} 的结构版本是 {version}，本程序只认识到 {known}，请升级 spgl",
    "ledger {file} has schema {version}, this program knows {known}; upgrade spgl",
)
_TROUBLE = Text(
    "台账读写失败：{fault}。未提交的结果将在下次运行时核对",
    "reading or writing the ledger failed: {fault}; results not yet stored are settled next run",
)
