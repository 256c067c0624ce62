"""A completed case whose history lacks an event that it must have had (XF-P13, XF-S09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.cases import (
    COMPLETED,
    ONLY,
    case_needs,
    cases,
    event_need,
    event_uses_of_pack,
    events_of,
)
from validator.events import CODES, first_of
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, texts_param
from validator.text import Text

NAME = "completed-case-without-event"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(
        replace(use, params={**use.params, "wanted": "、".join(texts_param(use, "needs"))})
        for use in event_uses_of_pack(NAME, packs, table, ("BLZT", "SPSXSLBM"))
    )


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (event_need(use), *case_needs(use))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """First completing events of cases in which one of the needed states does not come before."""
    events, concerned = events_of(frames[0]), cases(use, frames[1:]).select("case", "national")
    done = first_of(events, texts_param(use, "states") or COMPLETED).join(concerned, on="case")
    before = events.join(done.select("case", pl.col("time").alias("end")), on="case").filter(
        pl.col("time") <= pl.col("end")
    )
    found = []
    for state in texts_param(use, "needs"):
        seen = before.filter(pl.col("state") == state).select("case").unique()
        lacking = done.join(seen, on="case", how="anti")
        found.append(lacking.select("row", pl.lit(state).alias("lacking")))
    return pl.concat(found).group_by("row").agg(pl.col("lacking").str.join("、"))


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("办结的办件缺少必经状态", "Completed case lacks an event"),
    message=Text(
        "办件已办结（{value}），但之前没有状态 {lacking}",
        "The case is completed ({value}) without state {lacking} before it",
    ),
    help=Text("请补报状态 {lacking}，或核对时间", "Report state {lacking}, or check the times"),
    notes=Text(
        "只看办结的办件；与办结同一时间的状态算在其前。items 限定标准审批事项编码，"
        "only 限定到某些记录。",
        "Only completed cases are judged; an event of the very time of the completion counts as "
        "before it. `items` names national item codes, `only` narrows further.",
    ),
    params=parameters({"needs": CODES}, items=CODES, states=CODES, only=ONLY),
    good=Example({
        "SPGL_SPSXJBXXB": (
            {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0140000"},
        ),
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},),
        "SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2024-03-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_SPSXJBXXB": (
                {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0140000"},
            ),
            "SPGL_XMSPSXBLXXB": (
                {"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},
                {"SPSXSLBM": "B", "SPSXBM": "S", "SPSXBBH": "1"},
            ),
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "A", "BLZT": "1", "BLSJ": "2024-03-01 09:00:00"},
                {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "1", "BLSJ": "2024-03-05 09:00:00"},
            ),
        },
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "SPSXSLBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
