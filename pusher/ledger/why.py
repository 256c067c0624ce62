"""Why a record is not at the target yet: its newest version, what it waits for, what stands now.

Reads the ledger only and says nothing in words; `spgl ledger explain` does. A wait is followed to
the record at its root, which is the one that a person can do something about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from pusher.circuit import Open
from pusher.ledger.circuits import circuits
from pusher.ledger.core import Ledger
from pusher.ledger.queries import Life, Version, life
from pusher.states import AT_TARGET, State
from validator.records import Operation

#: Links followed from a waiting record; longer chains end in the record met last.
DEPTH = 16
_LINKS = """
SELECT p.link, (
  SELECT id FROM (SELECT id FROM identity WHERE hash = p.hash
    UNION ALL SELECT identity FROM handle WHERE hash = p.hash) AS named LIMIT 1)
FROM parent p WHERE p.version = ? AND length(p.hash) = 16 ORDER BY p.link"""
_OWN = "SELECT 1 FROM parent WHERE version = ? AND length(hash) = 8"
_IDENTITY = """
SELECT p.target, p.name, i.key FROM identity i JOIN place p ON p.id = i.place WHERE i.id = ?"""


@dataclass(frozen=True, slots=True)
class Because:
    """Where one record stands: `newest` is its latest version, `standing` the one the target holds
    (None: none), `superseded` earlier versions that were never sent.

    `waits` are the open links of a waiting version: (link as text, the record it names; None when
    the ledger does not know it). `own` is True while it waits for an earlier version of itself.
    `away`: the target did not answer last, or asked for a pause.
    """

    target: str
    table: str
    key: Mapping[str, str]
    newest: Version
    standing: Version | None
    superseded: tuple[int, ...]
    waits: tuple[tuple[str, Because | None], ...] = ()
    own: bool = False
    away: Open | None = None

    @property
    def state(self) -> State:
        return self.newest.entry.state

    @property
    def since(self) -> datetime:
        return self.newest.entry.changed


def why(ledger: Ledger, target: str, table: str, key: Mapping[str, str]) -> Because | None:
    """Where a record stands and why; None when the ledger does not know it."""
    return _why(ledger, target, table, key, DEPTH, frozenset())


def _why(
    ledger: Ledger,
    target: str,
    table: str,
    key: Mapping[str, str],
    depth: int,
    met: frozenset[int],
) -> Because | None:
    told = life(ledger, target, table, key)
    if told is None or not told.versions:
        return None
    newest = told.versions[-1]
    handle = newest.entry.handle
    waits: list[tuple[str, Because | None]] = []
    own = False
    if newest.entry.state is State.WAITING:
        own = bool(ledger.db.rows(_OWN, (handle,)))
        for link, identity in ledger.db.rows(_LINKS, (handle,)):
            parent = None
            if identity is not None and depth > 0 and identity not in met:
                where, name, text = ledger.db.rows(_IDENTITY, (identity,))[0]
                named = orjson.loads(text)
                parent = _why(ledger, where, name, named, depth - 1, met | {identity})
            waits.append((link, parent))
    gone = tuple(
        v.entry.sequence
        for v in told.versions[:-1]
        if v.entry.state is State.WITHDRAWN and not v.attempts
    )
    away = circuits(ledger).get(target)
    return Because(target, table, dict(key), newest, _standing(told), gone, tuple(waits), own, away)


def _standing(told: Life) -> Version | None:
    """The version the target holds as valid: the last it took, unless that was a deletion."""
    taken = [v for v in told.versions if v.entry.state in AT_TARGET]
    if taken and taken[-1].entry.operation is Operation.UPSERT:
        return taken[-1]
    return None
