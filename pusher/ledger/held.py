"""What the target holds of a record, read from its versions: nothing of it is stored twice."""

from __future__ import annotations

from pusher.ledger.core import Ledger
from pusher.states import AT_TARGET, State
from validator.records import Operation

_LANDED = """
SELECT id, operation, state FROM version
WHERE identity = ? AND landed = 1 ORDER BY sequence DESC LIMIT 1"""


def held(ledger: Ledger, identity: int) -> int | None:
    """The version that stands at the target as valid: the last that landed, unless it was an
    invalidation or has been refused since."""
    rows = ledger.db.rows(_LANDED, (identity,))
    if rows and rows[0][1] == Operation.UPSERT and State(rows[0][2]) in AT_TARGET:
        return int(rows[0][0])
    return None


def replaced(ledger: Ledger, identity: int, version: int) -> int | None:
    """The version that `version` takes the place of: the last that landed, even if refused later.

    A refused row is corrected like a valid one (facts: exchange_protocol, validity).
    """
    rows = ledger.db.rows(_LANDED, (identity,))
    if rows and rows[0][1] == Operation.UPSERT and rows[0][0] != version:
        return int(rows[0][0])
    return None
