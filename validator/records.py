"""Record batches as sources yield them and records as the pusher takes them.

Both are plain values: a batch is text as read with exact origin, a record is canonical content with
its standing. Reading is `validator.sources`, judging is `validator.check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.pack import Table
from validator.text import Text

Ints = npt.NDArray[np.int64]


class SourceError(Exception):
    """A file that cannot be read as a whole: what, where and what to do, in both languages."""

    def __init__(self, file: str, text: Text) -> None:
        super().__init__(f"{file}: {text.en}")
        self.file = file
        self.text = text


CHANGED = Text(
    "文件在检查期间被改动；请重新运行", "the file changed while it was checked; run again"
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be read; reading went on after it. `value` is a short excerpt."""

    record: int
    line: int | None
    reason: Text
    value: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Cells of one field that were put right: their rows in the batch, and per row how the cell was
    written, what it is now (null: missing) and the `normalise.Step` that was enough."""

    rows: Ints
    before: pl.Series
    after: pl.Series
    step: pl.Series


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one table in one file.

    `frame`: one String column per table field found in the source, named by the field; null is an
    empty cell. `ordinals[i]` is the 1-based ordinal of row i in its file, `lines[i]` its physical
    line (None where the format has none). `native[field][i]` is true where the cell was a native
    JSON number or boolean rather than text; fields without such cells are absent. `changed`: cells
    that `--normalise` put right, by field.
    """

    frame: pl.DataFrame
    ordinals: Ints
    lines: Ints | None
    native: Mapping[str, pl.Series] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    changed: Mapping[str, Changed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as its header was written, and the field it was matched to (None: unknown)."""

    header: str
    field: str | None


class TableSource(Protocol):
    """The records of one table in one file; `batches` may be called again and reads again."""

    @property
    def table(self) -> Table: ...

    @property
    def file(self) -> str:
        """Path relative to the argument, with `/` (and `#sheet` or `#TABLE` inside a container)."""
        ...

    @property
    def size(self) -> int:
        """Bytes, for progress; 0 when unknown."""
        ...

    @property
    def share(self) -> float:
        """The part of it that the reading in progress has passed, 0 to 1, for progress."""
        ...

    def columns(self) -> tuple[Column, ...]:
        """Columns known so far: from the header, else from what was read. Raises SourceError."""
        ...

    def batches(self, rows: int) -> Iterator[Batch]:
        """Batches of about `rows` records. Raises SourceError."""
        ...

    def stamp(self) -> str:
        """Changes when the bytes behind the source may have changed (size and mtime)."""
        ...


@runtime_checkable
class ChosenSource(Protocol):
    """A source that can read chosen records without reading all of them."""

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        """Batches of the records with these ordinals (sorted, all readable), in order. None where
        only a full reading can tell, and before `batches` came to its end."""
        ...


@runtime_checkable
class NarrowSource(Protocol):
    """A source that can read some fields of chosen records without reading the others."""

    def chosen_fields(self, ordinals: Ints, fields: frozenset[str]) -> Iterator[Batch] | None:
        """As `ChosenSource.chosen`, of these fields alone."""
        ...


class Standing(StrEnum):
    """What became of a record that was read; with `unchanged` and `entered` the books of a run."""

    #: Goes to the ledger.
    CONFORMING = "conforming"
    #: Held by the gate, with the rule names (`parent` where only its parent does not conform).
    BLOCKED = "blocked"
    #: Not for us: a local draft, or an invalidated row that is no deletion.
    SKIPPED = "skipped"
    #: The same content of the same identity stood earlier in this run.
    DUPLICATE = "duplicate"


class Operation(StrEnum):
    """What a version does at the target."""

    #: Insert or replace.
    UPSERT = "upsert"
    #: Withdraw what the target holds.
    INVALIDATE = "invalidate"


@dataclass(frozen=True, slots=True)
class Link:
    """A pointer by values: `values` of `fields` in `table` (qualified), canonical."""

    table: str
    fields: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One judged record.

    `key`: natural key, canonical. `content`: non-null business fields by name, canonical lexical
    form, in the order of the table. `parents`: what it refers to. `handles`: by what others may
    refer to it. `known`: the columns that references and dataset rules read, kept for later nights.
    `blocked_by`: rule names, empty unless BLOCKED. `uploaded`: SJSCZT as the source has it.
    """

    table: str
    division: str
    key: Mapping[str, str]
    operation: Operation
    content: Mapping[str, str]
    reason: str
    standing: Standing
    blocked_by: tuple[str, ...]
    parents: tuple[Link, ...]
    handles: tuple[Link, ...]
    known: Mapping[str, str]
    file: str
    record: int
    line: int | None
    uploaded: str = ""
