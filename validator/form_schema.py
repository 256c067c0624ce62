"""Document → JSON Schema 2020-12: for export (`forms/ID.schema.json`) and to judge by.

Each demand is a subschema of its own whose `$comment` names it, so that an error tells which demand
it is. Null, an empty text and a missing member are one thing; numbers may be written as texts.
Sums, dates and lists of files are rules of their own (`validator/rules/document_*.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from validator.cells import BLANK_TEXT, anchored, native_enum
from validator.form import Condition, Document, Holds, Mark, Member, Part, Place, Shape
from validator.formats import FORMATS
from validator.json_schema import DIALECT
from validator.lexical import PATTERNS
from validator.pack import Kind, Packs, Provenance, Table

Schema = dict[str, object]
#: What stands in `$comment` of a demand.
Label = Callable[[Mark], str]

UNREADABLE = "document-unreadable"
WRONG_TYPE = "document-wrong-type"
MISSING_VALUE = "document-value-missing"
NOT_LISTED = "document-code-not-in-list"
WRONG_FORMAT = "document-wrong-format"
CHECK_DIGIT = "document-wrong-check-digit"
UNKNOWN = "document-unknown-member"
#: Rules whose demands are in the schema, in the order in which one value is judged.
CHAIN = (MISSING_VALUE, WRONG_TYPE, NOT_LISTED, WRONG_FORMAT, CHECK_DIGIT, UNKNOWN)

_DATE = PATTERNS[Kind.DATE].partition("(?:[ T]")[0]
#: Null, or a text of nothing but blanks.
_MISSING: Schema = {"type": ["string", "null"], "pattern": BLANK_TEXT["pattern"]}
_SLOT = r"[ \t]*(?:null)?[ \t]*"


def document_schema(
    packs: Packs, table: Table, document: Document, label: Label | None = None
) -> Schema:
    """The schema of a document in a field of the table; without `label` that of the export."""
    name = label or (lambda mark: mark.rule)
    body = partial(_part, packs, table, name)
    if document.listed:
        part = document.places[0].part
        content = {**_typed(name, "array", document.provenance), "items": body(part)}
    else:
        content = _object(name, document, body)
    return {
        "$schema": DIALECT,
        "$id": f"urn:spgl:{table.standard}:{document.id}",
        "title": document.title.zh,
        "description": document.title.en,
        **content,
    }


def schema_text(packs: Packs, table: Table, document: Document) -> str:
    """The exported text of a document's schema."""
    made = document_schema(packs, table, document)
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def marks(packs: Packs, table: Table, document: Document) -> tuple[Mark, ...]:
    """Every distinct demand of a document's schema."""
    found: dict[Mark, None] = {}

    def note(mark: Mark) -> str:
        found[mark] = None
        return ""

    document_schema(packs, table, document, note)
    return tuple(found)


def _typed(label: Label, kind: str, provenance: Provenance) -> Schema:
    return {"$comment": label(Mark(WRONG_TYPE, provenance, always=True)), "type": [kind, "null"]}


def _object(label: Label, document: Document, body: Callable[[Part], Schema]) -> Schema:
    return {
        **_typed(label, "object", document.provenance),
        "properties": {p.name: _place(label, p, body) for p in document.places},
        "allOf": [_known(label, (p.name for p in document.places))],
    }


def _place(label: Label, place: Place, body: Callable[[Part], Schema]) -> Schema:
    made = body(place.part)
    if not place.many:
        return made
    return {**_typed(label, "array", place.part.provenance), "items": made}


def _known(label: Label, names: Iterable[str]) -> Schema:
    """Members that nobody named are told, never refused."""
    mark = Mark(UNKNOWN, Provenance.INFERRED)
    known: Schema = dict.fromkeys(names, True)
    return {"$comment": label(mark), "properties": known, "additionalProperties": False}


def _part(packs: Packs, table: Table, label: Label, part: Part) -> Schema:
    properties = {
        name: {
            "title": member.title.zh,
            "description": member.title.en,
            "allOf": _member(packs, table, label, member),
        }
        for member in part.members
        for name in member.names
    }
    asked = [
        _asked(label, part, member, mark) for member in part.members for mark in _wanted(member)
    ]
    known = _known(label, (n for m in part.members for n in m.names))
    return {
        **_typed(label, "object", part.provenance),
        "properties": properties,
        "allOf": [*asked, known],
    }


def _wanted(member: Member) -> Iterable[tuple[Mark, Condition | None]]:
    for of in member.required:
        yield Mark(MISSING_VALUE, of.provenance, of.attests, of.reference), of.when


