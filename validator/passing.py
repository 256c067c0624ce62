"""The second pass: every record that was read, with its standing, as the pusher takes it.

Sources are read again; a file that changed since the first pass is a SourceError. Nothing is judged
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.canon import canonical_frame
from validator.duplicates import Place
from validator.pack import Packs, Reference, Role, Table
from validator.reading import Reader, TableRun
from validator.records import Link, Operation, Record, Standing
from validator.rereading import Again, again
from validator.rule import Need, Use
from validator.sources.ahead import ahead
from validator.standing import Blocks

Ints = npt.NDArray[np.int64]

#: Rows whose cells become Python texts at once.
_ROWS = 2_000
#: The name by which a record is blocked that only waits for its parent.
PARENT = "parent"

Pairs = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run decided about one table."""

    run: TableRun
    places: npt.NDArray[np.uint8]
    blocks: Blocks
    held: tuple[Ints, Ints]


@dataclass(frozen=True, slots=True)
class _Form:
    """How records of a table are laid out. `parents` are references to loaded tables, `handles`
    the fields by which others refer to it."""

    table: Table
    names: tuple[str, ...]
    business: tuple[str, ...]
    known: tuple[str, ...]
    parents: tuple[Reference, ...]
    handles: tuple[tuple[str, ...], ...]


def known_columns(packs: Packs, needs: Sequence[Need]) -> dict[str, tuple[str, ...]]:
    """Per qualified table name, what is kept for later nights: the key, what references point at,
    and the needs of dataset rules (`compiled.lasting_needs`), in the order of the table."""
    names: dict[str, set[str]] = {t.qualified: set(t.key.fields) for t in packs.tables()}
    for table in packs.tables():
        for reference in table.references:
            if reference.table in names:
                names[reference.table].update(reference.target_fields)
    for need in needs:
        names[need.table].update(n for fields in need.identities for n in fields)
        names[need.table].update(need.values)
    return {
        t.qualified: tuple(f.name for f in t.fields if f.name in names[t.qualified])
        for t in packs.tables()
    }


def records(
    packs: Packs,
    reader: Reader,
    uses: Sequence[Use],
    outcomes: Sequence[Outcome],
    known: Mapping[str, tuple[str, ...]],
) -> Iterator[Record]:
    """Every record of every table, in order of table, file, record. Raises SourceError."""
    for outcome in outcomes:
        form = _form(packs, outcome.run.table, known[outcome.run.table.qualified])
        with closing(ahead(_canonical(reader, outcome, form))) as parts:
            for part, cells in parts:
                yield from _records(uses, outcome, form, part, cells)


def _canonical(
    reader: Reader, outcome: Outcome, form: _Form
) -> Iterator[tuple[Again, pl.DataFrame]]:
    """Every batch of a table with its cells in canonical form."""
    for part in again(reader, outcome.run, None):
        yield part, canonical_frame(form.table, part.frame, form.names)


def _form(packs: Packs, table: Table, known: tuple[str, ...]) -> _Form:
    loaded = {t.qualified for t in packs.tables()}
    handles = {
        reference.target_fields: None
        for other in packs.tables()
        for reference in other.references
        if reference.table == table.qualified
    }
    return _Form(
        table,
        tuple(f.name for f in table.fields),
        tuple(f.name for f in table.fields if f.role is Role.BUSINESS),
        known,
        tuple(r for r in table.references if r.table in loaded),
        tuple(handles),
    )


def _records(
    uses: Sequence[Use], outcome: Outcome, form: _Form, part: Again, cells: pl.DataFrame
) -> Iterator[Record]:
    """The records of a batch: everything is made column by column, then put together."""
    table = form.table
    invalid = (outcome.places[part.positions] == Place.TOMBSTONE).tolist()
    lines = part.spot.lines
    columns = zip(
        _texts(cells, "XZQHDM"),
        _filled(cells, table.key.fields),
        _filled(cells, form.business),
        _texts(cells, "SJWXYY"),
        _standings(uses, outcome, part.positions),
        _links(cells, table, form.parents),
        _own_links(cells, table, form.handles),
        _filled(cells, form.known),
        part.spot.ordinals.tolist(),
        repeat(None) if lines is None else lines.tolist(),
        _texts(cells, "SJSCZT"),
        invalid,
        strict=False,
    )
    name, file = table.qualified, part.segment.source.file
    insert, withdraw = Operation.UPSERT, Operation.INVALIDATE
    for row in columns:
        division, key, content, reason, (standing, by), parents, handles, known, *place = row
        record, line, uploaded, gone = place
        yield Record(
            name, division, key, withdraw if gone else insert, content, reason if gone else "",
            standing, by, () if gone else parents, handles, known, file, record, line, uploaded,
        )  # fmt: skip


