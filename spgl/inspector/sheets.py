"""The month report as a workbook: the tables of the page, a sheet each. Texts are text cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from pusher.states import TITLES
from spgl.inspector import words
from spgl.inspector.pages.monitoring import Month
from validator.reports import phrases
from validator.reports.flat import cell
from validator.text import Lang, Text

_Line = Sequence[str | int | float]
_NAME = 31  # Excel's longest sheet name


def write_month(month: Month, out: IO[bytes], *, lang: Lang, tool: str) -> None:
    """Write the workbook."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

    book = Workbook(out, {"in_memory": True})
    book.set_properties({"title": f"{words.MONITORING[lang]} {month.month}", "author": tool})
    head = book.add_format({"bold": True, "bg_color": "#D9D9D9", "border": 1})
    text, number = book.add_format({"num_format": "@"}), book.add_format({"num_format": "#,##0.##"})
    for title, heads, lines in tables(month, lang):
        sheet = book.add_worksheet(title[:_NAME])
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, len(heads), 16)
        for at, name in enumerate(heads):
            sheet.write_string(0, at, cell(name), head)
        for row, line in enumerate(lines, 1):
            for at, value in enumerate(line):
                if isinstance(value, str):
                    sheet.write_string(row, at, cell(value), text)
                else:
                    sheet.write_number(row, at, value, number)
    book.close()


def tables(month: Month, lang: Lang) -> list[tuple[str, list[str], list[_Line]]]:
    """Sheet name, heads and lines of each table."""

    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    limits = [f"≤ {d}" for d in month.day_classes] + [f"> {month.day_classes[-1]}"]
    days = [f"{limit} {say('天', 'd')}" for limit in limits]
    return [
        (
            say("投送结果", "Outcome"),
            [say("状态", "State"), say("版本数", "Versions")],
            [(TITLES[s][lang], n) for s, n in month.states],
        ),
        (
            say("及时性", "Timeliness"),
            [words.DEPARTMENT[lang], say("事件", "Events"), *days,
             say("中位数（天）", "Median days"), say("最长（天）", "Longest days")],
            [(d.name or phrases.TOTAL[lang], d.events, *d.classes, d.median, d.longest)
             for d in month.delays],
        ),
        (
            say("完整性（阶段）", "Completeness by stage"),
            [phrases.STAGE[lang], phrases.READ[lang], phrases.CONFORMING[lang],
             say("必填为空", "Missing values"), say("缺业务信息的办结", "Without business row")],
            [(s.title[lang], s.read, s.conforming, s.missing, s.without_business)
             for s in month.stages],
        ),
        (
            say("办件（部门）", "Cases by department"),
            [words.DEPARTMENT[lang], say("已受理", "Accepted"), say("有错误", "With errors"),
             words.OVERDUE[lang]],
            [(d.name, d.cases, d.faulty, d.overdue) for d in month.departments],
        ),
        (
            say("退回率（表）", "Refusals by table"),
            [phrases.TABLE[lang], say("入账", "Entered"), say("接收", "Accepted"),
             say("退回", "Refused")],
            [(r.title[lang], r.entered, r.accepted, r.rejected) for r in month.refused],
        ),
        (
            say("退回原因", "Reasons"),
            [say("原因", "Reason"), say("记录数", "Versions")],
            [(text, n) for text, n, _ in month.reasons],
        ),
    ]  # fmt: skip
