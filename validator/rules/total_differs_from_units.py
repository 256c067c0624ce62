"""A total floor area that is not the sum of the building units of the case (XF-B01)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.linked import COLUMN, linked, placed
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, text_param
from validator.text import Text

NAME = "total-differs-from-units"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["total"]), str(p["by"]))):
        other = linked(packs, table.standard, [text_param(use, "units")])
        found.append(placed(replace(use), other, source=other.fields[0]))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    by = (text_param(use, "by"),)
    return (
        Need(use.table, (by,), (text_param(use, "total"),)),
        Need(text_param(use, "linked"), (by,), (text_param(use, "source"),)),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """A unit without an area leaves the sum unknown."""
    by, part = text_param(use, "by"), pl.col(text_param(use, "source")).cast(pl.Float64)
    sums = frames[1].drop_nulls(by).group_by(by).agg(
        part.sum().alias("sum"), part.null_count().alias("unknown")
    ).filter(pl.col("unknown") == 0)  # fmt: skip
    rows = frames[0].drop_nulls().join(sums, on=by)
    total = pl.col(text_param(use, "total")).cast(pl.Float64)
    wrong = (total - pl.col("sum")).abs() > float(text_param(use, "tolerance")) + 1e-6
    return rows.filter(wrong).select("row", pl.col("sum").round(2).cast(pl.String))


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("总面积与单体面积之和不符", "Total is not the sum of the units"),
    message=Text(
        "{field}（{title}）与 {parent}（{parent_title}）中各单体之和 {sum} "
        "相差超过 {tolerance}：{value}",
        "{field} ({title}) differs from the sum {sum} of the units in {parent} ({parent_title}) by "
        "more than {tolerance}: {value}",
    ),
    help=Text("请核对总面积和各单体面积", "Check the total and the areas of the units"),
    notes=Text(
        "没有单体或单体面积不全时不检查。允许的误差写在标准包中（四舍五入）。",
        "Not judged without units or where a unit has no area. The pack states the tolerance "
        "(rounding).",
    ),
    params=parameters({
        "total": FIELD, "by": FIELD, "units": COLUMN,
        "tolerance": {"type": "number", "minimum": 0},
    }),
    good=Example({
        "SPGL_JSGCXFYSXXB": (
            {"XZQHDM": "1", "GCDM": "A", "SPSXSLBM": "1", "ZJZMJ": "300"},
            {"XZQHDM": "1", "GCDM": "A", "SPSXSLBM": "2", "ZJZMJ": "300"},
        ),
        "SPGL_XMDTXXB": (
            {"SPSXSLBM": "1", "DTBM": "1", "JZMJ": "100"},
            {"SPSXSLBM": "1", "DTBM": "2", "JZMJ": "200.00"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_JSGCXFYSXXB": (
                {"XZQHDM": "1", "GCDM": "A", "SPSXSLBM": "1", "ZJZMJ": "350"},
            ),
            "SPGL_XMDTXXB": (
                {"SPSXSLBM": "1", "DTBM": "1", "JZMJ": "100"},
                {"SPSXSLBM": "1", "DTBM": "2", "JZMJ": "200.00"},
            ),
        },
        (("SPGL_JSGCXFYSXXB", 1, ("ZJZMJ", "SPSXSLBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
