"""What is kept of every record while a run reads: hashes of keys and references, a few values.

Memory is bounded by 8 bytes per record and identity, not by the files. What looks equal by its hash
is confirmed by reading the source again (`validator.duplicates`). It judges nothing; dataset rules
ask it for frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.canon import canonical, canonical_frame, times, without_blanks
from validator.lexical import matches_expr
from validator.pack import Exchange, Kind, Otherwise, Packs, Provenance, Table
from validator.rule import Need, identity

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

#: The states of the 3.0 chain.
NATIONAL = Exchange()
_SEED = 0x5350474C
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
#: Rows of a table in one part of it.
_PART = 1_000_000


class Mark(IntEnum):
    """What the exchange columns of a record say (decisions 2)."""

    #: Seen by keys, references and histories.
    VALID = 0
    #: SJSCZT=2 (or as the pack says): the target refused it; judged, but no parent.
    REFUSED = 1
    #: SJYXBS=0.
    INVALID = 2
    #: SJSCZT=-1: a local draft.
    DRAFT = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """What is kept of a table: identities to compare, values to read."""

    identities: tuple[tuple[str, ...], ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The kept columns of a batch or table. A hash of 0 means missing.

    `parts`: identities of a field with a separator, as (row, hash) of every part.
    """

    rows: int
    marks: Marks
    key: Hashes
    identities: Mapping[tuple[str, ...], Hashes]
    parts: Mapping[tuple[str, ...], tuple[Rows, Hashes]]
    values: Mapping[str, pl.Series]


@dataclass(frozen=True, slots=True)
class Index:
    """All tables of a run. `live`: rows that keys, references and histories see; `known_live`:
    known rows of earlier nights that tonight's do not replace."""

    packs: Packs
    tables: Mapping[str, Columns]
    known: Mapping[str, Columns]
    live: dict[str, Mask] = field(default_factory=dict)
    known_live: dict[str, Mask] = field(default_factory=dict)

    def frame(self, need: Need) -> pl.DataFrame:
        """The frame of a need, known rows (below zero) first."""
        known, own = self.known.get(need.table), self.tables.get(need.table)
        frames = []
        if known is not None:
            rows = -1 - np.arange(known.rows, dtype=np.int64)
            frames.append(_frame(need, known, rows, self.known_live.get(need.table)))
        if own is not None:
            rows = np.arange(own.rows, dtype=np.int64)
            frames.append(_frame(need, own, rows, self.live.get(need.table)))
        if not frames:
            table = self.packs.table(need.table)
            empty = read(table, Shape(need.identities, need.values), pl.DataFrame())
            frames.append(_frame(need, empty, np.empty(0, dtype=np.int64), None))
        return pl.concat(frames)

    def parts(self, need: Need) -> Iterator[pl.DataFrame]:
        """The frame of a need, tonight's rows only, in parts."""
        own = self.tables.get(need.table)
        live = self.live.get(need.table)
        for start in range(0, own.rows, _PART) if own is not None else ():
            assert own is not None
            part = slice(start, min(start + _PART, own.rows))
            rows = np.arange(part.start, part.stop, dtype=np.int64)
            yield _frame(need, _sliced(own, part), rows, None if live is None else live[part])


def _sliced(columns: Columns, part: slice) -> Columns:
    """Some rows of the columns; parts of fields count from the first of them."""
    parts = {}
    for fields, (rows, hashes) in columns.parts.items():
        inside = slice(*np.searchsorted(rows, (part.start, part.stop)).tolist())
        parts[fields] = (rows[inside] - part.start, hashes[inside])
    return Columns(
        part.stop - part.start,
        columns.marks[part],
        columns.key[part],
        {f: hashes[part] for f, hashes in columns.identities.items()},
        parts,
        {n: cells[part] for n, cells in columns.values.items()},
    )


def shapes(packs: Packs, needs: Iterable[Need]) -> dict[str, Shape]:
    """Per qualified table name, everything that some need asks for."""
    identities: dict[str, dict[tuple[str, ...], None]] = {t.qualified: {} for t in packs.tables()}
    values: dict[str, dict[str, None]] = {t.qualified: {} for t in packs.tables()}
    for need in needs:
        identities[need.table].update(dict.fromkeys(need.identities))
        values[need.table].update(dict.fromkeys(need.values))
    return {t: Shape(tuple(identities[t]), tuple(values[t])) for t in identities}


