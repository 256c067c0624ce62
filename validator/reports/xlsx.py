"""A workbook: one sheet of counts, then every violation, a row each, in sheets Excel can hold.

Rows are written as they come in constant memory. Every text is a text cell (long numbers keep their
digits, nothing is a formula or a link; see `flat`). Opens in Excel, WPS and LibreOffice. The
workbook that was checked comes back marked by `validator.marking`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol, cast

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.flat import COLUMNS, cell
from validator.reports.summary import books, passed, verdict
from validator.reports.titles import Titles, titles
from validator.run import Result, Run
from validator.text import Lang, Text
from validator.violation import Severity, Violation

#: Excel ends at row 1,048,576.
ROWS = 1_000_000
#: Excel's number of the paper size.
_A4 = 9
_FILL = {Severity.ERROR: "#F8CBAD", Severity.WARNING: "#FFE699", Severity.INFO: "#DDEBF7"}
_SUMMARY = Text("汇总", "Summary")
_DETAIL = Text("问题明细", "Violations")


class _Style(Protocol):
    """A cell format of the workbook; XlsxWriter has no public types."""


class _Sheet(Protocol):
    def write_string(self, row: int, column: int, text: str, style: _Style) -> int: ...
    def write_number(self, row: int, column: int, number: int, style: _Style) -> int: ...
    def set_column(self, first: int, last: int, width: int) -> int: ...
    def set_landscape(self) -> None: ...
    def set_paper(self, size: int) -> None: ...
    def fit_to_pages(self, wide: int, high: int) -> None: ...
    def repeat_rows(self, first: int) -> None: ...
    def freeze_panes(self, row: int, column: int) -> None: ...
    def autofilter(self, row: int, column: int, last_row: int, last_column: int) -> None: ...


class _Book(Protocol):
    def add_worksheet(self, name: str) -> _Sheet: ...
    def add_format(self, properties: Mapping[str, object]) -> _Style: ...
    def set_properties(self, properties: Mapping[str, object]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Styles:
    """The few looks a cell can have. `text` is Excel's own text format `@`."""

    text: _Style
    number: _Style
    head: _Style
    title: _Style
    good: _Style
    bad: _Style
    severity: Mapping[Severity, _Style]


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of sheets, lower case, of which no two are alike."""

    taken: set[str]

    def of(self, name: str) -> str:
        """`name`, or the first of `name 2`, `name 3` … that is free."""
        numbered = (f"{name} {number}" if number > 1 else name for number in itertools.count(1))
        free = next(name for name in numbered if name.lower() not in self.taken)
        self.taken.add(free.lower())
        return free


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the workbook; violations beyond a million go to further sheets."""
    write_book(result, packs, out, lang=lang, tool=options.tool, rows=ROWS)


def write_book(
    result: Result,
    packs: Packs,
    out: IO[bytes],
    *,
    lang: Lang,
    tool: str,
    rows: int,
    taken: Collection[str] = (),
) -> None:
    """Write the workbook with at most `rows` violations per sheet; no sheet has a `taken` name."""
    book = _book(out)
    book.set_properties(
        {
            "title": phrases.TITLE[lang],
            "author": tool,
            "comments": cell("; ".join(_basis(result.run, lang))),
            "created": datetime.fromisoformat(result.run.finished).replace(tzinfo=None),
        }
    )
    styles, names = _styles(book), titles(packs)
    free = _Names({name.lower() for name in taken})
    _summary(book.add_worksheet(free.of(_SUMMARY[lang])), styles, result.run, names, lang)
    _details(book, styles, result.violations(), names, lang, rows, free)
    book.close()


def _book(out: IO[bytes]) -> _Book:
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

    return cast(_Book, Workbook(out, {"constant_memory": True}))


def _styles(book: _Book) -> _Styles:
    def style(**properties: object) -> _Style:
        return book.add_format({"valign": "top", **properties})

    return _Styles(
        text=style(num_format="@"),
        number=style(num_format="#,##0"),
        head=style(bold=True, bg_color="#D9D9D9", border=1, num_format="@"),
        title=style(bold=True, font_size=14, num_format="@"),
        good=style(bold=True, bg_color="#C6E0B4", num_format="@"),
        bad=style(bold=True, bg_color=_FILL[Severity.ERROR], num_format="@"),
        severity={s: style(bg_color=fill, num_format="@") for s, fill in _FILL.items()},
    )


def _details(
    book: _Book,
    styles: _Styles,
    violations: Iterable[Violation],
    names: Titles,
    lang: Lang,
    rows: int,
    free: _Names,
) -> None:
    """Sheets of at most `rows` violations; one with only a header where there are none."""
    sheet, count = _detail_sheet(book, styles, lang, free), 0
    for violation in violations:
        if count == rows:
            sheet.autofilter(0, 0, count, len(COLUMNS) - 1)
            sheet, count = _detail_sheet(book, styles, lang, free), 0
        count += 1
        for at, column in enumerate(COLUMNS):
            value = column.value(violation, names, lang)
            if column.name == "severity":
                text = phrases.SEVERITY[violation.severity][lang]
                sheet.write_string(count, at, text, styles.severity[violation.severity])
            elif value is not None:
                _write(sheet, styles, count, at, value)
    sheet.autofilter(0, 0, count, len(COLUMNS) - 1)


