"""The documents that a field may hold, member by member, as lines of text in one language."""

from __future__ import annotations

from collections.abc import Iterator

from validator import describe_words as w
from validator.documents import documents_of
from validator.form import SHAPES, Condition, Document, Holds, Member
from validator.pack import Field, Packs, Table
from validator.severity import by_evidence
from validator.text import Lang, Text

_OF = Text("文档 {id}（{title}）", "document {id} ({title})")
_WHEN = Text("{field}={value} 时：", "where {field}={value}: ")
_LIST = Text("列表", "list")
_ALSO = Text("也写作 {names}", "also written {names}")
_HOLDS = {
    Holds.VALUE: Text("{member} 为 {values} 时", "where {member} is {values}: "),
    Holds.FILLED: Text("填了 {member} 时", "where {member} is filled: "),
    Holds.POSITIVE: Text("{member} 大于 0 时", "where {member} is above 0: "),
}


def document_lines(packs: Packs, table: Table, field: Field, lang: Lang) -> Iterator[str]:
    """Every document of the field: its parts, and what is declared of each member."""
    for name, use, document in documents_of(packs, table):
        if name.name != field.name:
            continue
        value = next(v for v, form in use.forms if form == document.id)
        when = _WHEN.fill({"field": use.by, "value": value})[lang] if use.by else ""
        said = _OF.fill({"id": document.id, "title": document.title[lang]})[lang]
        yield f"  {when}{said}"
        yield from _places(document, lang)


def _places(document: Document, lang: Lang) -> Iterator[str]:
    for place in document.places:
        many = f" [{_LIST[lang]}]" if place.many else ""
        yield f"    /{place.name}{many}  {place.part.title[lang]}"
        width = max(len(m.name) for m in place.part.members)
        for member in place.part.members:
            words = "; ".join([member.title[lang], *_marks(member, lang)])
            yield f"      {member.name:<{width}}  {words}"


def _marks(member: Member, lang: Lang) -> Iterator[str]:
    """What is declared of a member, in short."""
    yield SHAPES[member.shape].fill({"slots": member.slots})[lang]
    for mark in member.required:
        severity = by_evidence(mark.provenance, attests=mark.attests)
        yield f"{_when(mark.when, lang)}{w.REQUIRED[lang]} [{w.SEVERITY[severity][lang]}]"
    if member.codes:
        yield f"{w.CODE_LIST[lang]} {', '.join(member.codes)}"
    if member.format:
        yield f"{w.FORMAT[lang]} {member.format.name}"
    if member.also:
        yield _ALSO.fill({"names": ", ".join(member.also)})[lang]
    if member.personal:
        yield w.PERSONAL[member.personal][lang]
    if member.note[lang]:
        yield member.note[lang]


def _when(when: Condition | None, lang: Lang) -> str:
    if when is None:
        return ""
    places = {"member": when.member, "values": ", ".join(when.values)}
    return _HOLDS[when.holds].fill(places)[lang]
