"""XML: `<TABLE><record><FIELD>…`, `mysqldump --xml`, DBeaver's export; several tables in one file.

lxml parses, streamed and without entities; lines come from byte positions (`xml_feed`). A file that
is not well-formed is refused as a whole. Nothing is judged here.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from validator.pack import Table
from validator.records import Batch, Column, Ints
from validator.sources.ahead import ahead
from validator.sources.columns import Keys
from validator.sources.encoding import utf8_chunks
from validator.sources.naming import Naming
from validator.sources.parts import Part, Stretch, numbered
from validator.sources.source import Format, Opened, Place, SourceOptions, UnknownTable
from validator.sources.stretches import among, runs
from validator.sources.xml_feed import Cursor
from validator.sources.xml_outline import Found, outline
from validator.sources.xml_plain import Plain
from validator.sources.xml_records import AROUND, Known, Region, opening, parts

_DECLARED = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
#: Declared encodings that detection tells apart better than the declaration does.
_DETECTED = frozenset({"utf-8", "utf8", "gb2312", "gbk", "gb18030", "us-ascii", "ascii"})


@dataclass(frozen=True, slots=True)
class XmlSource:
    """The records of one table element; see `validator.records.TableSource`."""

    table: Table
    place: Place
    options: SourceOptions
    region: Region
    keys: Keys
    known: Known
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
        """The fields read so far; complete after `batches` came to its end."""
        return self.keys.seen()

    def batches(self, rows: int) -> Iterator[Batch]:
        self._noted.clear()
        with closing(ahead(self._parts(), depth=4)) as read:
            yield from numbered(read, rows, self._noted)

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        """See `validator.records.ChosenSource`."""
        found = runs(self._noted, ordinals, self.place, _encoding(self.place, self.options))
        return None if found is None else among(found, self.place, self._among)

    def _parts(self) -> Generator[Part, None, None]:
        region = self.region
        with closing(_chunks(self.place, self.options, region.offset)) as chunks:
            cursor = Cursor(chunks, region.offset, region.line)
            yield from parts(cursor, region, self.keys, self.options.max_record, self.known)

    def _among(self, records: Sequence[bytes]) -> Generator[Part, None, None]:
        """Some records as those of a table element of their own. That their names are known makes
        every line exact."""
        text = b"".join((opening(self.region), *records, f"</{AROUND}>".encode()))
        region = replace(self.region, tag=f"{{*}}{AROUND}", offset=0, line=1, root=True)
        yield from parts(
            Cursor(iter((text,))), region, self.keys, self.options.max_record, self.known
        )


def _chunks(place: Place, options: SourceOptions, skip: int = 0) -> Generator[bytes, None, None]:
    return utf8_chunks(place, _encoding(place, options), options.block, skip=skip)


def _encoding(place: Place, options: SourceOptions) -> str | None:
    return options.encoding or _declared(place)


def _declared(place: Place) -> str | None:
    """The encoding the XML declaration names, None where detection should decide."""
    try:
        with place.path.open("rb") as handle:
            head = handle.read(200)
    except OSError:
        return None  # opening it again gives the message
    found = _DECLARED.match(head)
    name = found.group(1).decode().lower() if found else "utf-8"
    return None if name in _DETECTED else name


def _open(place: Place, naming: Naming, options: SourceOptions) -> Opened:
    with closing(_chunks(place, options)) as chunks:
        stem = naming.table(place.path.stem, place)
        tables = outline(Cursor(chunks), place, lambda name: naming.table(name, place), stem)
    if not tables:
        return Opened(unknown=(UnknownTable(place.file, place.path.stem),))
    unknown = dict.fromkeys(found.name for found in tables if found.table is None)
    sources = [_source(f, f.table, place, options) for f in tables if f.table is not None]
    return Opened(tuple(sources), tuple(UnknownTable(place.file, name) for name in unknown))


def _source(found: Found, table: Table, place: Place, options: SourceOptions) -> XmlSource:
    file = place.file if found.root else f"{place.file}#{found.name}"
    own = Place(place.path, file)
    spaces = tuple(found.spaces.items())
    region = Region(found.tag, found.offset, found.line, found.root, spaces)
    known = Known(Plain([f.name for f in table.fields]))
    return XmlSource(table, own, options, region, Keys(table, own), known)


FORMAT = Format((".xml",), _open)
