"""Delimiter and header of a CSV file: what its first record says.

The delimiter is the one under which most header cells are fields of the table; nothing is guessed
from data. Records are read by `csv_records` and `csv_blocks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from validator.pack import Table
from validator.records import Column
from validator.sources.columns import field_of, matched
from validator.sources.csv_records import cells, first_record
from validator.sources.source import MIB, Place

_DELIMITERS = (b",", b"\t", b";")
#: A header line beyond this size is none.
_HEADER_LIMIT = MIB


@dataclass(frozen=True, slots=True)
class Layout:
    """`columns` in file order; `line` is the physical line on which the first record starts,
    `start` its first byte."""

    delimiter: bytes
    columns: tuple[Column, ...]
    line: int
    start: int

    @property
    def width(self) -> int:
        return len(self.columns)


def read_layout(
    chunks: Iterator[bytes], table: Table, place: Place, preferred: bytes
) -> tuple[Layout, Iterator[bytes]]:
    """The layout and the chunks that follow the header.

    Raises SourceError: empty file, no header, nameless or duplicate column, stray quote.
    """
    data, lines, skipped, final = b"", 0, 0, False
    while True:
        blank = len(data) - len(data.lstrip(b"\r\n"))
        lines, data = lines + data[:blank].count(b"\n"), data[blank:]
        skipped += blank
        end = first_record(data, final=final)
        if end is not None or final:
            break
        if len(data) > _HEADER_LIMIT:
            raise place.refuse(
                "第一行过长，不是表头；请把字段名放在第一行，并使用 LF 或 CRLF 换行",
                "the first line is too long to be a header; put the field names into the first"
                " line and end lines with LF or CRLF",
            )
        more = next(chunks, None)
        final, data = more is None, data + (more or b"")
    if not data:
        raise place.refuse(
            "文件为空：没有表头也没有记录；请重新导出",
            "the file is empty: no header and no record; export it again",
        )
    header = data[: end or 0]
    layout = replace(_layout(header, table, place, preferred, lines), start=skipped + len(header))
    return layout, chain((data[len(header) :],), chunks)


def _layout(header: bytes, table: Table, place: Place, preferred: bytes, lines: int) -> Layout:
    text = header.rstrip(b"\r\n")
    if b"\r" in text:
        raise place.refuse(
            "表头中有单独的回车（CR）；请以 LF 或 CRLF 换行重新导出",
            "the header holds a lone carriage return; export again with LF or CRLF line ends",
        )
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise place.refuse(
            "表头含有无法解码的字节；请另存为 UTF-8，或用 --encoding 指定编码",
            "the header holds bytes that cannot be decoded; save the file as UTF-8 or name its"
            " encoding with --encoding",
        ) from failure
    readings = {d: cells(text, d) for d in (preferred, *_DELIMITERS)}
    fits = {d: _known(names, table, place) for d, names in readings.items()}
    delimiter = max(fits, key=lambda d: fits[d])
    names = readings[delimiter]
    if names is None:
        raise place.refuse(
            "表头的引号不成对；请按 RFC 4180 重新导出",
            "the quotes of the header do not pair; export again following RFC 4180",
        )
    start = 1 + lines + header.count(b"\n")
    return Layout(delimiter, matched(names, table, place), start, 0)


def _known(names: list[str] | None, table: Table, place: Place) -> int:
    return -1 if names is None else sum(field_of(n, table, place) is not None for n in names)
