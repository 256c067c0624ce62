"""Elements of a JSON array as lines, streamed in bounded memory.

Line feeds inside an element become carriage returns, which JSON treats alike: blanks between
values, forbidden in strings. So every element is one line for `json_lines`. None is judged here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from validator.sources.json_lines import Lines, Refused
from validator.sources.json_structure import State, marks
from validator.sources.parts import STEP
from validator.sources.reasons import TOO_LONG
from validator.sources.source import Place

BLANKS = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Region:
    """Where records stand in a file: UTF-8 byte offset of the first element and its line. `single`:
    one value instead of an array. `last`: nothing may follow in the file."""

    offset: int
    line: int
    single: bool = False
    last: bool = False


@dataclass(slots=True)
class _Open:
    """The element being read: its bytes so far, where they begin in the stream, its line, and
    whether it was refused already."""

    data: bytes
    line: int
    at: int
    refused: bool = False
    first: bool = True


def elements(
    chunks: Iterator[bytes], region: Region, place: Place, limit: int
) -> Generator[Lines | Refused, None, None]:
    """The elements from `region` on, about a chunk at once. Raises SourceError when the text ends
    inside the array or goes on behind it."""
    state, current, at = State(), _Open(b"", region.line, region.offset), region.offset
    for chunk in chunks:
        found = marks(chunk, state)
        closed = np.flatnonzero(found.depth < 0)
        last = int(closed[0]) if closed.size else found.at.size
        ends = found.at[: last + 1]
        is_end = (found.depth[: last + 1] == 0) & (found.kind[: last + 1] == ord(","))
        if closed.size:
            is_end[last] = True
        cuts = ends[is_end].tolist()
        if region.single:
            cuts = cuts[:1]
        done = bool(closed.size) or (region.single and bool(cuts))
        block = _cut(chunk, at, cuts, current, closes=bool(closed.size))
        at += len(chunk)
        if block.lines.size:
            yield block
        if done:
            if region.last:
                _refuse_rest(chunk[cuts[-1] + 1 :], chunks, place)
            return
        refused = _too_long(current, limit)
        if refused is not None:
            yield refused
    if region.single and state.depth == 0 and not state.in_string:
        if current.data and not current.refused:
            yield Lines(_line(current.data), np.array([current.line]))
        return
    raise place.refuse(
        "JSON 在数组中间结束，文件不完整；请重新导出",
        "the JSON text ends inside its array, the file is not complete; export it again",
    )


def _cut(chunk: bytes, at: int, cuts: list[int], current: _Open, *, closes: bool) -> Lines:
    """The elements that end in this chunk, which stands at byte `at` of the stream; `current`
    becomes the one that is still open."""
    texts: list[bytes] = []
    lines: list[int] = []
    begins: list[int] = []
    start = 0
    for cut in cuts:
        text = current.data + chunk[start:cut]
        bare = text.lstrip(BLANKS)
        begin = current.at + len(text) - len(bare)
        line = current.line + text[: len(text) - len(bare)].count(b"\n")
        end_line = line + bare.count(b"\n")
        is_nothing = closes and cut == cuts[-1] and current.first and not bare
        if not current.refused and not is_nothing:
            texts.append(_line(bare or b","))
            lines.append(line)
            begins.append(begin)
        current.data, current.line, current.refused, current.first = b"", end_line, False, False
        start = cut + 1
        current.at = at + start
    rest = current.data + chunk[start:]
    if current.refused:
        current.line += rest.count(b"\n")
        current.data = b""
    else:
        current.data = rest.lstrip(BLANKS)
        current.line += rest[: len(rest) - len(current.data)].count(b"\n")
        current.at += len(rest) - len(current.data)
    if not texts:
        return Lines(b"", np.zeros(0, np.int64))
    places = np.array(begins, np.int64) - begins[0]
    size = at + cuts[-1] - begins[0]
    whole = b"".join(texts)
    return Lines(whole, np.array(lines, np.int64), begins[0], size, places[::STEP])


def _line(element: bytes) -> bytes:
    return element.rstrip(BLANKS).replace(b"\n", b"\r") + b"\n"


def _too_long(current: _Open, limit: int) -> Refused | None:
    """Give an element up that is larger than a record may be; the rest of it is dropped."""
    if len(current.data.rstrip(BLANKS)) <= limit and len(current.data) <= 2 * limit:
        return None
    refused = Refused(current.line, current.data[:limit].replace(b"\n", b"\r"), TOO_LONG)
    current.line += current.data.count(b"\n")
    current.data, current.refused = b"", True
    return refused


def _refuse_rest(rest: bytes, chunks: Iterator[bytes], place: Place) -> None:
    while not rest.strip(BLANKS):
        more = next(chunks, None)
        if more is None:
            return
        rest = more
    raise place.refuse(
        "JSON 数组之后还有内容；每个文件只能有一个 JSON 值，请重新导出",
        "text follows the end of the JSON array; a file holds one JSON value, export it again",
    )
