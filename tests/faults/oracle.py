"""The oracle of the fault suites: source, ledger and target side by side after the last push.

It looks at what stands and at the order in which it came; it knows nothing of what was done to the
pusher. Each property is a function of its own and has a test that it fails when it should.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson
import pushing

from pusher import batch as batches
from pusher.ledger import Ledger, LedgerError, open_ledger
from pusher.sandbox.journal import Effect, Held, repeats
from pusher.states import State
from pusher.transport import Answer
from validator.records import Operation, Record

#: Table and identity as JSON.
Name = tuple[str, str]
#: What a version may be when everything is done.
_DONE = (State.ACCEPTED, State.DELIVERED, State.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Stand:
    """What a stand-in says happened. `replaces`: a new content takes the place of the old one by
    itself (HTTP); in an exchange database a tombstone comes before it."""

    effects: Sequence[Effect]
    held: Sequence[Held]
    replaces: bool = True


@dataclass(frozen=True, slots=True)
class Nights:
    """What was exported: nights 0 to `last`."""

    last: int
    projects: int = pushing.COUNT
    shift: int = 0

    def export(self, night: int) -> Iterator[Record]:
        return pushing.night(night, self.projects, self.shift)

    def expected(self) -> dict[Name, dict[str, str]]:
        """What has to stand at the target in the end."""
        return {
            _name(r): dict(r.content)
            for r in self.export(self.last)
            if r.operation is Operation.UPSERT
        }

    def parents(self) -> dict[Name, Name]:
        return {
            _name(r): ("SPGL_XMJBXXB", _identity({"GCDM": r.parents[0].values[0]}))
            for n in range(self.last + 1)
            for r in self.export(n)
            if r.parents
        }


def findings(stand: Stand, ledger_path: Path, nights: Nights) -> list[str]:
    """Everything that is wrong, a line each; empty when all is well. The ledger is a file."""
    found = []
    with closing(sqlite3.connect(ledger_path)) as db:
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            found.append("ledger: the file is not whole")
    ledger = open_ledger(ledger_path)
    try:
        return found + judged(stand, ledger, nights)
    finally:
        ledger.close()


def judged(stand: Stand, ledger: Ledger, nights: Nights) -> list[str]:
    """Everything that is wrong between source, target and an open ledger."""
    at_target = [*lost(stand, nights), *doubled(stand), *out_of_order(stand, nights)]
    return [*at_target, *unbalanced(ledger), *differs(ledger, nights)]


def lost(stand: Stand, nights: Nights) -> Iterator[str]:
    """The target holds what was exported last, content by content, and nothing else."""
    held = {(h.table, h.identity): dict(h.fields) for h in stand.held}
    expected = nights.expected()
    for name in expected.keys() - held.keys():
        yield f"lost: {name} is not at the target"
    for name in held.keys() - expected.keys():
        yield f"lost: {name} was withdrawn and still stands at the target"
    for name in held.keys() & expected.keys():
        if held[name] != expected[name]:
            yield f"lost: {name} stands with another content than was exported last"


def doubled(stand: Stand) -> Iterator[str]:
    """No identity is valid twice, no effect was had twice."""
    seen: set[Name] = set()
    for row in stand.held:
        if (row.table, row.identity) in seen:
            yield f"twice: {row.table} {row.identity} is valid twice"
        seen.add((row.table, row.identity))
    for effect in repeats(stand.effects):
        yield f"twice: {effect.operation} of {effect.table} {effect.identity} had effect again"


def out_of_order(stand: Stand, nights: Nights) -> Iterator[str]:
    """No child before its parent, no replacement before the tombstone; nothing was refused."""
    parents = nights.parents()
    there: set[Name] = set()
    valid: set[Name] = set()
    for effect in stand.effects:
        name = effect.table, effect.identity
        if effect.answer is Answer.REJECTED:
            yield f"order: {effect.operation} of {name} was refused: {effect.reason}"
            continue
        if effect.operation is Operation.INVALIDATE:
            valid.discard(name)
            continue
        if name in parents and parents[name] not in there:
            yield f"order: {name} came before its parent"
        if name in valid and not stand.replaces:
            yield f"order: {name} was replaced before its tombstone"
        there.add(name)
        valid.add(name)


def unbalanced(ledger: Ledger) -> Iterator[str]:
    """Every version is in one state and done, no batch is open, nobody waits."""
    try:
        ledger.balance()
        ledger.audit()
    except LedgerError as fault:
        yield f"books: {fault}"
    for state, n in ledger.db.rows("SELECT state, SUM(n) FROM tally GROUP BY state"):
        if n and state not in _DONE:
            yield f"books: {n} versions are {state} in the end"
    for sql, words in _OPEN.items():
        if (n := ledger.db.rows(sql)[0][0]) != 0:
            yield f"books: {n} {words}"


def differs(ledger: Ledger, nights: Nights) -> Iterator[str]:
    """What the ledger believes to stand at the target is what was exported last."""
    known = {
        (table.partition("/")[2], _identity(orjson.loads(key))): (operation, digest)
        for table, key, operation, digest in ledger.db.rows(_LATEST)
    }
    for record in nights.export(nights.last):
        operation, digest = known.get(_name(record), (None, None))
        if record.operation is Operation.INVALIDATE:
            if operation not in (None, str(Operation.INVALIDATE)):
                yield f"books: {_name(record)} was withdrawn, the ledger believes it stands"
        elif digest != batches.digest(batches.canonical(record.content)):
            yield f"books: of {_name(record)} the ledger holds another content than was exported"


_OPEN = {
    "SELECT COUNT(*) FROM batch WHERE phase <> 'closed'": "batches are open in the end",
    "SELECT COUNT(*) FROM parent": "links to parents are open in the end",
}
_LATEST = """
SELECT p.name, i.key, v.operation, v.digest FROM identity i JOIN place p ON p.id = i.place
JOIN version v ON v.identity = i.id WHERE v.state <> 'withdrawn' AND v.sequence = (
  SELECT MAX(w.sequence) FROM version w WHERE w.identity = i.id AND w.state <> 'withdrawn')"""


def _name(record: Record) -> Name:
    return record.table.partition("/")[2], _identity(dict(record.key))


def _identity(key: dict[str, str]) -> str:
    return orjson.dumps(key, option=orjson.OPT_SORT_KEYS).decode()


#: The properties by name, for the test that each can fail.
PROPERTIES: dict[str, Callable[..., Iterator[str]]] = {
    "lost": lost,
    "twice": doubled,
    "order": out_of_order,
    "books": unbalanced,
}
