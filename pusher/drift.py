"""How what stands at a target differs from what it took over, record by record: pure values.

Only names of fields leave this module, never their values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pusher.batch import canonical, digest
from pusher.transport import Expected, HeldRow, Looked
from validator.text import Text


class Drift(StrEnum):
    """What is wrong with a record at the target."""

    #: No row of it stands there.
    MISSING = "missing"
    #: A valid row of it stands there with other content.
    CHANGED = "changed"
    #: Besides ours another valid row stands, or one of a record that we withdrew.
    EXTRA = "extra"
    #: Our content stands as valid more than once.
    TWICE = "twice"
    #: Our content is there and no longer valid, or refused.
    INVALID = "invalid"


TITLES: Mapping[Drift, Text] = {
    Drift.MISSING: Text("缺失", "missing"),
    Drift.CHANGED: Text("内容不同", "changed"),
    Drift.EXTRA: Text("多出有效行", "extra valid row"),
    Drift.TWICE: Text("重复有效", "valid twice"),
    Drift.INVALID: Text("已失效或被退回", "unexpectedly invalid"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; `fields` are the names of what was changed, empty where the ledger no longer
    has the content to tell."""

    drift: Drift
    key: Mapping[str, str]
    fields: tuple[str, ...] = ()
    lsh: str = ""


def differences(expected: Expected, looked: Looked) -> tuple[Difference, ...]:
    """What differs of one record.

    Where neither the content nor a digest that the target's columns keep is left, one valid row
    counts as ours (`told` says whether it was compared).
    """
    valid = [row for row in looked.rows if row.valid]
    if expected.gone:
        return tuple(_of(Drift.EXTRA, expected, row) for row in valid)
    if not told(expected, looked):
        return _untold(expected, looked, valid)
    ours = [row for row in valid if _same(expected, looked, row)]
    others = [row for row in valid if not _same(expected, looked, row)]
    if not ours and others:
        return (_changed(expected, looked, others[-1]),)
    if not ours:
        return (_absent(expected, looked),)
    twice = tuple(_of(Drift.TWICE, expected, row) for row in ours[1:])
    return twice + tuple(_of(Drift.EXTRA, expected, row) for row in others)


def told(expected: Expected, looked: Looked) -> bool:
    """Whether contents can be compared: the ledger still has it, or the target keeps every value as
    it was given, so that its digest does."""
    return looked.fields is not None or looked.faithful or expected.gone


def _untold(expected: Expected, looked: Looked, valid: Sequence[HeldRow]) -> tuple[Difference, ...]:
    if not valid:
        drift = Drift.INVALID if looked.rows else Drift.MISSING
        return (Difference(drift, expected.key),)
    return tuple(_of(Drift.EXTRA, expected, row) for row in valid[1:])


def _same(expected: Expected, looked: Looked, row: HeldRow) -> bool:
    """Equal contents; an empty text and no value are one thing."""
    if looked.fields is None:
        return digest(canonical(row.fields)) == expected.digest
    return not _names(looked.fields, row.fields)


def _names(left: Mapping[str, str], right: Mapping[str, str]) -> tuple[str, ...]:
    names = sorted({*left, *right})
    return tuple(n for n in names if (left.get(n) or "") != (right.get(n) or ""))


def _changed(expected: Expected, looked: Looked, row: HeldRow) -> Difference:
    names = () if looked.fields is None else _names(looked.fields, row.fields)
    return Difference(Drift.CHANGED, expected.key, names, row.lsh)


def _absent(expected: Expected, looked: Looked) -> Difference:
    fallen = [row for row in looked.rows if _same(expected, looked, row)]
    if fallen:
        return _of(Drift.INVALID, expected, fallen[-1])
    return Difference(Drift.MISSING, expected.key)


def _of(drift: Drift, expected: Expected, row: HeldRow) -> Difference:
    return Difference(drift, expected.key, (), row.lsh)
