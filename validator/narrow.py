"""A run seen through some of its tables: the others were read and judged, but are not told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from validator.run import Result, Run
from validator.violation import Violation


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A `run.Result` of the chosen qualified tables only. File problems stay."""

    whole: Result
    tables: frozenset[str]

    @property
    def run(self) -> Run:
        run = self.whole.run
        names = {name.partition("/")[2] for name in self.tables}
        return replace(
            run,
            tables={name: counts for name, counts in run.tables.items() if name in self.tables},
            counts=tuple(c for c in run.counts if c.table in names or c.table in self.tables),
        )

    def violations(self) -> Iterator[Violation]:
        for violation in self.whole.violations():
            if f"{violation.standard}/{violation.table}" in self.tables:
                yield violation


def narrowed(result: Result, tables: frozenset[str] | None) -> Result:
    """`result`, or what of it concerns `tables` (None: all)."""
    return result if tables is None else Narrowed(result, tables)
