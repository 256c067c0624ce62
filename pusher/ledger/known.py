"""What the target holds or will hold: the columns kept for later nights, and adoption.

Of each record the newest version counts that stands at the target or is on its way there; what it
invalidates is gone. Rejected, given-up and blocked versions are not known. A first run adopts what
an earlier system has already brought to the target; nothing of it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from pusher import batch as batches
from pusher import notes
from pusher.ledger.core import Ledger
from pusher.ledger.enter import CHUNK
from pusher.ledger.intake import Intake
from pusher.ledger.waiting import release_all
from pusher.states import State
from pusher.target import Target
from validator.records import Operation, Record, Standing

if TYPE_CHECKING:
    import polars as pl

_COMING = "'queued', 'waiting', 'sending', 'in_doubt', 'held', 'delivered', 'accepted'"
_KNOWN = f"""
SELECT v.id, v.place, v.known FROM version v
WHERE v.id > ? AND v.operation = 'upsert' AND v.state IN ({_COMING})
AND v.place IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
  SELECT 1 FROM version n WHERE n.identity = v.identity AND n.sequence > v.sequence
  AND (n.landed = 1 OR n.state IN ({_COMING})))
ORDER BY v.id LIMIT ?"""  # noqa: S608 - the states are ours
#: Versions read at once.
_PAGE = 20_000
_PLACES = "SELECT id, name FROM place WHERE CAST(? AS TEXT) IS NULL OR target = ?"


@dataclass(frozen=True, slots=True)
class Adopted:
    """read = adopted + known + skipped; `known` had versions in the ledger already."""

    read: int = 0
    adopted: int = 0
    known: int = 0
    skipped: int = 0


def known(ledger: Ledger, target: str | None = None) -> Mapping[str, pl.DataFrame]:
    """Per qualified table, one row of String columns for each record at the target or on its way.

    `target` None takes all targets of the ledger. Reads every version once.
    """
    import polars as pl

    names: dict[int, str] = dict(ledger.db.rows(_PLACES, (target, target)))
    places, last = orjson.dumps(list(names)).decode(), 0
    frames: dict[str, list[pl.DataFrame]] = {}
    while rows := ledger.db.rows(_KNOWN, (last, places, _PAGE)):
        last = rows[-1][0]
        texts: dict[str, list[str]] = {}
        for _, place, text in rows:
            texts.setdefault(names[place], []).append(text)
        for name, page in texts.items():
            frames.setdefault(name, []).append(_decoded(page))
    return {name: pl.concat(pages, how="diagonal") for name, pages in frames.items()}


def _decoded(texts: list[str]) -> pl.DataFrame:
    """JSON objects as a frame of String columns; what an object lacks is null."""
    import polars as pl

    names = dict.fromkeys(name for text in texts for name in orjson.loads(text))
    column = pl.Series(texts, dtype=pl.String).str.json_decode(
        pl.Struct(dict.fromkeys(names, pl.String))
    )
    return column.struct.unnest()


def adopt(
    ledger: Ledger, records: Iterable[Record], target: Target, run_id: str, now: datetime
) -> Adopted:
    """Enter records that stand at the target already, as `accepted`; records the ledger knows are
    left alone. The caller chooses the records (`SJSCZT` 1 or 3). Raises LedgerError."""
    with ledger.transaction():
        run = ledger.run(target.name, run_id, now)
    rows = Intake(ledger, target.name, run, now.timestamp())
    counts = {"read": 0, "adopted": 0, "known": 0, "skipped": 0}
    stream = iter(records)
    while chunk := list(islice(stream, CHUNK)):
        with ledger.transaction():
            _adopt(ledger, rows, chunk, counts)
    with ledger.transaction():
        release_all(ledger, target, now)
    return Adopted(**counts)


def _adopt(ledger: Ledger, rows: Intake, chunk: list[Record], counts: dict[str, int]) -> None:
    counts["read"] += len(chunk)
    fit = [r for r in chunk if r.operation is Operation.UPSERT and r.standing in _AT_TARGET]
    counts["skipped"] += len(chunk) - len(fit)
    landed: list[tuple[int]] = []
    for record, known_ in rows.look_up(fit):
        if known_.latest is not None or known_.sequence:
            counts["known"] += 1
            continue
        content = batches.canonical(record.content)
        digest = batches.digest(content)
        version = rows.insert(known_, record, content, digest, State.ACCEPTED, notes.ADOPTED)
        known_.latest = version
        landed.append((version,))
        counts["adopted"] += 1
    rows.flush()
    ledger.db.many("UPDATE version SET landed = 1 WHERE id = ?", landed)


#: The target took these as they are, whatever our rules say of them.
_AT_TARGET = (Standing.CONFORMING, Standing.BLOCKED)