def _detail_sheet(book: _Book, styles: _Styles, lang: Lang, free: _Names) -> _Sheet:
    sheet = book.add_worksheet(free.of(_DETAIL[lang]))
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(COLUMNS):
        sheet.set_column(at, at, column.width)
        sheet.write_string(0, at, column.title[lang], styles.head)
    return sheet


def _write(sheet: _Sheet, styles: _Styles, row: int, column: int, value: str | int) -> None:
    if isinstance(value, int):
        sheet.write_number(row, column, value, styles.number)
    else:
        sheet.write_string(row, column, cell(value), styles.text)


def _basis(run: Run, lang: Lang) -> list[str]:
    return [f"{p.name} {p.version}: {phrases.basis(p)[lang]}" for p in run.packs]


def _summary(sheet: _Sheet, styles: _Styles, run: Run, names: Titles, lang: Lang) -> None:
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 56)
    sheet.set_column(1, 1, 30)
    sheet.set_column(2, 8, 12)
    sheet.write_string(0, 0, phrases.TITLE[lang], styles.title)
    state = styles.good if passed(run) else styles.bad
    sheet.write_string(1, 0, cell(verdict(run)[lang]), state)
    facts = [
        *((phrases.STANDARDS, text) for text in _basis(run, lang)),
        (phrases.RUN, run.id),
        (phrases.TIME, phrases.times(run.started, run.finished)[lang]),
        *((phrases.INPUTS, path) for path in run.inputs),
        *((phrases.RUN, note[lang]) for note in run.notes),
        (phrases.READ, books(run)[lang]),
    ]
    row = 3
    for title, fact in facts:
        sheet.write_string(row, 0, title[lang], styles.head)
        sheet.write_string(row, 1, cell(fact), styles.text)
        row += 1
    for name, heads, lines in _tables(run, names, lang):
        if lines:
            row = _table(sheet, styles, row + 1, name, heads, lines)


_Line = Sequence[str | int]


def _tables(
    run: Run, names: Titles, lang: Lang
) -> list[tuple[str, Sequence[str], Sequence[_Line]]]:
    found = [phrases.SEVERITIES[severity][lang] for severity in Severity]
    counts = ("read", "conforming", "blocked", "errors", "warnings", "infos")
    heads = [phrases.READ[lang], phrases.CONFORMING[lang], phrases.BLOCKED[lang], *found]
    tables: list[_Line] = [
        (table.title[lang], name, *(int(getattr(table, c)) for c in counts))
        for name, table in run.tables.items()
    ]
    if tables:
        tables.append((phrases.TOTAL[lang], "", *(run.total(c) for c in counts)))
    stages = _by(run, [(names.stage(line.stage)[lang], line.stage or "") for line in run.counts])
    rules = _by(run, [(names.rule(line.rule)[lang], line.rule) for line in run.counts])
    problems = [(problem.file, problem.text[lang]) for problem in run.problems]
    title = phrases.MESSAGE[lang]
    return [
        (phrases.UNREADABLE_FILES[lang], [phrases.WHERE[lang], title], problems),
        (phrases.TABLES[lang], [phrases.TABLE[lang], "", *heads], tables),
        (phrases.STAGES[lang], [phrases.STAGE[lang], "", *found], stages),
        (phrases.RULES[lang], [phrases.RULE[lang], "", *found], rules),
    ]


def _by(run: Run, groups: Sequence[tuple[str, str]]) -> list[_Line]:
    """Counts by severity of each group; `groups[i]` is the title and name of `run.counts[i]`."""
    totals: dict[tuple[str, str], dict[Severity, int]] = {}
    for group, line in zip(groups, run.counts, strict=True):
        counts = totals.setdefault(group, dict.fromkeys(Severity, 0))
        counts[Severity(line.severity)] += line.count
    ordered = sorted(totals.items(), key=lambda t: [-n for n in t[1].values()])
    return [
        (title, name if name != title else "", *counts.values())
        for (title, name), counts in ordered
    ]


def _table(
    sheet: _Sheet,
    styles: _Styles,
    row: int,
    title: str,
    heads: Sequence[str],
    lines: Sequence[_Line],
) -> int:
    """Write a titled table from `row` on; returns the row after it."""
    sheet.write_string(row, 0, title, styles.title)
    for at, head in enumerate(heads):
        sheet.write_string(row + 1, at, head, styles.head)
    for number, line in enumerate(lines, row + 2):
        for at, value in enumerate(line):
            _write(sheet, styles, number, at, value)
    return row + 2 + len(lines)
