"""Targets that are left alone, as they are stored: what `pusher.circuit` knows outlives a run."""

from __future__ import annotations

from collections.abc import Mapping

from pusher.circuit import Open
from pusher.ledger.core import Ledger, time_of

_KEEP = """
INSERT INTO circuit (target, openings, until, fault, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (target) DO UPDATE SET openings = excluded.openings, until = excluded.until,
  fault = excluded.fault, at = excluded.at"""


def keep(ledger: Ledger, target: str, state: Open | None) -> None:
    """Store it in the open transaction; None: the target answers."""
    if state is None:
        ledger.db.run("DELETE FROM circuit WHERE target = ?", (target,))
        return
    since, until = state.since.timestamp(), state.until.timestamp()
    row = (target, state.openings, until, state.fault, since)
    ledger.db.run(_KEEP, row)


def circuits(ledger: Ledger) -> Mapping[str, Open]:
    """Every target that did not answer last, by name; its time may be over."""
    sql = "SELECT target, at, until, openings, fault FROM circuit ORDER BY target"
    return {
        name: Open(time_of(since), time_of(until), openings, fault)
        for name, since, until, openings, fault in ledger.db.rows(sql)
    }
