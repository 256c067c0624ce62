"""Parquet: one table a file, read in slices so that memory stays bounded.

Typed columns become text in lexical form. As in JSON, a number or boolean is native: it is taken
where the field is numeric and wrong where the field is text. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from validator.pack import Kind, Table
from validator.records import CHANGED, Batch, Column, Ints, SourceError
from validator.sources.columns import matched
from validator.sources.naming import Naming
from validator.sources.source import Format, Opened, Place, SourceOptions, UnknownTable

#: What Polars raises for a file that is cut off or damaged.
_DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
_CHINA = "Asia/Shanghai"
#: Rows among which chosen ones are picked at once; it bounds memory.
_STRETCH = 100_000
_ROW = "\0row"
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Object)


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """The records of one Parquet file; see `validator.records.TableSource`. There are no lines."""

    table: Table
    place: Place

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
        return matched(list(self._schema()), self.table, self.place)

    def batches(self, rows: int) -> Iterator[Batch]:
        plan, flags = self._plan()
        whole = pl.scan_parquet(self.place.path, glob=False).select(pl.len())
        total = self._collected(whole).item()
        at = 0
        while True:
            frame = self._collected(plan.slice(at, rows))
            if not frame.height:
                return
            self.place.meter.at(at + frame.height, total)
            ordinals = np.arange(at + 1, at + 1 + frame.height, dtype=np.int64)
            yield _batch(frame, ordinals, flags)
            at += frame.height

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        """See `validator.records.ChosenSource`: of other records only their place is decoded."""
        return self._chosen(ordinals, None)

    def chosen_fields(self, ordinals: Ints, fields: frozenset[str]) -> Iterator[Batch] | None:
        """See `validator.records.NarrowSource`."""
        return self._chosen(ordinals, fields)

    def _chosen(self, ordinals: Ints, fields: frozenset[str] | None) -> Iterator[Batch]:
        plan, flags = self._plan(fields)
        stretch = (ordinals - 1) // _STRETCH
        for number in np.unique(stretch).tolist():
            mine, first = ordinals[stretch == number], number * _STRETCH
            part = plan.slice(first, _STRETCH).with_row_index(_ROW)
            rows = pl.Series(mine - 1 - first, dtype=pl.get_index_type())
            frame = self._collected(part.filter(pl.col(_ROW).is_in(rows.implode())).drop(_ROW))
            if frame.height != len(mine):
                raise SourceError(self.file, CHANGED)
            yield _batch(frame, mine, flags)

    def _plan(self, fields: frozenset[str] | None = None) -> tuple[pl.LazyFrame, list[str]]:
        """The known columns (or of these fields) as text, and the names of those that are
        native."""
        schema = self._schema()
        named = {
            c.header: c.field
            for c in matched(list(schema), self.table, self.place)
            if c.field is not None and (fields is None or c.field in fields)
        }
        kinds = {f.name: f.kind for f in self.table.fields}
        for header in named:
            _refuse_nested(header, schema[header], self.place)
        plan = pl.scan_parquet(self.place.path, glob=False).select(
            lexical(pl.col(header), schema[header], kinds[name]).alias(name)
            for header, name in named.items()
        )
        return plan, [name for header, name in named.items() if is_native(schema[header])]

    def _schema(self) -> pl.Schema:
        try:
            return pl.scan_parquet(self.place.path, glob=False).collect_schema()
        except _DAMAGE as fault:
            raise _damaged(self.place) from fault

    def _collected(self, plan: pl.LazyFrame) -> pl.DataFrame:
        try:
            return plan.collect()
        except _DAMAGE as fault:
            if "utf-8" in str(fault).lower() or "utf8" in str(fault).lower():
                raise self.place.refuse(
                    "有一列是字节而不是 UTF-8 文本；请导出为文本",
                    "a column holds bytes that are not UTF-8; export it as text",
                ) from fault
            raise _damaged(self.place) from fault


def is_native(dtype: pl.DataType) -> bool:
    """Numbers and booleans."""
    return dtype.is_numeric() or dtype == pl.Boolean


def lexical(column: pl.Expr, dtype: pl.DataType, kind: Kind) -> pl.Expr:
    """A typed column as text: dates `yyyy-MM-dd`, instants in China time, bytes as base64 in binary
    fields and as UTF-8 elsewhere."""
    if dtype == pl.Date:
        return column.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            column = column.dt.convert_time_zone(_CHINA)
        return column.dt.strftime("%Y-%m-%d %H:%M:%S%.f").str.replace(r"\.0+$", "")
    if dtype == pl.Time:
        return column.dt.strftime("%H:%M:%S")
    if dtype == pl.Binary and kind is Kind.BINARY:
        return column.bin.encode("base64")
    return column.cast(pl.String)


def _batch(frame: pl.DataFrame, ordinals: Ints, flags: list[str]) -> Batch:
    """Empty texts, which are rare, become null."""
    empty = frame.select((pl.all() == "").any())
    frame = frame.with_columns(
        pl.when(pl.col(name) != "").then(name).alias(name)
        for name in frame.columns
        if empty[name].item()
    )
    return Batch(frame, ordinals, None, {name: frame[name].is_not_null() for name in flags})


def _refuse_nested(header: str, dtype: pl.DataType, place: Place) -> None:
    if isinstance(dtype, _NESTED):
        raise place.refuse(
            f"列“{header}”含嵌套值（{dtype}）；请导出为普通列",
            f"the column {header!r} holds nested values ({dtype}); export plain columns",
        )


def _damaged(place: Place) -> Exception:
    return place.refuse(
        "不是完整的 Parquet 文件（被截断、损坏，或扩展名与内容不符）；请重新导出",
        "this is no complete Parquet file (cut off, damaged or of another kind); export it again",
    )


def _open(place: Place, naming: Naming, options: SourceOptions) -> Opened:
    del options
    table = naming.table(place.path.stem, place)
    if table is None:
        return Opened(unknown=(UnknownTable(place.file, place.path.stem),))
    source = ParquetSource(table, place)
    source.columns()
    return Opened(sources=(source,))


FORMAT = Format((".parquet", ".pq"), _open)
