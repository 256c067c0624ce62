"""Rows of a sheet as columns, without an object per cell: the plain shapes that spreadsheet
programs write, cut and matched by expressions over whole blocks.

A block that holds anything else (rich texts, prefixes, references out of order) is not read here:
`plain_blocks` ends with `Odd`, and the caller reads the rest with a parser, so that what is read
here is what a parser reads. `texts_of` is the twin of `xlsx_cells.cell_of` for whole columns.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from validator.pack import Kind
from validator.sources.source import MIB, Place
from validator.sources.xlsx_cells import DAYS, TEMPORAL, Cells, plain_cell
from validator.sources.xlsx_plain import SHEET, Odd, pieces, plain_texts, raw_pieces, unquoted

#: A cell from behind `<c ` on: reference, style, shape, value or inline text.
_CELL = (
    r'^r="(?<at>[A-Z]{1,3})[0-9]+"(?: s="(?<style>[0-9]+)")?(?: t="(?<shape>[A-Za-z]+)")?'
    r"(?:/>|>(?:<f>[^<]*</f>|<f/>|"
    r'<f(?: t="[a-z]*")?(?: ref="[A-Z0-9:]*")?(?: ca="1")?(?: si="[0-9]*")?(?:/>|>[^<]*</f>))?'
    r"(?:<v>(?<value>[^<]*)</v>|<v/>)?"
    r'(?:<is><t(?: xml:space="preserve")?>(?<inline>[^<]*)</t></is>)?</c>)\s*$'
)
#: Attributes of a row in the order in which programs write them, so that none can stand twice.
_MORE = "".join(
    f'(?: {name}="[^<>&\"]*")?'
    for name in (
        "spans", "s", "customFormat", "ht", "hidden", "customHeight", "outlineLevel", "collapsed",
        "thickTop", "thickBot", "ph", "x14ac:dyDescent",
    )
)  # fmt: skip
_EMPTY_ROW = rf'<row r="[0-9]{{1,9}}"{_MORE} ?/>'
_ROW = rf'^\s*(?:{_EMPTY_ROW}\s*)*<row r="([1-9][0-9]{{0,8}})"{_MORE}>\s*$'
#: Bytes of chosen rows that are read at once.
_PICKED = 4 * MIB
_PLAIN_NUMBER = "^(?:0|-?[1-9][0-9]{0,14})$"


@dataclass(frozen=True, slots=True)
class Block:
    """Cells of consecutive rows: `row` number, `at` (0-based column), `style`, `shape`, `value`
    (the stored text or that of an inline string), sorted by row and column, none twice. `rows`
    counts all row elements, those without cells too."""

    cells: pl.DataFrame
    rows: int


_EMPTY = pl.DataFrame(
    schema={
        "row": pl.Int64, "at": pl.Int64, "style": pl.String, "shape": pl.String, "value": pl.String
    }
)  # fmt: skip


def plain_blocks(box: zipfile.ZipFile, member: str, place: Place) -> Iterator[Block]:
    """The cells of a sheet, block by block. Raises Odd before the first block that is not plain,
    and SourceError as `xlsx_book.elements` does."""
    last = 0
    for text in pieces(box, member, SHEET, place):
        block = _block(text, last)
        if block.cells.height:
            last = int(block.cells["row"][-1])
        yield block


def picked_blocks(
    box: zipfile.ZipFile, member: str, place: Place, numbers: Iterator[int]
) -> Iterator[Block]:
    """The cells of the rows with these numbers (sorted) of a sheet that `plain_blocks` has read to
    its end, whatever other rows hold. Raises as that does; it ends early where a row is missing."""
    found = raw_pieces(box, member, SHEET, place)
    next(found)
    held, number = list[bytes](), next(numbers, None)
    for piece in found:
        at = 0
        while number is not None and (at := piece.find(b'<row r="%d"' % number, at)) >= 0:
            end = piece.find(b"</row>", at)
            held.append(piece[at:end])
            at, number = end, next(numbers, None)
        if sum(map(len, held)) >= _PICKED:
            yield _picked(held)
            held = []
    if held:
        yield _picked(held)


def _picked(rows: Sequence[bytes]) -> Block:
    try:
        return _block(b"</row>".join((*rows, b"")).decode(), 0)
    except UnicodeDecodeError as fault:
        raise Odd from fault


def _block(text: str, last: int) -> Block:
    """The cells of a text of whole rows."""
    *rows, rest = text.split("</row>")
    if re.sub(rf"{_EMPTY_ROW}|\s", "", rest):
        raise Odd
    split = pl.Series("piece", rows, dtype=pl.String).str.split("<c ")
    number = split.list.first().str.extract(_ROW).cast(pl.Int64).alias("row")
    if number.null_count():
        raise Odd
    cells = pl.DataFrame([number, split.list.slice(1)]).explode("piece").drop_nulls("piece")
    if cells.is_empty():
        return Block(_EMPTY, text.count("<row"))
    row = cells["row"]
    found = cells["piece"].str.extract_groups(_CELL).struct.unnest()
    if found["at"].null_count():
        raise Odd
    columns = _columns(found["at"])
    order = row * 16_384 + columns
    if not (order.diff().drop_nulls() > 0).all() or int(row[0]) <= last:
        raise Odd
    value = pl.coalesce("inline", "value")
    cells = found.select(
        row.alias("row"), columns.alias("at"), "style", pl.col("shape").fill_null("n"),
        pl.when(value != "").then(value).alias("value"),
    )  # fmt: skip
    if (cells["shape"] == "inlineStr").any() or found["inline"].null_count() < found.height:
        odd = found.select(
            (pl.col("inline").is_not_null()) != (pl.col("shape") == "inlineStr").fill_null(False)
        )
        if odd.to_series().any():
            raise Odd
    return Block(cells.with_columns(unquoted(cells["value"])), text.count("<row"))


def _columns(letters: pl.Series) -> pl.Series:
    """`A` is 0."""
    distinct = letters.unique()
    numbers = [_number(name) for name in distinct]
    return letters.replace_strict(distinct, numbers, return_dtype=pl.Int64)


def _number(letters: str) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - 64
    return at - 1


def texts_of(block: Block, cells: Cells, kinds: Mapping[int, Kind]) -> pl.DataFrame:
    """`row`, `at`, `text` and `native` of the cells that are not empty, as `xlsx_cells.cell_of` has
    them; `kinds` by column."""
    frame = block.cells.drop_nulls("value")
    shape = frame["shape"]
    inline = shape.is_in(["inlineStr", "str", "e"])
    shared = shape == "s"
    other = frame.filter(~inline & ~shared)
    return (
        pl.concat(
            [
                _texts(frame.filter(inline), plain_texts(frame.filter(inline)["value"])),
                _texts(frame.filter(shared), _shared(frame.filter(shared)["value"], cells)),
                _others(other, cells, kinds),
            ]
        )
        .filter(pl.col("text") != "")
        .sort("row", "at")
    )


def _texts(frame: pl.DataFrame, text: pl.Series) -> pl.DataFrame:
    return frame.select("row", "at", text.alias("text"), pl.lit(value=False).alias("native"))


def _shared(values: pl.Series, cells: Cells) -> pl.Series:
    """Null for what points to no shared text."""
    at = values.to_frame().select(
        pl.when(values.str.contains("^[0-9]+$")).then(pl.col("value")).cast(pl.Int64, strict=False)
    )["value"]
    at = at.set(at >= len(cells.strings), None)
    return cells.strings.gather(at)


def _others(frame: pl.DataFrame, cells: Cells, kinds: Mapping[int, Kind]) -> pl.DataFrame:
    """Numbers, booleans, dates. Plain whole numbers are what they say, the rest is asked once per
    value, kind and look."""
    temporal = [at for at, kind in kinds.items() if kind in TEMPORAL]
    dated = pl.col("style").is_in(list(cells.dates)).fill_null(False)
    day = pl.col("at").is_in(temporal) & pl.col("value").cast(pl.Float64, strict=False).is_between(
        *DAYS, closed="left"
    )
    plain = (pl.col("shape") == "n") & pl.col("value").str.contains(_PLAIN_NUMBER)
    of = {at: str(kind) for at, kind in kinds.items()}
    kind = pl.col("at").replace_strict(of, default=str(Kind.TEXT), return_dtype=pl.String)
    frame = frame.with_columns(
        kind.alias("kind"), dated.alias("dated"), (plain & ~dated & ~day).alias("plain")
    )
    asked = frame.filter(~pl.col("plain")).select("shape", "value", "kind", "dated").unique()
    found = [
        plain_cell(shape, value, Kind(kind), cells, shows_date=dated)
        for shape, value, kind, dated in asked.iter_rows()
    ]
    told = asked.with_columns(
        pl.Series("text", [c.text for c in found], dtype=pl.String),
        pl.Series("native", [c.native for c in found], dtype=pl.Boolean),
    )
    return (
        frame.join(told, on=["shape", "value", "kind", "dated"], how="left", maintain_order="left")
        .select(
            "row", "at",
            pl.when("plain").then("value").otherwise("text").alias("text"),
            pl.col("native").fill_null(False),
        )
    )  # fmt: skip
