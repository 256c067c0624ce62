"""CSV and TSV: one table a file, header in the first line.

Structure is checked by our own reader and cells are parsed by Polars (`csv_blocks`). Values are
text as written, an empty cell is null. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from validator.pack import Table
from validator.records import Batch, Column, Ints
from validator.sources.ahead import ahead, side_by_side
from validator.sources.csv_blocks import Block, blocks, first_lines, parsed
from validator.sources.csv_layout import Layout, read_layout
from validator.sources.encoding import utf8_chunks
from validator.sources.naming import Naming
from validator.sources.parts import Part, Stretch, numbered
from validator.sources.source import Format, Opened, Place, SourceOptions, UnknownTable
from validator.sources.stretches import Chosen, chosen

#: Bytes that are read at once of a header.
_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class CsvSource:
    """The records of one CSV file; see `validator.records.TableSource`."""

    table: Table
    place: Place
    options: SourceOptions
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
        return self._head().columns

    def batches(self, rows: int) -> Iterator[Batch]:
        self._noted.clear()
        with closing(self._parts()) as parts:
            yield from numbered(parts, rows, self._noted)

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        """See `validator.records.ChosenSource`."""
        layout, limit = self._head(), self.options.max_record

        def parse(found: Chosen) -> Part:
            return parsed(Block(found.data, 0, 0, found.lines), layout, limit)

        return chosen(
            self._noted,
            ordinals,
            self.place,
            self.options.encoding,
            parse,
            lambda data: first_lines(data, layout, limit),
        )

    def _parts(self) -> Generator[Part, None, None]:
        """Blocks are read and checked in one thread while others parse the blocks before."""
        with closing(self._chunks(self.options.block)) as chunks:
            layout, rest = self._layout(chunks)
            limit = self.options.max_record
            with (
                closing(ahead(blocks(rest, layout, limit))) as cut,
                closing(side_by_side(lambda b: parsed(b, layout, limit), cut)) as parts,
            ):
                yield from parts

    def _head(self) -> Layout:
        """Delimiter and columns, for which little of the file is read."""
        with closing(self._chunks(_HEAD)) as chunks:
            return self._layout(chunks)[0]

    def _chunks(self, size: int) -> Generator[bytes, None, None]:
        return utf8_chunks(self.place, self.options.encoding, size)

    def _layout(self, chunks: Iterator[bytes]) -> tuple[Layout, Iterator[bytes]]:
        preferred = b"\t" if self.place.path.suffix.lower() == ".tsv" else b","
        return read_layout(chunks, self.table, self.place, preferred)


def _open(place: Place, naming: Naming, options: SourceOptions) -> Opened:
    table = naming.table(place.path.stem, place)
    if table is None:
        return Opened(unknown=(UnknownTable(place.file, place.path.stem),))
    return Opened(sources=(CsvSource(table, place, options),))


FORMAT = Format((".csv", ".tsv"), _open)
