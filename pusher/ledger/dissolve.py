"""Let go of a batch that surely had no effect: its members are free to form other batches."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from pusher.ledger.core import Ledger

_BATCHES = """
SELECT DISTINCT b.id, b.members, b.touched FROM json_each(?) j
JOIN version v ON v.id = j.value JOIN batch b ON b.id = v.batch"""
_FREE = """
UPDATE version SET batch = NULL, previous = NULL, touched = MAX(touched, ?)
WHERE id IN (SELECT value FROM json_each(?))"""


def dissolve(ledger: Ledger, versions: Iterable[int]) -> None:
    """Close the frozen batches of these versions; must not be called for versions in flight."""
    for batch, members, touched in ledger.db.rows(
        _BATCHES, (orjson.dumps(list(versions)).decode(),)
    ):
        close(ledger, batch)
        ledger.db.run(_FREE, (touched, members))


def close(ledger: Ledger, batch: int) -> None:
    """Nothing of this batch will be sent again."""
    ledger.db.run("UPDATE batch SET phase = 'closed', due = NULL WHERE id = ?", (batch,))
