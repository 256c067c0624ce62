"""A source whose batches are put right as they are read (`--normalise`).

Every reading of it, the second pass too, makes the same changes. What they are is
`validator.normalise`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from validator.normalise import Repair, normalised, repairs_of
from validator.pack import Packs, Table
from validator.records import Batch, ChosenSource, Column, Ints, TableSource


@dataclass(frozen=True, slots=True)
class NormalisedSource:
    """`inner`, put right; see `validator.records.TableSource` and `ChosenSource`."""

    inner: TableSource
    repairs: Sequence[Repair]

    @property
    def table(self) -> Table:
        return self.inner.table

    @property
    def file(self) -> str:
        return self.inner.file

    @property
    def size(self) -> int:
        return self.inner.size

    @property
    def share(self) -> float:
        return self.inner.share

    def stamp(self) -> str:
        return self.inner.stamp()

    def columns(self) -> tuple[Column, ...]:
        return self.inner.columns()

    def batches(self, rows: int) -> Iterator[Batch]:
        return (normalised(self.repairs, batch) for batch in self.inner.batches(rows))

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        found = self.inner.chosen(ordinals) if isinstance(self.inner, ChosenSource) else None
        return None if found is None else (normalised(self.repairs, batch) for batch in found)


def with_normalising(packs: Packs, sources: Sequence[TableSource]) -> tuple[NormalisedSource, ...]:
    """The sources, each put right."""
    of = {s.table.qualified: repairs_of(packs, s.table) for s in sources}
    return tuple(NormalisedSource(s, of[s.table.qualified]) for s in sources)
