"""An item that promises more working days than its stage has (CFG-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.linked import COLUMN, linked
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, identity, text_param
from validator.text import Text

NAME = "promise-exceeds-stage"
STAGE, ITEM = ("SPLCBM", "SPLCBBH", "SPJDXH"), ("SPSXBM", "SPSXBBH")


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda _: (*ITEM, "SPJDXH")):
        stage = linked(packs, table.standard, [text_param(use, "stage")])
        item = linked(packs, table.standard, [text_param(use, "promise"), text_param(use, "unit")])
        more = {"stages": stage.table.qualified, "limit": stage.fields[0],
                "items": item.table.qualified, "promised": item.fields[0],
                "unit_field": item.fields[1]}  # fmt: skip
        found.append(replace(use, params={**use.params, **more}))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    promised = (text_param(use, "promised"), text_param(use, "unit_field"))
    return (
        Need(use.table, (STAGE, ITEM)),
        Need(text_param(use, "stages"), (STAGE,), (text_param(use, "limit"),)),
        Need(text_param(use, "items"), (ITEM,), promised),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """A stage without a limit (0: the parallel one) is not judged, nor a promise in other units."""
    stage, item = identity(STAGE), identity(ITEM)
    limits = frames[1].drop_nulls(stage).select(
        stage, pl.col(text_param(use, "limit")).cast(pl.Int64, strict=False).alias("limit")
    )  # fmt: skip
    promises = (
        frames[2]
        .filter(pl.col(text_param(use, "unit_field")) == text_param(use, "working_days"))
        .drop_nulls(item)
        .select(
            item, pl.col(text_param(use, "promised")).cast(pl.Int64, strict=False).alias("days")
        )
    )
    found = (
        frames[0]
        .drop_nulls()
        .join(limits.unique(stage), on=stage)
        .join(promises.unique(item), on=item)
        .filter((pl.col("limit") > 0) & (pl.col("days") > pl.col("limit")))
    )
    return found.select(
        "row", pl.col("days").cast(pl.String), pl.col("limit").cast(pl.String).alias("stage_limit")
    )


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("事项承诺时限大于阶段时限", "Promise of an item exceeds its stage"),
    message=Text(
        "事项承诺 {days} 个工作日，大于所在阶段的时限 {stage_limit}：{value}",
        "The item promises {days} working days, more than the {stage_limit} of its stage: {value}",
    ),
    help=Text("请核对事项承诺时限和阶段时限", "Check the promise of the item and the stage limit"),
    notes=Text(
        "只比较以工作日计的承诺；时限为 0 的并行推进阶段不检查。",
        "Only promises in working days are compared; a stage with limit 0 is not judged.",
    ),
    params=parameters({
        "stage": COLUMN, "promise": COLUMN, "unit": COLUMN, "working_days": {"type": "string"},
    }),
    good=Example({
        "SPGL_SPLCJBLSXXXB": (
            {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "1", "SPSXBM": "S", "SPSXBBH": "1"},
        ),
        "SPGL_SPJDXXB": (
            {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "1", "SPJDBM": "1", "SPJDSX": "10"},
        ),
        "SPGL_SPSXJBXXB": (
            {"XZQHDM": "1", "SPSXBM": "S", "SPSXBBH": "1", "CNBJSX": "10", "CNBJSXDW": "1"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_SPLCJBLSXXXB": (
                {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "1", "SPSXBM": "S", "SPSXBBH": "1"},
                {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "1", "SPSXBM": "T", "SPSXBBH": "1"},
            ),
            "SPGL_SPJDXXB": (
                {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "1", "SPJDBM": "1", "SPJDSX": "10"},
            ),
            "SPGL_SPSXJBXXB": (
                {"XZQHDM": "1", "SPSXBM": "S", "SPSXBBH": "1", "CNBJSX": "11", "CNBJSXDW": "1"},
                {"XZQHDM": "1", "SPSXBM": "T", "SPSXBBH": "1", "CNBJSX": "5", "CNBJSXDW": "1"},
            ),
        },
        (("SPGL_SPLCJBLSXXXB", 1, ("SPSXBM", "SPSXBBH", "SPJDXH")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
