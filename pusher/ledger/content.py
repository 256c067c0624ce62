"""Content of versions: canonical JSON lines, deflated in blocks of consecutive versions.

Records of a table are alike, so a block is a tenth of its records and costs a sixth of the time
that single ones would. A block goes when the keeping time of all its versions is over.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pusher.ledger.core import Ledger
from pusher.target import Target

#: Versions per block at most.
BLOCK = 64
_PURGED = 2_000

_BLOCK = "SELECT first, records, body FROM content WHERE first <= ? ORDER BY first DESC LIMIT 1"
_PAST = """
DELETE FROM content WHERE first > ? AND first <= ? AND NOT EXISTS (
  SELECT 1 FROM version v WHERE v.id >= first AND v.id < first + records
  AND NOT (v.state IN ('accepted', 'withdrawn') AND v.changed < ?))"""
_POSITION = "SELECT value FROM cursor WHERE target = '' AND standard = 'purge'"
_NEXT = """
SELECT MAX(first) FROM (
  SELECT first FROM content WHERE first > ? ORDER BY first LIMIT ?) AS page"""
_MOVE = """
INSERT INTO cursor (target, standard, value) VALUES ('', 'purge', ?)
ON CONFLICT (target, standard) DO UPDATE SET value = excluded.value"""


def block(lines: list[bytes]) -> bytes:
    """Canonical contents, which hold no line breaks, as one body."""
    return zlib.compress(b"\n".join(lines), 1)


@dataclass(slots=True)
class Contents:
    """Reads contents; the block read last stays at hand."""

    ledger: Ledger
    first: int = 0
    lines: list[bytes] = field(default_factory=list)

    def read(self, version: int) -> bytes | None:
        """The canonical content of a version, None past its keeping time."""
        if not self.first <= version < self.first + len(self.lines):
            rows = self.ledger.db.rows(_BLOCK, (version,))
            if not rows or version >= rows[0][0] + rows[0][1]:
                return None
            self.first, _, body = rows[0]
            self.lines = zlib.decompress(body).split(b"\n")
        return self.lines[version - self.first]


def purge(ledger: Ledger, target: Target, now: datetime) -> int:
    """Drop contents past their keeping time, some per call; how many blocks.

    Nothing is dropped while a batch is open: its bytes must stay what they were.
    """
    if ledger.db.rows("SELECT 1 FROM batch WHERE phase <> 'closed' LIMIT 1"):
        return 0
    rows = ledger.db.rows(_POSITION)
    start = int(rows[0][0]) if rows else 0
    stop = ledger.db.rows(_NEXT, (start, _PURGED))[0][0]
    if stop is None:  # at the end: from the beginning
        start, stop = 0, ledger.db.rows(_NEXT, (0, _PURGED))[0][0]
    past = (now - timedelta(days=target.keep_content_days)).timestamp()
    gone = 0 if stop is None else ledger.db.run(_PAST, (start, stop, past))
    ledger.db.run(_MOVE, (str(stop or 0),))
    return gone
