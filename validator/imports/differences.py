"""An official source beside the packs: what is missing, surplus or said otherwise.

A difference is a fact about two declarations. What an overlay then takes over is said with it, and
why not where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from validator.exports.ddl import refuses_blank
from validator.imports.official import Basis, Official, OfficialField, OfficialTable
from validator.lexical import matches
from validator.pack import EXCHANGE_FIELDS, Field, Kind, Packs, Role, Table
from validator.sources.naming import Naming
from validator.sources.source import Place, SourceOptions
from validator.text import Text


class Topic(StrEnum):
    """What differs."""

    #: A table of the packs that the source lacks.
    MISSING_TABLE = "missing-table"
    #: A table of the source that no pack has.
    SURPLUS_TABLE = "surplus-table"
    #: A field of the pack that the source lacks.
    MISSING_FIELD = "missing-field"
    #: A field of the source that the pack lacks.
    SURPLUS_FIELD = "surplus-field"
    #: The type of a column.
    TYPE = "type"
    #: Length of a text, or digits of a number.
    LENGTH = "length"
    #: Whether a column may be empty.
    NULL = "null"
    #: The natural key.
    KEY = "key"
    #: The codes of a list.
    CODES = "codes"
    #: The Chinese title.
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class Difference:
    """`ours` and `theirs` are as written on each side; `kept` says why an overlay leaves it."""

    topic: Topic
    table: str
    field: str
    ours: str
    theirs: str
    kept: Text | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """A table of the packs with the same table of the source; None where the source lacks it."""

    table: Table
    official: OfficialTable | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Every table side by side, and what differs. `surplus`: tables of the source alone."""

    official: Official
    tables: tuple[Matched, ...]
    surplus: tuple[OfficialTable, ...]
    differences: tuple[Difference, ...]


def compare(packs: Packs, official: Official, options: SourceOptions) -> Compared:
    """Lay the source beside the packs. Table names may carry the site's prefixes and suffixes.

    Raises SourceError for a name that stands in two packs.
    """
    naming = Naming(packs, options)
    found: dict[str, OfficialTable] = {}
    surplus: list[OfficialTable] = []
    for theirs in official.tables:
        table = naming.table(theirs.name, _NOWHERE)
        if table is None:
            surplus.append(theirs)
        else:
            found.setdefault(table.qualified, theirs)
    matched = tuple(Matched(t, found.get(t.qualified)) for t in packs.tables())
    seen = [d for m in matched for d in _table(packs, official, m)]
    if official.basis is Basis.DICTIONARY:  # there a list is said once, and used often
        lists = {(d.ours, d.theirs): d for d in reversed(seen) if d.topic is Topic.CODES and d.ours}
        seen = [d for d in seen if lists.get((d.ours, d.theirs), d) is d]
    seen += [Difference(Topic.SURPLUS_TABLE, t.name, "", "", t.title) for t in surplus]
    return Compared(official, matched, tuple(surplus), tuple(seen))


def _table(packs: Packs, official: Official, matched: Matched) -> Iterator[Difference]:
    table, theirs = matched.table, matched.official
    if theirs is None:
        yield Difference(Topic.MISSING_TABLE, table.name, "", table.title.zh, "", _NOT_DROPPED)
        return
    there = {f.name: f for f in theirs.fields}
    for field in table.fields:
        if field.name in there:
            yield from _field(packs, official, table, field, there[field.name])
        else:
            kept = _NEEDED if needed(packs, table, field.name) else None
            yield Difference(Topic.MISSING_FIELD, table.name, field.name, field.title.zh, "", kept)
    local = {*packs.pack(table.standard).local_columns, *table.local_columns}
    for own in theirs.fields:
        if own.name not in table.by_name and own.name not in local:
            words = f"{own.written} {own.title}".strip()
            kept = None if own.kinds else _NO_KIND
            yield Difference(Topic.SURPLUS_FIELD, table.name, own.name, "", words, kept)
    if theirs.keys and set(table.key.fields) not in map(set, theirs.keys):
        known = all(name in table.by_name for name in theirs.keys[0])
        kept = None if known else _UNKNOWN_KEY
        ours, key = ", ".join(table.key.fields), ", ".join(theirs.keys[0])
        yield Difference(Topic.KEY, table.name, "", ours, key, kept)


def _field(
    packs: Packs, official: Official, table: Table, field: Field, theirs: OfficialField
) -> Iterator[Difference]:
    def differs(topic: Topic, ours: str, said: str, kept: Text | None = None) -> Difference:
        return Difference(topic, table.name, field.name, ours, said, kept)

    same_kind = field.kind in theirs.kinds
    if not same_kind:
        kept = _NO_KIND if not theirs.kinds else kind_conflict(packs, table, field, theirs.kinds[0])
        yield differs(Topic.TYPE, str(field.kind), theirs.written, kept)
    elif field.kind is Kind.DECIMAL:
        ours = (field.precision.digits, field.precision.scale) if field.precision else None
        if theirs.precision is not None and ours != theirs.precision:
            yield differs(Topic.LENGTH, _digits(ours), _digits(theirs.precision))
    elif theirs.length is not None and theirs.length != (field.length and field.length.max):
        known = str(field.length.max) if field.length else _UNKNOWN
        yield differs(Topic.LENGTH, known, str(theirs.length))
    if theirs.required is not None and field.role is Role.BUSINESS:
        ours_required = refuses_blank(field)
        if theirs.required and not ours_required:
            yield differs(Topic.NULL, "NULL", "NOT NULL")
        if ours_required and not theirs.required:
            yield differs(Topic.NULL, "NOT NULL", "NULL", _STILL_REFUSED)
    if theirs.codes is not None:
        yield from _codes(packs, table, field, theirs)
    if official.basis is Basis.DICTIONARY and _plain(theirs.title) not in (
        "",
        _plain(field.title.zh),
    ):
        yield differs(Topic.TITLE, field.title.zh, theirs.title)


