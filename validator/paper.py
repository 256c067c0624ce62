"""A document of a cell: text → JSON value, and what rules ask of it.

Reading is stricter than JSON readers are: no duplicate member, no NaN, no endless number, bounded
size and depth. A fault of reading has a reason in both languages and, where there is one, a place.
Nothing of the content goes into a reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import cast

import orjson

from validator.lexical import is_blank, matches
from validator.pack import Kind, Personal
from validator.text import Text

#: Characters of a document; those of the deployed system hold addresses of files, not files.
LARGEST = 4_000_000
#: Objects and lists in each other.
DEEPEST = 32
_DIGITS = re.compile(r"[0-9]{6,}")

Steps = tuple[str | int, ...]


class PaperError(Exception):
    """A text that is no document: where, and why."""

    def __init__(self, reason: Text, pointer: str = "") -> None:
        super().__init__(reason.en)
        self.reason = reason
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at one place of a document. `places` fill the rule's message; `value` is as
    written, `personal` says what datum it is; `say_more` tells apart flaws of one place."""

    pointer: str
    value: str | None
    places: dict[str, str] = field(default_factory=dict)
    personal: Personal | None = None
    say_more: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that was read: its id, its content, and cells of its record by field."""

    id: str
    root: object
    cells: Mapping[str, str | None]

    def at(self, path: str) -> object:
        """The value at `Part/Member`, None where there is none."""
        found = self.root
        for step in path.split("/"):
            found = cast("Mapping[str, object]", found).get(step) if _is_object(found) else None
        return found

    def rows(self, name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        """The objects of the list under `name`, each with its pointer."""
        found = self.at(name)
        for i, row in enumerate(found if isinstance(found, list) else ()):
            if _is_object(row):
                yield pointer((name, i)), cast("Mapping[str, object]", row)


def read(text: str) -> object:
    """The JSON value of a cell. Raises PaperError."""
    if text.startswith("\ufeff"):
        raise PaperError(Text("以字节顺序标记开头", "it starts with a byte order mark"))
    if len(text) > LARGEST:
        raise PaperError(
            Text(
                f"{len(text):,} 个字符，超过上限 {LARGEST:,}",
                f"it has {len(text):,} characters, more than {LARGEST:,}",
            )
        )
    if _depth(text) > DEEPEST:
        raise PaperError(
            Text(f"嵌套超过 {DEEPEST} 层", f"it is nested more than {DEEPEST} levels deep")
        )
    try:
        orjson.loads(text)
    except ValueError as error:
        raise PaperError(_syntax(text, cast("int", getattr(error, "pos", 0)))) from None
    root = json.loads(text, object_pairs_hook=_object)
    _check(root, ())
    return root


def pointer(steps: Sequence[str | int]) -> str:
    """A JSON Pointer (RFC 6901). Long runs of digits in names are starred: they may be numbers of
    persons."""
    shown = (str(s) if isinstance(s, int) else _DIGITS.sub(_starred, s) for s in steps)
    return "".join("/" + s.replace("~", "~0").replace("/", "~1") for s in shown)


def steps(of: str) -> Steps:
    """The steps of a pointer without starred or escaped names."""
    return tuple(int(s) if s.isdigit() else s for s in of.split("/")[1:])


def name(step: str) -> str:
    """A member's name as people may see it."""
    return _DIGITS.sub(_starred, step)[:80]


def number(value: object) -> Decimal | None:
    """A number, or a text of its form; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, str) and matches(Kind.DECIMAL, value):
        return Decimal(value)
    return None


def day(value: object) -> date | None:
    """The day of a text that begins with a date; None for anything else."""
    if isinstance(value, str) and matches(Kind.DATETIME, value):
        return date.fromisoformat(value[:10])
    return None


def blank(value: object) -> bool:
    """True for null and for a text of blanks."""
    return value is None or (isinstance(value, str) and is_blank(value))


def shown(value: object) -> str | None:
    """The value as a report shows it: texts as written, objects and lists as their brackets."""
    if value is None:
        return None
    if isinstance(value, list):
        return "[…]"
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _starred(found: re.Match[str]) -> str:
    return found[0][:2] + "*" * (len(found[0]) - 2)


class _Twice(dict[str, object]):
    """An object in which `twice` stands more than once."""

    twice: str


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    names = [n for n, _ in pairs]
    double = _Twice(made)
    double.twice = next(n for i, n in enumerate(names) if n in names[:i])
    return double


def _check(value: object, steps: Steps) -> None:
    if isinstance(value, _Twice):
        at = pointer((*steps, value.twice))
        raise PaperError(
            Text(f"键 {name(value.twice)} 出现两次", f"the name {name(value.twice)} stands twice"),
            at,
        )
    if isinstance(value, dict):
        for key, of in value.items():
            _check(of, (*steps, key))
    elif isinstance(value, list):
        for i, of in enumerate(value):
            _check(of, (*steps, i))


def _depth(text: str) -> int:
    """How deep objects and lists stand in each other; brackets inside texts do not count."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return 0
    deepest = depth = 0
    for bracket in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', text, re.DOTALL):
        sign = bracket[0]
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _syntax(text: str, at: int) -> Text:
    if re.search(r"(?:^|[:\[,])\s*-?(?:NaN|Infinity)\b", text):
        return Text("含有 NaN 或 Infinity，不是 JSON 数字", "NaN or Infinity is no JSON number")
    return Text(f"第 {at + 1} 个字符处不是 JSON", f"it is no JSON at character {at + 1}")
