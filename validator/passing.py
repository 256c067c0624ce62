"""The second pass: every record that was read, with its standing, as the pusher takes it.

Sources are read again; a file that changed since the first pass is a SourceError. Nothing is judged
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from validator.canon import canonical_frame
from validator.duplicates import Place
from validator.pack import Field, Packs, Role, Table
from validator.reading import Reader, TableRun
from validator.records import Link, Operation, Record, Standing
from validator.rereading import again
from validator.rule import Need, Use
from validator.standing import Blocks

Ints = npt.NDArray[np.int64]

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
    """How records of a table are laid out."""

    table: Table
    names: tuple[str, ...]
    business: frozenset[str]
    known: tuple[str, ...]
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
        table = outcome.run.table
        handles = {
            reference.target_fields: None
            for other in packs.tables()
            for reference in other.references
            if reference.table == table.qualified
        }
        business = frozenset(f.name for f in table.fields if f.role is Role.BUSINESS)
        names = tuple(f.name for f in table.fields)
        form = _Form(table, names, business, known[table.qualified], tuple(handles))
        yield from _table(packs, reader, uses, outcome, form)


def _table(
    packs: Packs, reader: Reader, uses: Sequence[Use], outcome: Outcome, form: _Form
) -> Iterator[Record]:
    loaded = {t.qualified for t in packs.tables()}
    for part in again(reader, outcome.run, None):
        cells = canonical_frame(form.table, part.frame, form.names)
        reasons = _reasons(uses, outcome, part.positions)
        lines = part.spot.lines
        file = part.segment.source.file
        for i, row in enumerate(cells.iter_rows()):
            values = {n: v for n, v in zip(form.names, row, strict=True) if v is not None}
            position = int(part.positions[i])
            place = outcome.places[position]
            standing, by = _standing(place, position, outcome, reasons)
            invalid = place == Place.TOMBSTONE
            yield Record(
                table=form.table.qualified,
                division=values.get("XZQHDM", ""),
                key={n: values[n] for n in form.table.key.fields if n in values},
                operation=Operation.INVALIDATE if invalid else Operation.UPSERT,
                content={n: v for n, v in values.items() if n in form.business},
                reason=values.get("SJWXYY", "") if invalid else "",
                standing=standing,
                blocked_by=by,
                parents=() if invalid else tuple(_parents(form.table, values, loaded)),
                handles=tuple(_handles(form, values)),
                known={n: values[n] for n in form.known if n in values},
                file=file,
                record=int(part.spot.ordinals[i]),
                line=None if lines is None else int(lines[i]),
                uploaded=values.get("SJSCZT", ""),
            )


def _reasons(uses: Sequence[Use], outcome: Outcome, positions: Ints) -> dict[int, tuple[str, ...]]:
    """Names of the rules that hold each record of a batch."""
    use, row = outcome.held
    low, high = np.searchsorted(row, [positions[0], positions[-1] + 1])
    found: dict[int, dict[str, None]] = {}
    for number, position in zip(use[low:high].tolist(), row[low:high].tolist(), strict=True):
        found.setdefault(position, {})[uses[number].rule] = None
    return {position: tuple(sorted(names)) for position, names in found.items()}


def _standing(
    place: int, position: int, outcome: Outcome, reasons: Mapping[int, tuple[str, ...]]
) -> tuple[Standing, tuple[str, ...]]:
    if place == Place.SKIPPED:
        return Standing.SKIPPED, ()
    if place == Place.REPEATED:
        return Standing.DUPLICATE, ()
    if outcome.blocks.own[position]:
        return Standing.BLOCKED, reasons.get(position, ())
    if outcome.blocks.parent[position]:
        return Standing.BLOCKED, (PARENT,)
    return Standing.CONFORMING, ()


def _parents(table: Table, values: Mapping[str, str], loaded: set[str]) -> Iterator[Link]:
    for reference in table.references:
        if reference.table not in loaded:
            continue
        cells = [values.get(name) for name in reference.fields]
        found = [c for c in cells if c is not None]
        if len(found) != len(cells):
            continue
        field = table.by_name[reference.fields[0]]
        for part in _parts(field, found) if len(found) == 1 else (tuple(found),):
            yield Link(reference.table, reference.target_fields, part)


def _parts(field: Field, found: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if field.separator is None:
        yield tuple(found)
        return
    for part in dict.fromkeys(found[0].split(field.separator)):
        if part.strip():
            yield (part,)


def _handles(form: _Form, values: Mapping[str, str]) -> Iterator[Link]:
    for fields in form.handles:
        if all(name in values for name in fields):
            yield Link(form.table.qualified, fields, tuple(values[name] for name in fields))
