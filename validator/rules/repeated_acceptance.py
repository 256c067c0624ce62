"""A case with more than one acceptance (STAT-04)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.events import CODES, event_needs, event_uses, history, params, repeated
from validator.rule import Example, Rule, Scope, Use, texts_param
from validator.text import Text


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return repeated(history(use, frames[0]), texts_param(use, "states"))


RULE = Rule(
    name="repeated-acceptance",
    scope=Scope.DATASET,
    title=Text("受理重复", "Case accepted again"),
    message=Text(
        "同一办件已有一次受理，状态 {value} 又报了一次",
        "The case already has its acceptance; state {value} reports it once more",
    ),
    help=Text("请只保留一次受理，作废多余的明细", "Keep one acceptance and invalidate the others"),
    notes=Text(
        "按时间先后，第二次起逐条报告。", "In order of time, each one after the first is reported."
    ),
    params=params(states=CODES),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "B", "BLZT": "3", "BLSJ": "2024-03-02 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-02 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 1, ("BLZT", "BLSJ")),),
    ),
    uses=event_uses("repeated-acceptance"),
    needs=event_needs,
    query=query,
)  # fmt: skip
