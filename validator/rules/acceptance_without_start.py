"""A completed case that was accepted but never started by a department (STAT-01)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.events import CODE, CODES, event_needs, event_uses, first_of, history, params
from validator.rule import Example, Rule, Scope, Use, text_param, texts_param
from validator.text import Text


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Completing events of cases accepted by then, without a start between the two."""
    events = history(use, frames[0])
    done = first_of(events, texts_param(use, "completed"))
    accepted = first_of(events, (text_param(use, "accepted"),)).select(
        "case", pl.col("time").alias("accepted")
    )
    starts = events.filter(pl.col("state") == text_param(use, "started")).select(
        "case", pl.col("time").alias("started")
    )
    judged = done.join(accepted, on="case").filter(pl.col("accepted") <= pl.col("time"))
    started = judged.join(starts, on="case").filter(
        pl.col("started").is_between(pl.col("accepted"), pl.col("time"))
    )
    return judged.join(started.select("row"), on="row", how="anti").select("row")


RULE = Rule(
    name="acceptance-without-start",
    scope=Scope.DATASET,
    title=Text("受理后没有部门开始办理", "Acceptance without a start"),
    message=Text(
        "办件已受理（{accepted}），但到办结（{value}）为止没有部门开始办理（{started}）",
        "The case was accepted ({accepted}) but reaches its completion ({value}) without a start "
        "by a department ({started})",
    ),
    help=Text(
        "请补报状态 {started}（部门开始办理），或核对各状态的时间",
        "Report the event {started}, or check the times of the events",
    ),
    notes=Text(
        "在办的办件不报告；办结时才能看出缺少开始。报告在办结的那条明细上。",
        "A running case is legal; only the completion shows that the start is missing, and it is "
        "reported there.",
    ),
    params=params(accepted=CODE, started=CODE, completed=CODES),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
        {"SPSXSLBM": "B", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 1, ("BLZT", "BLSJ")),),
    ),
    uses=event_uses("acceptance-without-start"),
    needs=event_needs,
    query=query,
)  # fmt: skip