def _asked(
    label: Label, part: Part, member: Member, wanted: tuple[Mark, Condition | None]
) -> Schema:
    mark, when = wanted
    asked = _filled(label, mark, member)
    if when is None:
        return asked
    other = next(m for m in part.members if m.name == when.member)
    return {"if": _holds(other, when), "then": asked}


def _filled(label: Label, mark: Mark, member: Member) -> Schema:
    """Schema of an object in which the member is filled. Plain where it has one spelling."""
    said = label(mark)
    none = {"anyOf": [_MISSING, _empty_slots(member)]} if member.slots else _MISSING
    head: Schema = {"$comment": f"{said} {member.name}"}
    if not member.also:
        filled = {"$comment": said, "not": none}
        return {**head, "required": [member.name], "properties": {member.name: filled}}
    given = [{"required": [n], "properties": {n: {"not": none}}} for n in member.names]
    return {**head, "anyOf": given}


def _holds(member: Member, when: Condition) -> Schema:
    """Schema of an object in which the condition holds."""
    if when.holds is Holds.FILLED:
        of: Mapping[str, object] = {"not": _MISSING}
    elif when.holds is Holds.POSITIVE:
        text = {"type": "string", "pattern": r"^[0-9]*[1-9][0-9]*(\.[0-9]+)?$|^0+\.0*[1-9][0-9]*$"}
        of = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, text]}
    elif member.shape is Shape.BOOLEAN:
        of = {"enum": [value == "true" for value in when.values]}
    else:
        of = {"enum": native_enum(when.values, yes_no=False)}
    return {"required": [member.name], "properties": {member.name: of}}


def _member(packs: Packs, table: Table, label: Label, member: Member) -> list[Schema]:
    reference = member.reference if not member.codes else ""
    typed = Mark(WRONG_TYPE, member.provenance, reference=reference, always=True)
    found: list[Schema] = [{"$comment": label(typed), **_shape(member)}]
    if member.codes:
        found.append(_listed(packs, table, label, member))
    if member.format is not None:
        of, form = member.format, FORMATS[member.format.name]
        mark = Mark(WRONG_FORMAT, of.provenance, reference=of.reference)
        found.append({"$comment": label(mark), "pattern": anchored(form.pattern)})
        if form.check is not None:
            digit = Mark(CHECK_DIGIT, of.provenance, reference=of.reference)
            found.append({"$comment": label(digit), "format": of.name})
    return found


def _shape(member: Member) -> Schema:
    """What a value may be; a pattern binds texts only, and takes blank ones."""
    if member.shape is Shape.BOOLEAN:
        return {"type": ["boolean", "string", "null"], "pattern": BLANK_TEXT["pattern"]}
    if member.shape is Shape.DATE:
        return {"type": ["string", "null"], "pattern": anchored(_DATE)}
    if member.shape is Shape.CODE:
        return {"type": ["string", "integer", "null"]}
    if member.shape is Shape.INTEGER:
        pattern = anchored(PATTERNS[Kind.INTEGER])
        return {"type": ["integer", "string", "null"], "pattern": pattern}
    if member.shape is Shape.DECIMAL:
        pattern = anchored(PATTERNS[Kind.DECIMAL])
        return {"type": ["number", "string", "null"], "pattern": pattern}
    if member.shape is Shape.SLOTS:
        places = f"[^,]*(?:,[^,]*){{{member.slots - 1}}}"
        return {"type": ["string", "null"], "pattern": anchored(places)}
    return {"type": ["string", "null"]}


def _listed(packs: Packs, table: Table, label: Label, member: Member) -> Schema:
    """The value is a code of one of the lists, as a text or as an integer."""
    lists = [packs.code_list(table, name) for name in member.codes]
    weakest = max(lists, key=lambda of: of.provenance.rank)
    mark = Mark(
        NOT_LISTED,
        weakest.provenance,
        reference=member.reference,
        open_list=not all(of.closed for of in lists),
    )
    codes = [code.code for of in lists for code in of.codes]
    if member.slots:
        some = "|".join(codes)
        slot = rf"[ \t]*(?:{some}|null)?[ \t]*"
        allowed: Schema = {"type": "string", "pattern": anchored(f"{slot}(?:,{slot})*")}
    else:
        allowed = {"enum": native_enum(codes, yes_no=False)}
    return {"$comment": label(mark), "anyOf": [allowed, _MISSING] if codes else [True]}


def _empty_slots(member: Member) -> Schema:
    return {"type": "string", "pattern": f"^{_SLOT}(?:,{_SLOT})*$(?!\\n)"}
