"""From parsed parts of a file to numbered batches.

A part counts its records from 0; only here do they get their ordinal in the file, so parts can be
read and parsed without knowing what came before. No format is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from validator.records import Batch, Ints, SourceError, Unreadable

#: Of so many records one place in the file is kept, so that chosen ones are found again.
STEP = 32


@dataclass(frozen=True, slots=True)
class Part:
    """Some consecutive records.

    `records` counts all of them, readable or not; `positions[i]` is the 0-based position of row i
    among them (None: every record is a row); `lines[i]` its physical line in the file. `unreadable`
    carries 1-based records relative to the part. `start` and `size` are the bytes of the UTF-8
    stream it was read from, where its format notes them; `steps` as `stepped` gives them.
    """

    frame: pl.DataFrame
    records: int
    lines: Ints | None
    positions: Ints | None = None
    native: Mapping[str, pl.Series] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    start: int | None = None
    size: int = 0
    steps: Ints | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where some consecutive records stand: bytes of the UTF-8 stream, ordinal of the first record
    and their number. `steps[i]` is the byte from `start` on, `lines[i]` the physical line at which
    record `i * STEP` begins. `even`: every record is readable, and all of this is known."""

    start: int
    size: int
    record: int
    records: int
    steps: Ints
    lines: Ints
    even: bool


def stepped(ends: Ints) -> Ints:
    """The first byte of every `STEP`th record, from the byte behind each record."""
    return np.concatenate((np.zeros(1, np.int64), ends[STEP - 1 : -1 : STEP]))


def numbered(
    parts: Iterable[Part], rows: int, noted: list[Stretch] | None = None
) -> Iterator[Batch]:
    """Batches of at most `rows` readable records, in order; only the last ones are shorter.
    When `parts` fails, what came before is handed out first. `noted` takes the parts' places."""
    waiting: list[Batch] = []
    before, failure = 0, None
    source = iter(parts)
    while True:
        try:
            part = next(source)
        except StopIteration:
            break
        except SourceError as raised:
            failure = raised
            break
        waiting.append(_placed(part, before))
        if noted is not None and part.records:
            noted.append(_stretch(part, before))
        before += part.records
        if sum(_weight(b) for b in waiting) < rows:
            continue
        *whole, rest = _sliced(_joined(waiting), rows)
        yield from whole
        if _weight(rest) >= rows:
            yield rest
            rest = _sliced_off(rest)
        waiting = [rest]
    if sum(_weight(b) for b in waiting):
        yield from _sliced(_joined(waiting), rows)
    if failure is not None:
        raise failure


def _stretch(part: Part, before: int) -> Stretch:
    none = np.empty(0, np.int64)
    if part.start is None or part.steps is None or part.lines is None:
        return Stretch(0, 0, before + 1, part.records, none, none, even=False)
    even = part.frame.height == part.records
    lines = part.lines[::STEP].copy()
    return Stretch(part.start, part.size, before + 1, part.records, part.steps, lines, even)


def _weight(batch: Batch) -> int:
    return batch.frame.height + len(batch.unreadable)


def _sliced_off(batch: Batch) -> Batch:
    """What is left of a batch after all of it was handed out."""
    lines = None if batch.lines is None else batch.lines[:0]
    return Batch(batch.frame.clear(), batch.ordinals[:0], lines)


def _placed(part: Part, before: int) -> Batch:
    positions = part.positions
    if positions is None:
        positions = np.arange(part.frame.height, dtype=np.int64)
    unreadable = tuple(replace(u, record=u.record + before) for u in part.unreadable)
    return Batch(part.frame, positions + (before + 1), part.lines, part.native, unreadable)


def _joined(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    names = list(dict.fromkeys(name for b in batches for name in b.frame.columns))
    natives = list(dict.fromkeys(name for b in batches for name in b.native))
    frames = [b.frame if b.frame.columns == names else _widened(b.frame, names) for b in batches]
    lines = [b.lines for b in batches if b.lines is not None]
    return Batch(
        pl.concat(frames, rechunk=False),
        np.concatenate([b.ordinals for b in batches]),
        np.concatenate(lines) if len(lines) == len(batches) else None,
        {name: pl.concat([_flags(b, name) for b in batches]) for name in natives},
        tuple(u for b in batches for u in b.unreadable),
    )


def _widened(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    missing = [pl.lit(None, pl.String).alias(n) for n in names if n not in frame.columns]
    return frame.with_columns(missing).select(names)


def _flags(batch: Batch, name: str) -> pl.Series:
    found = batch.native.get(name)
    return pl.repeat(False, batch.frame.height, eager=True) if found is None else found


def _sliced(batch: Batch, rows: int) -> Iterator[Batch]:
    """Slices of `rows` rows, at least one; unreadable records go with the rows they follow."""
    height = batch.frame.height
    starts = range(0, height, rows) if height else range(1)
    left = batch.unreadable
    for start in starts:
        end = min(start + rows, height)
        last = end == height
        limit = batch.ordinals[end - 1] if not last else None
        mine = tuple(u for u in left if limit is None or u.record < limit)
        left = left[len(mine) :]
        yield Batch(
            batch.frame.slice(start, end - start),
            batch.ordinals[start:end],
            None if batch.lines is None else batch.lines[start:end],
            {n: s.slice(start, end - start) for n, s in batch.native.items()},
            mine,
        )
