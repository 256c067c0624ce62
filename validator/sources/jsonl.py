"""JSON Lines: one record a line, keys are columns, discovered while reading.

Cutting is here; what a record is and how it is parsed is `json_lines`. Nothing is judged.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from validator.pack import Table
from validator.records import Batch, Column, Ints
from validator.sources.columns import Keys
from validator.sources.encoding import joined, utf8_chunks
from validator.sources.json_lines import Lines, Refused, parsed, reading_of, record_batches
from validator.sources.naming import Naming
from validator.sources.parts import Part, Stretch, stepped
from validator.sources.reasons import TOO_LONG
from validator.sources.source import Format, Opened, Place, SourceOptions, UnknownTable
from validator.sources.stretches import Chosen, chosen

#: Bytes in which line feeds are found at once, few enough for the processor's cache.
_WINDOW = 1 << 18


@dataclass(frozen=True, slots=True)
class JsonLinesSource:
    """The records of one JSON Lines file; see `validator.records.TableSource`."""

    table: Table
    place: Place
    options: SourceOptions
    keys: Keys
    _noted: list[Stretch] = field(default_factory=list, compare=False, repr=False)

    @property
    def file(self) -> str:
        return self.place.file

    @property
    def size(self) -> int:
        return self.place.size()

    @property
    def share(self) -> float:
        return self.place.meter.share

    def stamp(self) -> str:
        return self.place.stamp()

    def columns(self) -> tuple[Column, ...]:
        """The keys read so far; complete after `batches` came to its end."""
        return self.keys.seen()

    def batches(self, rows: int) -> Iterator[Batch]:
        options = self.options
        self._noted.clear()
        with (
            closing(utf8_chunks(self.place, options.encoding, options.block)) as chunks,
            closing(_blocks(chunks, self.place, options.max_record)) as blocks,
        ):
            yield from record_batches(blocks, self.keys, options.max_record, rows, self._noted)

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        """See `validator.records.ChosenSource`."""
        reading = reading_of(self.keys, self.options.max_record)

        def parse(found: Chosen) -> Part:
            return parsed(Lines(found.data, found.lines), reading).part

        encoding = self.options.encoding
        return chosen(self._noted, ordinals, self.place, encoding, parse)


def _blocks(
    chunks: Iterator[bytes], place: Place, limit: int
) -> Generator[Lines | Refused, None, None]:
    """Whole lines, about a chunk at once. A line beyond `limit` is dropped while it is read."""
    carry, line, at, skipping, empty = b"", 1, 0, False, True
    for read in chunks:
        empty = empty and not read.strip()
        chunk = read
        if skipping:
            newline = read.find(b"\n")
            if newline < 0:
                at += len(read)
                continue
            chunk, line, skipping = read[newline + 1 :], line + 1, False
            at += newline + 1
        cut = chunk.rfind(b"\n") + 1
        if cut:
            block = _lines(joined(carry, chunk, cut), line, at)
            yield block
            line += block.lines.size
            at += len(block.data)
            carry = b""
        carry += chunk[cut:]
        if len(carry) > limit + 1:
            yield Refused(line, carry[:limit], TOO_LONG)
            at += len(carry)
            carry, skipping = b"", True
    if carry:
        yield _lines(carry + b"\n", line, at)
    if empty:
        raise place.refuse("文件为空；请重新导出", "the file is empty; export it again")


def _lines(data: bytes, first: int, start: int) -> Lines:
    codes = np.frombuffer(data, np.uint8)
    ends = np.concatenate(
        [
            np.flatnonzero(codes[i : i + _WINDOW] == 10) + (i + 1)
            for i in range(0, codes.size, _WINDOW)
        ]
    )
    return Lines(data, np.arange(first, first + ends.size), start, len(data), stepped(ends))


def open_lines(place: Place, naming: Naming, options: SourceOptions) -> Opened:
    """The one table of a JSON Lines file, named by the stem of the file."""
    table = naming.table(place.path.stem, place)
    if table is None:
        return Opened(unknown=(UnknownTable(place.file, place.path.stem),))
    return Opened(sources=(JsonLinesSource(table, place, options, Keys(table, place)),))


FORMAT = Format((".jsonl", ".ndjson"), open_lines)
