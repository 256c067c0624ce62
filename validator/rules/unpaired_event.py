"""A pause that begins again before it has ended (STAT-02)."""

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
    """Begins while the same pause is open."""
    events = history(use, frames[0])
    return pl.concat(
        last_rows(events, begin, pauses(events, begin, end), "bad_begins").with_columns(
            pl.lit(begin).alias("begin"), pl.lit(end).alias("end")
        )
        for begin, end in pairs(use)
    )


RULE = Rule(
    name="unpaired-event",
    scope=Scope.DATASET,
    title=Text("补正或特别程序未成对", "Pause begins again while it is open"),
    message=Text(
        "状态 {begin} 再次出现，而上一次 {begin} 还没有对应的结束 {end}",
        "State {begin} comes again although the one before has no end {end} yet",
    ),
    help=Text(
        "请补报上一次的结束状态 {end}，或删除重复的 {begin}",
        "Report the end {end} of the one before, or remove the repeated {begin}",
    ),
    notes=Text(
        "尚未结束的补正或特别程序是合法的；只有再次开始才说明前一次缺少结束。没有开始的结束见"
        " end-without-begin，办结时仍未结束见 open-pause-at-completion。",
        "An open pause is legal; only a second begin shows that the first lacks its end. An end "
        "without a begin is end-without-begin, an open pause at completion has its own rule.",
    ),
    params=params(pairs=PAIRS),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "7", "BLSJ": "2024-03-02 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-02 09:00:00"},
        {"SPSXSLBM": "B", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-02 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "BLSJ")),),
    ),
    uses=event_uses("unpaired-event"),
    needs=event_needs,
    query=query,
)  # fmt: skip
