"""The ledger seen from the inspector: opened read-only for one question, by keys, never in full.

A list of one state reads the partial index over what needs attention, or a bounded window of the
newest versions, so that ten million rows cost no more than ten thousand. Acts are `pages.act`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pusher.ledger.core import Ledger
from pusher.ledger.database import LedgerError, MissingLedgerError, Row, scripts
from pusher.ledger.queries import Entry, list_rows
from pusher.ledger.selector import Selector
from pusher.states import State
from spgl.inspector.site import Refusal
from spgl.ledger_place import LedgerPlace
from validator.text import Text

#: States that the partial index `version_attention` holds, in the words of its definition.
_INDEXED = "v.state IN ('blocked', 'waiting', 'in_doubt', 'rejected', 'given_up', 'held')"
ATTENTION = (
    State.BLOCKED,
    State.WAITING,
    State.IN_DOUBT,
    State.REJECTED,
    State.GIVEN_UP,
    State.HELD,
)
#: What a person has to look at.
URGENT = (State.REJECTED, State.IN_DOUBT, State.GIVEN_UP, State.HELD)
#: Versions looked through for a state that has no index, per page.
_WINDOW = 200_000
#: Versions of a state read to group their reasons, or to count those that still stand.
REASONS = 10_000
#: The version is its record's newest: no other has taken its place.
_STANDS = "(SELECT i.sequence FROM identity i WHERE i.id = v.identity) = v.sequence"


class ReadOnly:
    """`pusher.ledger.database.Database` on a SQLite file that is never written. Raises Refusal."""

    shared = False

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
            self._db.execute("PRAGMA query_only = ON")
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error as fault:
            raise Refusal(503, _UNUSABLE.fill({"file": path, "fault": fault})) from fault
        if version != len(scripts()):
            self._db.close()
            text = _OLD.fill({"file": path, "version": version, "known": len(scripts())})
            raise Refusal(503, text)

    @property
    def busy(self) -> bool:
        return False

    def begin(self) -> None:
        raise LedgerError(_READ_ONLY)

    def commit(self) -> None:
        raise LedgerError(_READ_ONLY)

    def rollback(self) -> None:
        """Nothing was written."""

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as fault:
            raise Refusal(503, _TROUBLE.fill({"fault": fault})) from fault

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        raise LedgerError(_READ_ONLY)

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        raise LedgerError(_READ_ONLY)

    def lock(self, name: str) -> bool:
        raise LedgerError(_READ_ONLY)

    def unlock(self, name: str) -> None:
        """Nothing is ever taken."""

    def close(self) -> None:
        self._db.close()


@contextmanager
def opened(place: LedgerPlace) -> Iterator[Ledger | None]:
    """The ledger for one question; None where there is no ledger yet. Raises Refusal."""
    if not place.exists():
        yield None
        return
    if not place.shared:
        db = ReadOnly(place.path)
        try:
            yield Ledger(db, place.path)
        finally:
            db.close()
        return
    try:
        ledger = _of_database(place)
        try:
            yield ledger
        finally:
            if ledger is not None:
                ledger.close()
    except LedgerError as fault:
        raise Refusal(503, fault.text) from fault


def there(place: LedgerPlace) -> bool:
    """Whether a ledger stands there; none is made. Raises Refusal."""
    with opened(place) as ledger:
        return ledger is not None


def _of_database(place: LedgerPlace) -> Ledger | None:
    try:
        return place.open(read_only=True)
    except MissingLedgerError:
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """A table at a target with its id in the ledger."""

    id: int
    target: str
    table: str


def places(ledger: Ledger, target: str = "", table: str = "") -> tuple[Place, ...]:
    """Tables at targets, narrowed by target and by qualified or bare table name."""
    found = (Place(*row) for row in ledger.db.rows("SELECT id, target, name FROM place"))
    return tuple(
        p
        for p in found
        if target in ("", p.target) and table in ("", p.table, p.table.rpartition("/")[2])
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """Versions of one page, newest first. `more`: older ones may follow, below `last`; `standing`:
    ids of those that are their record's newest version."""

    entries: tuple[Entry, ...]
    more: bool
    last: int
    standing: frozenset[int]


