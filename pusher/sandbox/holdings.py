"""What the HTTP sandbox holds as valid, and by which fields other tables may refer to it.

Part of the store: it works inside the store's transactions and begins none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import orjson

from pusher.sandbox.journal import Held, version_of
from validator.pack import Packs

#: Standard, table, identity.
Place = tuple[str, str, str]


class Holdings:
    """The `held` and `handle` tables of a store. Without packs every table is known and nothing
    refers to anything."""

    def __init__(self, db: sqlite3.Connection, packs: Packs | None) -> None:
        self._db = db
        self._tables = {t.qualified: t for t in packs.tables()} if packs is not None else None
        self._handles = _handles_of(packs)

    def knows(self, qualified: str) -> bool:
        """True for a table of the packs."""
        return self._tables is None or qualified in self._tables

    def all(self) -> list[Held]:
        """What is held as valid now."""
        rows = self._db.execute(
            "SELECT standard, table_name, identity, fields, lsh FROM held"
            " ORDER BY standard, table_name, identity"
        )
        return [Held(s, t, i, orjson.loads(fields), lsh) for s, t, i, fields, lsh in rows]

    def missing_parent(self, qualified: str, fields: Mapping[str, str]) -> str:
        """The reason why a record of this content has no parent here; empty when it has."""
        if self._tables is None:
            return ""
        for reference in self._tables[qualified].references:
            values = [fields.get(name, "") for name in reference.fields]
            if not all(values):
                continue
            found = self._db.execute(
                "SELECT 1 FROM handle WHERE qualified = ? AND fields = ? AND content = ?",
                (reference.table, _joined(reference.target_fields), _joined(values)),
            ).fetchone()
            if found is None:
                return f"上级记录不存在：{reference.table.rpartition('/')[2]}"
        return ""

    def at(self, place: Place) -> tuple[str, str] | None:
        """Version and content (JSON) held at a place."""
        row = self._db.execute(
            "SELECT version, fields FROM held"
            " WHERE standard = ? AND table_name = ? AND identity = ?",
            place,
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def row(self, place: Place) -> tuple[dict[str, str], str] | None:
        """Content and serial number held at a place."""
        found = self._db.execute(
            "SELECT fields, lsh FROM held WHERE standard = ? AND table_name = ? AND identity = ?",
            place,
        ).fetchone()
        return None if found is None else (orjson.loads(found[0]), str(found[1]))

    def keep(self, place: Place, fields: Mapping[str, str], lsh: str) -> None:
        """Hold this content at a place instead of what was there."""
        self._db.execute(
            "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?, ?)",
            (*place, version_of(fields), orjson.dumps(dict(fields)).decode(), lsh),
        )
        self._index(f"{place[0]}/{place[1]}", place[2], fields)

    def _index(self, qualified: str, identity: str, fields: Mapping[str, str]) -> None:
        names = self._handles.get(qualified, ())
        if not names:
            return
        self._db.execute(
            "DELETE FROM handle WHERE qualified = ? AND identity = ?", (qualified, identity)
        )
        for group in names:
            content = _joined([fields.get(name, "") for name in group])
            self._db.execute(
                "INSERT OR IGNORE INTO handle VALUES (?, ?, ?, ?)",
                (qualified, _joined(group), content, identity),
            )

    def drop(self, place: Place) -> None:
        """Hold nothing at a place."""
        self._db.execute(
            "DELETE FROM held WHERE standard = ? AND table_name = ? AND identity = ?", place
        )
        self._db.execute(
            "DELETE FROM handle WHERE qualified = ? AND identity = ?",
            (f"{place[0]}/{place[1]}", place[2]),
        )


def _handles_of(packs: Packs | None) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Per table, the groups of fields by which other tables refer to it."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for table in packs.tables() if packs is not None else ():
        for reference in table.references:
            found.setdefault(reference.table, set()).add(reference.target_fields)
    return {table: tuple(sorted(groups)) for table, groups in found.items()}


def _joined(values: list[str] | tuple[str, ...]) -> str:
    return orjson.dumps(list(values)).decode()
