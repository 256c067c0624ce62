"""An event after the case has ended (STAT-07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.events import CODES, event_needs, event_uses, history, params
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, texts_param
from validator.text import Text

_explicit = event_uses("event-after-end")


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """A second completion is left to repeated-completion where the table uses it."""
    completions = [
        state
        for use in table.rules
        if use.rule == "repeated-completion"
        for state in use.params.get("states", ())  # type: ignore[attr-defined]
    ]
    return tuple(
        replace(use, params={**use.params, "completions": tuple(completions)})
        for use in _explicit(packs, table)
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Events later than the first end of their case, and further ends of its very time."""
    events = history(use, frames[0])
    ends = pl.col("state").is_in(texts_param(use, "ends"))
    completion = pl.col("state").is_in(texts_param(use, "completions"))
    first = (
        events.filter(ends)
        .unique("case", keep="first", maintain_order=True)
        .select("case", pl.col("row").alias("end_row"), pl.col("time").alias("end_time"),
                pl.col("state").alias("end"))
    )  # fmt: skip
    repetition = completion & (completion.cast(pl.Int64).cum_sum().over("case") > 1)
    late = (
        events.with_columns(repetition.alias("repetition"))
        .join(first, on="case")
        .filter(
            (pl.col("row") != pl.col("end_row"))
            & ((pl.col("time") > pl.col("end_time"))
               | ((pl.col("time") == pl.col("end_time")) & ends))
            & ~pl.col("repetition")
        )
    )  # fmt: skip
    return late.select("row", "end", pl.col("end_time").dt.strftime("%Y-%m-%d %H:%M:%S"))


RULE = Rule(
    name="event-after-end",
    scope=Scope.DATASET,
    title=Text("办件终结后仍有状态", "Event after the end of the case"),
    message=Text(
        "办件已于 {end_time} 以状态 {end} 终结，其后又有状态 {value}",
        "The case ended with state {end} at {end_time}, yet state {value} comes after it",
    ),
    help=Text(
        "请核对时间，或作废终结之后的明细", "Check the times, or invalidate what follows the end"
    ),
    notes=Text(
        "与终结状态同一时间的其他明细视为在其之前。第二次办结由 repeated-completion 报告。",
        "Other events of the very time of the end count as before it. A second completion is "
        "reported by repeated-completion.",
    ),
    params=params(ends=CODES),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2024-03-05 09:00:00"},
        {"SPSXSLBM": "B", "BLZT": "3", "BLSJ": "2024-03-06 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2024-03-06 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 1, ("BLZT", "BLSJ")),),
    ),
    uses=uses,
    needs=event_needs,
    query=query,
)  # fmt: skip
