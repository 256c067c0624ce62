"""A case completed so soon after its acceptance that nobody can have judged it (STAT-10)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.events import CODE, CODES, event_needs, event_uses, first_of, history, params
from validator.rule import Example, Rule, Scope, Use, text_param, texts_param
from validator.text import Text


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    events = history(use, frames[0])
    accepted = first_of(events, (text_param(use, "accepted"),)).select(
        "case", pl.col("time").alias("accepted")
    )
    done = first_of(events, texts_param(use, "completed")).join(accepted, on="case")
    minutes = (pl.col("time") - pl.col("accepted")).dt.total_seconds() / 60
    soon = done.with_columns(minutes.alias("minutes")).filter(
        (pl.col("minutes") >= 0) & (pl.col("minutes") < 60 * float(text_param(use, "hours")))
    )
    return soon.select("row", pl.col("minutes").floor().cast(pl.Int64).cast(pl.String))


RULE = Rule(
    name="instant-approval",
    scope=Scope.DATASET,
    title=Text("疑似秒办", "Instant approval"),
    message=Text(
        "受理后 {minutes} 分钟即办结（{value}），不足 {hours} 小时",
        "Completed {minutes} minutes after acceptance ({value}), in less than {hours} hours",
    ),
    help=Text(
        "请核对受理和办结时间是否补录", "Check whether the two times were entered afterwards"
    ),
    notes=Text(
        "在用系统按可设置的小时数提示；各地的设定值未见，可由地方扩展包修改 hours。",
        "The deployed system flags it by a configurable number of hours; no site's value was seen, "
        "and an overlay can change `hours`.",
    ),
    params=params(
        accepted=CODE, completed=CODES, hours={"type": "number", "exclusiveMinimum": 0}
    ),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-01 10:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-01 09:01:00"},
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 1, ("BLZT", "BLSJ")),),
    ),
    uses=event_uses("instant-approval"),
    needs=event_needs,
    query=query,
)  # fmt: skip
