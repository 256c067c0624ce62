"""Who works on a shared ledger: a process renews its lease, and whose lease is over is taken over.

On an engine for one process the run lock proves that every other is dead, so nothing is leased. The
engine's clock decides, since those of several machines differ. A process that was stopped and wakes
after its lease finds that its batches are no longer its own, and drops what it brings of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from pusher.ledger.core import Ledger

#: Seconds without a renewal after which a process is taken for dead; far longer than a batch may
#: still be written by a process that was stopped (`pusher.transports.errand`).
LEASE = 60.0
_NOW = "extract(epoch FROM clock_timestamp())"
_BEGIN = f"""
INSERT INTO worker (owner, target, lease) VALUES (?, ?, {_NOW} + ?)
ON CONFLICT (owner) DO UPDATE SET target = excluded.target, lease = excluded.lease"""  # noqa: S608 - ours
_RENEW = f"""
UPDATE worker SET lease = {_NOW} + ? WHERE owner = ? AND lease > {_NOW}"""  # noqa: S608 - ours
_ALIVE = f"SELECT owner FROM worker WHERE lease > {_NOW}"  # noqa: S608 - ours
_FORGET = f"DELETE FROM worker WHERE lease < {_NOW} - 86400"  # noqa: S608 - ours
_MINE = """
SELECT b.id FROM json_each(?) j JOIN batch b ON b.id = j.value
WHERE b.owner = ? AND b.phase <> 'closed'"""
_BUSY = """
SELECT 1 FROM batch b JOIN place p ON p.id = b.place
WHERE b.phase <> 'closed' AND p.target = ? AND b.owner <> ?
AND (b.phase = 'sending' OR b.due IS NULL) LIMIT 1"""


@dataclass(slots=True)
class Lease:
    """The lease of this process at a target; `until` on the monotonic clock."""

    ledger: Ledger
    target: str
    seconds: float
    until: float = 0.0

    @property
    def short(self) -> bool:
        """Less than half of it is left, or nothing: others may have taken over what this process
        holds, or will before a batch is written."""
        return self.ledger.shared and time.monotonic() >= self.until - self.seconds / 2

    def renew(self) -> None:
        """Inside a transaction. A process whose lease was over goes on under a new name: what it
        held belongs to whoever takes it over, and none of it is written under the old one."""
        if not self.ledger.shared:
            return
        began = time.monotonic()
        db = self.ledger.db
        if not db.run(_RENEW, (self.seconds, self.ledger.owner)):
            if self.until:
                self.ledger.rename()
            db.run(_BEGIN, (self.ledger.owner, self.target, self.seconds))
            db.run(_FORGET)
        self.until = began + self.seconds

    def end(self) -> None:
        """Inside a transaction: this process holds nothing any more."""
        if self.ledger.shared:
            self.ledger.db.run("DELETE FROM worker WHERE owner = ?", (self.ledger.owner,))
            self.until = 0.0


def alive(ledger: Ledger) -> frozenset[str]:
    """Owners whose batches are theirs; nobody on an engine for one process."""
    if not ledger.shared:
        return frozenset()
    return frozenset(row[0] for row in ledger.db.rows(_ALIVE))


def mine(ledger: Ledger, batches: Sequence[int]) -> frozenset[int]:
    """Which of these batches this process still holds; inside a transaction."""
    if not ledger.shared:
        return frozenset(batches)
    rows = ledger.db.rows(_MINE, (orjson.dumps(list(batches)).decode(), ledger.owner))
    return frozenset(row[0] for row in rows)


def others_busy(ledger: Ledger, target: str) -> bool:
    """Another process holds batches of this target."""
    return ledger.shared and bool(ledger.db.rows(_BUSY, (target, ledger.owner)))
