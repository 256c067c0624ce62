"""What a document inside a cell looks like: parts, their members, and the evidence for each.

Frozen plain types; `validator.load_form` reads them from a pack, `validator.form_schema` makes the
JSON Schema of them, `validator.documents` judges by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from validator.pack import Attests, Personal, Provenance
from validator.text import Text

_NO_NOTE = Text("", "")


class Shape(StrEnum):
    """What JSON value a member takes. Null, an empty text and a missing member are one thing."""

    #: A text.
    TEXT = "text"
    #: A code: a text, or an integer.
    CODE = "code"
    #: An integer, or a text of its form.
    INTEGER = "integer"
    #: A number, or a text of its form.
    DECIMAL = "decimal"
    #: A text yyyy-MM-dd.
    DATE = "date"
    #: true or false.
    BOOLEAN = "boolean"
    #: A text of so many places joined by commas; an empty place and the text null say no.
    SLOTS = "slots"


#: What each takes, in words.
SHAPES = {
    Shape.TEXT: Text("文本", "a text"),
    Shape.CODE: Text("代码（文本或整数）", "a code (a text or an integer)"),
    Shape.INTEGER: Text('整数，如 12 或 "12"', 'an integer such as 12 or "12"'),
    Shape.DECIMAL: Text('数字，如 12.5 或 "12.5"', 'a number such as 12.5 or "12.5"'),
    Shape.DATE: Text('日期，如 "2024-03-05"', 'a date such as "2024-03-05"'),
    Shape.BOOLEAN: Text("布尔值 true 或 false", "true or false"),
    Shape.SLOTS: Text(
        "以逗号分隔的 {slots} 个位置", "{slots} places with commas between, empty or filled"
    ),
}
OBJECT = Text("对象 {…}", "an object {…}")
LIST = Text("列表 […]", "a list […]")


@dataclass(frozen=True, slots=True)
class Mark:
    """What one demand of a document rests on: the rule that judges it, and its evidence.

    `always`: what breaks it cannot be carried, so that it blocks whatever it rests on.
    """

    rule: str
    provenance: Provenance
    attests: Attests | None = None
    reference: str = ""
    open_list: bool = False
    always: bool = False


class Holds(StrEnum):
    """When a member of the same object makes another one required."""

    #: It has one of the values.
    VALUE = "value"
    #: It is filled.
    FILLED = "filled"
    #: It is a number above zero.
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Condition:
    """A member of the same object and what it must be."""

    member: str
    holds: Holds
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A required mark of a member."""

    provenance: Provenance
    attests: Attests | None = None
    reference: str = ""
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A named format (`validator.formats`) of a member."""

    name: str
    provenance: Provenance
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object. `also`: other spellings that were seen. `codes`: the lists of which
    one must have the value. `slots`: places of a member of that shape."""

    name: str
    title: Text
    shape: Shape
    provenance: Provenance
    also: tuple[str, ...] = ()
    required: tuple[Wanted, ...] = ()
    codes: tuple[str, ...] = ()
    reference: str = ""
    format: Pattern | None = None
    personal: Personal | None = None
    slots: int = 0
    note: Text = _NO_NOTE

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of object: `forms/ID.toml`."""

    id: str
    title: Text
    provenance: Provenance
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part stands in a document: under `name`, once or as a list (`many`)."""

    name: str
    part: Part
    many: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A document: an object of parts, or, with one place without a name, a list of one part."""

    id: str
    title: Text
    provenance: Provenance
    places: tuple[Place, ...]

    @property
    def listed(self) -> bool:
        """True where the document itself is a list."""
        return self.places[0].name == ""


@dataclass(frozen=True, slots=True)
class DocumentUse:
    """What a field holds: one document, or that of the value of another field (`by`)."""

    by: str | None
    forms: tuple[tuple[str, str], ...]

    def chosen(self, value: str | None) -> str | None:
        """Id of the document for a value of `by`; None where there is none for it."""
        if self.by is None:
            return self.forms[0][1]
        return dict(self.forms).get(value or "")

    def documents(self) -> Iterator[str]:
        """Ids, each once."""
        yield from dict.fromkeys(name for _, name in self.forms)
