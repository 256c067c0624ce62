"""The data dictionary a bureau holds as a workbook (xlsx, xls, ods): its tables and code lists.

Layouts differ: all tables on one sheet, a sheet per table, blocks under titles, merged table names,
code lists on sheets of their own or written into a cell. The reader finds headers by their words
and names nothing that the workbook does not say; what it passes over is counted, by sheet.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from validator.imports.headers import Column, columns, required, written_codes, written_type, yes
from validator.imports.official import Basis, Official, OfficialField, OfficialTable
from validator.pack import EXCHANGE_FIELDS, Packs
from validator.records import SourceError
from validator.text import Text

Codes = tuple[tuple[str, str], ...]
_CODE = re.compile(r"\bSPGL_[A-Z0-9_]+", re.I | re.A)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(slots=True)
class _Reading:
    """What was found so far: fields by table, codes by list, rows passed over by sheet."""

    titles: Mapping[str, str]
    names: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, OfficialField]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    lists: dict[str, dict[str, str]] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)


def read_dictionary(path: Path, packs: Packs) -> Official:
    """What the workbook declares. Raises SourceError for a file that is none, or says nothing."""
    titles = {_bare(t.title.zh): t.name for t in packs.tables()}
    reading = _Reading(titles)
    for sheet, rows in _sheets(path):
        _read_sheet(reading, sheet, rows)
    if not reading.fields and not reading.lists:
        raise SourceError(
            path.name,
            Text(
                "没有找到字段清单；表头需有字段名和中文名、类型或长度，并写明表名（SPGL_…）",
                "no list of fields found; a header needs 字段名 with 中文名, 类型 or 长度, and the "
                "table (SPGL_…) must be named",
            ),
        )
    tables = tuple(
        OfficialTable(
            name,
            reading.names.get(name, ""),
            tuple(_with_codes(f, reading, packs) for f in found.values()),
            _key(reading.keys.get(name, [])),
        )
        for name, found in reading.fields.items()
    )
    others = tuple(f"{sheet}: {count}" for sheet, count in reading.passed.items())
    return Official(path.name, Basis.DICTIONARY, tables, others)


def _key(names: list[str]) -> tuple[tuple[str, ...], ...]:
    """The fields marked as key; the local key of a row alone tells nothing."""
    return () if names in ([], ["DFSJZJ"]) else (tuple(names),)


def _sheets(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            yield name, [[_cell(c) for c in row] for row in rows]
    except (CalamineError, OSError) as fault:
        raise SourceError(
            path.name,
            Text(
                "不是可读的工作簿；请另存为 xlsx", "no workbook that can be read; save it as xlsx"
            ),
        ) from fault


def _cell(value: object) -> str:
    """The text a person sees; a whole number has no point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return "" if value is None else str(value).strip()


def _read_sheet(reading: _Reading, sheet: str, rows: Sequence[Sequence[str]]) -> None:
    header: dict[Column, int] | None = None
    table = _table_named(reading, sheet)
    code_list = _bare(sheet)
    for cells in rows:
        filled = [c for c in cells if c]
        if not filled:
            continue
        found = columns(cells)
        if found is not None:
            header = found
        elif header is None or (len(filled) <= 3 and not _is_row(header, cells)):
            named = _table_named(reading, " ".join(filled))
            table = named or table
            code_list = _bare(filled[0]) if len(filled) == 1 else code_list
        elif Column.FIELD in header:
            table = _own_table(reading, header, cells) or table
            _field_row(reading, header, cells, table, sheet)
        else:
            own = _at(header, Column.LIST, cells)
            code_list = _bare(own) or code_list
            code = _at(header, Column.CODE, cells)
            if code:
                label = _at(header, Column.LABEL, cells)
                reading.lists.setdefault(code_list, {}).setdefault(code, label)


def _is_row(header: Mapping[Column, int], cells: Sequence[str]) -> bool:
    """A short row that still is one of fields or codes, not a title between blocks."""
    column = Column.FIELD if Column.FIELD in header else Column.CODE
    text = _at(header, column, cells)
    if column is Column.CODE:
        return bool(text) and len([c for c in cells if c]) > 1
    return _NAME.fullmatch(text) is not None and _CODE.fullmatch(text) is None


def _own_table(reading: _Reading, header: Mapping[Column, int], cells: Sequence[str]) -> str:
    """The table that the row itself names; merged cells leave it empty below the first."""
    words = [_at(header, c, cells) for c in (Column.TABLE, Column.TABLE_TITLE)]
    return _table_named(reading, " ".join(w for w in words if w))


def _table_named(reading: _Reading, text: str) -> str:
    """The table that a title names by code or by its Chinese title; empty for none."""
    code = _CODE.search(text)
    if code is None:
        return reading.titles.get(_bare(text), "")
    name = code[0].upper()
    rest = text.replace(code[0], " ")
    title = re.search(r"[\u4e00-\u9fff（）()]+表", rest.replace("表名", ""))
    if title:
        reading.names.setdefault(name, title[0])
    return name


def _field_row(
    reading: _Reading,
    header: Mapping[Column, int],
    cells: Sequence[str],
    table: str,
    sheet: str,
) -> None:
    name = _at(header, Column.FIELD, cells).upper()
    if not table or _NAME.fullmatch(name) is None:
        reading.passed[sheet] = reading.passed.get(sheet, 0) + 1
        return
    written = _at(header, Column.TYPE, cells)
    kinds, length, precision = written_type(written, _at(header, Column.LENGTH, cells))
    codes = _at(header, Column.CODES, cells) or _at(header, Column.CODE, cells)
    must = required(_at(header, Column.REQUIRED, cells), may_be_empty=False)
    if must is None:
        must = required(_at(header, Column.MAY_BE_EMPTY, cells), may_be_empty=True)
    made = OfficialField(
        name=name,
        title=_at(header, Column.TITLE, cells),
        written=written,
        kinds=kinds,
        length=length,
        precision=precision,
        required=must,
        codes=written_codes(codes),
        code_list=codes,
    )
    reading.fields.setdefault(table, {}).setdefault(name, made)
    if yes(_at(header, Column.KEY, cells)) and name not in EXCHANGE_FIELDS:
        reading.keys.setdefault(table, []).append(name)


def _with_codes(own: OfficialField, reading: _Reading, packs: Packs) -> OfficialField:
    """The field with the codes of the list that it names, on a sheet of this workbook."""
    found = reading.lists.get(_bare(own.code_list)) if own.code_list else None
    if own.codes is None and found:
        return replace(own, codes=tuple(found.items()))
    return own


def _at(header: Mapping[Column, int], column: Column, cells: Sequence[str]) -> str:
    at = header.get(column)
    return cells[at] if at is not None and at < len(cells) else ""


def _bare(text: str) -> str:
    """A title without numbering, brackets of books, and the word for list at its end."""
    text = re.sub(r"^[\s\dA-Za-z.．、\-]+", "", text)
    return re.sub(r"[\s:：《》]|代码表?$|字典$", "", text)
