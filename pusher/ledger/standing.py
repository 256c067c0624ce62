"""What should stand at a target by the ledger: of each record the last version it took over.

Read by pages of records; nothing here asks the target, `pusher.verify` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from pusher.ledger.content import Contents
from pusher.ledger.core import Ledger
from pusher.states import AT_TARGET, State
from pusher.transport import Expected
from validator.records import Operation

_PAGE = """
SELECT i.id, i.key, v.id, v.operation, v.digest, v.state, (
  SELECT COUNT(*) FROM version o WHERE o.identity = i.id AND o.state IN ('sending', 'in_doubt'))
FROM identity i JOIN version v ON v.identity = i.id AND v.sequence = (
  SELECT MAX(o.sequence) FROM version o WHERE o.identity = i.id AND o.landed = 1)
WHERE i.place = ? AND i.id > ? ORDER BY i.id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of one table. `moving`: how many were left out, because one of their versions
    is on its way or in doubt, or because the target refused what it had taken over."""

    expected: Sequence[Expected]
    moving: int


def pages(ledger: Ledger, target: str, table: str, size: int) -> Iterator[Page]:
    """Every record of a table (`standard/TABLE`) that the target has taken over."""
    place = ledger.places(target).get(table)
    contents = Contents(ledger)
    after = 0
    while place is not None and (rows := ledger.db.rows(_PAGE, (place, after, size))):
        after = rows[-1][0]
        expected: list[Expected] = []
        for _, key, version, operation, digest, state, flying in rows:
            if flying or State(state) not in AT_TARGET:
                continue
            body = contents.read(version)
            fields = None if body is None else orjson.loads(body)
            gone = Operation(operation) is Operation.INVALIDATE
            expected.append(Expected(orjson.loads(key), fields, bytes(digest), gone))
        yield Page(tuple(expected), len(rows) - len(expected))


def tables(ledger: Ledger, target: str) -> tuple[str, ...]:
    """Tables of which the target has taken something over."""
    sql = """SELECT p.name FROM place p WHERE p.target = ? AND EXISTS (
      SELECT 1 FROM version v WHERE v.place = p.id AND v.landed = 1) ORDER BY p.name"""
    return tuple(row[0] for row in ledger.db.rows(sql, (target,)))
