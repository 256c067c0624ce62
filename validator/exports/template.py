"""Packs → an Excel workbook to fill in: a sheet per table that is sent, ready for `spgl validate`.

Headers are Chinese titles (the field name where a title stands twice); notes say what a cell takes,
lists drop down, every column is text. Exchange columns are left to the push. A drop-down of an open
list warns and does not refuse; what only our check can say is not imitated here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from validator import describe_words as w
from validator.exports.names import listed_name
from validator.exports.workbook import Book, Looks, Sheet, Style, basis_lines, cell, open_book, rows
from validator.pack import CodeList, Direction, Field, Kind, Packs, Role, Table
from validator.severity import by_evidence
from validator.text import Lang, Text
from validator.violation import Severity

#: Rows that drop-downs and limits reach.
ROWS = 5_000
#: Excel's limits of a prompt.
_PROMPT, _PROMPT_TITLE = 250, 32
_CODES = "代码"

_TITLE = Text("填报模板", "Template to fill in")
_HOW = Text(
    "每张表一个工作表，从第 2 行开始填写，每行一条记录。红色表头必填，黄色建议填写。"
    "所有单元格均为文本，长编号不会变形；日期写 2024-01-31，时间写 2024-01-31 09:30:00。",
    "A sheet per table; write records from row 2, one a row. Red headers are demanded, yellow ones "
    "advised. Every cell is text, so long numbers keep their digits; dates as 2024-01-31, times as "
    "2024-01-31 09:30:00.",
)
_CHECK = Text(
    "填好后用 spgl validate 文件 检查；不用的工作表可以删除。",
    "Check with spgl validate FILE; sheets that are not used may be deleted.",
)
_PICK = Text("请从列表中选择", "choose from the list")
_TOO_LONG = Text("超过长度", "too long")


@dataclass(frozen=True, slots=True)
class _Lists:
    """Where the codes of a list stand: the formula of their range, by pack and list."""

    ranges: Mapping[tuple[str, str], str]


def export_template(packs: Packs, path: Path, lang: Lang) -> tuple[Path, ...]:
    """Write the workbook."""
    book, looks = open_book(path, _TITLE[lang], packs, lang)
    sheet = book.add_worksheet({"zh": "说明", "en": "Read me"}[lang])
    sheet.set_column(0, 0, 110, looks.text)
    sheet.write_string(0, 0, _TITLE[lang], looks.title)
    lines = [_HOW[lang], _CHECK[lang], *basis_lines(packs, lang)]
    rows(sheet, looks.text, 1, [[line] for line in lines])
    sent = [t for t in packs.tables() if t.direction is Direction.OUT]
    ranges = _ranges(packs)
    for table in sent:
        _table(book, looks, packs, table, ranges, lang)
    _codes(book, looks, packs)
    book.close()
    return (path,)


def headers(table: Table) -> dict[str, str]:
    """Header by field name: the Chinese title, or the name where the title stands twice."""
    business = [f for f in table.fields if f.role is Role.BUSINESS]
    seen = Counter(f.title.zh for f in table.fields)
    names = {f.name for f in table.fields}
    return {
        f.name: f.title.zh if seen[f.title.zh] == 1 and f.title.zh not in names else f.name
        for f in business
    }


def _table(
    book: Book, looks: Looks, packs: Packs, table: Table, ranges: _Lists, lang: Lang
) -> None:
    sheet = book.add_worksheet(listed_name(packs, table, " "))
    sheet.freeze_panes(1, 0)
    for at, (name, header) in enumerate(headers(table).items()):
        field = table.by_name[name]
        sheet.set_column(at, at, max(12, min(40, 2 * len(header) + 2)), looks.text)
        sheet.write_string(0, at, header, _head(looks, field))
        note = cell("\n".join(_note(packs, table, field, lang)))
        sheet.write_comment(0, at, note, {"x_scale": 2, "y_scale": 2, "author": "spgl"})
        _limit(sheet, at, packs, table, field, ranges, lang)


def _head(looks: Looks, field: Field) -> Style:
    grades = {
        by_evidence(m.provenance, attests=m.attests) for m in field.required if m.when is None
    }
    if Severity.ERROR in grades:
        return looks.must
    return looks.should if Severity.WARNING in grades else looks.head


def _note(packs: Packs, table: Table, field: Field, lang: Lang) -> list[str]:
    """What a cell takes, for the note of its header."""
    lines = [f"{field.name}  {field.title[lang]}", w.KIND[field.kind][lang]]
    lines += [w.when(mark.when, lang) + w.REQUIRED[lang] for mark in field.required]
    lines += [f"{w.when(u.when, lang)}{w.FORMAT[lang]} {u.name}" for u in field.formats]
    if field.length:
        lines.append(w.LENGTH.fill({"max": field.length.max})[lang])
    if field.separator:
        lines.append(w.SEPARATOR.fill({"separator": field.separator})[lang])
    if field.note[lang]:
        lines.append(field.note[lang])
    if field.codes:
        codes = packs.code_list(table, field.codes.list)
        lines.append(f"{w.CODE_LIST[lang]} {codes.title[lang]}")
        lines += _shown(codes, lang)
    return lines


def _shown(codes: CodeList, lang: Lang) -> list[str]:
    return [f"  {c.code} {c.title[lang]}".rstrip() for c in codes.codes[:40]]


def _limit(
    sheet: Sheet, at: int, packs: Packs, table: Table, field: Field, ranges: _Lists, lang: Lang
) -> None:
    """A drop-down of the codes, or the limit of a length."""
    options: dict[str, object] | None = None
    if field.codes and field.separator is None:
        codes = packs.code_list(table, field.codes.list)
        strict = by_evidence(field.codes.provenance, open_list=not codes.closed) is Severity.ERROR
        if codes.codes:
            options = {
                "validate": "list",
                "source": ranges.ranges[_owner(packs, codes), codes.id],
                "error_type": "stop" if strict else "warning",
                "error_title": field.title[lang][:_PROMPT_TITLE],
                "error_message": _PICK[lang],
                "input_title": field.title[lang][:_PROMPT_TITLE],
                "input_message": "\n".join(_shown(codes, lang))[:_PROMPT],
            }
    elif field.length and field.kind is Kind.TEXT:
        strict = by_evidence(field.length.provenance) is Severity.ERROR
        options = {
            "validate": "length",
            "criteria": "<=",
            "value": field.length.max,
            "error_type": "stop" if strict else "warning",
            "error_title": _TOO_LONG[lang],
            "error_message": w.LENGTH.fill({"max": field.length.max})[lang],
        }
    if options is not None:
        sheet.data_validation(1, at, ROWS, at, options)


def _owner(packs: Packs, codes: CodeList) -> str:
    return next(p.name for p in packs if any(c is codes for c in p.code_lists))


def _ranges(packs: Packs) -> _Lists:
    """Every list with codes has a column of its own on the sheet of codes, under its name."""
    found = {}
    for at, (pack, codes) in enumerate(_filled(packs)):
        column = _letters(at)
        found[pack, codes.id] = f"='{_CODES}'!${column}$2:${column}${1 + len(codes.codes)}"
    return _Lists(found)


def _filled(packs: Packs) -> list[tuple[str, CodeList]]:
    return [(p.name, c) for p in packs for c in p.code_lists if c.codes]


def _letters(at: int) -> str:
    """`0` → A, `26` → AA."""
    letters = chr(ord("A") + at % 26)
    return letters if at < 26 else _letters(at // 26 - 1) + letters


def _codes(book: Book, looks: Looks, packs: Packs) -> None:
    sheet = book.add_worksheet(_CODES)
    sheet.freeze_panes(1, 0)
    for at, (_, codes) in enumerate(_filled(packs)):
        sheet.set_column(at, at, 14, looks.text)
        sheet.write_string(0, at, codes.title.zh, looks.head)
        for row, code in enumerate(codes.codes, 1):
            sheet.write_string(row, at, code.code, looks.text)
