"""Let go of a batch that surely had no effect: its members are free to form other batches."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from pusher.ledger.core import Ledger

_BATCHES = """
SELECT DISTINCT b.id, b.members, b.touched FROM json_each(?) j
JOIN version v ON v.id = j.value JOIN batch b ON b.id = v.batch"""
_FREE = """
UPDATE version SET batch = NULL, previous = NULL, touched = CASE WHEN ? = 1 THEN 1 ELSE touched END
WHERE id IN (SELECT value FROM json_each(?))"""


_REMEMBER = """
INSERT INTO member (version, batch) SELECT v.id, v.batch FROM json_each(?) j
JOIN version v ON v.id = j.value WHERE v.batch IS NOT NULL ON CONFLICT DO NOTHING"""


def remember(ledger: Ledger, versions: Iterable[int]) -> None:
    """Note the batch of these versions before they leave it; their life goes on telling of it."""
    ledger.db.run(_REMEMBER, (orjson.dumps(list(versions)).decode(),))


def dissolve(ledger: Ledger, versions: Iterable[int]) -> None:
    """Close the frozen batches of these versions; must not be called for versions in flight."""
    for batch, members, touched in ledger.db.rows(
        _BATCHES, (orjson.dumps(list(versions)).decode(),)
    ):
        ledger.db.run("UPDATE batch SET phase = 'closed', due = NULL WHERE id = ?", (batch,))
        remember(ledger, orjson.loads(members))
        ledger.db.run(_FREE, (touched, members))