def _texts(cells: pl.DataFrame, name: str) -> list[str]:
    """The cells of one field, empty where missing."""
    if name not in cells.columns:
        return [""] * cells.height
    return cells[name].fill_null("").to_list()


def _filled(cells: pl.DataFrame, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Per row its filled cells by name, in the order of the names."""
    nulls = {name: cells[name].null_count() for name in names}
    there = [name for name in names if nulls[name] < cells.height]
    gaps = [name for name in there if nulls[name]]
    if not there:
        yield from ({} for _ in range(cells.height))
    for part in cells.select(there).iter_slices(_ROWS):
        for row in zip(*(column.to_list() for column in part), strict=True):
            found = dict(zip(there, row, strict=True))
            for name in gaps:
                if found[name] is None:
                    del found[name]
            yield found


def _standings(
    uses: Sequence[Use], outcome: Outcome, positions: Ints
) -> list[tuple[Standing, tuple[str, ...]]]:
    """Per record its standing, and the names of the rules that block it."""
    places = outcome.places[positions]
    own, parent = outcome.blocks.own[positions], outcome.blocks.parent[positions]
    found: list[tuple[Standing, tuple[str, ...]]] = [(Standing.CONFORMING, ())] * len(positions)
    reasons = _reasons(uses, outcome, positions)
    for i in np.flatnonzero((places != Place.CANDIDATE) | own | parent).tolist():
        if places[i] == Place.SKIPPED:
            found[i] = Standing.SKIPPED, ()
        elif places[i] == Place.REPEATED:
            found[i] = Standing.DUPLICATE, ()
        elif own[i]:
            found[i] = Standing.BLOCKED, reasons.get(int(positions[i]), ())
        elif parent[i]:
            found[i] = Standing.BLOCKED, (PARENT,)
    return found


def _reasons(uses: Sequence[Use], outcome: Outcome, positions: Ints) -> dict[int, tuple[str, ...]]:
    """Names of the rules that hold each record of a batch."""
    use, row = outcome.held
    low, high = np.searchsorted(row, [positions[0], positions[-1] + 1])
    found: dict[int, dict[str, None]] = {}
    for number, position in zip(use[low:high].tolist(), row[low:high].tolist(), strict=True):
        found.setdefault(position, {})[uses[number].rule] = None
    return {position: tuple(sorted(names)) for position, names in found.items()}


def _links(
    cells: pl.DataFrame, table: Table, references: Sequence[Reference]
) -> Iterable[tuple[Link, ...]]:
    """Per row what it refers to."""

    def linked(reference: Reference, values: tuple[str, ...]) -> tuple[Link, ...]:
        separator = table.by_name[reference.fields[0]].separator
        parts = [values]
        if separator is not None and len(values) == 1:
            parts = [(p,) for p in dict.fromkeys(values[0].split(separator)) if p.strip()]
        return tuple(Link(reference.table, reference.target_fields, part) for part in parts)

    return _together(
        [_by_value(cells, r.fields, partial(linked, r)) for r in references], cells.height
    )


def _own_links(
    cells: pl.DataFrame, table: Table, handles: Sequence[tuple[str, ...]]
) -> Iterable[tuple[Link, ...]]:
    """Per row by what others may refer to it."""

    def link(fields: tuple[str, ...], values: tuple[str, ...]) -> tuple[Link, ...]:
        return (Link(table.qualified, fields, values),)

    return _together([_by_value(cells, f, partial(link, f)) for f in handles], cells.height)


def _by_value(
    cells: pl.DataFrame,
    fields: Sequence[str],
    make: Callable[[tuple[str, ...]], tuple[Link, ...]],
) -> list[tuple[Link, ...]]:
    """Per row what is made of the values of the fields, none where one is missing; made once per
    distinct value, since parents have many children."""
    made: dict[tuple[str | None, ...], tuple[Link, ...]] = {}
    found = []
    for values in zip(*(cells[name].to_list() for name in fields), strict=True):
        links = made.get(values)
        if links is None:
            made[values] = links = () if None in values else make(values)
        found.append(links)
    return found


def _together(columns: Sequence[list[tuple[Link, ...]]], rows: int) -> Iterable[tuple[Link, ...]]:
    if not columns:
        return repeat((), rows)
    if len(columns) == 1:
        return columns[0]
    return map(tuple, map(chain.from_iterable, zip(*columns, strict=True)))
