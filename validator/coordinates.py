"""Coordinate cells as pairs of numbers: where a pair lies, columnar.

A cell is `longitude,latitude` in degrees, several pairs separated by semicolons (PRJ-14). Bounds
are those of the country, wide enough for its sea; no bounds of divisions are known. It knows no
rule, no datum and no map.
"""

from __future__ import annotations

import polars as pl

from validator.cells import matches
from validator.formats import FORMATS
from validator.pack import Provenance, Table
from validator.rule import Use
from validator.severity import by_evidence

#: West, east, south and north bounds in degrees.
BOUNDS = (73.0, 136.0, 3.0, 54.0)
#: Pattern bodies of degrees that lie well inside.
_LONGITUDE = r"(?:7[3-9]|[89][0-9]|1[0-2][0-9]|13[0-5])(?:[.][0-9]+)?"
_LATITUDE = r"(?:[3-9]|[1-4][0-9]|5[0-3])(?:[.][0-9]+)?"


def coordinate_uses(rule: str, table: Table) -> tuple[Use, ...]:
    """One inferred use of `rule` per field with the format `coordinates`."""
    provenance = Provenance.INFERRED
    return tuple(
        Use(rule, table.qualified, (field.name,), {}, provenance, by_evidence(provenance))
        for field in table.fields
        if any(of.name == "coordinates" for of in field.formats)
    )


def any_pair(name: str, *, outside: bool) -> pl.Expr:
    """True where some pair of the cell lies outside and is (not `outside`) or is not swapped."""
    column = pl.col(name)
    formed = pl.when(matches(FORMATS["coordinates"].pattern, column)).then(column)
    pairs = formed.str.split(";").list.eval(_outside(swapped=not outside))
    return pairs.list.any()


def may_lie_outside(name: str) -> pl.Expr:
    """Aggregate: some cell is not plainly a list of pairs inside the bounds."""
    pair = f"{_LONGITUDE},{_LATITUDE}"
    return (~pl.col(name).str.contains(f"^{pair}(?:;{pair})*$")).any()


def _outside(*, swapped: bool) -> pl.Expr:
    first, second = (
        pl.element().str.split(",").list.get(i, null_on_oob=True).cast(pl.Float64, strict=False)
        for i in (0, 1)
    )
    turned = _inside(second, first)
    return ~_inside(first, second) & (turned if swapped else ~turned)


def _inside(longitude: pl.Expr, latitude: pl.Expr) -> pl.Expr:
    west, east, south, north = BOUNDS
    return longitude.is_between(west, east) & latitude.is_between(south, north)
