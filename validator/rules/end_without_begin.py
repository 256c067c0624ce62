"""A pause that ends without having begun (STAT-06)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.events import (
    PAIRS,
    event_needs,
    event_uses,
    history,
    last_rows,
    pairs,
    params,
    pauses,
)
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Ends while the pause is not open."""
    events = history(use, frames[0])
    return pl.concat(
        last_rows(events, end, pauses(events, begin, end), "bad_ends").with_columns(
            pl.lit(begin).alias("begin"), pl.lit(end).alias("end")
        )
        for begin, end in pairs(use)
    )


RULE = Rule(
    name="end-without-begin",
    scope=Scope.DATASET,
    title=Text("有结束而没有开始", "Pause ends without having begun"),
    message=Text(
        "状态 {end}（结束）之前没有对应的状态 {begin}（开始）",
        "State {end} ends a pause that no state {begin} began",
    ),
    help=Text(
        "请补报状态 {begin}，或删除状态 {end}", "Report the begin {begin}, or remove the end {end}"
    ),
    notes=Text(
        "时间相同的开始与结束按最少冲突的次序理解。",
        "Begin and end of equal time take the order that breaks least.",
    ),
    params=params(pairs=PAIRS),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "10", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "10", "BLSJ": "2024-03-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2024-03-02 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 1, ("BLZT", "BLSJ")),),
    ),
    uses=event_uses("end-without-begin"),
    needs=event_needs,
    query=query,
)  # fmt: skip
