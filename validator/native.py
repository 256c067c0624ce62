"""Native JSON numbers and booleans in a batch: into lexical form, or wrong-type.

A number or boolean is taken where the field is numeric (a boolean only in fields of the list 是否)
and is wrong where the field is text: a credit code written as a number has already lost digits.
Only the JSON sources yield native cells; for every other batch nothing happens here.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import polars as pl

from validator.cells import is_yes_no
from validator.pack import Kind, Packs, Table
from validator.records import Batch

_NUMERIC = (Kind.INTEGER, Kind.DECIMAL)
_BOOLEANS = {"true": "1", "false": "0"}


def plain(packs: Packs, table: Table, batch: Batch) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """The frame with native cells in lexical form, and per field where a native cell is wrong."""
    if not batch.native:
        return batch.frame, {}
    columns, wrong = [], dict[str, pl.Series]()
    for name, native in batch.native.items():
        field, cells = table.by_name[name], batch.frame[name]
        if field.kind not in _NUMERIC:
            wrong[name] = native
            continue
        boolean = native & cells.is_in(list(_BOOLEANS))
        if boolean.any():
            if is_yes_no(packs, table, field):
                cells = cells.to_frame().select(
                    pl.when(boolean).then(pl.col(name).replace(_BOOLEANS)).otherwise(name)
                )[name]
            else:
                wrong[name] = boolean
        columns.append(_numbers(cells, native, field.kind))
    return batch.frame.with_columns(columns), wrong


def _numbers(cells: pl.Series, native: pl.Series, kind: Kind) -> pl.Series:
    """Native numbers without exponent; integers without a zero fraction (1.0 is an integer)."""
    odd = native & cells.str.contains(r"[eE]").fill_null(False)
    if odd.any():
        texts = [_written(t) if o and t else t for t, o in zip(cells, odd, strict=True)]
        cells = pl.Series(cells.name, texts, dtype=pl.String)
    if kind is Kind.INTEGER and cells.str.contains(".", literal=True).any():
        cells = cells.to_frame().select(
            pl.when(native).then(pl.col(cells.name).str.replace(r"\.0+$", "")).otherwise(cells.name)
        )[cells.name]
    return cells


def _written(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return f"{number:f}" if abs(number.adjusted()) < 400 else text
