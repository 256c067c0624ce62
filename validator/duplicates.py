"""Records that share a key: which one counts, which repeat it, which withdraw it (decisions 2, 5).

Candidates are found by hash and confirmed by keys and contents read again from the sources, so that
two different keys never pass for one. It writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.canon import canonical_frame
from validator.dataset import Columns, Hashes, Mark
from validator.pack import Role, Table
from validator.reading import Reader, TableRun
from validator.rereading import Again, again

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


class Place(IntEnum):
    """What a record is to its key."""

    #: Goes on if nothing holds it.
    CANDIDATE = 0
    #: A draft, or an invalid or refused row beside a valid one.
    SKIPPED = 1
    #: The same content again.
    REPEATED = 2
    #: Another content of the same key, later.
    RIVAL = 3
    #: Withdraws what the target holds.
    TOMBSTONE = 4


@dataclass(frozen=True, slots=True)
class Settled:
    """`places[i]` of the record at position i; `first` gives the position of the record that a
    repeated or rival one comes after."""

    places: Bytes
    first: dict[int, int]


def settle(reader: Reader, run: TableRun, at_target: Hashes | None) -> Settled:
    """Settle one table; `at_target` are the key hashes of what the target holds."""
    columns = run.columns
    places = np.full(columns.rows, Place.CANDIDATE, dtype=np.uint8)
    places[columns.marks == Mark.DRAFT] = Place.SKIPPED
    first: dict[int, int] = {}
    shared = _shared(columns)
    if len(shared):
        _resolve(reader, run, shared, places, first)
    _withdraw(columns, places, at_target)
    return Settled(places, first)


def _shared(columns: Columns) -> Ints:
    """Positions whose key hash stands more than once, drafts left out."""
    keyed = (columns.key != 0) & (columns.marks != Mark.DRAFT)
    keys = columns.key[keyed]
    keys.sort()  # in place: there may be ten million
    twice = np.unique(keys[1:][keys[1:] == keys[:-1]])
    if not len(twice):
        return np.empty(0, dtype=np.int64)
    shared = keyed & pl.Series(columns.key).is_in(pl.Series(twice).implode()).to_numpy()
    found: Ints = np.flatnonzero(shared)
    return found


def _resolve(
    reader: Reader, run: TableRun, shared: Ints, places: Bytes, first: dict[int, int]
) -> None:
    marks = run.columns.marks
    groups: dict[str, list[tuple[int, bytes]]] = {}
    for part in again(reader, run, shared):
        for position, key, content in _identified(run.table, part):
            groups.setdefault(key, []).append((position, content))
    # Members of an enum are looked up slowly, and there may be many rows.
    is_valid, is_refused, is_invalid = Mark.VALID, Mark.REFUSED, Mark.INVALID
    for rows in groups.values():
        valid = [r for r in rows if marks[r[0]] == is_valid]
        refused = [p for p, _ in rows if marks[p] == is_refused]
        others = [p for p, _ in rows if marks[p] == is_invalid]
        if valid:
            places[refused + others] = Place.SKIPPED
            _in_order(valid, places, first)
        elif refused:
            places[refused[:-1] + others] = Place.SKIPPED
        else:
            places[others[:-1]] = Place.SKIPPED


def _in_order(rows: list[tuple[int, bytes]], places: Bytes, first: dict[int, int]) -> None:
    """The first record of a key counts; later ones repeat a content or rival it."""
    seen = {rows[0][1]: rows[0][0]}
    for position, content in rows[1:]:
        if content in seen:
            places[position], first[position] = Place.REPEATED, seen[content]
        else:
            places[position], first[position] = Place.RIVAL, rows[0][0]
            seen[content] = position


def _identified(table: Table, part: Again) -> Iterator[tuple[int, str, bytes]]:
    """(position, key, digest of the content) of records read again."""
    business = tuple(f.name for f in table.fields if f.role is Role.BUSINESS)
    keys = canonical_frame(table, part.frame, table.key.fields)
    contents = canonical_frame(table, part.frame, business)
    joined = keys.select(_text(table.key.fields)).to_series().to_list()
    whole = contents.select(_text(business)).to_series().to_list()
    for position, key, content in zip(part.positions.tolist(), joined, whole, strict=True):
        yield position, key, hashlib.blake2b(content.encode(), digest_size=16).digest()


def _text(names: tuple[str, ...]) -> pl.Expr:
    """All cells as one text; lengths keep it unambiguous."""
    return pl.concat_str(
        e
        for n in names
        for e in (pl.col(n).str.len_bytes().fill_null(-1).cast(pl.String), pl.col(n).fill_null(""))
    )


def _withdraw(columns: Columns, places: Bytes, at_target: Hashes | None) -> None:
    """An invalid row alone is a tombstone if the target holds its key, else skipped."""
    alone = (columns.marks == Mark.INVALID) & (places == Place.CANDIDATE)
    places[alone] = Place.SKIPPED
    if at_target is not None and alone.any():
        places[alone & (columns.key != 0) & np.isin(columns.key, at_target)] = Place.TOMBSTONE
