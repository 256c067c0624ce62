"""What a validation run was and what it counted. The violations are in `validator.store`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from validator.text import Text
from validator.violation import Violation


@dataclass(frozen=True, slots=True)
class PackLine:
    """The basis line of one pack, shown in run header and every report."""

    name: str
    version: str
    title: Text
    basis: str
    official_fields: int
    fields: int


@dataclass(frozen=True, slots=True)
class TableCounts:
    """Exact counts of one table (`standard/table`) in one run.

    read = unreadable + skipped + duplicate + conforming + blocked. `blocked` counts records with an
    error of their own or held by the gate; `blocked_parent` of them only wait for their parent.
    """

    title: Text
    stage: str | None
    read: int = 0
    unreadable: int = 0
    skipped: int = 0
    duplicate: int = 0
    conforming: int = 0
    blocked: int = 0
    blocked_parent: int = 0
    errors: int = 0
    warnings: int = 0
    infos: int = 0


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that could not be read as a whole."""

    file: str
    text: Text


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule spoke in a table, at which severity."""

    rule: str
    severity: str
    table: str | None
    stage: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook as it stood when it was read: absolute path, size and modification time."""

    path: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Run:
    """Head of a run. Times are ISO 8601 with offset. `tables` is keyed `standard/table`.

    `notes` are lines every report shows beside the basis, such as what a baseline hides. `held`
    says how many records each rule holds back (`parent`: only its parent does not conform).
    `workbooks`: the workbooks that were read and can be marked, by the name people see.
    """

    id: str
    started: str
    finished: str
    inputs: tuple[str, ...]
    packs: tuple[PackLine, ...]
    tables: Mapping[str, TableCounts]
    counts: tuple[RuleCount, ...]
    problems: tuple[FileProblem, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    held: Mapping[str, int] = field(default_factory=dict)
    workbooks: Mapping[str, Workbook] = field(default_factory=dict)

    def total(self, name: str) -> int:
        """Sum of one count over all tables, e.g. `read`."""
        return sum(int(getattr(t, name)) for t in self.tables.values())


class Result(Protocol):
    """A finished run with its violations, fresh or read back from the run store."""

    @property
    def run(self) -> Run: ...

    def violations(self) -> Iterator[Violation]:
        """Every violation, in order of table, file, record; streamed, never all in memory."""
        ...
