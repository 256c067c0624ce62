"""Columns of other tables, named `TABLE.FIELD` in a pack, as rules over several tables read them.

It finds tables and places of messages; what is compared is each rule's own matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from validator.pack import Packs, Table
from validator.rule import Use, named_table

COLUMN: dict[str, object] = {"type": "string", "format": "column"}
COLUMNS: dict[str, object] = {"type": "array", "items": COLUMN, "minItems": 1}
#: Own field → column of the other table.
PAIRED: dict[str, object] = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"format": "field"},
    "additionalProperties": COLUMN,
}


@dataclass(frozen=True, slots=True)
class Linked:
    """Fields of one other table."""

    table: Table
    fields: tuple[str, ...]


def linked(packs: Packs, standard: str, columns: Sequence[str]) -> Linked:
    """The table and fields of columns that a pack of `standard` names. Raises KeyError."""
    names = [column.rpartition(".") for column in columns]
    (table,) = {name for name, _, _ in names}
    return Linked(packs.table(named_table(packs, standard, table)), tuple(n[2] for n in names))


def loaded(packs: Packs, standard: str, column: str) -> bool:
    """True where the table of a column belongs to a loaded pack."""
    try:
        named_table(packs, standard, column.rpartition(".")[0])
    except KeyError:
        return False
    return True


def placed(use: Use, other: Linked, /, **more: object) -> Use:
    """The use with the places `parent`, `parent_title` and the qualified name `linked`."""
    places = {
        "linked": other.table.qualified,
        "parent": other.table.name,
        "parent_title": other.table.title.zh,
    }
    return replace(use, params={**use.params, **places, **more})


def pairs_of(params: Mapping[str, object], name: str) -> dict[str, str]:
    """A parameter of the form PAIRED."""
    value = params[name]
    assert isinstance(value, Mapping)
    return {str(k): str(v) for k, v in value.items()}
