"""Violations of a run counted by one thing people look at, and severity: project, rule, table, …"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spgl.inspector.filters import BY_USE, Filter, address
from spgl.inspector.index import Coded, Index
from validator.text import Text
from validator.violation import Severity

Ints = npt.NDArray[np.int64]
Title = Callable[[str], Text]


@dataclass(frozen=True, slots=True)
class Line:
    """Violations of one project, rule, table, stage or division, by severity."""

    value: str
    title: Text
    error: int
    warning: int
    info: int
    url: str

    @property
    def total(self) -> int:
        return self.error + self.warning + self.info


def table_of_counts(index: Index, column: Coded) -> Ints:
    """A row per value of the column, a column per severity, gravest first."""
    rank = np.array([u.severity.rank for u in index.stored.uses], dtype=np.int64)
    width, have = len(Severity), column.codes >= 0
    cells = column.codes[have].astype(np.int64) * width + rank[index.use[have]]
    made: Ints = np.bincount(cells, minlength=len(column.values) * width).reshape(-1, width)
    return made


def most_first(counts: Ints) -> list[int]:
    """Rows that have any, most errors first, then most in all."""
    order = np.lexsort((-counts.sum(axis=1), -counts[:, 0]))
    return [int(n) for n in order if counts[n].any()]


def by_column(
    index: Index, column: Coded, name: str, limit: int, title: Title, run: str
) -> tuple[Line, ...]:
    """The first values of a column."""
    counts = table_of_counts(index, column)
    return tuple(
        _line(name, column.values[n], title, counts[n].tolist(), run)
        for n in most_first(counts)[:limit]
    )


def by_use(index: Index, name: str, limit: int, title: Title, run: str) -> tuple[Line, ...]:
    """The first values of what the use of a violation decides."""
    uses = index.stored.uses
    sums: dict[str, list[int]] = {}
    for number, n in enumerate(np.bincount(index.use, minlength=len(uses)).tolist()):
        if n:
            cells = sums.setdefault(BY_USE[name](uses[number]), [0] * len(Severity))
            cells[uses[number].severity.rank] += n
    ranked = sorted(sums.items(), key=lambda s: ([-n for n in s[1]], s[0]))[:limit]
    return tuple(_line(name, value, title, cells, run) for value, cells in ranked)


def _line(name: str, value: str, title: Title, cells: Sequence[int], run: str) -> Line:
    filter_ = Filter(project=value) if name == "project" else Filter().toggled(name, value)
    error, warning, info = cells
    return Line(value, title(value), error, warning, info, address("/violations", run, filter_))
