"""A block of JSON records, one a line: fast where that is proved, exact where it is not.

Shared by JSON Lines and by the elements of a JSON array. Blocks are cut elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import polars as pl

from validator.records import Batch, Ints, Unreadable
from validator.sources.ahead import ahead, side_by_side
from validator.sources.columns import Keys
from validator.sources.json_exact import Cells, Match, exact
from validator.sources.json_fast import Fast, Flags, parse
from validator.sources.parts import Part, Stretch, numbered
from validator.text import Text

_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Lines:
    """`data` holds one record a line and ends with a line feed; blank lines are no records.
    `lines[i]` is the physical line of line i of `data`. `start` and `size` tell the bytes of the
    stream it was made of, `steps` where the records begin in them, as `parts.Part` has it."""

    data: bytes
    lines: Ints
    start: int | None = None
    size: int = 0
    steps: Ints | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that is too large to hold: where it starts, its beginning, and why."""

    line: int
    beginning: bytes
    reason: Text


@dataclass(frozen=True, slots=True)
class Parsed:
    """A part and the keys its records use, as written."""

    part: Part
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How records become cells: the fields of the table, the columns of keys, the largest record
    in bytes."""

    fields: tuple[str, ...]
    match: Match
    limit: int


def record_batches(
    blocks: Iterator[Lines | Refused],
    keys: Keys,
    limit: int,
    rows: int,
    places: list[Stretch] | None = None,
) -> Iterator[Batch]:
    """Batches of JSON records; the keys they use are noted, and the places of parts in `places`.
    `limit`: largest record in bytes."""
    reading = reading_of(keys, limit)
    with (
        closing(ahead(blocks)) as cut,
        closing(side_by_side(lambda block: parsed(block, reading), cut)) as parts,
    ):
        yield from numbered(_noted(parts, keys), rows, places)


def reading_of(keys: Keys, limit: int) -> Reading:
    """How the records of the table of `keys` are read."""
    return Reading(tuple(f.name for f in keys.table.fields), keys.match, limit)


def _noted(parts: Iterator[Parsed], keys: Keys) -> Iterator[Part]:
    for one in parts:
        keys.note(one.keys)
        yield one.part


def parsed(block: Lines | Refused, reading: Reading) -> Parsed:
    """The records of a block. Raises SourceError for an ambiguous title as key."""
    if isinstance(block, Refused):
        value = _excerpt(block.beginning, reading.limit)
        bad = Unreadable(1, block.line, block.reason, value)
        none = np.zeros(0, np.int64)
        return Parsed(Part(_frame([], reading.fields), 1, none, none, unreadable=(bad,)), ())
    hard, fast = _split(block.data, block.lines.size, reading)
    if fast is not None and not hard.any():
        part = Part(
            fast.frame,
            hard.size,
            block.lines,
            native=fast.native,
            start=block.start,
            size=block.size,
            steps=block.steps,
        )
        return Parsed(part, fast.keys)
    return _merged(block, hard, fast, reading)


def _split(data: bytes, lines: int, reading: Reading) -> tuple[Flags, Fast | None]:
    """Flags of the lines to be read exactly, and all the others parsed."""
    hard: Flags = np.zeros(lines, np.bool_)
    while not hard.all():
        result = parse(_without(data, hard), reading.fields, reading.match, reading.limit)
        if isinstance(result, Fast):
            return hard, result
        hard[np.flatnonzero(~hard)[result]] = True
    return hard, None


def _without(data: bytes, hard: Flags) -> bytes:
    if not hard.any():
        return data
    lines = data.split(b"\n")[:-1]
    return b"".join(line + b"\n" for line, is_hard in zip(lines, hard, strict=True) if not is_hard)


def _merged(block: Lines, hard: Flags, fast: Fast | None, reading: Reading) -> Parsed:
    """Rows of both readings in file order, unreadable records between them."""
    raw = block.data.split(b"\n")[:-1]
    filled = np.array([bool(line.strip(b" \t\r")) for line in raw], np.bool_)
    position = np.cumsum(filled) - 1
    slow: list[Cells] = []
    slow_lines: list[int] = []
    unreadable: list[Unreadable] = []
    for i in np.flatnonzero(hard & filled).tolist():
        cells = exact(raw[i].removesuffix(b"\r"), reading.match, reading.limit)
        if isinstance(cells, Cells):
            slow.append(cells)
            slow_lines.append(i)
        else:
            value = _excerpt(raw[i], reading.limit)
            line = int(block.lines[i])
            unreadable.append(Unreadable(int(position[i]) + 1, line, cells, value))
    origin = np.concatenate((np.flatnonzero(~hard), np.array(slow_lines, np.int64)))
    order = np.argsort(origin)
    origin = origin[order]
    frames = [] if fast is None else [fast.frame]
    part = Part(
        pl.concat([*frames, _frame(slow, reading.fields)])[order],
        int(filled.sum()),
        block.lines[origin],
        position[origin],
        _native(fast, slow, order),
        tuple(unreadable),
        block.start if filled.all() else None,
        block.size,
        block.steps,
    )
    keys = dict.fromkeys(() if fast is None else fast.keys)
    keys.update(dict.fromkeys(key for cells in slow for key in cells.keys))
    return Parsed(part, tuple(keys))


def _frame(rows: Sequence[Cells], fields: Sequence[str]) -> pl.DataFrame:
    columns = {name: [cells.texts.get(name) for cells in rows] for name in fields}
    return pl.DataFrame(columns, schema=dict.fromkeys(fields, pl.String))


def _native(fast: Fast | None, slow: Sequence[Cells], order: Ints) -> dict[str, pl.Series]:
    names = set() if fast is None else set(fast.native)
    names.update(name for cells in slow for name in cells.native)
    height = order.size - len(slow)
    flags = {}
    for name in sorted(names):
        easy = None if fast is None else fast.native.get(name)
        first = np.zeros(height, np.bool_) if easy is None else easy.to_numpy()
        second = np.array([name in cells.native for cells in slow], np.bool_)
        flags[name] = pl.Series(np.concatenate((first, second))[order])
    return flags


def _excerpt(record: bytes, limit: int) -> str:
    """The beginning of a record as text."""
    return record[: min(limit, 4 * _EXCERPT)].decode("utf-8", "replace").strip()[:_EXCERPT]
