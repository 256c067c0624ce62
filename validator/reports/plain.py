"""Foreign text made safe to look at: visible characters, bounded length, columns that line up.

Values come from anybody's export. A report must neither be steered by them (terminal escapes,
direction marks) nor hide what is wrong with them (zero-width and private characters). This module
knows nothing of HTML or XML markup: their writers escape for themselves.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

#: Shown as an escape: control, format (direction marks, zero width), surrogate, private use,
#: line and paragraph separator.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: A line never starts with one of these.
_CLOSING = frozenset("，。；：！？、）】》」』’”…)]},.;:!?%")
#: A line never ends with one of these.
_OPENING = frozenset("（【《「『‘“([{")


def visible(text: str) -> str:
    """`text` with every unseen or steering character written as `\\n`, `\\x1b` or `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if _is_hidden(c) else c for c in text)


def _is_hidden(char: str) -> bool:
    code = ord(char)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return noncharacter or char == "\u00a0" or unicodedata.category(char) in _HIDDEN


def _escape(char: str) -> str:
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code <= 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def excerpt(text: str, limit: int) -> str:
    """`text` in about `limit` characters: head, how many characters are left out, tail."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    left_out = len(text) - limit
    return f"{text[: limit - tail]}…[+{left_out:,}]…{text[len(text) - tail :]}"


def width(text: str) -> int:
    """Terminal columns of `text`: Chinese characters take two, combining marks none."""
    return sum(_columns(c) for c in text)


@lru_cache(8_192)
def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def left(text: str, columns: int) -> str:
    """`text` padded on the right to `columns`."""
    return text + " " * max(0, columns - width(text))


def right(text: str, columns: int) -> str:
    """`text` padded on the left to `columns`."""
    return " " * max(0, columns - width(text)) + text


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most `columns`, broken at spaces and between Chinese characters.

    A run longer than a line (a code, a path) is cut. Never empty.
    """
    lines: list[str] = []
    line, used = "", 0
    for piece in _pieces(text, columns):
        size = width(piece.rstrip(" "))
        if line and used + size > columns:
            lines.append(line.rstrip(" "))
            line, used, piece = "", 0, piece.lstrip(" ")  # noqa: PLW2901
        line += piece
        used += width(piece)
    return [*lines, line.rstrip(" ")]


def _pieces(text: str, columns: int) -> Iterator[str]:
    """The unbreakable runs of `text`, each with the spaces behind it."""
    run = ""
    for char in text:
        if run and (_may_break(run[-1], char) or width(run) + _columns(char) > columns):
            yield run
            run = ""
        run += char
    if run:
        yield run


def _may_break(before: str, after: str) -> bool:
    if after == " " or after in _CLOSING or before in _OPENING:
        return False
    return before == " " or _columns(before) == 2 or _columns(after) == 2
