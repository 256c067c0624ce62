"""An event that begins a special procedure which is not reported (SPEC-02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.events import CODE, TABLE_NAME, event_needs, event_uses, history
from validator.events import FIELDS as EVENT_FIELDS
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, named_table, text_param
from validator.text import Text

NAME = "event-without-special-procedure"
_explicit = event_uses(NAME)


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in _explicit(packs, table):
        other = packs.table(named_table(packs, table.standard, text_param(use, "procedures")))
        more = {"linked": other.qualified, "parent_title": other.title.zh}
        found.append(replace(use, params={**use.params, **more}))
    return tuple(found)


def needs(packs: Packs, use: Use) -> tuple[Need, ...]:
    case = (text_param(use, "case"),)
    return (*event_needs(packs, use), Need(text_param(use, "linked"), (case,)))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """By case alone: a procedure at another time is reported at the procedure."""
    begins = history(use, frames[0]).filter(pl.col("state") == text_param(use, "begin"))
    there = frames[1].select(pl.col(text_param(use, "case")).alias("case")).drop_nulls().unique()
    return begins.join(there, on="case", how="anti").select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("特别程序开始但没有特别程序信息", "Special procedure begins unreported"),
    message=Text(
        "办件进入特别程序（{value}），但 {procedures}（{parent_title}）中没有该办件的记录",
        "The case enters a special procedure ({value}) but {procedures} ({parent_title}) has none "
        "of this case",
    ),
    help=Text("请补报 {procedures}（{parent_title}）", "Report it in {procedures}"),
    notes=Text(
        "按办件核对；时间不同的由 special-procedure-without-event 报告。",
        "Compared by case; another time is reported by special-procedure-without-event.",
    ),
    params=parameters({**EVENT_FIELDS, "procedures": TABLE_NAME, "begin": CODE}),
    good=Example({
        "SPGL_XMSPSXBLXXXXB": ({"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},),
        "SPGL_XMSPSXBLTBCXXXB": ({"SPSXSLBM": "A", "TBCX": "1", "TBCXKSSJ": "2024-03-01"},),
    }),
    bad_example=Example(
        {
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
            ),
            "SPGL_XMSPSXBLTBCXXXB": ({"SPSXSLBM": "A", "TBCX": "1", "TBCXKSSJ": "2024-03-01"},),
        },
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "BLSJ")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
