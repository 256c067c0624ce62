"""Sources held in memory and a run over them, for the tests of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from validator.check import Checked, Options, check
from validator.load import load_packs, shipped_packs
from validator.pack import Packs, Precision, Provenance, Table
from validator.records import Batch, Column, Unreadable
from validator.text import Text
from validator.violation import Violation

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)

Cells = Mapping[str, object]


@cache
def packs() -> Packs:
    """All shipped packs, the optional ones last, with one precision so that its rule has a use."""
    loaded = load_packs(shipped_packs())
    return Packs(
        tuple(
            replace(pack, tables=tuple(_precise(t) for t in pack.tables)) for pack in loaded.packs
        )
    )


def _precise(table: Table) -> Table:
    if table.name != "SPGL_XMJBXXB":
        return table
    precision = Precision(6, 3, Provenance.DEPLOYED)
    fields = tuple(
        replace(f, precision=precision) if f.name == "SPLCBBH" else f for f in table.fields
    )
    return replace(table, fields=fields, by_name={f.name: f for f in fields})


def table(name: str) -> Table:
    """By qualified name, else the first of the name."""
    return packs().table(name) if "/" in name else packs().named(name)[0]


def written(value: object) -> tuple[str | None, bool]:
    """The text of a cell as a JSON source gives it, and whether it was native."""
    if isinstance(value, bool):
        return ("true" if value else "false"), True
    if isinstance(value, int | float):
        return str(value), True
    return (None if value is None else str(value)), False


@dataclass(frozen=True, slots=True)
class Given:
    """The records of one table in one file, held in memory."""

    table: Table
    file: str
    records: tuple[Cells, ...]
    mark: str = "1"
    unreadable: tuple[Unreadable, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.records)

    @property
    def share(self) -> float:
        return 0.0

    def stamp(self) -> str:
        return self.mark

    def names(self) -> list[str]:
        found = list(dict.fromkeys(n for r in self.records for n in r))
        return [n for n in found if n in self.table.by_name]

    def columns(self) -> tuple[Column, ...]:
        found = dict.fromkeys(n for r in self.records for n in r)
        known = tuple(Column(n, n if n in self.table.by_name else None) for n in found)
        return known + tuple(Column(n, None) for n in self.extra)

    def batches(self, rows: int) -> Iterator[Batch]:
        names = self.names()
        for start in range(0, max(len(self.records), 1), rows):
            part = self.records[start : start + rows]
            cells = {n: [written(r.get(n)) for r in part] for n in names}
            frame = pl.DataFrame(
                {n: [c[0] for c in cells[n]] for n in names}, schema=dict.fromkeys(names, pl.String)
            )
            native = {n: pl.Series([c[1] for c in cells[n]]) for n in names}
            ordinals = np.arange(start + 1, start + 1 + len(part), dtype=np.int64)
            yield Batch(
                frame, ordinals, ordinals + 1,
                {n: s for n, s in native.items() if s.any()},
                self.unreadable if start == 0 else (),
            )  # fmt: skip


def given(records: Mapping[str, Sequence[Cells]]) -> list[Given]:
    """One file per table name."""
    return [Given(table(n), f"{n}.csv", tuple(r)) for n, r in records.items()]


def checked(
    sources: Sequence[Given], folder: Path, options: Options | None = None, **more: object
) -> Checked:
    """A run over the sources at a fixed time."""
    return check(
        packs(), sources, options or Options(fingerprint_key=b"key"), folder,
        run_id="r1", now=lambda: NOON, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def unreadable(record: int, line: int | None = None) -> Unreadable:
    return Unreadable(record, line, Text("列数不齐", "ragged row"), "a,b")


def brief(
    violations: Iterator[Violation], *rules: str
) -> list[tuple[str, str, int, tuple[str, ...]]]:
    """(rule, table, record, fields) of violations, of the named rules or all."""
    return [
        (v.rule, v.table or "", v.record or 0, v.fields)
        for v in violations
        if not rules or v.rule in rules
    ]
