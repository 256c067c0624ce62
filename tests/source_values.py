"""Small synthetic tables and a reading of whole sources as plain values, for the source tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from validator.pack import Field, Key, Kind, Pack, Packs, Provenance, Table
from validator.records import TableSource
from validator.sources import Discovery, SourceOptions, discover
from validator.text import Text

DEPLOYED = Provenance.DEPLOYED
#: (block in bytes, rows a batch) every file is read with; the answer must not depend on it.
WAYS = ((1, 3), (7, 1), (64, 1000), (1 << 20, 1000))


def field(name: str, title: str) -> Field:
    return Field(name, Text(title, name.title()), Kind.TEXT, DEPLOYED)


def table(name: str, fields: Sequence[Field], standard: str = "demo-1.0") -> Table:
    key = Key((fields[0].name,), DEPLOYED)
    return Table(standard, name, Text(name, name), tuple(fields), key, 1, DEPLOYED)


PROJECT = table(
    "SPGL_AXXB",
    [
        field("XMDM", "项目代码"),
        field("XMMC", "项目名称"),
        field("TZE", "投资额（万元）"),
        field("KSSJ", "时间"),
        field("JSSJ", "时间"),
    ],
)
CASE = table("SPGL_BXXB", [field("SLBM", "受理编码"), field("XMDM", "项目代码")])


def packs(*tables: Table) -> Packs:
    """One pack for each standard among the tables."""
    standards = dict.fromkeys(t.standard for t in tables)
    return Packs(tuple(_pack(s, [t for t in tables if t.standard == s]) for s in standards))


def _pack(name: str, tables: Sequence[Table]) -> Pack:
    return Pack(name, "1.0", Text(name, name), "reconstructed", (), tuple(tables), (), ())


PACKS = packs(PROJECT, CASE)


@dataclass(frozen=True)
class Read:
    """A source read to its end. `rows` are (record, line, {field: text}) without null cells;
    `bad` are (record, line, English reason); `native` are (record, field)."""

    rows: list[tuple[int, int | None, dict[str, str]]]
    bad: list[tuple[int, int | None, str]]
    native: set[tuple[int, str]]
    values: list[str]

    def cells(self, name: str) -> list[str | None]:
        return [row.get(name) for _, _, row in self.rows]


def read(source: TableSource, rows: int = 1000) -> Read:
    found = Read([], [], set(), [])
    for batch in source.batches(rows):
        lines = [None] * batch.frame.height if batch.lines is None else batch.lines.tolist()
        records = batch.ordinals.tolist()
        for record, line, row in zip(
            records, lines, batch.frame.iter_rows(named=True), strict=True
        ):
            present = {name: text for name, text in row.items() if text is not None}
            found.rows.append((record, line, present))
        found.bad.extend((u.record, u.line, u.reason.en) for u in batch.unreadable)
        found.values.extend(u.value for u in batch.unreadable)
        for name, flags in batch.native.items():
            marked = zip(records, flags.to_list(), strict=True)
            found.native.update((record, name) for record, flag in marked if flag)
    return found


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def found(path: Path, options: SourceOptions | None = None) -> Discovery:
    return discover([path], PACKS, options or SourceOptions())


def read_alike(path: Path, options: SourceOptions | None = None) -> Read:
    """Read the only table of a file in several ways; all readings must be equal."""
    options = options or SourceOptions()
    readings: list[Read] = []
    for block, rows in WAYS:
        (source,) = found(path, replace(options, block=block)).sources
        readings.append(read(source, rows))
    for other in readings[1:]:
        assert other == readings[0]
    return readings[0]
