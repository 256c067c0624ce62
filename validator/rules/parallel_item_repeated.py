"""An item of the parallel stage that stands in another stage of the same process too (CFG-05)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.events import CODE, NAMES
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    explicit,
    identity,
    text_param,
    texts_param,
)
from validator.text import Text

NAME = "parallel-item-repeated"


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(
        explicit(NAME, table, lambda p: (str(p["stage"]), *(str(v) for v in p["item"])))  # type: ignore[attr-defined]
    )


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (Need(use.table, (texts_param(use, "item"),), (text_param(use, "stage"),)),)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of other stages."""
    item, stage = identity(texts_param(use, "item")), pl.col(text_param(use, "stage"))
    rows = frames[0].drop_nulls()
    parallel = rows.filter(stage == text_param(use, "parallel")).select(item).unique()
    return rows.filter(stage != text_param(use, "parallel")).join(
        parallel, on=item, how="semi"
    ).select("row")  # fmt: skip


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("并行推进的事项又列入其他阶段", "Parallel item stands in another stage"),
    message=Text(
        "事项已列入并行推进阶段（{parallel}），又列入其他阶段：{value}",
        "The item belongs to the parallel stage ({parallel}) and stands in another one: {value}",
    ),
    help=Text("请只保留一处", "Keep one of the two"),
    notes=Text(
        "按流程版本和事项核对，报告在其他阶段的那条记录上。",
        "Compared within one process version; reported on the row of the other stage.",
    ),
    params=parameters({"item": NAMES, "stage": FIELD, "parallel": CODE}),
    good=Example({"SPGL_SPLCJBLSXXXB": (
        {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "5", "SPSXBM": "S", "SPSXBBH": "1"},
        {"SPLCBM": "L", "SPLCBBH": "2", "SPJDXH": "1", "SPSXBM": "S", "SPSXBBH": "1"},
    )}),
    bad_example=Example(
        {"SPGL_SPLCJBLSXXXB": (
            {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "5", "SPSXBM": "S", "SPSXBBH": "1"},
            {"SPLCBM": "L", "SPLCBBH": "1", "SPJDXH": "2", "SPSXBM": "S", "SPSXBBH": "1"},
        )},
        (("SPGL_SPLCJBLSXXXB", 2, ("SPJDXH", "SPLCBM", "SPLCBBH", "SPSXBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