def listed(
    ledger: Ledger, state: State, where: Sequence[Place], below: int | None, limit: int
) -> Listed:
    """Versions in one state, by descending id below `below`."""
    top = below if below is not None else ledger.last_id("version") + 1
    if state in ATTENTION:
        found: list[int] = []
        for place in where:
            sql = f"""SELECT v.id FROM version v WHERE v.place = ? AND v.state = ? AND {_INDEXED}
            AND v.id < ? ORDER BY v.id DESC LIMIT ?"""  # noqa: S608 - our own constant
            found += [r[0] for r in ledger.db.rows(sql, (place.id, state.value, top, limit + 1))]
        ids, floor = sorted(found, reverse=True), 0
    else:
        marks = ", ".join("?" for _ in where) or "NULL"
        floor = max(0, top - _WINDOW)
        sql = f"""SELECT v.id FROM version v WHERE v.id < ? AND v.id >= ? AND v.state = ?
        AND v.place IN ({marks}) ORDER BY v.id DESC LIMIT ?"""  # noqa: S608 - only question marks
        values = (top, floor, state.value, *(p.id for p in where), limit + 1)
        ids = [r[0] for r in ledger.db.rows(sql, values)]
    page = ids[:limit]
    more = len(ids) > limit or floor > 1
    last = page[-1] if len(ids) > limit else (floor if floor > 1 else 0)
    marks = ", ".join("?" for _ in page) or "NULL"
    sql = f"SELECT v.id FROM version v WHERE v.id IN ({marks}) AND {_STANDS}"  # noqa: S608
    standing = frozenset(r[0] for r in ledger.db.rows(sql, page))
    return Listed(entries(ledger, page), more, last, standing)


def entries(ledger: Ledger, ids: Sequence[int]) -> tuple[Entry, ...]:
    """The versions of these ids, newest first."""
    if not ids:
        return ()
    found = list_rows(ledger, Selector(handles=tuple(ids)), limit=len(ids))
    return tuple(sorted(found, key=lambda e: -e.handle))


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of the target and how many versions have it, with one of them."""

    state: State
    text: str
    count: int
    example: int


def standing(ledger: Ledger, state: State) -> tuple[int, bool]:
    """How many records stand in a state now, not counting versions that a newer one replaced; True
    when only the newest were looked at and there may be more."""
    count, read = 0, 0
    for place in places(ledger):
        sql = f"""SELECT COALESCE(SUM(newest), 0), COUNT(*) FROM (
        SELECT CASE WHEN {_STANDS} THEN 1 ELSE 0 END AS newest FROM version v
        WHERE v.place = ? AND v.state = ?
        AND {_INDEXED} ORDER BY v.id DESC LIMIT ?) AS looked"""  # noqa: S608 - our own constants
        found, looked = ledger.db.rows(sql, (place.id, state.value, REASONS - read))[0]
        count, read = count + found, read + looked
        if read >= REASONS:
            return count, True
    return count, False


def reasons(
    ledger: Ledger, where: Sequence[Place], state: State
) -> tuple[tuple[Reason, ...], bool]:
    """Notes of versions in one state, most first; True when only the newest were read."""
    counts: dict[str, list[int]] = {}
    read, capped = 0, False
    for place in where:
        left = REASONS - read
        if left <= 0:
            capped = True
            break
        sql = f"""SELECT v.note, v.id FROM version v WHERE v.place = ? AND v.state = ?
        AND {_INDEXED} ORDER BY v.id DESC LIMIT ?"""  # noqa: S608 - our own constant
        rows = ledger.db.rows(sql, (place.id, state.value, left))
        read += len(rows)
        for note, version in rows:
            counts.setdefault(str(note), []).append(version)
    made = [Reason(state, note, len(ids), ids[0]) for note, ids in counts.items()]
    return tuple(sorted(made, key=lambda r: (-r.count, r.text))), capped


_UNUSABLE = Text(
    "台账 {file} 打不开：{fault}。请检查路径和权限",
    "ledger {file} cannot be opened: {fault}; check its path and permissions",
)
_OLD = Text(
    "台账 {file} 的结构版本是 {version}，本程序使用 {known}；请先运行一次 spgl status 升级",
    "ledger {file} has schema {version}, this program uses {known}; run spgl status once",
)
_TROUBLE = Text(
    "读取台账失败：{fault}。稍后刷新本页",
    "the ledger could not be read: {fault}; reload this page in a moment",
)
_READ_ONLY = Text("核查台只读台账", "the inspector reads the ledger only")