def _codes(packs: Packs, table: Table, field: Field, theirs: OfficialField) -> Iterator[Difference]:
    """Codes are compared as codes; a label only where the source has one and it is another."""
    own = packs.code_list(table, field.codes.list) if field.codes else None
    ours = {c.code: c.title.zh for c in own.codes} if own else {}
    said = dict(theirs.codes or ())
    changed = [c for c in said if c in ours and said[c] and _plain(said[c]) != _plain(ours[c])]
    if set(ours) == set(said) and not changed:
        return
    kept = None
    if own is not None and own.pattern:
        shape = re.compile(own.pattern)
        kept = None if all(shape.fullmatch(c) for c in said) else _OTHER_SHAPE
    if own is not None and all(c.id != own.id for c in packs.pack(table.standard).code_lists):
        kept = _OTHER_PACK
    parts = [
        *(f"+{c} {said[c]}".rstrip() for c in said if c not in ours),
        *(f"-{c}" for c in ours if c not in said),
        *(f"{c}: {said[c]}" for c in changed),
    ]
    name = own.id if own else ""
    yield Difference(Topic.CODES, table.name, field.name, name, "; ".join(parts), kept)


def kind_conflict(packs: Packs, table: Table, field: Field, kind: Kind) -> Text | None:
    """Why an overlay cannot give the field another kind; None when it can."""
    if field.formats or field.separator or field.precision:
        return Text("字段有格式、分隔符或精度", "the field has a format, separator or precision")
    if field.codes:
        codes = packs.code_list(table, field.codes.list).codes
        if not all(matches(kind, c.code) for c in codes):
            return Text("代码表中有其他形式的代码", "its code list holds codes of another form")
    numbers = {Kind.INTEGER, Kind.DECIMAL}
    if {field.kind, kind} <= numbers:
        return None
    for other in packs.tables():
        for r in other.references:
            into = r.table == table.qualified and field.name in r.target_fields
            if into or (other is table and field.name in r.fields):
                return Text(
                    "参与引用，两端须一致", "it takes part in a reference; both ends must agree"
                )
    return None


def needed(packs: Packs, table: Table, field: str) -> bool:
    """True where key, references, conditions or rules name the field."""
    if field in table.key.fields or field in EXCHANGE_FIELDS:
        return True
    for other in packs.tables():
        for r in other.references:
            if r.table == table.qualified and field in r.target_fields:
                return True
            if other is table and field in r.fields:
                return True
    conditions = [m.when for f in table.fields for m in f.required]
    conditions += [m.when for f in table.fields for m in f.formats]
    if any(when is not None and when.field == field for when in conditions):
        return True
    named = f"{table.name}.{field}"
    uses = [(t.name == table.name, u) for t in packs.tables() for u in t.rules]
    uses += [(False, u) for p in packs for u in p.rules]
    for own, use in uses:
        words = set(_words(list(use.params.values())))
        near = own or table.name in {w.partition(".")[0] for w in words}
        if named in words or (near and field in words):
            return True
    return False


def _words(values: Sequence[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            yield from _words([*value, *value.values()])
        elif isinstance(value, list | tuple):
            yield from _words(value)
        else:
            yield str(value)


def _plain(text: str) -> str:
    """A title without blanks and with one kind of brackets and commas."""
    return "".join(text.split()).translate(str.maketrans("（），：；", "(),:;"))


def _digits(precision: tuple[int, int] | None) -> str:
    return _UNKNOWN if precision is None else f"({precision[0]},{precision[1]})"


_UNKNOWN = "?"
_NOWHERE = Place(Path(), "import")
_NOT_DROPPED = Text("扩展包不删表", "the overlay drops no table")
_NEEDED = Text("唯一标识、引用或规则要用，未删", "key, references or rules need it, so it stays")
_NO_KIND = Text("不认识的类型，未采用", "a type that is not known here, not taken over")
_UNKNOWN_KEY = Text("含标准包没有的列，未采用", "holds columns the pack lacks, not taken over")
_STILL_REFUSED = Text(
    "允许空值的列不说明空值会被接受，必填保留",
    "a column that may be NULL does not say that blanks are accepted; required stays",
)
_OTHER_SHAPE = Text(
    "代码形式与标准包不同，可能丢了前导零", "codes of another form; leading zeros may be lost"
)
_OTHER_PACK = Text("代码表属于另一个标准包", "the list belongs to another pack")
