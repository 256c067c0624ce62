"""What is kept of the records of one table, gathered over its batches and sources.

Arrays grow in place, so that ten million rows are never held twice. It reads no frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.dataset import Columns

#: Room that a growing array takes ahead.
_GROWTH = 1 << 20


class Gathered:
    """The kept columns of a table, grown batch by batch, so that none is held twice at a time."""

    def __init__(self) -> None:
        self._rows = 0
        self._own: list[tuple[str, ...]] = []
        self._marks = _Growing(np.uint8)
        self._key = _Growing(np.uint64)
        self._identities: dict[tuple[str, ...], _Growing] = {}
        self._parts: dict[tuple[str, ...], tuple[_Growing, _Growing]] = {}
        self._values: dict[str, list[pl.Series]] = {}

    def append(self, columns: Columns) -> None:
        """Add a batch; all have the same shape."""
        if not self._values and not self._rows:
            self._own = [f for f, hashes in columns.identities.items() if hashes is columns.key]
        self._marks.add(columns.marks)
        self._key.add(columns.key)
        for fields, hashes in columns.identities.items():
            if fields not in self._own:
                self._identities.setdefault(fields, _Growing(np.uint64)).add(hashes)
        for fields, (rows, hashes) in columns.parts.items():
            growing = self._parts.setdefault(fields, (_Growing(np.int64), _Growing(np.uint64)))
            growing[0].add(rows + self._rows)
            growing[1].add(hashes)
        for name, cells in columns.values.items():
            self._values.setdefault(name, []).append(cells)
        self._rows += columns.rows

    def whole(self) -> Columns:
        """All batches as one; nothing may be added afterwards."""
        key = self._key.whole()
        return Columns(
            self._rows,
            self._marks.whole(),
            key,
            {f: g.whole() for f, g in self._identities.items()} | dict.fromkeys(self._own, key),
            {f: (rows.whole(), hashes.whole()) for f, (rows, hashes) in self._parts.items()},
            {name: pl.concat(cells) for name, cells in self._values.items()},
        )


class _Growing:
    """An array that grows in place: the system moves large ones without copying them."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._array: npt.NDArray[Any] = np.empty(0, dtype=dtype)
        self._size = 0

    def add(self, values: npt.NDArray[Any]) -> None:
        size = self._size + len(values)
        if size > len(self._array):
            self._array.resize(size + min(size, _GROWTH), refcheck=False)
        self._array[self._size : size] = values
        self._size = size

    def whole(self) -> npt.NDArray[Any]:
        self._array.resize(self._size, refcheck=False)
        return self._array


def joined(columns: Iterable[Columns]) -> Columns:
    """One table's columns from those of its batches or sources."""
    gathered = Gathered()
    for one in columns:
        gathered.append(one)
    return gathered.whole()
