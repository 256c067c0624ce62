"""A fire application whose case has no row in the 3.0 table of its item (XF-K04, XF-K06)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.applications import OF_ITEM, case_uses, pair_of, same_case, without
from validator.examples import APPLICATION
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, text_param
from validator.text import Text

NAME = "application-without-fire-row"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    return case_uses(NAME, packs, table)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    own, other = pair_of(use)
    return (
        Need(use.table, (own,), (text_param(use, "item"),)),
        Need(text_param(use, "linked"), (other,)),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Asked only where the other table has rows: each channel may be exported alone."""
    own, other = pair_of(use)
    mine = frames[0].filter(pl.col(text_param(use, "item")) == text_param(use, "value"))
    return without(mine, own, frames[1], other)


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("消防申报没有对应的 3.0 数据", "Fire application without its row of 3.0"),
    message=Text(
        "{parent}（{parent_title}）中没有流水号为“{value}”的案件",
        "{parent} ({parent_title}) has no case with the serial number “{value}”",
    ),
    help=Text(
        "请同时报送 {parent}（{parent_title}），两处用同一个编码",
        "Report {parent} ({parent_title}) too, with the same code in both",
    ),
    notes=Text(
        "在用系统在申报的同时写入 3.0 的消防信息。导出中没有那张表的数据时不检查。",
        "The running system writes the row of 3.0 in the same moment. Not judged where the export "
        "has no row of that table.",
    ),
    params=same_case(),
    good=Example(
        {
            APPLICATION: ({"LSH": "A1", "SPLCLX": "1"}, {"LSH": "B1", "SPLCLX": "3"}),
            OF_ITEM["1"]: ({"SPSXSLBM": "A1"},),
        }
    ),
    bad_example=Example(
        {
            APPLICATION: ({"LSH": "A1", "SPLCLX": "1"}, {"LSH": "A2", "SPLCLX": "1"}),
            OF_ITEM["1"]: ({"SPSXSLBM": "A1"},),
        },
        (("SPGL_XMJBXXB", 2, ("LSH",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)
