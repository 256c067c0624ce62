"""A violation as one row of a spreadsheet: the columns that csv and xlsx share, and safe cells.

A cell is text as far as a spreadsheet is concerned: what would start a formula there is preceded by
an apostrophe (OWASP, CSV injection), unseen characters are shown as escapes, and a value beyond
what one cell holds is an excerpt. Exact values are in the json reports.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from validator.reports import phrases
from validator.reports.plain import excerpt, visible
from validator.reports.tally import qualified
from validator.reports.titles import Titles
from validator.text import Lang, Text
from validator.violation import Violation

#: Excel, WPS and LibreOffice hold 32,767 characters in a cell.
CELL = 32_000
_SHORT = 100
#: Full-width signs start a formula where an input method turns them into ASCII.
_FORMULA = re.compile(r"[\s]*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: contract `name` (csv header), title (xlsx header), width in characters."""

    name: str
    title: Text
    width: int
    value: Callable[[Violation, Titles, Lang], str | int | None]


def cell(text: str) -> str:
    """`text` as a cell that shows itself and computes nothing."""
    return _short_cell(text) if len(text) <= _SHORT else _cell(text)


def _cell(text: str) -> str:
    shown = excerpt(visible(text), CELL)
    if _FORMULA.match(shown) and not _NUMBER.fullmatch(shown):
        return "'" + shown
    return shown


#: Names, titles and help lines come again in every row.
_short_cell = lru_cache(maxsize=10_000)(_cell)


def _field_titles(v: Violation, titles: Titles, lang: Lang) -> str:
    table = qualified(v)
    found = ((name, titles.field(table, name)) for name in v.fields)
    return "; ".join(title[lang] if title else name for name, title in found)


def _table_title(v: Violation, titles: Titles, lang: Lang) -> str:
    title = titles.table(qualified(v))
    return title[lang] if title else ""


def _key(v: Violation, _titles: Titles, _lang: Lang) -> str:
    return "; ".join(f"{name}={value}" for name, value in v.key.items())


COLUMNS: tuple[Column, ...] = (
    Column("severity", phrases.SEVERITY_WORD, 8, lambda v, t, lang: str(v.severity)),
    Column("stage", phrases.STAGE, 16, lambda v, t, lang: t.stage(v.stage)[lang]),
    Column("division", phrases.DIVISION, 10, lambda v, t, lang: v.division),
    Column("table", phrases.TABLE, 26, lambda v, t, lang: v.table),
    Column("table_title", Text("表名称", "Table title"), 26, _table_title),
    Column("file", Text("文件", "File"), 30, lambda v, t, lang: v.file),
    Column("line", Text("行号", "Line"), 9, lambda v, t, lang: v.line),
    Column("record", Text("第几条", "Record"), 9, lambda v, t, lang: v.record),
    Column("key", phrases.KEY, 36, _key),
    Column("fields", phrases.FIELD, 18, lambda v, t, lang: "; ".join(v.fields)),
    Column("field_titles", Text("字段名称", "Field title"), 22, _field_titles),
    Column(
        "pointer", Text("文档内位置", "Place in the document"), 22, lambda v, t, lang: v.pointer
    ),
    Column("value", phrases.VALUE, 24, lambda v, t, lang: v.value),
    Column("message", phrases.MESSAGE, 60, lambda v, t, lang: v.message[lang]),
    Column("help", phrases.HELP, 44, lambda v, t, lang: v.help[lang]),
    Column("rule", phrases.RULE, 26, lambda v, t, lang: v.rule),
    Column(
        "rule_title", Text("规则名称", "Rule title"), 22, lambda v, t, lang: t.rule(v.rule)[lang]
    ),
    Column("standard", phrases.STANDARDS, 18, lambda v, t, lang: v.standard),
    Column("provenance", Text("依据", "Evidence"), 12, lambda v, t, lang: str(v.provenance)),
    Column("reference", Text("出处", "Reference"), 14, lambda v, t, lang: v.reference),
    Column("fingerprint", Text("指纹", "Fingerprint"), 20, lambda v, t, lang: v.fingerprint),
)
