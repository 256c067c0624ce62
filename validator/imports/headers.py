"""The words of data dictionaries: headers, types, yes and no, codes written into a cell.

Each function takes a cell's text and says what it means, or nothing; none of them guesses a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from validator.pack import Kind


class Column(StrEnum):
    """What a column of a dictionary holds."""

    TABLE = "table"
    TABLE_TITLE = "table-title"
    FIELD = "field"
    TITLE = "title"
    TYPE = "type"
    LENGTH = "length"
    REQUIRED = "required"
    MAY_BE_EMPTY = "may-be-empty"
    KEY = "key"
    CODES = "codes"
    LIST = "list"
    CODE = "code"
    LABEL = "label"


_WORDS: Mapping[Column, str] = {
    Column.TABLE: "表名 数据表名 表英文名 英文表名 表代码 表编码 表标识 物理表名 table tablename",
    Column.TABLE_TITLE: "表中文名 中文表名 表名称 表中文名称 数据表名称 表注释",
    Column.FIELD: "字段名 字段代码 字段编码 字段英文名 字段英文名称 英文字段名 英文名 "
    "英文名称 列名 标识符 字段标识 数据项标识 数据项代码 短名 字段 "
    "column columnname field fieldname",
    Column.TITLE: "中文名 中文名称 字段中文名 字段中文名称 中文字段名 数据项名称 数据项 字段描述 "
    "字段注释 字段名称 title comment",
    Column.TYPE: "类型 数据类型 字段类型 数据项类型 type datatype",
    Column.LENGTH: "长度 字段长度 数据长度 最大长度 类型长度 length size",
    Column.REQUIRED: "必填 是否必填 必填项 非空 是否非空 约束 约束条件 notnull required",
    Column.MAY_BE_EMPTY: "可空 允许空 允许为空 是否为空 是否可空 是否允许为空 nullable null",
    Column.KEY: "主键 是否主键 唯一 唯一标识 关键字 唯一键 primarykey pk key",
    Column.CODES: "代码表 值域 取值 取值范围 代码集 字典 数据字典 字典项 引用代码 引用标准 codes",
    Column.LIST: "代码表名 代码表名称 代码集名称 字典名称 字典类型 代码类别 类别",
    Column.CODE: "代码 代码值 编码 字典值 字典编码 值 code value",
    Column.LABEL: "名称 代码名称 字典名 含义 代码含义 说明 label",
}
_HEADERS = {word: column for column, words in _WORDS.items() for word in words.split()}
_BRACKETS = re.compile(r"[（(【\[].*?[）)】\]]")

_TEXTS = r"n?varchar|n?char|longtext|mediumtext|text|n?clob|string|字符串?型?|文本型?|ans?|a|c"
_NUMBERS = r"decimal|numeric|number|float|double|money|数值型?|数字型?|浮点型?|小数|n"
_KINDS: Sequence[tuple[str, tuple[Kind, ...]]] = (
    (r"datetime|timestamp|日期时间|时间戳|时间型?|dt|yyyy-?mm-?dd ?hh.*", (Kind.DATETIME,)),
    (r"date|日期型?|d", (Kind.DATE, Kind.DATETIME)),
    (r"yyyy-?mm-?dd", (Kind.DATE,)),
    (_TEXTS, (Kind.TEXT,)),
    (r"(big|small|tiny|medium)?int(eger)?|整数型?|整型|长整型", (Kind.INTEGER,)),
    (_NUMBERS, (Kind.DECIMAL, Kind.INTEGER)),
    (r"(long|medium)?blob|(var)?binary|bytea|image|二进制型?", (Kind.BINARY,)),
)
_TYPE = re.compile(r"([^\d(（.]+?)(?:\.{0,2}\s*[(（]?\s*(\d+)\s*(?:[,，]\s*(\d+))?\s*[)）]?)?")
_YES = frozenset({"是", "y", "yes", "√", "✓", "1", "true", "主键", "pk"})
_NO = frozenset({"否", "n", "no", "×", "0", "false"})
#: Words that say the same under either header.
_MUST = frozenset({"必填", "必选", "必须", "非空", "notnull", "m", "不可空", "不允许"})
_MAY = frozenset({"选填", "可选", "非必填", "可空", "null", "o", "允许空", "允许为空", "允许"})
_PAIR = re.compile(r"\s*([0-9A-Za-z]{1,12})\s*[:：\-—–、.．=＝\s]\s*([^;；,，\n|]+?)\s*")


def columns(cells: Sequence[str]) -> dict[Column, int] | None:
    """What each column holds, if the row is a header: of fields, or of codes."""
    found: dict[Column, int] = {}
    for i, cell in enumerate(cells):
        column = _HEADERS.get(_plain(cell))
        if column is not None:
            found.setdefault(column, i)
    names = [i for i, cell in enumerate(cells) if _plain(cell) == "字段名称"]
    if Column.FIELD not in found and names and found.get(Column.TITLE) == names[0]:
        found[Column.FIELD] = found.pop(Column.TITLE)
        others = [i for i, c in enumerate(cells) if _HEADERS.get(_plain(c)) is Column.LABEL]
        found |= {Column.TITLE: others[0]} if others else {}
    fields = Column.FIELD in found and found.keys() & {Column.TITLE, Column.TYPE, Column.LENGTH}
    codes = Column.FIELD not in found and {Column.CODE, Column.LABEL} <= found.keys()
    return found if fields or codes else None


def _plain(text: str) -> str:
    return _BRACKETS.sub("", re.sub(r"[\s_*＊]", "", text)).lower()


def yes(text: str) -> bool | None:
    """Yes, no, or nothing said."""
    word = re.sub(r"\s", "", text).lower()
    return True if word in _YES else False if word in _NO else None


def required(text: str, *, may_be_empty: bool) -> bool | None:
    """Whether a value must be there; None where nothing is said, or only on a condition.

    `may_be_empty`: the header asks the opposite.
    """
    word = re.sub(r"\s", "", text).lower()
    if word in _MUST or word in _MAY:
        return word in _MUST
    said = yes(text)
    return said if said is None else said is not may_be_empty


def written_type(
    text: str, length: str
) -> tuple[tuple[Kind, ...], int | None, tuple[int, int] | None]:
    """(kinds, length, precision) of a type like `VARCHAR(200)`, `C..200` or `数值型` with the cell
    of the length beside it; no kinds where the word is not known."""
    whole = text.strip().lower().replace("char2", "char")  # Oracle's names end in a digit
    parts = None if whole.startswith("yyyy") else _TYPE.fullmatch(whole)
    word = parts[1].strip() if parts else whole
    kinds = next((k for pattern, k in _KINDS if re.fullmatch(pattern, word)), ())
    digits, scale = (parts[2], parts[3]) if parts else (None, None)
    beside = re.fullmatch(r"\D*(\d+)(?:\.0)?(?:\s*[,，.]\s*(\d+))?\D*", length.strip())
    if beside and digits is None:
        digits, scale = beside[1], beside[2]
    if digits is None or not kinds:
        return kinds, None, None
    if kinds[0] is Kind.DECIMAL:
        if scale is None or int(scale) == 0:
            return (Kind.INTEGER, Kind.DECIMAL), int(digits), (int(digits), 0)
        return (Kind.DECIMAL,), None, (int(digits), int(scale))
    sized = kinds[0] in (Kind.TEXT, Kind.INTEGER)
    return kinds, int(digits) if sized else None, None


def written_codes(text: str) -> tuple[tuple[str, str], ...] | None:
    """Codes written into a cell, as in `1 政府投资；2 企业投资`; None where there are not two."""
    parts = [p for p in re.split(r"[;；,，\n|]", text) if p.strip()]
    pairs = [_PAIR.fullmatch(part) for part in parts]
    if len(pairs) < 2 or not all(pairs):
        return None
    return tuple((p[1], p[2].strip()) for p in pairs if p)
