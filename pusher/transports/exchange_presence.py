"""What of a batch stands in an exchange database already, what is missing, what has no form there;
and the rows that a parcel becomes. Pure values; reading and writing is `exchange_db`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from pusher.transport import Answer, Batch, Expected, HeldRow, Looked, Parcel, Receipt
from pusher.transports.exchange_rows import (
    NO_CHANGES,
    NewRow,
    Row,
    has_effect,
    has_no_form,
    rows_of,
    standing,
)
from pusher.transports.exchange_settings import ROW_ID, ExchangeTable

#: Names row ids, so that an id of ours is the same on every attempt and never another's.
_IDS = UUID("6f1c1f0e-58a3-5c0c-9b0e-6d5a3a0c7d11")


def new_rows(place: ExchangeTable, batch: Batch, parcel: Parcel) -> Iterable[NewRow]:
    """The rows of a parcel; where rows carry an id of ours, the same on every attempt."""
    rows = rows_of(parcel, place.conduct)
    if ROW_ID not in place.exchange:
        return rows
    word = f"{batch.idempotency_key}/{parcel.index}"
    return [replace(row, id=str(uuid5(_IDS, f"{word}/{row.valid:d}"))) for row in rows]


def receipt(parcel: Parcel, formless: frozenset[int], lsh: str = "") -> Receipt:
    """`received`, or the refusal of what this channel has no form for."""
    if parcel.index in formless:
        return Receipt(parcel.index, Answer.REJECTED, reason=NO_CHANGES)
    return Receipt(parcel.index, Answer.RECEIVED, lsh)


def missing(
    place: ExchangeTable, rows: Iterable[tuple[Parcel, Sequence[Row]]], *, count_refused: bool
) -> tuple[list[Parcel], frozenset[int]]:
    """The parcels that the rows of their identities do not show as written, and the indices of
    those that have no form here."""
    absent: list[Parcel] = []
    formless: set[int] = set()
    for parcel, found in rows:
        known = kept(place, parcel)
        if has_no_form(known, found, place.conduct):
            formless.add(parcel.index)
        elif not has_effect(known, found, place.conduct, count_refused=count_refused):
            absent.append(parcel)
    return absent, frozenset(formless)


def looked(place: ExchangeTable, expected: Expected, rows: Sequence[Row]) -> Looked:
    """What the rows of its identity are for one expected record."""
    stands = standing(rows, place.conduct)
    held = tuple(HeldRow(r.fields, s, r.lsh) for r, s in zip(rows, stands, strict=True))
    fields = None if expected.fields is None else place.kept_content(expected.fields)
    return Looked(held, fields, not place.lossy)


def kept(place: ExchangeTable, parcel: Parcel) -> Parcel:
    """A parcel as it looks once the table has it; what is compared, never what is sent."""
    content = place.kept_content(parcel.fields)
    return parcel if content is parcel.fields else replace(parcel, fields=content)
