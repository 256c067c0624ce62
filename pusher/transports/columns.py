"""Values on their way into and out of real columns: what a database makes of a canonical text.

A front database's column types are its own: a decimal may be rounded, a text padded, a time cut to
a day, a number kept as text. What was sent can be compared with what stands there only in the form
the column keeps; `stored` gives that form. This module runs no SQL.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from functools import lru_cache

import sqlalchemy as sa

from validator.lexical import canonical, matches
from validator.pack import Kind


class Family(StrEnum):
    """What matters of a column type for the form in which a value is kept."""

    #: Text as it is.
    TEXT = "text"
    #: Text padded to a fixed length.
    PADDED = "padded"
    #: Whole numbers.
    INTEGER = "integer"
    #: Exact numbers with `scale` places (None: any).
    DECIMAL = "decimal"
    #: Double precision.
    DOUBLE = "double"
    #: Single precision.
    SINGLE = "single"
    #: A day.
    DATE = "date"
    #: A day and a time.
    DATETIME = "datetime"
    #: Bytes.
    BINARY = "binary"
    #: Unknown: taken for text as it is.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class RealColumn:
    """A column as the database describes it. `demanded`: an insert that leaves it out fails."""

    name: str
    family: Family
    scale: int | None = None
    demanded: bool = False


#: What a column of each kind is taken for until the database was asked.
_ASSUMED: Mapping[Kind, Family] = {
    Kind.TEXT: Family.TEXT,
    Kind.INTEGER: Family.INTEGER,
    Kind.DECIMAL: Family.OTHER,
    Kind.DATE: Family.OTHER,
    Kind.DATETIME: Family.OTHER,
    Kind.BINARY: Family.BINARY,
}
#: Families that keep every canonical text of a kind as it is.
_FAITHFUL: Mapping[Kind, frozenset[Family]] = {
    Kind.TEXT: frozenset({Family.TEXT, Family.OTHER, Family.BINARY}),
    Kind.INTEGER: frozenset({Family.TEXT, Family.OTHER, Family.INTEGER}),
    Kind.DECIMAL: frozenset({Family.TEXT, Family.OTHER}),
    Kind.DATE: frozenset({Family.TEXT, Family.OTHER, Family.DATE, Family.DATETIME}),
    Kind.DATETIME: frozenset({Family.TEXT, Family.OTHER, Family.DATETIME}),
    Kind.BINARY: frozenset({Family.TEXT, Family.OTHER, Family.BINARY}),
}


def assumed(name: str, kind: Kind) -> RealColumn:
    """The column a field of this kind most likely has."""
    return RealColumn(name, _ASSUMED[kind])


def real_column(described: Mapping[str, object], dialect: str) -> RealColumn:
    """A column as SQLAlchemy's inspector describes it."""
    type_ = described["type"]
    rowid = dialect == "sqlite" and bool(described.get("primary_key"))
    demanded = (
        not rowid
        and described.get("nullable") is False
        and described.get("default") is None
        and described.get("autoincrement") is not True
        and not described.get("identity")
        and not described.get("computed")
    )
    family = _family(type_, dialect)
    scale = getattr(type_, "scale", None) if family is Family.DECIMAL else None
    return RealColumn(str(described["name"]), family, scale, demanded)


def _family(type_: object, dialect: str) -> Family:
    if isinstance(type_, sa.Boolean | sa.Integer):
        return Family.INTEGER
    if isinstance(type_, sa.Float):
        single = type(type_).__name__ == ("FLOAT" if dialect == "mysql" else "REAL")
        return Family.SINGLE if single and dialect in ("mysql", "postgresql") else Family.DOUBLE
    if isinstance(type_, sa.Numeric):
        return Family.DOUBLE if dialect == "sqlite" else Family.DECIMAL
    if isinstance(type_, sa.DateTime) and dialect != "sqlite":
        return Family.DATETIME
    if isinstance(type_, sa.Date) and dialect != "sqlite":
        return Family.DATE
    if isinstance(type_, sa.CHAR | sa.NCHAR) and dialect != "sqlite":
        return Family.PADDED
    if isinstance(type_, sa.String) and not _own_texts(type_, dialect):
        return Family.TEXT
    name = type(type_).__name__.upper()  # what bytes are called differs too much to be one class
    binary = any(word in name for word in ("BLOB", "BINARY", "BYTEA", "RAW"))
    return Family.BINARY if binary else Family.OTHER


