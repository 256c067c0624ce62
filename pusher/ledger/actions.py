"""What a person does to versions: retry, withdraw, hold. Originals stay, every act is an event.

A version that was refused or given up goes out again under a new idempotency key, since a target
that honours keys would repeat its old answer. What is in flight is not touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pusher import notes
from pusher.ledger.core import Ledger
from pusher.ledger.dissolve import dissolve, has_left, remember
from pusher.ledger.queries import Entry, list_rows
from pusher.ledger.selector import Selector
from pusher.states import REFUSED, TITLES, State
from validator.text import Text

_ALL = 1_000_000_000
_NEWEST = """
SELECT 1 FROM version v JOIN identity i ON i.id = v.identity WHERE v.id = ? AND i.latest = v.id"""
_AGAIN = """
UPDATE version SET round = round + 1, batch = NULL, previous = NULL, watch = 0,
  touched = 1 WHERE id = ?"""


_FROM: Mapping[State, tuple[State, ...]] = {
    State.WITHDRAWN: (
        State.BLOCKED,
        State.WAITING,
        State.QUEUED,
        State.HELD,
        State.REJECTED,
        State.GIVEN_UP,
    ),
    State.HELD: (State.WAITING, State.QUEUED),
}
#: The states an act is about where the selector names none.
MEANT: Mapping[str, tuple[State, ...]] = {
    "retry": (*REFUSED, State.HELD),
    "withdraw": _FROM[State.WITHDRAWN],
    "hold": _FROM[State.HELD],
}


@dataclass(frozen=True, slots=True)
class Act:
    """What an act did: the versions it moved, and those it left alone with the reason why."""

    moved: tuple[Entry, ...]
    left: tuple[tuple[Entry, Text], ...] = ()


def chosen(ledger: Ledger, selector: Selector, act: str) -> Sequence[Entry]:
    """The versions that `retry`, `withdraw` or `hold` would look at, in order of entering."""
    return _chosen(ledger, selector, selector.states or MEANT[act])


def retry(ledger: Ledger, selector: Selector, by: str, now: datetime) -> Act:
    """Queue refused, given-up and held versions again. Only the newest of a record can go out."""
    states = selector.states or (*REFUSED, State.HELD)
    moved: list[Entry] = []
    left: list[tuple[Entry, Text]] = []
    with ledger.transaction():
        for entry in _chosen(ledger, selector, states):
            if entry.state not in (*REFUSED, State.HELD):
                left.append((entry, _IS.fill({"state": TITLES[entry.state]})))
            elif not ledger.db.rows(_NEWEST, (entry.handle,)):
                left.append((entry, _NEWER))
            else:
                _requeue(ledger, entry, by, now)
                moved.append(entry)
    return Act(tuple(moved), tuple(left))


def withdraw(ledger: Ledger, selector: Selector, by: str, now: datetime) -> Act:
    """Never send these: blocked, waiting, queued, held, refused or given up → withdrawn."""
    return _end(ledger, selector, State.WITHDRAWN, notes.WITHDRAWN.format(who=by), now)


def hold(ledger: Ledger, selector: Selector, by: str, now: datetime) -> Act:
    """Keep waiting and queued versions back until they are retried."""
    return _end(ledger, selector, State.HELD, notes.HELD.format(who=by), now)


def _end(ledger: Ledger, selector: Selector, after: State, note: str, now: datetime) -> Act:
    allowed = _FROM[after]
    moved: list[Entry] = []
    left: list[tuple[Entry, Text]] = []
    with ledger.transaction():
        for entry in _chosen(ledger, selector, selector.states or allowed):
            if entry.state not in allowed:
                left.append((entry, _IS.fill({"state": TITLES[entry.state]})))
                continue
            if entry.state is State.QUEUED and has_left(ledger, entry.handle):
                left.append((entry, _MAY_HAVE_LEFT))
                continue
            _leave(ledger, entry, after, note, now)
            moved.append(entry)
    return Act(tuple(moved), tuple(left))


def _chosen(ledger: Ledger, selector: Selector, states: Sequence[State]) -> Sequence[Entry]:
    return list_rows(ledger, replace(selector, states=tuple(states)), limit=_ALL)


def _leave(ledger: Ledger, entry: Entry, after: State, note: str, now: datetime) -> None:
    place = ledger.place(entry.target, entry.table)
    if entry.state is State.QUEUED:
        dissolve(ledger, [entry.handle])
    if entry.state is State.BLOCKED:
        sql = """UPDATE identity SET blocked = blocked - 1
        WHERE id = (SELECT identity FROM version WHERE id = ?)"""
        ledger.db.run(sql, (entry.handle,))
    if entry.state is State.WAITING and after is State.WITHDRAWN:
        ledger.db.run("DELETE FROM parent WHERE version = ?", (entry.handle,))
    ledger.move(place, [entry.handle], entry.state, after, now, note=note)


def _requeue(ledger: Ledger, entry: Entry, by: str, now: datetime) -> None:
    place = ledger.place(entry.target, entry.table)
    waits = ledger.db.rows("SELECT 1 FROM parent WHERE version = ? LIMIT 1", (entry.handle,))
    after = State.QUEUED
    if entry.state is State.HELD:
        after = State.WAITING if waits else State.QUEUED
    else:
        remember(ledger, [entry.handle])
        ledger.db.run(_AGAIN, (entry.handle,))
    ledger.move(place, [entry.handle], entry.state, after, now, note=notes.RETRIED.format(who=by))


_IS = Text("现为{state}", "is {state}")
_NEWER = Text("已有更新的版本", "a newer version was entered")
_MAY_HAVE_LEFT = Text(
    "可能已经送出，须等对方答复", "may have left; the answer of the target decides"
)
