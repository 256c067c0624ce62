"""A state that a case reports more than once (XF-P14)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.events import CODES, event_needs, event_uses, first_of, history, params
from validator.rule import Example, Rule, Scope, Use, texts_param
from validator.text import Text


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """What comes after the end of the case is reported by event-after-end."""
    events = history(use, frames[0])
    ends = first_of(events, texts_param(use, "ends")).select("case", pl.col("time").alias("end"))
    events = events.filter(pl.col("state").is_in(texts_param(use, "states")))
    events = events.join(ends, on="case", how="left", maintain_order="left")
    events = events.filter(pl.col("end").is_null() | (pl.col("time") <= pl.col("end")))
    return events.filter(pl.col("row").cum_count().over("case", "state") > 1).select("row")


RULE = Rule(
    name="repeated-state",
    scope=Scope.DATASET,
    title=Text("同一状态重复报送", "State reported again"),
    message=Text(
        "同一办件的状态 {value} 已报过一次", "The case already has an event of state {value}"
    ),
    help=Text("请核对是否重复报送", "Check whether it was reported twice by mistake"),
    notes=Text(
        "消防备案的抽中和审核都对应状态 8，重复可能属于正常，因此只作提示。",
        "Drawn and examined fire filings both become state 8, so a repetition may be right; this "
        "only informs.",
    ),
    params=params(states=CODES, ends=CODES),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "B", "BLZT": "8", "BLSJ": "2024-03-02 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2024-03-02 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2024-03-01 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 1, ("BLZT", "BLSJ")),),
    ),
    uses=event_uses("repeated-state"),
    needs=event_needs,
    query=query,
)  # fmt: skip
