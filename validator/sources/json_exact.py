"""The exact reading of one JSON record: what is readable, and what its cells are.

RFC 8259, one object, no key and no field twice, no lone surrogate, no NUL. Numbers keep their
lexeme. `json_fast` must always agree with this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from validator.records import Column
from validator.sources.reasons import NUL, TOO_LONG, TWICE, UNDECODABLE
from validator.text import Text

#: Names the column of a key; raises SourceError for an ambiguous title.
Match = Callable[[str], Column]


@dataclass(frozen=True, slots=True)
class Cells:
    """One record: text by field, the fields whose value was native (a number, a boolean or a
    nested value, whose JSON text is kept), and all keys as written."""

    texts: Mapping[str, str]
    native: frozenset[str]
    keys: tuple[str, ...]


class _Bad(Exception):  # noqa: N818 - bad data is no error here
    """Why a record cannot be read; never leaves this module."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Number:
    lexeme: str


@dataclass(frozen=True, slots=True)
class _Object:
    members: list[tuple[str, object]] = field(default_factory=list)


def exact(record: bytes, match: Match, limit: int) -> Cells | Text:
    """The cells of one record, or the reason why it cannot be read."""
    if len(record) > limit:
        return TOO_LONG
    try:
        return _cells(record, match)
    except UnicodeError:
        return UNDECODABLE
    except RecursionError:
        return _TOO_DEEP
    except _Bad as bad:
        return bad.reason
    except ValueError as failure:
        column = getattr(failure, "colno", 0)
        return _BROKEN.fill({"column": column})


def _cells(record: bytes, match: Match) -> Cells:
    value = json.loads(
        record.decode("utf-8"),
        object_pairs_hook=_Object,
        parse_int=_Number,
        parse_float=_Number,
        parse_constant=_no_constant,
    )
    if not isinstance(value, _Object):
        raise _Bad(_NO_OBJECT)
    texts: dict[str, str] = {}
    native: set[str] = set()
    first: dict[str, str] = {}
    for key, member in value.members:
        name = match(key).field
        identity = name or key
        if identity in first:
            raise _Bad(TWICE.fill({"first": first[identity], "second": key}))
        first[identity] = key
        if name is None or member is None or member == "":
            continue
        texts[name] = _checked(member if isinstance(member, str) else _json(member))
        if not isinstance(member, str):
            native.add(name)
    return Cells(texts, frozenset(native), tuple(key for key, _ in value.members))


def _no_constant(name: str) -> object:
    raise _Bad(_CONSTANT.fill({"name": name}))


def _checked(text: str) -> str:
    if "\0" in text:
        raise _Bad(NUL)
    text.encode("utf-8")  # a lone surrogate is a UnicodeError
    return text


def _json(value: object) -> str:
    """JSON text of a value, numbers as they were written."""
    match value:
        case _Number():
            return value.lexeme
        case list():
            return "[" + ", ".join(_json(v) for v in value) + "]"
        case _Object():
            members = (f"{_json(k)}: {_json(v)}" for k, v in value.members)
            return "{" + ", ".join(members) + "}"
        case _:
            return json.dumps(value, ensure_ascii=False)


_BROKEN = Text(
    "不是完整的 JSON（第 {column} 个字符处）；请修正该记录",
    "is no complete JSON (at character {column}); correct the record",
)
_NO_OBJECT = Text(
    "不是 JSON 对象；每条记录应为一个 {} 对象",
    "is no JSON object; each record must be one {} object",
)
_CONSTANT = Text(
    "含有 JSON 不允许的值 {name}；请改为 null 或数值",
    "holds {name}, which JSON does not allow; write null or a number",
)
_TOO_DEEP = Text(
    "嵌套层数过多；字段的值应为文本、数值、布尔值或 null",
    "is nested too deeply; values must be text, numbers, booleans or null",
)
