"""Columns of text in canonical form: what keys, references, contents and histories compare.

Blank cells become null; a cell without the form of its kind stays as it is written. Columnar twin
of `lexical.canonical` for any input; it judges nothing.
"""

from __future__ import annotations

import polars as pl

from validator.cells import odd_start
from validator.lexical import BLANK, canonical_expr, matches_expr
from validator.pack import Field, Kind, Table

_DATETIME_LENGTH = 19
_DATE_LENGTH = 10


def canonical(field: Field, cells: pl.Series) -> pl.Series:
    """The cells of one field in canonical form."""
    return _formed(field, without_blanks(cells))


def canonical_frame(table: Table, frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """The named fields in canonical form; a field that is not in the frame is null."""
    there = [name for name in names if name in frame.columns]
    filled = _without_blanks(frame.select(there))
    return pl.DataFrame(
        [
            _formed(table.by_name[name], filled[name])
            if name in frame.columns
            else pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias(name)
            for name in names
        ]
    )


def without_blanks(cells: pl.Series) -> pl.Series:
    """Null for blank cells."""
    return _without_blanks(cells.to_frame())[cells.name]


def _without_blanks(frame: pl.DataFrame) -> pl.DataFrame:
    """Cells rarely begin with a blank, which is tested first."""
    odd = frame.select(odd_start(name).any() for name in frame.columns)
    return frame.with_columns(
        pl.when(pl.col(name).str.strip_chars(BLANK) != "").then(name).alias(name)
        for name in frame.columns
        if odd[name].item()
    )


def _formed(field: Field, cells: pl.Series) -> pl.Series:
    if field.kind is Kind.DECIMAL:
        return _by_distinct(field.kind, cells)
    if field.kind in (Kind.DATE, Kind.DATETIME) and not _plain_times(field.kind, cells):
        return _exact(field.kind, cells)
    return cells


def times(field: Field, cells: pl.Series) -> pl.Series:
    """Dates and datetimes as Datetime (microseconds); null where missing or ill-formed."""
    name = cells.name
    column = pl.col(name)
    formed = pl.when(matches_expr(field.kind, column)).then(column)
    text = canonical_expr(Kind.DATETIME, formed)
    parsed = text.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    return cells.to_frame().select(parsed.alias(name))[name]


def _by_distinct(kind: Kind, cells: pl.Series) -> pl.Series:
    """Numbers repeat much in keys (versions, orders): the distinct ones are rewritten."""
    distinct = cells.unique().drop_nulls()
    forms = _exact(kind, distinct)
    changed = distinct != forms
    if not changed.any():
        return cells
    return cells.replace(distinct.filter(changed), forms.filter(changed))


def _exact(kind: Kind, cells: pl.Series) -> pl.Series:
    column = pl.col(cells.name)
    form = pl.when(matches_expr(kind, column)).then(canonical_expr(kind, column)).otherwise(column)
    return cells.to_frame().select(form.alias(cells.name))[cells.name]


def _plain_times(kind: Kind, cells: pl.Series) -> bool:
    """True where no cell can have another canonical form: right length, no T."""
    wanted = _DATE_LENGTH if kind is Kind.DATE else _DATETIME_LENGTH
    lengths = cells.str.len_bytes()
    if lengths.min() not in (None, wanted) or lengths.max() not in (None, wanted):
        return False
    return kind is Kind.DATE or not cells.str.contains("T", literal=True).any()
