"""JSON: an array of records, one record a file, or an object of arrays by table name.

An array is cut into elements while it is read, so its size does not matter; elements go through
the same reading as JSON Lines. An object that only wraps one array (`{"RECORDS": […]}`, as database
clients export it) is that array. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from validator.pack import Table
from validator.records import Batch, Column, Ints
from validator.sources.columns import Keys, field_of
from validator.sources.encoding import utf8_chunks
from validator.sources.json_elements import BLANKS, Region, elements
from validator.sources.json_lines import parsed, reading_of, record_batches
from validator.sources.json_outline import Member, Outline, Shape, outline
from validator.sources.jsonl import open_lines
from validator.sources.naming import Naming
from validator.sources.parts import Part, Stretch
from validator.sources.source import Format, Opened, Place, SourceOptions, UnknownTable
from validator.sources.stretches import among, runs


@dataclass(frozen=True, slots=True)
class JsonSource:
    """The records of one region of a JSON file; see `validator.records.TableSource`."""

    table: Table
    place: Place
    options: SourceOptions
    region: Region
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
        options, offset = self.options, self.region.offset
        chunks = utf8_chunks(self.place, options.encoding, options.block, skip=offset)
        self._noted.clear()
        with (
            closing(chunks),
            closing(elements(chunks, self.region, self.place, options.max_record)) as blocks,
        ):
            yield from record_batches(blocks, self.keys, options.max_record, rows, self._noted)

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        """See `validator.records.ChosenSource`."""
        found = runs(self._noted, ordinals, self.place, self.options.encoding)
        return None if found is None else among(found, self.place, self._among)

    def _among(self, records: Sequence[bytes]) -> Iterator[Part]:
        """Some elements, those between which a comma stands as it did, as an array of their own."""
        limit = self.options.max_record
        reading = reading_of(self.keys, limit)
        bare = (r.rstrip(BLANKS).removesuffix(b",") for r in records)
        text = b",\n".join(bare) + b"]"
        blocks = elements(iter((text,)), Region(0, 1), self.place, limit)
        return (parsed(block, reading).part for block in blocks)


def _open(place: Place, naming: Naming, options: SourceOptions) -> Opened:
    with closing(utf8_chunks(place, options.encoding, options.block)) as chunks:
        found = outline(chunks, place)
    if found.shape is Shape.LINES:
        return open_lines(place, naming, options)
    if found.shape is Shape.ARRAY:
        return _by_stem(place, naming, options, Region(found.offset + 1, found.line, last=True))
    return _object(found, place, naming, options)


def _object(found: Outline, place: Place, naming: Naming, options: SourceOptions) -> Opened:
    nested = [m for m in found.members if m.opens in "[{"]
    tables = {m.key: naming.table(m.key, place) for m in nested}
    if any(tables.values()):
        sources = [
            _source(table, Place(place.path, f"{place.file}#{m.key}"), options, _region(m))
            for m in nested
            if (table := tables[m.key]) is not None
        ]
        unknown = [m.key for m in found.members if tables.get(m.key) is None]
        return Opened(tuple(sources), tuple(UnknownTable(place.file, key) for key in unknown))
    arrays = [m for m in nested if m.opens == "["]
    table = naming.table(place.path.stem, place)
    holds_fields = table is not None and any(field_of(m.key, table, place) for m in found.members)
    if len(arrays) == 1 and not holds_fields:
        return _by_stem(place, naming, options, _region(arrays[0]))
    if arrays and not holds_fields:
        return Opened(unknown=tuple(UnknownTable(place.file, m.key) for m in arrays))
    region = Region(found.offset, found.line, single=True)
    return _by_stem(place, naming, options, region)


def _region(member: Member) -> Region:
    if member.opens == "[":
        return Region(member.offset + 1, member.line)
    return Region(member.offset, member.line, single=True)


def _by_stem(place: Place, naming: Naming, options: SourceOptions, region: Region) -> Opened:
    table = naming.table(place.path.stem, place)
    if table is None:
        return Opened(unknown=(UnknownTable(place.file, place.path.stem),))
    return Opened(sources=(_source(table, place, options, region),))


def _source(table: Table, place: Place, options: SourceOptions, region: Region) -> JsonSource:
    return JsonSource(table, place, options, region, Keys(table, place))


FORMAT = Format((".json",), _open)
