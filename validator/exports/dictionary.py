"""Packs → an Excel data dictionary: an index, a sheet per table, all codes.

Its headers are those of the dictionaries that bureaus hold, so `spgl packs import-dictionary` reads
it back and finds nothing different. It says what is declared; it holds no data and takes none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from validator import describe_words as w
from validator.exports.ddl import refuses_blank
from validator.exports.names import listed_name
from validator.exports.workbook import Book, Looks, basis_lines, open_book, rows
from validator.pack import Field, Kind, Packs, Role, Table
from validator.text import Lang, Text

_TITLE = Text("数据字典", "Data dictionary")
_CODES = "代码表"
#: (header, width); the importer knows the Chinese words.
_COLUMNS = (
    ("序号", 6),
    ("字段名", 16),
    ("中文名", 26),
    ("English", 30),
    ("类型", 10),
    ("长度", 8),
    ("必填", 6),
    ("主键", 6),
    ("代码集", 24),
    ("依据", 12),
    ("备注", 70),
)
_CODE_COLUMNS = (
    ("代码表名称", 30),
    ("代码", 12),
    ("名称", 40),
    ("English", 40),
    ("代码表编号", 24),
    ("是否封闭", 10),
    ("依据", 12),
)


def export_dictionary(packs: Packs, path: Path, lang: Lang) -> tuple[Path, ...]:
    """Write the workbook; headers stay Chinese, remarks are in the language."""
    book, looks = open_book(path, _TITLE[lang], packs, lang)
    _index(book, looks, packs, lang)
    for table in packs.tables():
        _table(book, looks, packs, table, lang)
    _codes(book, looks, packs, lang)
    book.close()
    return (path,)


def _index(book: Book, looks: Looks, packs: Packs, lang: Lang) -> None:
    sheet = book.add_worksheet({"zh": "目录", "en": "Index"}[lang])
    for at, width in enumerate((24, 40, 44, 20, 10)):
        sheet.set_column(at, at, width, looks.text)
    sheet.write_string(0, 0, _TITLE[lang], looks.title)
    row = rows(sheet, looks.text, 1, [[line] for line in basis_lines(packs, lang)]) + 1
    heads = [
        w.TABLE[lang],
        "中文名",
        "English",
        w.STAGE[lang],
        {"zh": "字段数", "en": "Fields"}[lang],
    ]
    row = rows(sheet, looks.head, row, [heads])
    stages = {s.id: s.title[lang] for p in packs for s in p.stages}
    for table in packs.tables():
        name = listed_name(packs, table, " ")
        sheet.write_url(row, 0, f"internal:'{name}'!A1", looks.link, name)
        stage = stages.get(table.stage or "", "")
        line = ["", table.title.zh, table.title.en, stage, str(len(table.fields))]
        row = rows(sheet, looks.text, row, [line])


def _table(book: Book, looks: Looks, packs: Packs, table: Table, lang: Lang) -> None:
    sheet = book.add_worksheet(listed_name(packs, table, " "))
    for at, (_, width) in enumerate(_COLUMNS):
        sheet.set_column(at, at, width, looks.text)
    sheet.write_string(0, 0, f"{table.name} {table.title.zh} {table.title.en}", looks.title)
    rows(sheet, looks.head, 1, [[name for name, _ in _COLUMNS]])
    lines = [[str(i), *_line(packs, table, field, lang)] for i, field in enumerate(table.fields, 1)]
    rows(sheet, looks.text, 2, lines)
    sheet.freeze_panes(2, 3)


def _line(packs: Packs, table: Table, field: Field, lang: Lang) -> list[str]:
    codes = packs.code_list(table, field.codes.list).title.zh if field.codes else ""
    size = str(field.length.max) if field.length and field.kind is not Kind.DECIMAL else ""
    if field.precision:
        size = f"{field.precision.digits},{field.precision.scale}"
    return [
        field.name,
        field.title.zh,
        field.title.en,
        w.KIND[field.kind].zh,
        size,
        "是" if refuses_blank(field) else "",
        "是" if field.name in table.key.fields else "",
        codes,
        w.PROVENANCE[field.provenance][lang],
        "\n".join(_remarks(field, lang)),
    ]


def _remarks(field: Field, lang: Lang) -> Iterator[str]:
    if field.role is Role.EXCHANGE:
        yield w.EXCHANGE[lang]
    for mark in field.required:
        words = w.when(mark.when, lang) + w.REQUIRED[lang]
        yield words + w.provenance(mark.provenance, mark.reference, lang)
    for use in field.formats:
        words = f"{w.when(use.when, lang)}{w.FORMAT[lang]} {use.name}"
        yield words + w.provenance(use.provenance, use.reference, lang)
    if field.length:
        words = w.LENGTH.fill({"max": field.length.max})[lang]
        yield words + w.provenance(field.length.provenance, field.length.reference, lang)
    if field.separator:
        yield w.SEPARATOR.fill({"separator": field.separator})[lang]
    if field.personal:
        yield w.PERSONAL[field.personal][lang]
    if field.note[lang]:
        yield field.note[lang]


def _codes(book: Book, looks: Looks, packs: Packs, lang: Lang) -> None:
    sheet = book.add_worksheet(_CODES)
    for at, (_, width) in enumerate(_CODE_COLUMNS):
        sheet.set_column(at, at, width, looks.text)
    row = rows(sheet, looks.head, 0, [[name for name, _ in _CODE_COLUMNS]])
    sheet.freeze_panes(1, 0)
    for pack in packs:
        for codes in pack.code_lists:
            closed = "是" if codes.closed else "否"
            lines = [
                [
                    codes.title.zh,
                    code.code,
                    code.title.zh,
                    code.title.en,
                    codes.id,
                    closed,
                    w.PROVENANCE[code.provenance][lang],
                ]
                for code in codes.codes
            ]
            row = rows(sheet, looks.text, row, lines)
    sheet.autofilter(0, 0, max(row - 1, 1), len(_CODE_COLUMNS) - 1)
