"""CSV in blocks: cut at record boundaries, proved clean (`csv_proof`), parsed by Polars.

What is not proved, or is refused by Polars, goes through the exact reading (`csv_records`). Header
and delimiter are known here, tables are not.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from validator.records import Ints
from validator.sources.csv_layout import Layout
from validator.sources.csv_proof import proof
from validator.sources.csv_records import QUOTE, Scan, Shape, scan
from validator.sources.encoding import joined
from validator.sources.parts import Part

_BOM = b"\xef\xbb\xbf"
#: Polars takes one mark off any input, and unpacks what begins like gzip, zlib or Zstandard.
_MISTAKEN = (_BOM, b"\x1f\x8b", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"(\xb5/\xfd")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records. `offsets[i]` is the line of record i relative to `line`, None when each
    record is one line. `scanned` is set when the exact reading has already been done. `start` is
    the first byte in the stream, `steps` as `parts.stepped` gives them. `hollow`: some quoted cell
    may be empty."""

    data: bytes
    line: int
    start: int
    offsets: Ints | None = None
    scanned: Scan | None = None
    steps: Ints | None = None
    hollow: bool = True


def blocks(chunks: Iterator[bytes], layout: Layout, limit: int) -> Generator[Block, None, None]:
    """Cut the bytes after the header into blocks of whole records. `limit`: largest record."""
    shape = Shape(layout.delimiter, layout.width, limit)
    carry, line, at, skipping, final = b"", layout.line, layout.start, False, False
    while not final:
        chunk = next(chunks, None)
        final, chunk = chunk is None, chunk or b""
        if skipping:
            newline = chunk.find(b"\n")
            if newline < 0:
                at += len(chunk)
                continue
            chunk, skipping, line = chunk[newline + 1 :], False, line + 1
            at += newline + 1
        cut = chunk.rfind(b"\n") + 1
        data, tail = joined(carry, chunk, cut), chunk[cut:]
        if final and data and not data.endswith(b"\n"):
            data += b"\n"
        proved = proof(data, shape) if cut or final else None
        if proved is not None:
            if proved.end:
                whole = data if proved.end == len(data) else data[: proved.end]
                yield Block(
                    whole, line, at, proved.offsets, steps=proved.steps, hollow=proved.hollow
                )
            carry, line = data[proved.end :] + tail, line + proved.lines
            at += proved.end
            if not final or not carry:
                continue
            data, tail = carry, b""
        data += tail
        found = scan(data, shape, final=final)
        if found.records or found.lines:
            yield Block(b"", line, at, scanned=found)
        carry, line, skipping = data[found.end :], line + found.lines, found.skipping
        at += found.end


def parsed(block: Block, layout: Layout, limit: int) -> Part:
    """The records of a block as a frame of the known fields."""
    if block.scanned is not None:
        return _part(block.scanned, block.line, layout)
    try:
        frame = _frame(block.data, layout, hollow=block.hollow)
    except pl.exceptions.PolarsError:
        shape = Shape(layout.delimiter, layout.width, limit)
        return _part(scan(block.data, shape, final=True), block.line, layout)
    offsets = np.arange(frame.height) if block.offsets is None else block.offsets
    return Part(
        frame,
        frame.height,
        offsets + block.line,
        start=block.start,
        size=len(block.data),
        steps=block.steps,
    )


def first_lines(data: bytes, layout: Layout, limit: int) -> Ints:
    """The line of each record of a block that was proved once, 0-based; none if it no longer is."""
    found = proof(data, Shape(layout.delimiter, layout.width, limit))
    offsets = None if found is None else found.offsets
    return np.empty(0, np.int64) if offsets is None else offsets


def _part(found: Scan, line: int, layout: Layout) -> Part:
    joined = b"\n".join(found.bodies) + b"\n" if found.bodies else b""
    return Part(
        _frame(joined, layout),
        found.records,
        np.array(found.lines_of, dtype=np.int64) + line,
        np.array(found.positions, dtype=np.int64),
        unreadable=tuple(replace(u, line=line + (u.line or 0)) for u in found.unreadable),
    )


def _frame(data: bytes, layout: Layout, *, hollow: bool = True) -> pl.DataFrame:
    """All cells as text, empty ones null. Every column is parsed, since only then Polars refuses
    long rows; columns without a field are dropped. Polars takes an unquoted empty cell for null; to
    say so of quoted ones, which only `hollow` data hold, makes it compare every cell."""
    known = {str(i): c.field for i, c in enumerate(layout.columns) if c.field is not None}
    if not data:
        return pl.DataFrame(schema=dict.fromkeys(known.values(), pl.String))
    quoted = QUOTE in data
    frame = pl.read_csv(
        _BOM + data if data.startswith(_MISTAKEN) else data,
        has_header=False,
        schema={str(i): pl.String for i in range(layout.width)},
        separator=layout.delimiter.decode(),
        quote_char='"' if quoted else None,
        null_values=[""] if quoted and hollow else None,
    )
    return frame.select(pl.col(number).alias(field) for number, field in known.items())
