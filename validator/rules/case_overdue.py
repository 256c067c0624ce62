"""A case that took more working days than it may (STAT-09, XF-P08 to XF-P12)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from validator.cases import (
    CASE,
    ONLY,
    case_needs,
    cases,
    event_need,
    event_uses_of_pack,
    events_of,
)
from validator.clock import calendar
from validator.events import CODE, CODES, PAIRS, first_of, pairs, pauses
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, text_param, texts_param
from validator.text import Text

NAME = "case-overdue"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(event_uses_of_pack(NAME, packs, table, ("BLZT", "BLSJ")))


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    needed = (event_need(use), *case_needs(use))
    if "limit_field" not in use.params:
        return needed
    return *needed, Need(text_param(use, "cases_table"), (CASE,), (text_param(use, "limit_field"),))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """First closing events beyond the limit; spans that leave the calendar are not judged."""
    events = events_of(frames[0])
    starts = first_of(events, (text_param(use, "from"),)).select(
        "case", pl.col("time").alias("start")
    )
    spans = first_of(events, texts_param(use, "to")).join(starts, on="case")
    spans = spans.filter(pl.col("time") >= pl.col("start"))
    spans = spans.join(_limits(use, frames), on="case").filter(_known("start") & _known("time"))
    stopped = _stopped(use, events, spans)
    taken = spans.select("row", "limit", "case", _count("start"), _count("time")).join(
        stopped, on="case", how="left"
    )
    days = pl.col("time") - pl.col("start") - pl.col("stopped").fill_null(0)
    late = taken.with_columns(days.alias("days")).filter(pl.col("days") > pl.col("limit"))
    return late.select("row", pl.col("days").cast(pl.String), pl.col("limit").cast(pl.String))


def _limits(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Columns `case, limit` of the cases the use concerns."""
    narrowed = 3 if "only_table" in use.params else 2
    concerned = cases(use, frames[1 : 1 + narrowed]).select("case")
    if "limit_field" not in use.params:
        limit = int(text_param(use, "limit"))
        return concerned.with_columns(pl.lit(limit, dtype=pl.Int64).alias("limit"))
    limits = frames[-1].select(
        pl.col("SPSXSLBM").alias("case"),
        pl.col(text_param(use, "limit_field")).cast(pl.Int64, strict=False).alias("limit"),
    )
    return concerned.join(limits.drop_nulls().unique("case"), on="case")


def _stopped(use: Use, events: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Columns `case, stopped`: working days of the span on which some pause was open."""
    if "pairs" not in use.params:
        return pl.DataFrame(schema={"case": spans.schema["case"], "stopped": pl.Int64})
    changes = []
    for begin, end in pairs(use):
        of = pauses(events, begin, end)
        change = pl.col("open") - pl.col("open").shift(1, fill_value=0).over("case")
        changes.append(of.select("case", "time", change.alias("change")))
    depth = (
        pl.concat(changes)
        .group_by("case", "time")
        .agg(pl.col("change").sum())
        .sort("case", "time")
        .with_columns(pl.col("change").cum_sum().over("case").alias("depth"))
        .join(spans.select("case", "start", pl.col("time").alias("end")), on="case")
    )
    until = pl.col("time").shift(-1).over("case").fill_null(pl.col("end"))
    inside = depth.with_columns(until.alias("until")).with_columns(
        pl.col("time").clip(pl.col("start"), pl.col("end")),
        pl.col("until").clip(pl.col("start"), pl.col("end")),
    )
    open_ = inside.filter(pl.col("depth") > 0).with_columns(_count("time"), _count("until"))
    return open_.group_by("case").agg((pl.col("until") - pl.col("time")).sum().alias("stopped"))


def _known(name: str) -> pl.Expr:
    days = calendar()
    return pl.col(name).dt.date().is_between(days.first, days.last)


def _count(name: str) -> pl.Expr:
    """Working days up to the day of a moment that the calendar reaches."""
    days = calendar()

    def look_up(moments: pl.Series) -> pl.Series:
        at = (moments.dt.date() - days.first).dt.total_days().to_numpy()
        return pl.Series(name, days.counts[np.asarray(at, dtype=np.int64)])

    return pl.col(name).map_batches(look_up, return_dtype=pl.Int64)


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("办理超期", "Case is overdue"),
    message=Text(
        "办理用时 {days} 个工作日，超过时限 {limit} 个工作日：{value}",
        "The case took {days} working days, more than the {limit} it has: {value}",
    ),
    help=Text(
        "请核对各状态的时间和时限；确属超期的如实报送",
        "Check the times and the limit; a case that really was late is reported as it is",
    ),
    notes=Text(
        "自起算状态次日起按工作日计（含法定节假日和调休），扣除补正、特别程序等暂停时段；暂停开始"
        "次日至结束当日不计。在办的办件不检查；日历达不到的年份不检查（见 year-beyond-calendar）。",
        "Working days after the day of the starting event (public holidays and make-up workdays "
        "included), without pauses such as corrections and special procedures: the days after a "
        "pause begins up to its end. Running cases are not judged, nor years that the calendar "
        "does not reach (year-beyond-calendar).",
    ),
    params={
        **parameters(
            {"from": CODE, "to": CODES},
            pairs=PAIRS, items=CODES, only=ONLY,
            limit={"type": "integer", "minimum": 1}, limit_field={"type": "string"},
        ),
        "oneOf": [{"required": ["limit"]}, {"required": ["limit_field"]}],
    },
    good=Example({
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "SXBLSX": "5"},),
        "SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2025-09-26 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2025-09-26 09:30:00"},
            {"SPSXSLBM": "A", "BLZT": "9", "BLSJ": "2025-09-29 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "10", "BLSJ": "2025-10-14 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2025-10-16 09:00:00"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_XMSPSXBLXXB": (
                {"SPSXSLBM": "A", "SXBLSX": "5"}, {"SPSXSLBM": "B", "SXBLSX": "6"},
            ),
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2025-09-26 09:00:00"},
                {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2025-09-26 09:00:00"},
                {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2025-10-11 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "3", "BLSJ": "2025-09-26 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "8", "BLSJ": "2025-09-26 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "11", "BLSJ": "2025-10-11 09:00:00"},
            ),
        },
        (("SPGL_XMSPSXBLXXXXB", 3, ("BLZT", "BLSJ")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
