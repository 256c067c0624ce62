"""A row of a 3.0 fire table whose case was not applied for in the fire channel (XF-K04)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.applications import OF_ITEM, mirrored_uses, pair_of, same_case, without
from validator.examples import APPLICATION
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, text_param
from validator.text import Text

NAME = "fire-row-without-application"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """Uses of a pack, compiled for the 3.0 table that `table` names."""
    return mirrored_uses(NAME, packs, table)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    own, other = pair_of(use)
    return (
        Need(use.table, (own,)),
        Need(text_param(use, "linked"), (other,), (text_param(use, "item"),)),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Asked only where there are applications: each channel may be exported alone."""
    own, other = pair_of(use)
    of = frames[1].filter(pl.col(text_param(use, "item")) == text_param(use, "value"))
    return without(frames[0], own, of, other)


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("3.0 消防数据没有对应的申报", "Fire row of 3.0 without an application"),
    message=Text(
        "{parent}（{parent_title}）中没有流水号为“{value}”的申报",
        "{parent} ({parent_title}) has no application with the serial number “{value}”",
    ),
    help=Text(
        "请同时报送申报，或核对两处的编码", "Send the application too, or compare both codes"
    ),
    notes=Text(
        "导出中没有该类申报时不检查。旧案件可能从未经过该通道。",
        "Not judged where the export has no application of this type. Old cases may never have "
        "gone "
        "through the channel.",
    ),
    params=same_case(),
    good=Example(
        {
            APPLICATION: ({"LSH": "A1", "SPLCLX": "1"},),
            OF_ITEM["1"]: ({"SPSXSLBM": "A1"},),
            OF_ITEM["2"]: ({"SPSXSLBM": "C1"},),
        }
    ),
    bad_example=Example(
        {
            APPLICATION: ({"LSH": "A1", "SPLCLX": "1"},),
            OF_ITEM["1"]: ({"SPSXSLBM": "A1"}, {"SPSXSLBM": "A2"}),
        },
        (("SPGL_JSGCXFSJSCXXB", 2, ("SPSXSLBM",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)
