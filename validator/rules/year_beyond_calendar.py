"""Times of a year that the calendar of working days does not reach; said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.clock import calendar
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit
from validator.text import Text

NAME = "year-beyond-calendar"


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = tuple(explicit(NAME, table, lambda p: (str(p["time"]),)))
    if not found:
        return ()
    days = calendar()
    reach = {"first_year": days.first.year, "last_year": days.last.year}
    return tuple(replace(use, params={**use.params, **reach}) for use in found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (Need(use.table, (), use.fields),)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The first such record of tonight."""
    year, days = pl.col(use.fields[0]).dt.year(), calendar()
    outside = ~year.is_between(days.first.year, days.last.year)
    return frames[0].filter((pl.col("row") >= 0) & outside).sort("row").head(1).select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("工作日日历达不到该年份", "Year beyond the calendar of working days"),
    message=Text(
        "工作日日历为 {first_year} 至 {last_year} 年；{field}（{title}）有此外的时间，如 {value}，"
        "其办理用时未作检查",
        "The calendar of working days covers {first_year} to {last_year}; {field} ({title}) has "
        "times outside, such as {value}, whose handling time is not judged",
    ),
    help=Text(
        "请核对时间；新一年的放假安排公布后更新 spgl",
        "Check the times; update spgl once the notice of the new year is out",
    ),
    notes=Text(
        "每次运行只报告一次，指出第一条这样的记录。",
        "Said once per run, at the first such record.",
    ),
    params=parameters({"time": FIELD}),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2025-09-28 08:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2025-09-28 08:00:00"},
            {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2999-01-04 08:00:00"},
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2999-01-05 08:00:00"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLSJ",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
