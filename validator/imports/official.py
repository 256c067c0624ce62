"""What an official source says of its tables, as plain values; what it does not say is None."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from validator.pack import Kind


class Basis(StrEnum):
    """What kind of source it is."""

    #: The front exchange database: types, lengths, NOT NULL, unique indexes.
    DATABASE = "database"
    #: A data dictionary: also titles and code lists are its own words.
    DICTIONARY = "dictionary"


@dataclass(frozen=True, slots=True)
class OfficialField:
    """One column. `written` is its type as the source writes it; `kinds` are those that such a
    column carries natively, the likeliest first, none where the type is not known to us.
    `codes`: (code, title) pairs, None where nothing is said.
    """

    name: str
    title: str
    written: str
    kinds: tuple[Kind, ...]
    length: int | None = None
    precision: tuple[int, int] | None = None
    required: bool | None = None
    codes: tuple[tuple[str, str], ...] | None = None
    code_list: str = ""


@dataclass(frozen=True, slots=True)
class OfficialTable:
    """One table. `keys`: sets of columns that are unique in it, exchange columns left out."""

    name: str
    title: str
    fields: tuple[OfficialField, ...]
    keys: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Official:
    """An official source. `label` names it without secrets; `others`: tables that are none of ours
    to judge, by name."""

    label: str
    basis: Basis
    tables: tuple[OfficialTable, ...]
    others: tuple[str, ...] = ()
