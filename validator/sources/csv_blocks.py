"""CSV in blocks: cut at record boundaries, proved clean with numpy, parsed by Polars.

A block without quotes is clean when its delimiters number rows x (columns - 1) and Polars, which
refuses long rows and pads short ones, accepts it: a short row would need a long one to balance. A
block with quotes is clean when, besides, every quote opens or closes a whole cell. Whatever is not
proved clean goes through `csv_records`. Header and delimiter are known here, tables are not.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.records import Ints, Unreadable
from validator.sources.csv_layout import Layout
from validator.sources.csv_records import QUOTE, Scan, Shape, scan
from validator.sources.parts import Part

Bytes = npt.NDArray[np.uint8]
_BOM = b"\xef\xbb\xbf"
#: Below this many quoted cells counting inside each is faster than classifying the whole block.
_FEW = 5_000


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records. `offsets[i]` is the line of record i relative to `line`, None when each
    record is one line. `scanned` is set when the exact reading has already been done."""

    data: bytes
    line: int
    offsets: Ints | None = None
    scanned: Scan | None = None


@dataclass(frozen=True, slots=True)
class _Clean:
    end: int
    lines: int
    offsets: Ints | None


def blocks(chunks: Iterator[bytes], layout: Layout, limit: int) -> Generator[Block, None, None]:
    """Cut the bytes after the header into blocks of whole records. `limit`: largest record."""
    shape = Shape(layout.delimiter, layout.width, limit)
    carry, line, skipping, final = b"", layout.line, False, False
    while not final:
        chunk = next(chunks, None)
        final, chunk = chunk is None, chunk or b""
        if skipping:
            newline = chunk.find(b"\n")
            if newline < 0:
                continue
            chunk, skipping, line = chunk[newline + 1 :], False, line + 1
        data = carry + chunk
        if final and data and not data.endswith(b"\n"):
            data += b"\n"
        clean = _clean(data, layout, limit)
        if clean is not None:
            if clean.end:
                yield Block(data[: clean.end], line, clean.offsets)
            carry, line = data[clean.end :], line + clean.lines
            if not final or not carry:
                continue
            data = carry
        found = scan(data, shape, final=final)
        if found.records or found.lines:
            yield Block(b"", line, scanned=found)
        carry, line, skipping = data[found.end :], line + found.lines, found.skipping


def parsed(block: Block, layout: Layout, limit: int) -> Part:
    """The records of a block as a frame of the known fields."""
    if block.scanned is None:
        try:
            frame = _frame(block.data, layout)
        except pl.exceptions.PolarsError:
            shape = Shape(layout.delimiter, layout.width, limit)
            found = scan(block.data, shape, final=True)
            return _part(found, block.line, layout)
        offsets = np.arange(frame.height) if block.offsets is None else block.offsets
        return Part(frame, frame.height, offsets + block.line)
    return _part(block.scanned, block.line, layout)


def _part(found: Scan, line: int, layout: Layout) -> Part:
    joined = b"\n".join(found.bodies) + b"\n" if found.bodies else b""
    return Part(
        _frame(joined, layout),
        found.records,
        np.array(found.lines_of, dtype=np.int64) + line,
        np.array(found.positions, dtype=np.int64),
        unreadable=tuple(_on_line(u, line) for u in found.unreadable),
    )


def _on_line(unreadable: Unreadable, line: int) -> Unreadable:
    return replace(unreadable, line=line + (unreadable.line or 0))


def _frame(data: bytes, layout: Layout) -> pl.DataFrame:
    """All cells as text, empty ones null. Every column is parsed, since only then Polars refuses
    long rows; columns without a field are dropped."""
    known = {str(i): c.field for i, c in enumerate(layout.columns) if c.field is not None}
    if not data:
        return pl.DataFrame(schema=dict.fromkeys(known.values(), pl.String))
    quoted = QUOTE in data
    frame = pl.read_csv(
        _BOM + data if data.startswith(_BOM) else data,  # Polars takes one mark off any input
        has_header=False,
        schema={str(i): pl.String for i in range(layout.width)},
        separator=layout.delimiter.decode(),
        quote_char='"' if quoted else None,
        null_values=[""] if quoted else None,
    )
    return frame.select(pl.col(number).alias(field) for number, field in known.items())


