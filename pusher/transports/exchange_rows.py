"""The life of a record as rows of an exchange database (facts: exchange_protocol), as pure values.

Rows are only added: a new record is a valid row; a change is an invalidating copy of the previous
content followed by the new row; a deletion is the invalidating copy alone. Whether a parcel has had
its effect is read from key and content, never assumed. No SQL here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pusher.transport import Answer, Awaited, Parcel, Verdict
from validator.records import Operation


@dataclass(frozen=True, slots=True)
class Conduct:
    """What the other side of a front database means by its states, as a pack attests it.

    SJSCZT: `waiting`, `validated` (a word that may still change; None: there is no such state),
    `refused`, `taken_over`. `otherwise_refused`: so is any other state, and a reason (SBYY) beside
    `waiting`. `changes`: an invalidating copy has a form; without one, rows are only ever added.
    """

    waiting: int = 0
    validated: int | None = 1
    refused: int = 2
    taken_over: int = 3
    otherwise_refused: bool = False
    changes: bool = True

    def refuses(self, row: Row) -> bool:
        """Whether the target refused a row."""
        if row.status == self.refused or not self.otherwise_refused:
            return row.status == self.refused
        if row.status == self.waiting:
            return bool(row.reason)
        return row.status not in (self.validated, self.taken_over)

    def has_word(self, row: Row) -> bool:
        """Whether the target has said anything on a row."""
        return row.status in (self.validated, self.taken_over) or self.refuses(row)


#: The national system (facts: exchange_protocol).
NATIONAL = Conduct()

#: SJWXYY of the invalidating copy of a changed record, where the parcel gives no reason.
CHANGED = "数据变更"
#: Why a change or deletion is not written where `Conduct.changes` is false; the receipt's reason.
NO_CHANGES = (
    "spgl：该通道没有变更或作废的依据，未写入，请与对方人工处理 "
    "(this channel attests new rows only; nothing was written)"
)
#: SJWXYY of a deletion, where the parcel gives no reason.
WITHDRAWN = "数据作废"


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row to add: content, SJYXBS, SJWXYY; `id` where the table's rows carry one of ours."""

    fields: Mapping[str, str]
    valid: bool
    reason: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands: non-null business fields, SJYXBS, SJSCZT, LSH, SBYY."""

    fields: Mapping[str, str]
    valid: bool
    status: int
    lsh: str
    reason: str


def rows_of(parcel: Parcel, conduct: Conduct = NATIONAL) -> tuple[NewRow, ...]:
    """The rows of a parcel, the invalidating copy strictly before its replacement."""
    if parcel.operation is Operation.INVALIDATE:
        return (NewRow(parcel.fields, False, parcel.reason or WITHDRAWN),)
    new = NewRow(parcel.fields, True, "")
    if parcel.previous is None or not conduct.changes:
        return (new,)
    return (NewRow(parcel.previous, False, parcel.reason or CHANGED), new)


def is_change(parcel: Parcel) -> bool:
    """True where something may stand at the target that has to go."""
    return parcel.operation is Operation.INVALIDATE or parcel.previous is not None


def has_no_form(parcel: Parcel, rows: Sequence[Row], conduct: Conduct) -> bool:
    """Whether the channel knows no way to write a parcel: it understands new rows only, and a row
    of the same identity with other content stands there, not refused. (A refused one is sent again
    as a new row, as the deployed system does.)"""
    if conduct.changes or not is_change(parcel):
        return False
    if parcel.operation is Operation.INVALIDATE:
        return True
    return any(
        row.valid and not conduct.refuses(row) and not _same(row.fields, parcel.fields)
        for row in rows
    )


def has_effect(
    parcel: Parcel, rows: Sequence[Row], conduct: Conduct, *, count_refused: bool
) -> bool:
    """Whether `rows` (all of the parcel's identity) show that the parcel was written.

    The target flips the valid row when it takes an invalidating copy over, so of a content there
    stand as many rows as there are valid ones, less the copies still waiting. `count_refused`:
    after doubt a refused row counts as written, or it would be written twice; before a first try it
    does not, or a refused record could never be sent again. (So a second try of refused content
    whose answer is lost is taken for the first: its verdict stays "refused", nothing is doubled.)
    """
    same = [row for row in rows if _same(row.fields, parcel.fields)]
    valid = sum(row.valid and (count_refused or not conduct.refuses(row)) for row in same)
    standing = valid - sum(not row.valid and row.status == conduct.waiting for row in same)
    if parcel.operation is Operation.INVALIDATE:
        return standing <= 0 and any(not row.valid for row in same)
    return standing > 0


def standing(rows: Sequence[Row], conduct: Conduct) -> tuple[bool, ...]:
    """Which rows of one identity stand: valid, not refused, and not named by an invalidating copy
    that the target has yet to take over (of equal contents the oldest goes)."""
    pending = [r.fields for r in rows if not r.valid and r.status == conduct.waiting]
    stands: list[bool] = []
    for row in rows:
        stays = row.valid and not conduct.refuses(row)
        for at, fields in enumerate(pending):
            if stays and _same(fields, row.fields):
                del pending[at]
                stays = False
                break
        stands.append(stays)
    return tuple(stands)


def receipt_lsh(parcel: Parcel, rows: Sequence[Row]) -> str:
    """The serial number of the row a written parcel stands for; empty while it has none."""
    valid = parcel.operation is Operation.UPSERT
    row = _last(r for r in rows if r.valid is valid and _same(r.fields, parcel.fields))
    return "" if row is None else row.lsh


def may_be_answered(awaited: Awaited, rows: Sequence[Row], conduct: Conduct) -> bool:
    """False when no row of the key, whatever its content, can hold a word on an awaited record."""
    valid = awaited.operation is Operation.UPSERT
    return any(row.valid is valid and conduct.has_word(row) for row in rows)


def is_sole(awaited: Awaited, rows: Sequence[Row]) -> bool:
    """Whether no content has to be compared: the record never had another version, and its key has
    one row only."""
    return awaited.sole and len(rows) == 1


def answered(
    awaited: Awaited,
    rows: Sequence[Row],
    conduct: Conduct,
    *,
    at_once: bool,
    content: Mapping[str, str] | None = None,
) -> tuple[Answer, Row] | None:
    """The target's word on an awaited record, or None while there is none.

    Its row is found by `content` (as the table keeps it), without one by key; while any candidate
    still waits nothing is concluded from the others, which are older.
    """
    valid = awaited.operation is Operation.UPSERT
    candidates = [row for row in rows if row.valid is valid]
    if content is not None:
        candidates = [row for row in candidates if _same(row.fields, content)]
    if any(row.status == conduct.waiting and not conduct.refuses(row) for row in candidates):
        return None
    row = _last(candidates)
    if row is None or not conduct.has_word(row):
        return None
    if conduct.refuses(row):
        return Answer.REJECTED, row
    accepted = at_once or row.status == conduct.taken_over
    return (Answer.ACCEPTED if accepted else Answer.RECEIVED), row


def verdict_of(entry: Awaited, answer: Answer, row: Row, conduct: Conduct) -> Verdict:
    """A validated row is a word that may still change."""
    return Verdict(
        entry.standard,
        entry.table,
        entry.division,
        entry.key,
        answer,
        row.lsh,
        row.reason if answer is Answer.REJECTED else "",
        final=row.status != conduct.validated,
    )


def _same(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    """Equal contents; an empty text and no value are one thing."""
    return left == right or (
        (not all(left.values()) or not all(right.values()))
        and {n: v for n, v in left.items() if v} == {n: v for n, v in right.items() if v}
    )


def _last(rows: Iterable[Row]) -> Row | None:
    """The row with the highest serial number: shorter is smaller, then by digits."""
    return max(rows, key=lambda row: (len(row.lsh), row.lsh), default=None)
