"""Which records go on: own errors first, then children of parents that do not go on (decisions 4).

A child whose parent does not conform is no violation; it is blocked by `parent`, through any number
of generations, and counted at the record whose own error holds it back. It reads no source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.dataset import Columns, Index
from validator.duplicates import Place
from validator.pack import Reference, Table

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

#: Bits of a row in the code of a root: table number above, row below.
_ROW_BITS = 40


@dataclass(slots=True)
class Blocks:
    """Of one table: records with a blocking fault of their own, and records whose parent does not
    go on. `root` is the code of the record whose own fault holds a record back, -1 for none."""

    own: Mask
    parent: Mask
    root: Ints

    @property
    def any(self) -> Mask:
        return self.own | self.parent


@dataclass(frozen=True, slots=True)
class Family:
    """The tables of a run with their blocks; `places` as `duplicates.Settled.places`.

    `undecided`: tables of which a file could not be read; a reference that is not found there is
    not answered, so its record waits.
    """

    index: Index
    tables: Sequence[Table]
    blocks: Mapping[str, Blocks]
    places: Mapping[str, npt.NDArray[np.uint8]]
    undecided: frozenset[str] = field(default_factory=frozenset)

    def number(self, qualified: str) -> int:
        return next(i for i, t in enumerate(self.tables) if t.qualified == qualified)


def own_blocks(rows: int, held: Ints) -> Blocks:
    """Blocks of a table from the positions with a blocking fault."""
    own = np.zeros(rows, dtype=np.bool_)
    own[held] = True
    return Blocks(own, np.zeros(rows, dtype=np.bool_), np.full(rows, -1, dtype=np.int64))


def spread(family: Family) -> None:
    """Block children of blocked parents until nothing changes."""
    for i, table in enumerate(family.tables):
        blocks = family.blocks[table.qualified]
        rows = np.flatnonzero(blocks.own)
        blocks.root[rows] = (i << _ROW_BITS) | rows
    edges = [
        (table, reference)
        for table in family.tables
        for reference in table.references
        if reference.table in family.blocks or reference.table in family.undecided
    ]
    changed = {t.qualified for t in family.tables if family.blocks[t.qualified].own.any()}
    changed |= family.undecided
    while changed:
        touched: set[str] = set()
        for table, reference in edges:
            if reference.table in changed and _block_children(family, table, reference):
                touched.add(table.qualified)
        changed = touched


def held_back(family: Family) -> dict[str, dict[int, int]]:
    """Per table, position of a record with an own error → how many records it holds back."""
    roots = [
        b.root[b.parent & ~b.own & (family.places[t] <= Place.CANDIDATE)]
        for t, b in family.blocks.items()
    ]
    found: dict[str, dict[int, int]] = {}
    if not roots:
        return found
    codes, counts = np.unique(np.concatenate(roots), return_counts=True)
    for code, count in zip(codes, counts, strict=True):
        if code >= 0:
            table = family.tables[int(code) >> _ROW_BITS].qualified
            found.setdefault(table, {})[int(code) & ((1 << _ROW_BITS) - 1)] = int(count)
    return found


def _block_children(family: Family, table: Table, reference: Reference) -> bool:
    """Block the children by one reference; True if any was blocked anew."""
    blocks = family.blocks[table.qualified]
    rows, hashes = pointing(family.index.tables[table.qualified], reference.fields)
    free = ~blocks.any[rows] & (family.places[table.qualified][rows] == Place.CANDIDATE)
    rows, hashes = rows[free], hashes[free]
    if not len(rows):
        return False
    parents = family.index.tables.get(reference.table)
    target = reference.target_fields
    known = family.index.known.get(reference.table)
    good = [known.identities[target]] if known is not None else []
    bad_hashes = np.empty(0, dtype=np.uint64)
    bad_roots = np.empty(0, dtype=np.int64)
    if parents is not None:
        live, held = family.index.live[reference.table], family.blocks[reference.table]
        there = parents.identities[target]
        good.append(there[live & ~held.any])
        bad = live & held.any & (there != 0)
        bad_hashes, bad_roots = there[bad], held.root[bad]
    children = pl.DataFrame({"row": rows, "at": hashes}).filter(
        ~pl.col("at").is_in(pl.Series(np.concatenate(good)).implode()) if good else pl.lit(True)
    )
    bad = pl.DataFrame({"at": bad_hashes, "root": bad_roots}).unique("at", keep="first")
    if reference.table in family.undecided:
        found = children.join(bad, on="at", how="left").with_columns(pl.col("root").fill_null(-1))
    else:
        found = children.join(bad, on="at", how="inner")
    found = found.unique("row", keep="first")
    at = found["row"].to_numpy()
    blocks.parent[at] = True
    blocks.root[at] = found["root"].to_numpy()
    return bool(len(at))


def pointing(columns: Columns, fields: tuple[str, ...]) -> tuple[Ints, npt.NDArray[np.uint64]]:
    """(row, hash) of every reference that points somewhere; a row may stand more than once."""
    if fields in columns.parts:
        return columns.parts[fields]
    hashes = columns.identities[fields]
    rows = np.flatnonzero(hashes)
    return rows.astype(np.int64), hashes[rows]
