"""What every input format shares: options, the place of a file, and how a format plugs in.

A format is one module of this folder that defines `FORMAT`. This module reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from validator.records import SourceError, TableSource
from validator.run import FileProblem
from validator.text import Text

if TYPE_CHECKING:
    from validator.sources.naming import Naming

MIB = 1 << 20
#: The stamp of a file that is gone.
MISSING = "missing"
#: Bytes of a file read at once; with little memory, fewer.
BLOCK = 8 * MIB
SMALL_BLOCK = 2 * MIB


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Settings of reading.

    `encoding`: a Python codec name that overrides detection. `max_record`: bytes of UTF-8 beyond
    which a record is unreadable. `tables`: name as found (stem, key, element) → `STANDARD:TABLE`.
    `prefixes`, `suffixes`: what a site adds to table names. `block`: bytes read at once; it bounds
    memory and never changes what is found. `spool`: a private folder for what must be unpacked,
    owned and removed by the caller (None: one of this process, removed when it ends).
    """

    encoding: str | None = None
    max_record: int = 16 * MIB
    tables: Mapping[str, str] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    block: int = BLOCK
    spool: Path | None = None


@dataclass(slots=True)
class Meter:
    """How far the reading in progress is: `share` of the bytes, 0 to 1, for progress alone."""

    share: float = 0.0

    def at(self, done: int, total: int) -> None:
        """Bytes read, of how many."""
        self.share = min(done / total, 1.0) if total else 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """A file on disk and the name people see: relative to the argument, with `/`. `meter` is moved
    by whoever reads it."""

    path: Path
    file: str
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    def size(self) -> int:
        """Bytes; 0 when the file is gone."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def stamp(self) -> str:
        """Size and modification time in nanoseconds; `missing` when the file is gone."""
        try:
            found = self.path.stat()
        except OSError:
            return MISSING
        return f"{found.st_size}:{found.st_mtime_ns}"

    def refuse(self, zh: str, en: str) -> SourceError:
        """The SourceError of this file, to be raised by the caller."""
        return SourceError(self.file, Text(zh, en))


@dataclass(frozen=True, slots=True)
class Address:
    """A database URL as given, without a password."""

    url: str

    def __str__(self) -> str:
        """What people see: never a password, even where one was written."""
        head, at, tail = self.url.partition("?")[0].rpartition("@")
        scheme, slashes, user = head.partition("://")
        return f"{scheme}{slashes}{user.partition(':')[0]}{at}{tail}" if at else tail


@dataclass(frozen=True, slots=True)
class UnknownTable:
    """A file, key or element whose name is no table of the loaded packs."""

    file: str
    name: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What one file holds: sources of known tables, in file order, and unknown names.

    `problems`: members of a container that cannot be opened. `notes`: what was left out.
    """

    sources: tuple[TableSource, ...] = ()
    unknown: tuple[UnknownTable, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """One input format. `open` lists the tables of a file; it raises SourceError."""

    extensions: tuple[str, ...]
    open: Callable[[Place, Naming, SourceOptions], Opened]
