"""What a full export no longer holds of what stands at the target, and its deletion.

Records met in an export are noted by a number of eight bytes each; a collision keeps a record that
could have gone, never the other way round. Whether a deletion may be derived at all (a truncated
export must not delete a city) is decided by the caller with the numbers given here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson

from pusher.batch import canonical
from pusher.ledger.core import Ledger
from pusher.ledger.waiting import hash_of
from validator.records import Operation, Record, Standing

#: Rule of a key whose record cannot be recognised.
BLANK_KEY = "blank-key"
_PAGE = 5_000
#: Versions that stand at the target, or will if nothing stops them.
_COMING = "'queued', 'waiting', 'sending', 'in_doubt', 'held'"
_HELD = f"""
SELECT i.id, i.hash, i.key, v.division FROM identity i JOIN version v ON v.id = (
  SELECT o.id FROM version o WHERE o.identity = i.id
  AND (o.landed = 1 OR o.state IN ({_COMING})) ORDER BY o.sequence DESC LIMIT 1)
WHERE i.place = ? AND i.id > ? AND v.operation = 'upsert'
AND v.state IN ({_COMING}, 'delivered', 'accepted') ORDER BY i.id LIMIT ?"""  # noqa: S608 - ours


@dataclass(slots=True)
class Seen:
    """The records of a run as they pass. `vague`: tables with a record that cannot be told by its
    key, so that nothing can be said to be gone from them."""

    target: str
    numbers: dict[str, array[int]] = field(default_factory=dict)
    vague: set[str] = field(default_factory=set)

    def noting(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records, noted."""
        for record in records:
            self.note(record)
            yield record

    def note(self, record: Record) -> None:
        if BLANK_KEY in record.blocked_by or not any(record.key.values()):
            self.vague.add(record.table)
        number = _number(hash_of(self.target, record.table, canonical(record.key)))
        self.numbers.setdefault(record.table, array("Q")).append(number)


@dataclass(frozen=True, slots=True)
class Absent:
    """One table: how many records the target holds, and which of them the export lacks, as
    (key, division)."""

    table: str
    held: int
    gone: tuple[tuple[Mapping[str, str], str], ...]

    @property
    def share(self) -> float:
        """The part that would be deleted, 0 to 1."""
        return len(self.gone) / self.held if self.held else 0.0


def absent(ledger: Ledger, seen: Seen, tables: Iterable[str]) -> tuple[Absent, ...]:
    """Per table of the export (qualified names), what the target holds and the export lacks."""
    places = ledger.places(seen.target)
    return tuple(
        _absent(ledger, table, places[table], seen.numbers.get(table, array("Q")))
        for table in tables
        if table in places
    )


def _absent(ledger: Ledger, table: str, place: int, numbers: array[int]) -> Absent:
    met = np.sort(np.frombuffer(numbers, dtype=np.uint64)) if numbers else np.empty(0, np.uint64)
    held, after = 0, 0
    gone: list[tuple[Mapping[str, str], str]] = []
    while rows := ledger.db.rows(_HELD, (place, after, _PAGE)):
        asked = np.array([_number(row[1]) for row in rows], dtype=np.uint64)
        at = np.searchsorted(met, asked)
        there = np.zeros(len(rows), bool)
        inside = at < len(met)
        there[inside] = met[at[inside]] == asked[inside]
        gone += [
            (orjson.loads(row[2]), row[3])
            for row, is_there in zip(rows, there, strict=True)
            if not is_there
        ]
        held, after = held + len(rows), rows[-1][0]
    return Absent(table, held, tuple(gone))


def deletion(
    table: str, key: Mapping[str, str], division: str, reason: str, file: str, number: int
) -> Record:
    """A tombstone; its content is what the target holds."""
    return Record(
        table=table,
        division=division,
        key=key,
        operation=Operation.INVALIDATE,
        content={},
        reason=reason,
        standing=Standing.CONFORMING,
        blocked_by=(),
        parents=(),
        handles=(),
        known={},
        file=file,
        record=number,
        line=None,
    )


def division_of(ledger: Ledger, target: str, table: str, key: Mapping[str, str]) -> str | None:
    """The division under which a record was last entered; None when the ledger does not know it."""
    rows = ledger.db.rows(_DIVISION, (hash_of(target, table, canonical(key)),))
    return str(rows[0][0]) if rows else None


_DIVISION = """
SELECT v.division FROM identity i JOIN version v ON v.identity = i.id
WHERE i.hash = ? ORDER BY v.sequence DESC LIMIT 1"""


def _number(hash_: bytes) -> int:
    return int.from_bytes(hash_[:8], "big")
