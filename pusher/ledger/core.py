"""The open ledger: transactions, ids, and the one place where a version changes its state.

Every change is checked against `pusher.states`, matched with what the row holds, counted in the
tally and noted as an event. What changes when is decided by the other modules of the package.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import orjson

from pusher.ledger.database import Database, LedgerError, Sqlite
from pusher.states import IllegalTransition, State, check
from validator.text import Text

# One statement for many versions: a step each would take the lock of the interpreter back as often.
_MOVE = """
UPDATE version SET state = ?, note = ?, changed = ?
WHERE id IN (SELECT value FROM json_each(?)) AND state = ?"""
_LANDED = "landed = CASE WHEN ? = 1 THEN 1 WHEN operation = 'invalidate' THEN 0 ELSE landed END"
_ANSWER = f"""
UPDATE version SET state = ?, note = ?, changed = ?, watch = ?, {_LANDED}
WHERE id IN (SELECT value FROM json_each(?)) AND state = ?"""  # noqa: S608 - ours
_ANSWER_LSH = f"""
UPDATE version SET state = ?, note = ?, changed = ?, watch = ?, {_LANDED},
  lsh = CASE WHEN ? = '' THEN lsh ELSE ? END
WHERE id = ? AND state = ?"""  # noqa: S608 - ours
_EVENT = "INSERT INTO event (at, version, batch, before, after, note) VALUES (?, ?, ?, ?, ?, ?)"
_TALLY = """
INSERT INTO tally (place, state, n) VALUES (?, ?, ?)
ON CONFLICT (place, state) DO UPDATE SET n = tally.n + excluded.n"""


class Ledger:
    """An open ledger of one process; `owner` is random, never a reusable host name. `shared`: other
    processes may push from the same ledger (`pusher.ledger.lease`); `path` is None then."""

    def __init__(self, db: Database, path: Path | None = None) -> None:
        self.db = db
        self.path = path
        self.shared = db.shared
        self.owner = secrets.token_hex(8)
        self._places: dict[tuple[str, str], int] = {}
        self._ids: dict[str, int] = {}
        self._tally: Counter[tuple[int, State]] = Counter()
        self.waiting = self._count_waiting()

    def close(self) -> None:
        """Close; what was not committed is undone and settled by the next run."""
        self.db.close()

    def rename(self) -> None:
        """Go on as another owner, to whom nothing belongs yet."""
        self.owner = secrets.token_hex(8)

    def _count_waiting(self) -> int:
        rows = self.db.rows("SELECT COALESCE(SUM(n), 0) FROM tally WHERE state = 'waiting'")
        return int(rows[0][0])

    # -- transactions ------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write and commit at the end; an exception undoes all of it."""
        self.write()
        try:
            yield
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def write(self) -> None:
        """Make sure a transaction is open."""
        if not self.db.busy:
            self.db.begin()
            self._ids.clear()  # another process may have added rows
            if self.shared:
                self.waiting = self._count_waiting()

    def commit(self) -> None:
        """Everything written so far is durable when this returns. No-op when nothing was."""
        if self.db.busy:
            self.db.many(_TALLY, [(p, s.value, n) for (p, s), n in self._tally.items() if n])
            self.db.commit()
            self._tally.clear()

    def rollback(self) -> None:
        """Undo what was not committed."""
        self.db.rollback()
        self._tally.clear()
        self._places.clear()
        self.waiting = self._count_waiting()

    # -- names and ids -----------------------------------------------------------------------

    def next_id(self, table: str) -> int:
        """A fresh row id; ids have no gaps, so the last one counts the rows."""
        if table not in self._ids:
            self._ids[table] = self.last_id(table)
        self._ids[table] += 1
        return self._ids[table]

    def last_id(self, table: str) -> int:
        return int(self.db.rows(f"SELECT COALESCE(MAX(id), 0) FROM {table}")[0][0])  # noqa: S608

    def place(self, target: str, name: str) -> int:
        """The id of table `name` (`standard/TABLE`) at a target, made when first met."""
        found = self._places.get((target, name))
        if found is None:
            rows = self.db.rows(
                "SELECT id FROM place WHERE target = ? AND name = ?", (target, name)
            )
            if not rows:
                self.write()
                sql = "INSERT INTO place (target, name) VALUES (?, ?) RETURNING id"
                rows = self.db.rows(sql, (target, name))
            found = self._places[target, name] = int(rows[0][0])
        return found

    def places(self, target: str) -> dict[str, int]:
        """Every table this target has rows of: name → id."""
        return dict(self.db.rows("SELECT name, id FROM place WHERE target = ?", (target,)))

    def run(self, target: str, name: str, now: datetime) -> int:
        """The id of a run, made when first met."""
        rows = self.db.rows("SELECT id FROM run WHERE target = ? AND name = ?", (target, name))
        if not rows:
            self.write()
            sql = "INSERT INTO run (name, target, started) VALUES (?, ?, ?) RETURNING id"
            rows = self.db.rows(sql, (name, target, now.timestamp()))
        return int(rows[0][0])

    # -- states ------------------------------------------------------------------------------

    def count(self, place: int, state: State, n: int) -> None:
        """Add to the tally; written with the next commit."""
        self._tally[place, state] += n
        if state is State.WAITING:
            self.waiting += n

    def move(
        self,
        place: int,
        versions: Sequence[int],
        before: State,
        after: State,
        now: datetime,
        *,
        note: str = "",
        batch: int | None = None,
    ) -> None:
        """Move versions of one table; with `batch` (all its members) one event covers them.

        Raises IllegalTransition, also when a row is not in the state it is said to leave.
        """
        check(before, after)
        word = after.value, note, now.timestamp()
        moved = self.db.run(_MOVE, (*word, _list(versions), before.value))
        self._moved(place, moved, len(versions), before, after)
        self._note(versions, now, before, after, note, batch)

    def answer(
        self,
        place: int,
        versions: Sequence[tuple[int, str]],
        before: State,
        after: State,
        now: datetime,
        *,
        note: str = "",
        batches: Sequence[int] = (),
        watch: bool = False,
    ) -> None:
        """Like `move`, for the target's word: `versions` are (id, LSH or empty); where they are all
        members of `batches`, one event each covers them."""
        check(before, after)
        ids = [version for version, _ in versions]
        landed = after in (State.DELIVERED, State.ACCEPTED)
        word = after.value, note, now.timestamp(), watch, landed
        if any(lsh for _, lsh in versions):
            rows = [(*word, lsh, lsh, version, before.value) for version, lsh in versions]
            moved = self.db.many(_ANSWER_LSH, rows)
        else:
            moved = self.db.run(_ANSWER, (*word, _list(ids), before.value))
        self._moved(place, moved, len(ids), before, after)
        if batches:
            self.note_batches(batches, before, after, now, note)
        else:
            self._note(ids, now, before, after, note, None)

    def _moved(self, place: int, found: int, asked: int, before: State, after: State) -> None:
        if found != asked:
            raise IllegalTransition(
                f"{asked - found} of {asked} versions were no longer {before} "
                f"when they should have become {after}"
            )
        self.count(place, before, -asked)
        self.count(place, after, asked)

    def _note(
        self,
        versions: Sequence[int],
        now: datetime,
        before: State,
        after: State,
        note: str,
        batch: int | None,
    ) -> None:
        if batch is not None:
            self.note_batches([batch], before, after, now, note)
            return
        at = now.timestamp()
        rows = [(at, v, None, before.value, after.value, note) for v in versions]
        self.db.many(_EVENT, rows)

    def note_batches(
        self, batches: Sequence[int], before: State, after: State, now: datetime, note: str = ""
    ) -> None:
        """One event per batch, for all its members."""
        at = now.timestamp()
        rows = [(at, None, batch, before.value, after.value, note) for batch in batches]
        self.db.many(_EVENT, rows)

    # -- books -------------------------------------------------------------------------------

    def balance(self) -> None:
        """Every version stands in exactly one state. Raises LedgerError when the books differ.

        Compares the tally with the number of versions; `audit` counts the rows themselves.
        """
        with self.transaction() if self.shared else nullcontext():  # both numbers at one moment
            counted = int(self.db.rows("SELECT COALESCE(SUM(n), 0) FROM tally")[0][0])
            versions = self.last_id("version")
        if counted != versions:
            raise LedgerError(_IMBALANCE.fill({"versions": versions, "counted": counted}))

    def audit(self) -> None:
        """Count every row (a full scan) and compare with the tally. Raises LedgerError."""
        sql = "SELECT place, state, COUNT(*) FROM version GROUP BY place, state"
        with self.transaction() if self.shared else nullcontext():
            rows = {(p, s): n for p, s, n in self.db.rows(sql)}
            counts = self.db.rows("SELECT place, state, n FROM tally")
        tally = {(p, s): n for p, s, n in counts if n}
        if rows != tally:
            raise LedgerError(
                _IMBALANCE.fill({"versions": sum(rows.values()), "counted": sum(tally.values())})
            )


def open_ledger(where: Path | str, *, schema: str = "spgl") -> Ledger:
    """Open or make a ledger: a file, or a `postgresql+psycopg://` address with a schema in it.

    Raises LedgerError.
    """
    if isinstance(where, Path):
        return Ledger(Sqlite(where), where)
    from pusher.ledger.postgresql import Postgres

    return Ledger(Postgres(where, schema))


def _list(ids: Sequence[int]) -> str:
    """Ids as `json_each` takes them."""
    return orjson.dumps(list(ids)).decode()


def moment(seconds: float | None) -> datetime | None:
    """A stored time as a datetime in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def time_of(seconds: float) -> datetime:
    """A stored time that is always there, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


_IMBALANCE = Text(
    "台账不平：共有 {versions} 个版本，按状态合计 {counted} 个。请停止投送并保留台账文件备查",
    "the ledger does not balance: {versions} versions, {counted} by state; stop pushing and keep "
    "the ledger file for inspection",
)
