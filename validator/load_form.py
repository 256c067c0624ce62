"""Data of `forms/*.toml` and `[documents]` → documents. Shapes were checked before.

A member has the provenance of its part, an attribute that of its member, unless written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from validator.form import (
    Condition,
    Document,
    DocumentUse,
    Holds,
    Member,
    Part,
    Pattern,
    Place,
    Shape,
    Wanted,
)
from validator.load_files import Data, did_you_mean
from validator.load_files import Document as File
from validator.pack import Attests, Pack, Personal, Provenance
from validator.text import Text


def documents(files: Mapping[str, File]) -> tuple[Document, ...]:
    """Every document of a pack. Raises PackError for a part that has no file, or no document."""
    head = files["pack.toml"]
    parts = {
        path[len("forms/") : -len(".toml")]: _part(path, file.data)
        for path, file in files.items()
        if path.startswith("forms/")
    }
    data = cast("Mapping[str, Data]", head.data.get("documents", {}))
    made = tuple(_document(name, of, parts, head) for name, of in data.items())
    used = {place.part.id for document in made for place in document.places}
    for name in parts.keys() - used:
        files[f"forms/{name}.toml"].fail([], "no document has this part", "use it or remove it")
    return made


def document_use(data: object) -> DocumentUse | None:
    """The `document` of a field."""
    if data is None:
        return None
    if isinstance(data, str):
        return DocumentUse(None, (("", data),))
    of = cast(Data, data)
    return DocumentUse(str(of["by"]), tuple(cast("Mapping[str, str]", of["forms"]).items()))


def check_documents(pack: Pack, known: frozenset[str], files: Mapping[str, File]) -> None:
    """Do the names in parts point to something? `known`: ids of code lists. Raises PackError."""
    from validator.formats import FORMATS

    for part in {p.part.id: p.part for d in pack.documents for p in d.places}.values():
        file = files[f"forms/{part.id}.toml"]
        names = {m.name for m in part.members}
        for member in part.members:
            at = ["members", member.name]
            for codes in set(member.codes) - known:
                remedy = f"use {did_you_mean(codes, known)}"
                file.fail([*at, "codes"], f"unknown code list {codes!r}", remedy)
            if member.format is not None and member.format.name not in FORMATS:
                remedy = f"use {did_you_mean(member.format.name, FORMATS)}"
                file.fail([*at, "format"], f"unknown format {member.format.name!r}", remedy)
            for mark in member.required:
                if mark.when is not None and mark.when.member not in names:
                    what = f"{part.id} has no member {mark.when.member!r}"
                    remedy = f"use {did_you_mean(mark.when.member, names)}"
                    file.fail([*at, "required"], what, remedy)
    _check_uses(pack, files)


def _check_uses(pack: Pack, files: Mapping[str, File]) -> None:
    ids = {d.id for d in pack.documents}
    for table in pack.tables:
        for field in table.fields:
            if field.document is None:
                continue
            file, at = files[f"tables/{table.name}.toml"], ["fields", field.name, "document"]
            for name in set(field.document.documents()) - ids:
                file.fail(at, f"unknown document {name!r}", f"use {did_you_mean(name, ids)}")
            by = field.document.by
            if by is not None and by not in table.by_name:
                remedy = f"use {did_you_mean(by, table.by_name)}"
                file.fail(at, f"{table.name} has no field {by!r}", remedy)


def _document(name: str, data: Data, parts: Mapping[str, Part], head: File) -> Document:
    written = cast("Mapping[str, object]", data.get("parts") or {"": [data.get("list")]})
    places = []
    for member, of in written.items():
        many = isinstance(of, list)
        part = str(cast("list[object]", of)[0] if many else of)
        if part not in parts:
            remedy = f"use {did_you_mean(part, parts)}"
            head.fail(["documents", name], f"no part {part!r} (forms/{part}.toml)", remedy)
        places.append(Place(member, parts[part], many))
    return Document(name, _title(data), Provenance(str(data["provenance"])), tuple(places))


def _part(path: str, data: Data) -> Part:
    own = Provenance(str(data["provenance"]))
    members = cast("Mapping[str, Data]", data["members"])
    made = tuple(_member(name, of, own) for name, of in members.items())
    return Part(path[len("forms/") : -len(".toml")], _title(data), own, made)


def _member(name: str, data: Data, inherited: Provenance) -> Member:
    own = Provenance(str(data.get("provenance", inherited)))
    codes = data.get("codes", ())
    form = cast("Data | None", data.get("format"))
    required = data.get("required", ())
    marks = [required] if isinstance(required, dict) else cast("list[Data]", required)
    return Member(
        name=name,
        title=_title(data),
        shape=Shape(str(data.get("kind", "code" if codes else "text"))),
        provenance=own,
        also=tuple(cast("list[str]", data.get("also", ()))),
        required=tuple(_wanted(mark, own) for mark in marks),
        codes=(codes,) if isinstance(codes, str) else tuple(cast("list[str]", codes)),
        reference=str(data.get("reference", "")),
        format=None if form is None else _pattern(form, own),
        personal=Personal(str(data["personal"])) if "personal" in data else None,
        slots=cast(int, data.get("slots", 0)),
        note=Text(str(data.get("note", "")), str(data.get("note_en", ""))),
    )


def _pattern(data: Data, own: Provenance) -> Pattern:
    provenance = Provenance(str(data.get("provenance", own)))
    return Pattern(str(data["name"]), provenance, str(data.get("reference", "")))


def _wanted(data: Data, own: Provenance) -> Wanted:
    return Wanted(
        Provenance(str(data.get("provenance", own))),
        Attests(str(data["attests"])) if "attests" in data else None,
        str(data.get("reference", "")),
        _condition(data),
    )


def _condition(data: Data) -> Condition | None:
    for member, values in cast("Mapping[str, list[str]]", data.get("when", {})).items():
        return Condition(member, Holds.VALUE, tuple(values))
    for holds in (Holds.FILLED, Holds.POSITIVE):
        if holds.value in data:
            return Condition(str(data[holds.value]), holds)
    return None


def _title(data: Data) -> Text:
    return Text(str(data["title"]), str(data["title_en"]))
