"""A works category whose first digits are not the industry class of its works (BUS-07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.linked import COLUMN, linked, placed
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, text_param
from validator.text import Text

NAME = "category-outside-class"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["category"]), "GCDM")):
        other = linked(packs, table.standard, [text_param(use, "class")])
        found.append(placed(replace(use), other, source=other.fields[0]))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (
        Need(use.table, (("GCDM",),), (text_param(use, "category"),)),
        Need(text_param(use, "linked"), (("GCDM",),), (text_param(use, "source"),)),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The class is padded with a zero on the left to two digits."""
    classes = frames[1].drop_nulls().select(
        "GCDM", pl.col(text_param(use, "source")).str.zfill(2).alias("class")
    )  # fmt: skip
    units = frames[0].drop_nulls().join(classes.unique("GCDM"), on="GCDM")
    start = pl.col(text_param(use, "category")).str.slice(0, 2)
    return units.filter(start != pl.col("class")).select("row", "class")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("工程类别与工程行业分类不一致", "Works category outside its industry class"),
    message=Text(
        "{field}（{title}）的前两位与所属工程的行业分类（{class}）不一致：{value}",
        "{field} ({title}) does not begin with the industry class of its works ({class}): {value}",
    ),
    help=Text("请核对工程类别和工程行业分类", "Check the category and the class of the works"),
    notes=Text(
        "工程类别为 4 位，前两位为左补零的工程行业分类。",
        "A category has 4 digits, the first two being the class padded with a zero.",
    ),
    params=parameters({"category": FIELD, "class": COLUMN}),
    good=Example({
        "SPGL_XMJBXXB": ({"GCDM": "A", "GCHYFL": "1"},),
        "SPGL_XMDTXXB": ({"GCDM": "A", "DTBM": "1", "SPSXSLBM": "1", "GCYT": "0101"},),
    }),
    bad_example=Example(
        {
            "SPGL_XMJBXXB": ({"GCDM": "A", "GCHYFL": "1"},),
            "SPGL_XMDTXXB": (
                {"GCDM": "A", "DTBM": "1", "SPSXSLBM": "1", "GCYT": "0101"},
                {"GCDM": "A", "DTBM": "2", "SPSXSLBM": "1", "GCYT": "0201"},
            ),
        },
        (("SPGL_XMDTXXB", 2, ("GCYT", "GCDM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
