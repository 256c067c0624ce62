"""From a header to the fields of a table.

A column is found by field name (case-insensitive) or by Chinese title, blanks around it ignored.
What matches nothing stays a column without a field, for others to report. No cell is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from validator.lexical import BLANK
from validator.pack import Table
from validator.records import Column
from validator.sources.source import Place


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns of a format without a header: the keys of its records, known once read."""

    table: Table
    place: Place
    _matched: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)
    _seen: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    def match(self, key: str) -> Column:
        """The column of a key. Raises SourceError for an ambiguous title."""
        column = self._matched.get(key)
        if column is None:
            column = Column(key, field_of(key, self.table, self.place))
            self._matched[key] = column
        return column

    def note(self, keys: Iterable[str]) -> None:
        """Remember keys in the order in which they are read."""
        for key in keys:
            if key not in self._seen:
                self._seen[key] = self.match(key)

    def seen(self) -> tuple[Column, ...]:
        return tuple(self._seen.values())


def field_of(header: str, table: Table, place: Place) -> str | None:
    """The field a header names, None when it names none.

    Raises SourceError when the header is a title that two fields of the table share.
    """
    name = header.strip(BLANK)
    upper = name.upper()
    for known in table.fields:
        if known.name == upper:
            return known.name
    titled = [f.name for f in table.fields if name and f.title.zh.strip(BLANK) == name]
    if len(titled) > 1:
        names = "、".join(titled)
        raise place.refuse(
            f"列名“{name}”在表 {table.name} 中对应多个字段（{names}）；请改用字段名",
            f"the title {name!r} stands for more than one field of {table.name}"
            f" ({', '.join(titled)}); use the field name as header",
        )
    return titled[0] if titled else None


def matched(headers: Sequence[str], table: Table, place: Place) -> tuple[Column, ...]:
    """The columns of a header row.

    Raises SourceError for a nameless column, a column that stands twice (by the same or by another
    header), an ambiguous title, and a header without any field of the table.
    """
    columns = tuple(Column(header, field_of(header, table, place)) for header in headers)
    _refuse_missing(columns, table, place)
    first: dict[str, str] = {}
    for number, column in enumerate(columns, 1):
        if not column.header.strip(BLANK):
            raise place.refuse(
                f"表头第 {number} 列没有列名；请补上列名，或删除该列",
                f"column {number} of the header has no name; name it or remove the column",
            )
        identity = column.field or column.header.strip(BLANK).upper()
        if identity in first:
            raise place.refuse(
                f"列重复：“{first[identity]}”与“{column.header}”是同一列；请只保留一列",
                f"duplicate column: {first[identity]!r} and {column.header!r} are the same column;"
                " keep one of them",
            )
        first[identity] = column.header
    return columns


def _refuse_missing(columns: Sequence[Column], table: Table, place: Place) -> None:
    if any(column.field for column in columns):
        return
    shown = ", ".join(column.header.strip(BLANK)[:20] for column in columns[:3])
    raise place.refuse(
        f"第一行不是表头：没有表 {table.name} 的任何字段（读到：{shown}）；请把字段名放在第一行",
        f"the first line is no header: it holds no field of {table.name} (read: {shown});"
        " put the field names into the first line",
    )
