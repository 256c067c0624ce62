"""XLSX: a sheet a table, header in row 1 or in the first row that holds field names.

Sheets are read as a stream, so a full sheet takes no more memory than a small one apart from its
shared texts. Hidden sheets are ignored with a note; formulas count by their stored value; rows
without any cell are no records. Old `.xls` and encrypted workbooks are refused.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from zipfile import ZipFile

import numpy as np
import polars as pl
from lxml import etree

from validator.lexical import BLANK
from validator.pack import Kind, Table
from validator.records import CHANGED, Batch, Column, Ints, SourceError, Unreadable
from validator.sources.archive import opened
from validator.sources.columns import field_of, matched
from validator.sources.naming import Naming
from validator.sources.parts import Part, numbered
from validator.sources.reasons import TOO_LONG
from validator.sources.source import Format, Opened, Place, SourceOptions, UnknownTable
from validator.sources.xlsx_book import (
    Sheet,
    date_styles,
    elements,
    no_workbook,
    read_book,
)
from validator.sources.xlsx_cells import Cell, Cells, cell_of, columns_of
from validator.sources.xlsx_fast import Block, picked_blocks, plain_blocks, texts_of
from validator.sources.xlsx_plain import Odd
from validator.sources.xlsx_strings import shared_strings
from validator.text import Text

#: Rows among which the header is looked for; what stands above it are titles.
_TITLES = 20
_PART = 4096
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a sheet: its row, the columns and the kinds of their fields by position."""

    line: int
    columns: dict[int, Column]
    kinds: dict[int, Kind]


@dataclass(slots=True)
class _Gathered:
    """Records of one part while they are read."""

    cells: dict[str, list[str | None]]
    native: dict[str, list[bool]]
    lines: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    records: int = 0