def _clean(data: bytes, layout: Layout, limit: int) -> _Clean | None:
    """The longest prefix of whole records, if it is proved clean (but for long rows, which Polars
    refuses). A single column has no delimiters to count: the exact reading is always used."""
    if layout.width == 1 or b"\0" in data:
        return None
    if QUOTE in data:
        return _clean_quoted(data, layout, limit)
    end = data.rfind(b"\n") + 1
    codes = np.frombuffer(data, np.uint8)[:end]
    lines = int(np.count_nonzero(codes == 10))
    if int(np.count_nonzero(codes == layout.delimiter[0])) != lines * (layout.width - 1):
        return None
    if b"\r" in data and _lone_returns(codes).size:
        return None
    if len(data) > limit and _longest(np.flatnonzero(codes == 10), len(data)) > limit:
        return None
    return _Clean(end, lines, None)


def _clean_quoted(data: bytes, layout: Layout, limit: int) -> _Clean | None:
    codes = np.frombuffer(data, np.uint8)
    quotes, newlines = np.flatnonzero(codes == 34), np.flatnonzero(codes == 10)
    ends = np.flatnonzero((np.searchsorted(quotes, newlines) & 1) == 0)
    outer = newlines[ends]
    if not outer.size:
        return _Clean(0, 0, None) if len(data) <= limit else None
    end = int(outer[-1]) + 1
    codes, quotes = codes[:end], quotes[: np.searchsorted(quotes, end)]
    opening, closing = quotes[0::2], quotes[1::2]
    if not _well_placed(codes, opening, closing, layout.delimiter[0]):
        return None
    outside = _delimiters_outside(data[:end], codes, opening, closing, layout.delimiter)
    if outside != outer.size * (layout.width - 1):
        return None
    if b"\r" in data and ((np.searchsorted(quotes, _lone_returns(codes)) & 1) == 0).any():
        return None
    if len(data) > limit and _longest(outer, len(data)) > limit:
        return None
    lines = int(ends[-1]) + 1
    if lines == outer.size:
        return _Clean(end, lines, None)
    return _Clean(end, lines, np.concatenate(([0], ends[:-1] + 1)))


def _well_placed(codes: Bytes, opening: Ints, closing: Ints, delimiter: int) -> bool:
    """True when each quoted cell starts after a delimiter or line end and ends before one."""
    if not opening.size:
        return True
    before = codes[opening - 1]
    fine = (before == delimiter) | (before == 10)
    fine[0] |= opening[0] == 0
    fine[1:] |= opening[1:] == closing[:-1] + 1
    after = codes[closing + 1]
    fine &= (after == delimiter) | (after == 10) | (after == 13) | (after == 34)
    return bool(fine.all())


def _delimiters_outside(
    data: bytes, codes: Bytes, opening: Ints, closing: Ints, delimiter: bytes
) -> int:
    if opening.size < _FEW:
        inside = sum(
            data.count(delimiter, start, stop)
            for start, stop in zip(opening.tolist(), closing.tolist(), strict=True)
        )
        return int(np.count_nonzero(codes == delimiter[0])) - inside
    marks = codes[np.flatnonzero((codes == delimiter[0]) | (codes == 34))]
    is_quote = marks == 34
    outside = (np.cumsum(is_quote, dtype=np.uint8) & 1) == 0
    return int(np.count_nonzero(outside & ~is_quote))


def _lone_returns(codes: Bytes) -> Ints:
    """Positions of carriage returns that no line feed follows; `codes` ends with a line feed."""
    returns: Ints = np.flatnonzero(codes == 13)
    lone: Ints = returns[codes[returns + 1] != 10]
    return lone


def _longest(ends: Ints, size: int) -> int:
    """Bytes of the longest record (a line end may be counted in), the open last one included."""
    return int(np.diff(np.concatenate(([-1], ends, [size]))).max())
