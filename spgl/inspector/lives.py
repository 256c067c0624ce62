"""What became of a record, from the ledger: versions, attempts, receipts, the target's reasons, and
the content that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from pusher.ledger.content import Contents
from pusher.ledger.core import Ledger
from pusher.ledger.queries import Life, life
from pusher.states import State
from spgl.inspector.ledger import entries, places
from spgl.inspector.site import Refusal
from validator.pack import Packs
from validator.text import Text

#: From which states a person may send again, and withdraw.
RETRIED = frozenset({State.REJECTED, State.GIVEN_UP, State.HELD})
WITHDRAWN = RETRIED | {State.BLOCKED, State.WAITING, State.QUEUED}


@dataclass(frozen=True, slots=True)
class Told:
    """A record's life at one target and the content of its newest version (None: no longer kept).
    `retry` and `withdraw`: version a person may act on, None where the state does not allow it."""

    life: Life
    content: Mapping[str, str] | None
    retry: int | None
    withdraw: int | None


@dataclass(frozen=True, slots=True)
class Came:
    """A row that a target wrote for us on the case of a record: no opinion, no name."""

    at: datetime
    target: str
    table: str
    state: Text
    fate: Text
    note: str
    file: str | None


def came_back(ledger: Ledger, packs: Packs, key: Mapping[str, str]) -> tuple[Came, ...]:
    """What came in for the case that a key names, in order of arrival."""
    from spgl import came_back as came

    return tuple(
        Came(
            entry.at,
            entry.target,
            entry.table.partition("/")[2],
            came.state_of(entry, packs),
            came.FATES[entry.fate],
            entry.note,
            None if entry.written is None else entry.file,
        )
        for entry in came.of_key(ledger, None, key)
    )


def told(ledger: Ledger, table: str, key: Mapping[str, str]) -> tuple[Told, ...]:
    """The life of a record at every target that knows it."""
    made: list[Told] = []
    for place in places(ledger, table=table):
        found = life(ledger, place.target, place.table, key)
        if found is not None and found.versions:
            last = found.versions[-1].entry
            made.append(
                Told(
                    life=found,
                    content=content(ledger, last.handle),
                    retry=last.handle if last.state in RETRIED else None,
                    withdraw=last.handle if last.state in WITHDRAWN else None,
                )
            )
    return tuple(made)


def content(ledger: Ledger, version: int) -> Mapping[str, str] | None:
    """The stored content of a version, None past its keeping time."""
    found = Contents(ledger).read(version)
    return None if found is None else {str(k): str(v) for k, v in orjson.loads(found).items()}


def identity(ledger: Ledger, version: int) -> tuple[str, Mapping[str, str]]:
    """Qualified table and key of a version. Raises Refusal."""
    found = entries(ledger, [version])
    if not found:
        raise Refusal(404, _UNKNOWN.fill({"version": version}))
    return found[0].table, found[0].key


_UNKNOWN = Text("台账中没有版本 {version}", "the ledger has no version {version}")