@dataclass(frozen=True, slots=True)
class XlsxSource:
    """The records of one sheet; see `validator.records.TableSource`. `line` is the sheet row.
    `_rows`: that of each record once a plain sheet was read to its end, 0 where unreadable."""

    table: Table
    place: Place
    sheet: Sheet
    options: SourceOptions
    _rows: list[Ints] = field(default_factory=list, compare=False, repr=False)

    @property
    def file(self) -> str:
        return f"{self.place.file}#{self.sheet.name}"

    @property
    def size(self) -> int:
        return self.place.size()

    @property
    def share(self) -> float:
        return self.place.meter.share

    def stamp(self) -> str:
        return self.place.stamp()

    def columns(self) -> tuple[Column, ...]:
        with opened(self.place) as box:
            return tuple(self._header(box, self._cells(box)).columns.values())

    def header(self, box: ZipFile) -> Header:
        """The header of the sheet in its workbook. Raises SourceError where there is none."""
        return self._header(box, self._cells(box))

    def batches(self, rows: int) -> Iterator[Batch]:
        with closing(self._parts()) as parts:
            yield from numbered(parts, rows)

    def chosen(self, ordinals: Ints) -> Iterator[Batch] | None:
        """See `validator.records.ChosenSource`."""
        rows = self._rows[0][ordinals - 1] if self._rows else None
        return None if rows is None or not rows.all() else self._chosen(ordinals, rows)

    def _chosen(self, ordinals: Ints, rows: Ints) -> Iterator[Batch]:
        here, at = self._here(), 0
        with opened(self.place) as box:
            cells = self._cells(box)
            header = self._header(box, cells)
            try:
                for block in picked_blocks(box, self.sheet.member, here, iter(rows.tolist())):
                    part = _of_block(block, header, cells, self.options.max_record)
                    mine = slice(at, at + part.frame.height)
                    if part.lines is None or not np.array_equal(part.lines, rows[mine]):
                        break
                    yield Batch(part.frame, ordinals[mine], part.lines, part.native)
                    at = mine.stop
            except Odd as fault:
                raise SourceError(self.file, CHANGED) from fault
        if at != len(rows):
            raise SourceError(self.file, CHANGED)

    def _here(self) -> Place:
        return Place(self.place.path, self.file, self.place.meter)

    def _cells(self, box: ZipFile) -> Cells:
        book, here = read_book(box, self.place), self._here()
        strings, dates = shared_strings(box, book, here), date_styles(box, book, here)
        return Cells(strings, dates, book.since_1904)

    def _header(self, box: ZipFile, cells: Cells) -> Header:
        """The row that names most fields, or the one below it that names as many: templates put
        titles above field names. Raises SourceError where no row names any."""
        here, best, most = self._here(), list[tuple[int, str]](), 0
        line, first = 0, list[tuple[int, str]]()
        for seen, (number, row) in enumerate(_rows(box, self.sheet, here)):
            if seen == _TITLES:
                break
            texts = [(at, c.text) for at, c in _texts(row, cells) if c.text.strip(BLANK)]
            first = first or texts
            named = sum(_names(text, self.table, here) for _, text in texts)
            if named > most or (named == most > 0 and number == line + 1):
                best, most, line = texts, named, number
        if not first:
            raise here.refuse("工作表为空；请重新导出", "the sheet is empty; export it again")
        chosen = best or first
        columns = matched([text for _, text in chosen], self.table, here)
        placed = dict(zip((at for at, _ in chosen), columns, strict=True))
        kinds = {f.name: f.kind for f in self.table.fields}
        return Header(
            line, placed, {at: kinds[c.field] for at, c in placed.items() if c.field is not None}
        )

    def _parts(self) -> Generator[Part, None, None]:
        with opened(self.place) as box:
            cells = self._cells(box)
            header = self._header(box, cells)
            passed, numbers = 0, list[Ints]()
            self._rows.clear()
            try:
                for block in plain_blocks(box, self.sheet.member, self._here()):
                    part = _of_block(block, header, cells, self.options.max_record)
                    numbers.append(_rows_of(part))
                    yield part
                    passed += block.rows
            except Odd:
                pass
            else:
                self._rows.append(np.concatenate(numbers))
                return
            gathered = _empty(header)
            rows = _rows(box, self.sheet, self._here())
            for line, row in islice(rows, passed, None):
                if line > header.line:
                    self._take(gathered, header, cells, line, row)
                    if gathered.records >= _PART:
                        yield _part(gathered)
                        gathered = _empty(header)
            yield _part(gathered)

    def _take(
        self, into: _Gathered, header: Header, cells: Cells, line: int, row: etree._Element
    ) -> None:
        """One row into the part, unless it has no cell."""
        found, stray, size, blank = dict[str, Cell](), "", 0, True
        for at, element in columns_of(row):
            column = header.columns.get(at)
            name = column.field if column else None
            cell = cell_of(element, cells, header.kinds.get(at, Kind.TEXT))
            if cell is None:
                continue
            blank = blank and not cell.text.strip(BLANK)
            size += len(cell.text)
            if column is None and cell.text.strip(BLANK):
                stray = stray or cell.text
            elif name:
                found[name] = cell
        if blank:
            return
        into.records += 1
        limit = self.options.max_record
        if size > limit // 4:
            # Few rows are so long that bytes must be counted instead of characters.
            size = sum(len(c.text.encode("utf-8", "replace")) for c in found.values())
        if stray or size > limit:
            reason = _STRAY if stray else TOO_LONG
            into.unreadable.append(Unreadable(into.records, line, reason, stray[:80]))
            return
        into.positions.append(into.records - 1)
        into.lines.append(line)
        for name, texts in into.cells.items():
            cell = found.get(name)
            texts.append(cell.text if cell else None)
            into.native[name].append(cell is not None and cell.native)


_STRAY = Text(
    "该行在没有列名的列里有内容；请补上列名，或清除该单元格",
    "the row has a value in a column without a header; name the column or clear the cell",
)


def _names(text: str, table: Table, place: Place) -> bool:
    try:
        return field_of(text, table, place) is not None
    except SourceError:
        # A title that two fields share still tells that this is the header.
        return True


def _texts(row: etree._Element, cells: Cells) -> Iterator[tuple[int, Cell]]:
    for at, element in columns_of(row):
        cell = cell_of(element, cells, Kind.TEXT)
        if cell is not None:
            yield at, cell


def _rows(box: ZipFile, sheet: Sheet, place: Place) -> Iterator[tuple[int, etree._Element]]:
    """The rows a sheet holds, by their number."""
    line = 0
    for row in elements(box, sheet.member, ("row", "sheetData"), place):
        if row.tag.endswith("}sheetData"):
            return
        number = row.get("r", "")
        line = int(number) if number.isascii() and number.isdigit() else line + 1
        yield line, row


def _empty(header: Header) -> _Gathered:
    names = [c.field for c in header.columns.values() if c.field]
    return _Gathered({n: [] for n in names}, {n: [] for n in names})