def _own_texts(type_: sa.String, dialect: str) -> bool:
    """Whether a type compares otherwise than texts do: enumerations, citext and the like."""
    return dialect == "postgresql" and type(type_) not in (sa.VARCHAR, sa.TEXT)


def faithful(kind: Kind, column: RealColumn) -> bool:
    """True when `stored` changes nothing."""
    return column.family in _FAITHFUL[kind]


def stored(kind: Kind, text: str, column: RealColumn) -> str:
    """The canonical text that comes back when `text` is written to the column; idempotent."""
    family = column.family
    if not text or family in _FAITHFUL[kind]:
        return text
    if family is Family.PADDED:
        return text.rstrip(" ")
    if family in _NUMBERS:
        if kind is Kind.DECIMAL and column.family is Family.DECIMAL and _fits(text, column.scale):
            return text
        return _number(text, column) if matches(Kind.DECIMAL, text) else text
    if family in (Family.DATE, Family.DATETIME) and matches(Kind.DATETIME, text):
        whole = canonical(Kind.DATETIME, text[:10] if family is Family.DATE else text)
        text = whole[:10] if kind is Kind.TEXT and family is Family.DATE else whole
        return canonical(kind, text) if matches(kind, text) else text
    return text


_NUMBERS = frozenset({Family.INTEGER, Family.DECIMAL, Family.SINGLE, Family.DOUBLE})


def _fits(text: str, scale: int | None) -> bool:
    """True when a canonical number has no more places than a column."""
    point = text.find(".")
    return scale is None or point < 0 or len(text) - point - 1 <= scale


def _number(text: str, column: RealColumn) -> str:
    scale = 0 if column.family is Family.INTEGER else column.scale
    if column.family in (Family.SINGLE, Family.DOUBLE):
        text = _floating(text, single=column.family is Family.SINGLE)
    elif scale is not None and not _fits(text, scale):
        with localcontext(prec=200):
            rounded = Decimal(text).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        text = format(rounded, "f")
    return canonical(Kind.DECIMAL, text)


def _floating(text: str, *, single: bool) -> str:
    """As a float keeps it; of single precision the six digits that every database gives back."""
    value = float(text)
    if not single:
        return format(Decimal(repr(value)), "f")
    try:
        value = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return text
    return format(Decimal(f"{value:.6g}"), "f")


def text_of(kind: Kind, value: object) -> str:
    """The canonical text of a value as a driver returns it; empty for NULL."""
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        if kind is Kind.BINARY:
            return base64.b64encode(raw).decode()
        if kind is Kind.INTEGER and not raw.isdigit():  # BIT
            return str(int.from_bytes(raw, "big"))
        text = raw.decode("utf-8")
    elif isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, bool):
        text = str(int(value))
    elif isinstance(value, Decimal):
        text = canonical(Kind.DECIMAL, format(value, "f"))
    elif isinstance(value, float):
        text = canonical(Kind.DECIMAL, format(Decimal(repr(value)), "f"))
    else:
        text = str(value)
    return canonical(kind, text) if matches(kind, text) else text


def texts_of(kind: Kind, values: Iterable[object]) -> list[str]:
    """`text_of` for the values of a column, quick where a driver returns what is canonical."""
    if kind is Kind.TEXT:
        return [value if type(value) is str else text_of(kind, value) for value in values]
    if kind is Kind.INTEGER:
        return [str(value) if type(value) is int else text_of(kind, value) for value in values]
    return [
        text_of(kind, v) if isinstance(v, bytes | bytearray | memoryview) else _kept_text(kind, v)
        for v in values
    ]


@lru_cache(maxsize=65_536)
def _kept_text(kind: Kind, value: Hashable) -> str:
    """Dates and amounts repeat; equal values of different types have equal texts."""
    return text_of(kind, value)
