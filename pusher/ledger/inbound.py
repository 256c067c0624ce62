"""Rows that came in, as the ledger keeps them: stored once by their key at the target, marked there
afterwards, and written out as case events at most once.

Their content may hold names of persons, like that of every version; it stays in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from pusher.batch import canonical
from pusher.ledger.content import Contents
from pusher.ledger.core import Ledger, moment
from pusher.ledger.waiting import hash_of

if TYPE_CHECKING:
    from pusher.inbound import InboundRow, Judged, Mark

_FIND = "SELECT id, content, fate, note FROM inbound WHERE place = ? AND row_key = ?"
_STORE = """
INSERT INTO inbound (id, place, row_key, flow, local_key, content, at, fate, note)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_MARKED = "UPDATE inbound SET marked = ? WHERE id = ?"
_UNMARKED = """
SELECT id, row_key, fate, note FROM inbound WHERE place = ? AND marked IS NULL ORDER BY id"""
_COUNTS = """
SELECT p.target, p.name, COUNT(*), SUM(CASE WHEN i.fate = 'refused' THEN 1 ELSE 0 END),
  SUM(CASE WHEN i.marked IS NULL THEN 1 ELSE 0 END)
FROM inbound i JOIN place p ON p.id = i.place GROUP BY p.target, p.name ORDER BY p.target, p.name"""
_ROWS = """
SELECT i.id, p.target, p.name, i.row_key, i.flow, i.local_key, i.content, i.at, i.fate, i.note,
  i.marked, i.file, i.written
FROM inbound i JOIN place p ON p.id = i.place"""
_ASSIGN = "UPDATE inbound SET file = ? WHERE id = ?"
_WRITTEN = "UPDATE inbound SET written = ? WHERE id = ?"
_SENT = """
SELECT v.id, v.known FROM identity i JOIN version v ON v.identity = i.id
WHERE i.hash = ? AND v.operation = 'upsert' ORDER BY v.landed DESC, v.sequence DESC LIMIT 1"""
#: The row of a key that came before with other content.
OTHER_CONTENT = "同一主键的数据先前已接收，内容不同"


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored row: the ledger's id, what the target is to be told, whether it was new."""

    id: int
    mark: Mark
    new: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that came in. `fate`: `consumed` or `refused`; `marked`: when the target was told;
    `file`: where its case events went, `written` when they were complete there."""

    id: int
    target: str
    table: str
    key: str
    case: str
    local_key: str
    fields: Mapping[str, str]
    at: datetime
    fate: str
    note: str
    marked: datetime | None
    file: str | None
    written: datetime | None


def store(
    ledger: Ledger, target: str, table: str, judged: Sequence[Judged], now: datetime
) -> list[Kept]:
    """Store rows that are new, inside a transaction; what is known keeps its first content."""
    from pusher.inbound import Fate, Mark

    place = ledger.place(target, table)
    made: list[Kept] = []
    for one in judged:
        content = _content(one.row)
        found = ledger.db.rows(_FIND, (place, one.row.key))
        if not found:
            id_ = ledger.next_id("inbound")
            head = (id_, place, one.row.key, one.case, one.local_key, content)
            ledger.db.run(_STORE, (*head, now.timestamp(), one.fate.value, one.note))
            reason = one.note if one.fate is Fate.REFUSED else ""
            made.append(Kept(id_, Mark(one.row.key, one.fate, reason), True))
            continue
        id_, before, fate, note = found[0]
        if before != content:
            mark = Mark(one.row.key, Fate.REFUSED, OTHER_CONTENT)
        else:
            mark = Mark(one.row.key, Fate(fate), note if Fate(fate) is Fate.REFUSED else "")
        made.append(Kept(int(id_), mark, False))
    return made


def _content(row: InboundRow) -> str:
    """Business fields, and of an invalid row that it is: it is another row than the valid one."""
    own = {} if row.valid else {"SJYXBS": "0", "SJWXYY": row.reason}
    return orjson.dumps({**row.fields, **own}, option=orjson.OPT_SORT_KEYS).decode()


def unmarked(ledger: Ledger, target: str, table: str) -> list[Kept]:
    """Rows whose mark may be lost: a run died between its commit and the word that they were
    marked."""
    from pusher.inbound import Fate, Mark

    place = ledger.places(target).get(table)
    rows = [] if place is None else ledger.db.rows(_UNMARKED, (place,))
    return [
        Kept(int(id_), Mark(key, Fate(fate), note if Fate(fate) is Fate.REFUSED else ""), False)
        for id_, key, fate, note in rows
    ]


def note_marked(ledger: Ledger, ids: Sequence[int], now: datetime) -> None:
    """The target was told of these; inside a transaction."""
    ledger.db.many(_MARKED, [(now.timestamp(), id_) for id_ in ids])


def of_case(ledger: Ledger, target: str | None, case: str) -> tuple[Entry, ...]:
    """Everything that came in for a case, in order of arrival; `target` None: from any."""
    sql = f"{_ROWS} WHERE i.flow = ? AND (CAST(? AS TEXT) IS NULL OR p.target = ?) ORDER BY i.id"
    return _entries(ledger.db.rows(sql, (case, target, target)))


def unwritten(ledger: Ledger, target: str, table: str) -> tuple[Entry, ...]:
    """Consumed, valid rows of a table whose case events are not out, in order of arrival."""
    sql = f"""{_ROWS} WHERE p.target = ? AND p.name = ? AND i.fate = 'consumed' AND i.note = ''
    AND i.written IS NULL ORDER BY i.id"""
    return _entries(ledger.db.rows(sql, (target, table)))


def assign(ledger: Ledger, ids: Iterable[int], file: str) -> None:
    """Their events are to go into this file, whatever happens meanwhile."""
    ledger.db.many(_ASSIGN, [(file, id_) for id_ in ids])


def note_written(ledger: Ledger, ids: Iterable[int], now: datetime) -> None:
    """Their events stand in their file."""
    ledger.db.many(_WRITTEN, [(now.timestamp(), id_) for id_ in ids])


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of one table by target: how many came in, were refused by us, and are not marked yet."""

    target: str
    table: str
    rows: int
    refused: int
    unmarked: int


def counts(ledger: Ledger, target: str | None) -> tuple[Count, ...]:
    """What came in, by table; `target` None: from any."""
    rows = ledger.db.rows(_COUNTS)
    return tuple(Count(*row) for row in rows if target in (None, row[0]))


def application(
    ledger: Ledger, target: str, table: str, key: Mapping[str, str]
) -> Mapping[str, str] | None:
    """What was sent last for a case: its content, past its keeping time what is kept for good. None
    where the ledger does not know it."""
    found = ledger.db.rows(_SENT, (hash_of(target, table, canonical(key)),))
    if not found:
        return None
    version, known = found[0]
    content = Contents(ledger).read(version)
    sent: Mapping[str, str] = orjson.loads(known if content is None else content)
    return sent


def _entries(rows: Iterable[tuple[object, ...]]) -> tuple[Entry, ...]:
    return tuple(_entry(row) for row in rows)


def _entry(row: tuple[object, ...]) -> Entry:
    id_, target, table, key, case, local_key, content, at, fate, note, marked, file, written = row
    arrived = _moment(at)
    assert isinstance(id_, int)
    assert arrived is not None
    return Entry(
        id_,
        str(target),
        str(table),
        str(key),
        str(case),
        str(local_key),
        orjson.loads(str(content)),
        arrived,
        str(fate),
        str(note),
        _moment(marked),
        None if file is None else str(file),
        _moment(written),
    )


def _moment(value: object) -> datetime | None:
    return moment(value) if isinstance(value, float) else None
