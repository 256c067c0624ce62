"""A special procedure that no event of its case begins at the same time (SPEC-02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.events import CODE, TABLE_NAME
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, named_table, text_param
from validator.text import Text

NAME = "special-procedure-without-event"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["time"]), str(p["case"]))):
        events = packs.table(named_table(packs, table.standard, text_param(use, "events")))
        more = {"linked": events.qualified, "parent_title": events.title.zh}
        found.append(replace(use, params={**use.params, **more}))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    case = (text_param(use, "case"),)
    return (
        Need(use.table, (case,), (text_param(use, "time"),)),
        Need(text_param(use, "linked"), (case,), ("BLZT", "BLSJ")),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    case, time = text_param(use, "case"), text_param(use, "time")
    begins = frames[1].filter(pl.col("BLZT") == text_param(use, "state"))
    begins = begins.select(case, pl.col("BLSJ").alias(time)).drop_nulls().unique()
    rows = frames[0].drop_nulls([case, time])
    return rows.join(begins, on=[case, time], how="anti").select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("特别程序没有对应的开始状态", "Special procedure without its event"),
    message=Text(
        "{events}（{parent_title}）中没有与本特别程序同一时间（{value}）的开始状态 {state}",
        "{events} ({parent_title}) has no event {state} at the start of this procedure ({value})",
    ),
    help=Text(
        "请补报状态 {state}，或核对 {field}（{title}）",
        "Report the event {state}, or check {field} ({title})",
    ),
    notes=Text(
        "特别程序与办理明细中的开始状态一一对应，开始时间相同。",
        "A special procedure goes with an event that begins it at the very same time.",
    ),
    params=parameters({"case": FIELD, "time": FIELD, "events": TABLE_NAME, "state": CODE}),
    good=Example({
        "SPGL_XMSPSXBLXXXXB": ({"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},),
        "SPGL_XMSPSXBLTBCXXXB": (
            {"SPSXSLBM": "A", "TBCX": "1", "TBCXKSSJ": "2024-03-01T09:00:00"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
            ),
            "SPGL_XMSPSXBLTBCXXXB": (
                {"SPSXSLBM": "A", "TBCX": "1", "TBCXKSSJ": "2024-03-02 09:00:00"},
                {"SPSXSLBM": "B", "TBCX": "1", "TBCXKSSJ": "2024-03-01 09:00:00"},
            ),
        },
        (("SPGL_XMSPSXBLTBCXXXB", 1, ("TBCXKSSJ", "SPSXSLBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
