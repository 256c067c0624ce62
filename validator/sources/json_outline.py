"""What a JSON file holds: an array, or an object with its members, or objects line by line.

Members are listed with their place; values are neither read nor judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from validator.sources.json_structure import State, marks
from validator.sources.source import MIB, Place

_BLANKS = b" \t\r\n"
_HEAD = re.compile(
    rb'[ \t\r\n]*+("(?:[^"\\]|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+([^ \t\r\n])', re.DOTALL
)
_NONE = re.compile(rb"[ \t\r\n]*+\}")


class Shape(StrEnum):
    """What the top of the file is."""

    #: `[…]`.
    ARRAY = "array"
    #: `{…}` and nothing else.
    OBJECT = "object"
    #: `{…}` followed by more objects: JSON Lines under another extension.
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Member:
    """A key of the top object, the first character of its value and where that stands."""

    key: str
    opens: str
    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Outline:
    """`offset` and `line` of the top bracket or brace."""

    shape: Shape
    offset: int
    line: int
    members: tuple[Member, ...] = ()


def outline(chunks: Iterator[bytes], place: Place) -> Outline:
    """Look through a file once. Raises SourceError: empty, neither array nor object, cut short."""
    offset, line, chunk = 0, 1, b""
    for read in chunks:
        chunk = read.lstrip(_BLANKS)
        offset += len(read) - len(chunk)
        line += read[: len(read) - len(chunk)].count(b"\n")
        if chunk:
            break
    if not chunk:
        raise place.refuse("文件为空；请重新导出", "the file is empty; export it again")
    if chunk.startswith(b"["):
        return Outline(Shape.ARRAY, offset, line)
    if not chunk.startswith(b"{"):
        raise place.refuse(
            "文件既不是 JSON 数组，也不是 JSON 对象；请重新导出",
            "the file is neither a JSON array nor a JSON object; export it again",
        )
    shape, members = _object(chunk, chunks, offset, line, place)
    return Outline(shape, offset, line, tuple(members))


def _object(
    chunk: bytes, chunks: Iterator[bytes], offset: int, line: int, place: Place
) -> tuple[Shape, list[Member]]:
    """Members of the object that `chunk`, at `offset`, starts with."""
    state, members = State(), list[Member]()
    held: bytes | None = None  # from the start of a member whose head is not complete yet
    while True:
        found = marks(chunk, state)
        shift = len(held or b"")
        data = (held or b"") + chunk
        top = (found.depth == 1) & ((found.kind == ord(",")) | (found.kind == ord("{")))
        ended = found.at[found.depth < 1][:1].tolist()
        limit = ended[0] if ended else len(chunk)
        heads = [] if held is None else [0]
        heads += [at + 1 + shift for at in found.at[top].tolist() if at < limit]
        held = None
        for number, head in enumerate(heads):
            member = _member(data, head, offset - shift, line - data[:shift].count(b"\n"))
            if member is not None:
                members.append(member)
            elif number == len(heads) - 1 and not ended:
                held = data[head:]
            elif not _NONE.match(data, head):
                raise _broken(place)
        if ended:
            return _shape(chunk[ended[0] + 1 :], chunks, place), members
        offset, line = offset + len(chunk), line + chunk.count(b"\n")
        following = next(chunks, None)
        if following is None or len(held or b"") > MIB:
            raise _broken(place)
        chunk = following


def _member(data: bytes, head: int, offset: int, line: int) -> Member | None:
    match = _HEAD.match(data, head)
    if match is None:
        return None
    try:
        key = str(json.loads(match.group(1)))
    except ValueError:
        return None
    at = match.start(2)
    opens = match.group(2).decode("latin-1")
    return Member(key, opens, offset + at, line + data[:at].count(b"\n"))


def _shape(rest: bytes, chunks: Iterator[bytes], place: Place) -> Shape:
    while not (bare := rest.lstrip(_BLANKS)):
        more = next(chunks, None)
        if more is None:
            return Shape.OBJECT
        rest = more
    if bare.startswith(b"{"):
        return Shape.LINES
    raise _broken(place)


def _broken(place: Place) -> Exception:
    return place.refuse(
        "JSON 不完整或结构有误；请重新导出", "the JSON text is cut short or broken; export it again"
    )