def marks(frame: pl.DataFrame, exchange: Exchange = NATIONAL) -> Marks:
    """What the exchange columns of each record say; absent columns say valid. What a state means is
    the pack's word (`exchange`)."""
    found = np.full(frame.height, Mark.VALID, dtype=np.uint8)
    if "SJSCZT" in frame.columns:
        state = frame["SJSCZT"]
        refused = state.is_in(exchange.refused)
        if exchange.otherwise is Otherwise.REFUSED:
            refused |= ~state.is_in((exchange.new, *exchange.accepted)) & state.is_not_null()
        found[refused.fill_null(False).to_numpy()] = Mark.REFUSED
    for name, value, mark in (("SJYXBS", "0", Mark.INVALID), ("SJSCZT", "-1", Mark.DRAFT)):
        if name in frame.columns:
            found[(frame[name] == value).fill_null(False).to_numpy()] = mark
    return found


def read(table: Table, shape: Shape, frame: pl.DataFrame, exchange: Exchange = NATIONAL) -> Columns:
    """What is kept of a batch (String columns by field, native cells in lexical form)."""
    needed = dict.fromkeys(n for fields in (table.key.fields, *shape.identities) for n in fields)
    texts = canonical_frame(table, frame, tuple(needed))
    plain: dict[tuple[str, ...], Hashes] = {}
    parts: dict[tuple[str, ...], tuple[Rows, Hashes]] = {}
    for fields in shape.identities:
        separator = table.by_name[fields[0]].separator if len(fields) == 1 else None
        if separator is None:
            plain[fields] = hashed(texts, fields)
        else:
            parts[fields] = _parts(texts[fields[0]], separator)
    key = table.key
    if key.provenance is Provenance.INFERRED:
        own = hashed(texts, key.fields, partial=True)
    else:
        own = plain[key.fields] if key.fields in plain else hashed(texts, key.fields)
    values = {name: _value(table, frame, name) for name in shape.values}
    return Columns(frame.height, marks(frame, exchange), own, plain, parts, values)


def hashed(texts: pl.DataFrame, fields: Sequence[str], *, partial: bool = False) -> Hashes:
    """A hash per record of its canonical parts; 0 where any part is missing (`partial`: all)."""
    total = np.zeros(texts.height, dtype=np.uint64)
    missing = np.zeros(texts.height, dtype=np.bool_) if not partial else None
    filled = np.zeros(texts.height, dtype=np.bool_)
    for name in fields:
        column = texts[name]
        total = total * _FACTOR + column.hash(_SEED).to_numpy()
        empty = column.is_null().to_numpy() if column.null_count() else None
        if missing is not None and empty is not None:
            missing |= empty
        filled |= True if empty is None else ~empty
    total[total == 0] = 1
    total[missing if missing is not None else ~filled] = 0
    return total


def _parts(cells: pl.Series, separator: str) -> tuple[Rows, Hashes]:
    frame = (
        pl.DataFrame({"row": pl.int_range(cells.len(), eager=True, dtype=pl.Int64), "part": cells})
        .drop_nulls()
        .with_columns(pl.col("part").str.split(separator))
        .explode("part")
    )
    frame = frame.with_columns(without_blanks(frame["part"])).drop_nulls()
    return frame["row"].to_numpy(), hashed(frame, ("part",))


def _value(table: Table, frame: pl.DataFrame, name: str) -> pl.Series:
    """`FIELD#Part/Member` is the text of a member of the document in the field."""
    field, document, path = name.partition("#")
    if document:
        if field not in frame.columns:
            return pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias(name)
        inside = frame[field].str.json_path_match("$." + path.replace("/", "."))
        return without_blanks(inside.alias(name))
    of = table.by_name[name]
    if name in frame.columns:
        cells = frame[name]
    else:
        cells = pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias(name)
    if of.kind in (Kind.DATE, Kind.DATETIME):
        return times(of, without_blanks(cells))
    text = canonical(of, cells)
    formed = pl.when(matches_expr(of.kind, pl.col(name))).then(pl.col(name))
    return text.to_frame().select(formed.alias(name))[name] if of.kind is not Kind.TEXT else text


def _frame(need: Need, columns: Columns, rows: Rows, live: Mask | None) -> pl.DataFrame:
    data: dict[str, object] = {"row": rows}
    plain = [f for f in need.identities if f in columns.identities]
    for fields in plain:
        data[identity(fields)] = columns.identities[fields]
    frame = pl.DataFrame(data | {n: columns.values[n] for n in need.values}).with_columns(
        pl.when(pl.col(identity(f)) != 0).then(pl.col(identity(f))).alias(identity(f))
        for f in plain
        if not columns.identities[f].all()
    )
    if live is not None and not live.all():
        frame = frame.filter(pl.Series(live))
    for fields in need.identities:
        if fields in columns.parts:
            at, hashes = columns.parts[fields]
            listed = pl.DataFrame({"row": rows[at], identity(fields): hashes})
            frame = frame.join(listed, on="row", how="left")
    return frame.select("row", *(identity(f) for f in need.identities), *need.values)
