"""A person's word in the life of a version, such as why a violation of it is tolerated.

It changes no state: it is an event from a state to the same state.
"""

from __future__ import annotations

from datetime import datetime

from pusher.ledger.core import Ledger

_STATE = "SELECT state FROM version WHERE id = ?"
_EVENT = "INSERT INTO event (at, version, before, after, note) VALUES (?, ?, ?, ?, ?)"


def remark(ledger: Ledger, version: int, text: str, by: str, now: datetime) -> None:
    """Write it down with who and when; nothing happens for a version the ledger does not have."""
    with ledger.transaction():
        for (state,) in ledger.db.rows(_STATE, (version,)):
            ledger.db.run(_EVENT, (now.timestamp(), version, state, state, f"{text} (by {by})"))
