"""Let go of a batch that surely had no effect: its members are free to form other batches. What of
a batch may have left stays in it, since another batch has another key.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from pusher.ledger.core import Ledger

_BATCHES = """
SELECT DISTINCT b.id, b.members, b.touched FROM json_each(?) j
JOIN version v ON v.id = j.value JOIN batch b ON b.id = v.batch"""
_LEFT = """({v}.state IN ('sending', 'in_doubt') OR ({v}.state = 'queued' AND EXISTS (
  SELECT 1 FROM batch b WHERE b.id = {v}.batch AND b.touched = 1)))"""
_FREE = """
UPDATE version SET batch = NULL, previous = NULL, touched = CASE WHEN ? = 1 THEN 1 ELSE touched END
WHERE id IN (SELECT value FROM json_each(?))"""


_REMEMBER = """
INSERT INTO member (version, batch) SELECT v.id, v.batch FROM json_each(?) j
JOIN version v ON v.id = j.value WHERE v.batch IS NOT NULL ON CONFLICT DO NOTHING"""


def may_have_left(alias: str) -> str:
    """The SQL condition that a version, by its alias, may be at the target or on its way there
    without an answer: what follows it has to wait."""
    return _LEFT.format(v=alias)


def has_left(ledger: Ledger, version: int) -> bool:
    """Whether something of a version may have left without an answer."""
    sql = f"SELECT 1 FROM version v WHERE v.id = ? AND {may_have_left('v')}"  # noqa: S608 - ours
    return bool(ledger.db.rows(sql, (version,)))


def remember(ledger: Ledger, versions: Iterable[int]) -> None:
    """Note the batch of these versions before they leave it; their life goes on telling of it."""
    ledger.db.run(_REMEMBER, (orjson.dumps(list(versions)).decode(),))


def dissolve(ledger: Ledger, versions: Iterable[int]) -> None:
    """Close the frozen batches of these versions, of which surely nothing left (`has_left`)."""
    for batch, members, touched in ledger.db.rows(
        _BATCHES, (orjson.dumps(list(versions)).decode(),)
    ):
        ledger.db.run("UPDATE batch SET phase = 'closed', due = NULL WHERE id = ?", (batch,))
        remember(ledger, orjson.loads(members))
        ledger.db.run(_FREE, (bool(touched), members))