def _of_block(block: Block, header: Header, cells: Cells, limit: int) -> Part:
    """The records of a plain block; the twin of `_take` for columns."""
    fields = {at: c.field for at, c in header.columns.items() if c.field}
    told = texts_of(block, cells, header.kinds).filter(pl.col("row") > header.line)
    known, named = pl.col("at").is_in(list(header.columns)), pl.col("at").is_in(list(fields))
    filled = pl.col("text").str.strip_chars(BLANK) != ""
    rows = (
        told.group_by("row", maintain_order=True)
        .agg(
            filled.any().alias("filled"),
            pl.col("text").filter(~known & filled).first().alias("stray"),
            pl.col("text").str.len_chars().sum().alias("size"),
            pl.col("text").filter(named).str.len_bytes().sum().alias("bytes"),
        )
        .filter("filled")
        .with_row_index("position")
    )
    long = (pl.col("size") > limit // 4) & (pl.col("bytes") > limit)
    bad = rows.filter(pl.col("stray").is_not_null() | long)
    good = rows.filter(pl.col("stray").is_null() & ~long)
    frame, native = _columns(told, good["row"], fields)
    return Part(
        frame=frame,
        records=rows.height,
        lines=good["row"].to_numpy(),
        positions=good["position"].to_numpy().astype(np.int64),
        native=native,
        unreadable=tuple(
            Unreadable(at + 1, line, _STRAY if stray else TOO_LONG, (stray or "")[:80])
            for at, line, stray in bad.select("position", "row", "stray").iter_rows()
        ),
    )


def _rows_of(part: Part) -> Ints:
    """The sheet row of each record, 0 where it is unreadable."""
    rows = np.zeros(part.records, np.int64)
    if part.positions is not None and part.lines is not None:
        rows[part.positions] = part.lines
    return rows


def _columns(
    told: pl.DataFrame, rows: pl.Series, fields: Mapping[int, str]
) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Text and native marks by field, a cell for each of the rows."""
    by_column = {key[0]: part for key, part in told.partition_by("at", as_dict=True).items()}
    frame, native = dict[str, pl.Series](), dict[str, pl.Series]()
    for at, name in fields.items():
        part = by_column.get(at)
        if part is None:
            frame[name] = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
            continue
        found = part["row"].search_sorted(rows)
        there = part["row"].gather(found.clip(0, part.height - 1)) == rows
        place = found.set(~there, None)
        frame[name] = part["text"].gather(place)
        if part["native"].any():
            native[name] = part["native"].gather(place).fill_null(False).alias(name)
    native = {name: marks for name, marks in native.items() if marks.any()}
    return pl.DataFrame(frame, schema=dict.fromkeys(frame, pl.String)), native


def _part(found: _Gathered) -> Part:
    frame = pl.DataFrame(found.cells, schema=dict.fromkeys(found.cells, pl.String))
    return Part(
        frame=frame,
        records=found.records,
        lines=np.array(found.lines, dtype=np.int64),
        positions=np.array(found.positions, dtype=np.int64),
        native={n: pl.Series(n, flags) for n, flags in found.native.items() if any(flags)},
        unreadable=tuple(found.unreadable),
    )


def _open(place: Place, naming: Naming, options: SourceOptions) -> Opened:
    _refuse_ole(place)
    with opened(place) as box:
        book = read_book(box, place)
        visible = [s for s in book.sheets if not s.hidden]
        notes = tuple(_HIDDEN.fill({"file": f"{place.file}#{s.name}"})
                      for s in book.sheets if s.hidden)  # fmt: skip
        sources, unknown = list[XlsxSource](), list[UnknownTable]()
        for sheet in visible:
            table = naming.table(sheet.name, place)
            if table is None and len(visible) == 1:
                table = naming.table(place.path.stem, place)
            if table is not None:
                sources.append(XlsxSource(table, place, sheet, options))
            elif next(_rows(box, sheet, place), None) is not None:
                unknown.append(UnknownTable(f"{place.file}#{sheet.name}", sheet.name))
    return Opened(tuple(sources), tuple(unknown), notes=notes)


_HIDDEN = Text("{file}：隐藏的工作表未检查", "{file}: a hidden sheet was not checked")


def _refuse_ole(place: Place) -> None:
    """Old workbooks and encrypted ones share a container that is not ZIP."""
    try:
        with place.path.open("rb") as file:
            start = file.read(4)
            if start == _OLE:
                encrypted = _ENCRYPTED in file.read(1 << 20)
    except OSError as fault:
        raise place.refuse(
            "文件无法打开；请检查权限", "the file cannot be opened; check its permissions"
        ) from fault
    if start[:2] == b"PK":
        return
    if start != _OLE:
        raise no_workbook(place)
    if encrypted:
        raise place.refuse(
            "工作簿已加密；请去掉密码后另存为 .xlsx",
            "the workbook is encrypted; remove the password and save it as .xlsx",
        )
    raise place.refuse(
        "这是旧版 .xls 工作簿；请用 Excel 或 WPS 另存为 .xlsx",
        "this is an old .xls workbook; save it as .xlsx",
    )


FORMAT = Format((".xlsx", ".xlsm"), _open)
