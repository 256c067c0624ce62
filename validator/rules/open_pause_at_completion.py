"""A case completed while a correction or special procedure is open (STAT-03)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.events import (
    CODES,
    PAIRS,
    event_needs,
    event_uses,
    first_of,
    history,
    pairs,
    params,
    pauses,
)
from validator.rule import Example, Rule, Scope, Use, texts_param
from validator.text import Text


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """First completing events, where the state of a pause at that time is open."""
    events = history(use, frames[0])
    done = first_of(events, texts_param(use, "completed")).sort("time")
    found = []
    for begin, end in pairs(use):
        states = pauses(events, begin, end).select("case", "time", "open").sort("time")
        at = done.join_asof(
            states, on="time", by="case", strategy="backward", check_sortedness=False
        )
        found.append(
            at.filter(pl.col("open") == 1).select(
                "row", pl.lit(begin).alias("begin"), pl.lit(end).alias("end")
            )
        )
    return (
        pl.concat(found)
        .group_by("row")
        .agg(pl.col("begin").str.join("、"), pl.col("end").str.join("、"))
    )  # fmt: skip


RULE = Rule(
    name="open-pause-at-completion",
    scope=Scope.DATASET,
    title=Text("办结时补正或特别程序未结束", "Case completed while paused"),
    message=Text(
        "办结（{value}）时状态 {begin} 还没有对应的结束 {end}",
        "The case is completed ({value}) while {begin} has no end {end} yet",
    ),
    help=Text(
        "请在办结之前补报结束状态 {end}", "Report the end {end} before the completion"
    ),
    notes=Text(
        "办结前须关闭未结束的补正或特别程序；与办结同一时间的结束算在办结之前。",
        "An end at the very time of the completion counts as before it.",
    ),
    params=params(pairs=PAIRS, completed=CODES),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "7", "BLSJ": "2024-03-02 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-02 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-02 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "BLSJ")),),
    ),
    uses=event_uses("open-pause-at-completion"),
    needs=event_needs,
    query=query,
)  # fmt: skip
