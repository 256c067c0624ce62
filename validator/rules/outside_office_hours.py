"""An event handled outside office hours or on a day off (STAT-11)."""

from __future__ import annotations

from functools import cache

import polars as pl

from validator.clock import calendar
from validator.lexical import canonical_expr, matches_expr
from validator.numbers import FIELD, VALUES, parameters
from validator.pack import Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param, texts_param
from validator.text import Text

_CLOCK = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(
        explicit("outside-office-hours", table, lambda p: (str(p["time"]), str(p["state"])))
    )


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """A day without a clock (midnight) and a year beyond the calendar are not judged."""
    column = pl.col(text_param(use, "time"))
    text = canonical_expr(Kind.DATETIME, column)
    day, clock = text.str.slice(0, 10), text.str.slice(11, 8)
    days = calendar()
    within = day.is_between(pl.lit(days.first.isoformat()), pl.lit(days.last.isoformat()))
    working = day.is_in(_working())
    opened, closed = f"{text_param(use, 'opens')}:00", f"{text_param(use, 'closes')}:00"
    office = working & (clock >= opened) & (clock <= closed)
    handled = pl.col(text_param(use, "state")).is_in(list(texts_param(use, "states")))
    judged = matches_expr(Kind.DATETIME, column) & within & (clock != "00:00:00") & handled
    return judged & ~office


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """Another notation of the same time is asked about in full."""
    column = pl.col(text_param(use, "time"))
    day, clock = column.str.slice(0, 10), column.str.slice(11, 8)
    opened, closed = f"{text_param(use, 'opens')}:00", f"{text_param(use, 'closes')}:00"
    office = day.is_in(_working()) & (clock >= opened) & (clock <= closed)
    handled = pl.col(text_param(use, "state")).is_in(list(texts_param(use, "states")))
    return (handled & ~office).any()


@cache
def _working() -> list[str]:
    return [day.isoformat() for day in calendar().working_dates()]


RULE = Rule(
    name="outside-office-hours",
    scope=Scope.RECORD,
    order=70,
    title=Text("在非工作时间办理", "Handled outside office hours"),
    message=Text(
        "{field}（{title}）不在工作日 {opens} 至 {closes} 之间：{value}",
        "{field} ({title}) is not between {opens} and {closes} of a working day: {value}",
    ),
    help=Text(
        "请核对办理时间是否补录或由系统自动生成",
        "Check whether the time was entered afterwards or made by a program",
    ),
    notes=Text(
        "只看由部门办理的状态；申请人在网上的操作不受办公时间限制。只有日期的不检查。",
        "Only states that an office handles; what applicants do online is not bound to its hours. "
        "A mere date is not judged.",
    ),
    params=parameters({
        "time": FIELD, "state": FIELD, "states": VALUES, "opens": _CLOCK, "closes": _CLOCK,
    }),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2025-09-28 08:00:00"},
        {"SPSXSLBM": "A", "BLZT": "1", "BLSJ": "2025-10-01 23:00:00"},
        {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2025-10-01"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2025-09-26 17:30:01"},
            {"SPSXSLBM": "A", "BLZT": "8", "BLSJ": "2025-10-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2025-09-26 17:30:00"},
        )},
        (
            ("SPGL_XMSPSXBLXXXXB", 1, ("BLSJ", "BLZT")),
            ("SPGL_XMSPSXBLXXXXB", 2, ("BLSJ", "BLZT")),
        ),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
