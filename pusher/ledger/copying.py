"""A copy of a ledger as a SQLite file, for a question that must not change the ledger itself.

The ledger is only read, as it stood at one moment, and nobody waits for that: a SQLite file by its
online backup, a schema of PostgreSQL by a session that the server keeps from writing.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pusher.ledger.core import Ledger
from pusher.ledger.database import LedgerError, MissingLedgerError, Sqlite
from validator.text import Text

if TYPE_CHECKING:
    from pusher.ledger.postgresql import Postgres

#: What entering records reads and `known` answers from. The other tables grow with every attempt
#: and change of state, or hold contents; a copy starts them anew.
_TABLES = ("run", "place", "identity", "version", "handle", "parent", "batch", "member", "tally")
_PAGE = 5_000


def copy_file(source: Path, copy: Path) -> None:
    """A whole copy, consistent also while another process writes; no file: nothing is copied.

    SQLite may leave its own empty `-wal` and `-shm` files beside the source. Raises LedgerError.
    """
    if not source.exists():
        return
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(copy)) as written,
        ):
            read.backup(written)
    except sqlite3.Error as fault:
        raise LedgerError(_NO_COPY.fill({"file": source, "fault": fault})) from fault


def copy_schema(url: str, schema: str, copy: Path) -> None:
    """What records are entered by, without contents, attempts and events, all of one moment; no
    ledger in the schema: nothing is copied. Raises LedgerError."""
    from pusher.ledger.postgresql import Postgres

    try:
        source = Postgres(url, schema, read_only=True)
    except MissingLedgerError:
        return
    with closing(source), closing(Ledger(Sqlite(copy), copy)) as made:
        source.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        with made.transaction():
            for table in _TABLES:
                _copy_table(source, made, table)


def _copy_table(source: Postgres, made: Ledger, table: str) -> None:
    names = [row[1] for row in made.db.rows(f"PRAGMA table_info({table})")]
    listed, marks = ", ".join(names), ", ".join("?" * len(names))
    source.run(f"DECLARE reading NO SCROLL CURSOR FOR SELECT {listed} FROM {table}")  # noqa: S608
    while rows := source.rows(f"FETCH {_PAGE} FROM reading"):
        made.db.many(f"INSERT INTO {table} ({listed}) VALUES ({marks})", rows)  # noqa: S608
    source.run("CLOSE reading")


_NO_COPY = Text(
    "台账 {file} 无法复制：{fault}。请检查权限和临时目录的磁盘空间",
    "ledger {file} cannot be copied: {fault}; check its permissions and the space for temporary "
    "files",
)
