"""Documents inside cells: what is wrong in them, and where in them.

Each document is read once and goes through the JSON Schema of its kind (compiled once), then
through the rules that a schema cannot say. Equal cells are judged once per batch. Of one value only
the first fault is told, as of a cell. It writes nothing; `validator.finding` makes rows of flaws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from validator import paper
from validator.form import LIST, OBJECT, SHAPES, Document, DocumentUse, Mark, Member
from validator.form_schema import CHAIN, UNKNOWN, UNREADABLE, document_schema, marks
from validator.formats import FORMATS
from validator.json_schema import format_checker
from validator.lexical import is_blank
from validator.pack import Field, Packs, Personal, Table
from validator.paper import Flaw, Paper, PaperError
from validator.rule import Rule, Use, texts_param
from validator.severity import by_evidence
from validator.text import Text
from validator.violation import Severity

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Judge = Callable[[Paper], Iterable[Flaw]]
#: A flaw and the number of the use that found it.
Told = tuple[int, Flaw]


def documents_of(packs: Packs, table: Table) -> Iterator[tuple[Field, DocumentUse, Document]]:
    """Every document that a field of the table may hold."""
    known = {d.id: d for d in packs.pack(table.standard).documents}
    for field in table.fields:
        for name in field.document.documents() if field.document else ():
            yield field, cast(DocumentUse, field.document), known[name]


def schema_uses(rule: str, packs: Packs, table: Table) -> tuple[Use, ...]:
    """The uses of a rule whose demands stand in the schemas of documents: one per field and
    evidence."""
    found: dict[tuple[str, Mark], None] = {}
    for field, _, document in documents_of(packs, table):
        found.update(((field.name, m), None) for m in marks(packs, table, document))
    return tuple(
        Use(
            rule, table.qualified, (name,), {"mark": mark}, mark.provenance,
            Severity.ERROR if mark.always
            else by_evidence(mark.provenance, attests=mark.attests, open_list=mark.open_list),
            mark.reference, mark.attests,
        )
        for name, mark in found if mark.rule == rule
    )  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """One kind of document in one field: its schema, compiled when first needed, and the judges of
    its explicit rules. `numbers`: use of each mark."""

    packs: Packs
    table: Table
    document: Document
    numbers: Mapping[Mark, int]
    judges: tuple[tuple[int, Judge], ...]

    @cached_property
    def validator(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator

        schema = document_schema(
            self.packs, self.table, self.document, lambda mark: str(self.numbers[mark])
        )
        return Draft202012Validator(schema, format_checker=format_checker())

    @cached_property
    def rules(self) -> Mapping[int, str]:
        return {number: mark.rule for mark, number in self.numbers.items()}

    @cached_property
    def members(self) -> Mapping[str, Mapping[str, Member]]:
        """By name of the place, then by every spelling."""
        return {
            place.name: {n: m for m in place.part.members for n in m.names}
            for place in self.document.places
        }

    def member(self, steps: Sequence[str | int]) -> Member | None:
        """The member at a path; None where there is none."""
        names = [s for s in steps if isinstance(s, str)]
        if self.document.listed:
            names = ["", *names]
        of = self.members.get(names[0], {}) if len(names) > 1 else {}
        return of.get(names[1]) if len(names) > 1 else None

    def told(self, given: Paper) -> list[Told]:
        """Everything that is wrong in a document."""
        first: dict[str, tuple[int, Told]] = {}
        for error in self.validator.iter_errors(given.root):
            for number, flaw in self._flaws(error):
                rank = CHAIN.index(self.rules[number])
                known = first.get(flaw.pointer)
                if known is None or rank < known[0]:
                    first[flaw.pointer] = rank, (number, flaw)
        found = [told for _, told in first.values()]
        return found + [
            (number, self._titled(flaw)) for number, judge in self.judges for flaw in judge(given)
        ]

    def _titled(self, flaw: Flaw) -> Flaw:
        """With what the message needs of the member it speaks of."""
        steps = paper.steps(flaw.pointer)
        member = self.member(steps)
        personal = member.personal if member else None
        return replace(flaw, places=self._words(member, steps) | flaw.places, personal=personal)

    def _flaws(self, error: ValidationError) -> Iterator[Told]:
        schema = cast("Mapping[str, object]", error.schema)
        label, _, name = str(schema["$comment"]).partition(" ")
        steps = (*error.absolute_path, *([name] if name else []))
        number = int(label)
        if self.rules[number] == UNKNOWN:
            known = cast("Mapping[str, object]", schema["properties"])
            for extra in cast("Mapping[str, object]", error.instance):
                if extra not in known:
                    shown = paper.name(extra)
                    yield number, Flaw(paper.pointer((*steps, extra)), shown, {"member": shown})
            return
        member = self.member(steps)
        value = None if name else paper.shown(error.instance)
        places = {"member": paper.name(str(steps[-1])) if steps else self.document.id}
        places |= self._words(member, steps)
        personal = member.personal if member else None
        yield number, Flaw(paper.pointer(steps), value, places, personal)

    def _words(self, member: Member | None, steps: Sequence[str | int]) -> dict[str, str]:
        """Places that only some messages have."""
        if member is None:
            names = [s for s in steps if isinstance(s, str)]
            part = next((p.part.title for p in self.document.places if [p.name] == names), None)
            title = part or self.document.title
            inner = bool(steps) and isinstance(steps[-1], int)
            listed = not inner and any(p.many and [p.name] == names for p in self.document.places)
            form = LIST if listed or (self.document.listed and not steps) else OBJECT
            return _named(title, form)
        lists = [self.packs.code_list(self.table, name) for name in member.codes]
        words = _named(member.title, SHAPES[member.shape].fill({"slots": member.slots}))
        if lists:
            words["list_title"] = "、".join(of.title.zh for of in lists)
            words["list_title_en"] = ", ".join(of.title.en for of in lists)
        if member.format is not None:
            of = FORMATS[member.format.name]
            words |= {"format": of.title.zh, "format_en": of.title.en}
        return words


def _named(title: Text, form: Text) -> dict[str, str]:
    return {
        "member_title": title.zh, "member_title_en": title.en, "form": form.zh, "form_en": form.en
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents of one field. `unreadable` is the use of the rule of that name; `reads` are the
    cells of the record that judges look at."""

    field: str
    use: DocumentUse
    sheets: Mapping[str, Sheet]
    unreadable: int
    reads: tuple[str, ...]

    def told(self, text: str, cells: Mapping[str, str | None]) -> list[Told]:
        """Everything that is wrong in the document of a cell."""
        try:
            root = paper.read(text)
        except PaperError as fault:
            places = {"reason": fault.reason.zh, "reason_en": fault.reason.en}
            flaw = Flaw(fault.pointer, text, places, Personal.DOCUMENT)
            return [(self.unreadable, flaw)]
        chosen = self.use.chosen(cells.get(self.use.by) if self.use.by else None)
        if chosen is None:
            return []
        return self.sheets[chosen].told(Paper(chosen, root, cells))


def folders(
    packs: Packs, table: Table, uses: Sequence[tuple[int, Rule, Use]]
) -> tuple[Folder, ...]:
    """The compiled documents of a table; `uses` are its numbered uses of document rules."""
    made: dict[str, tuple[DocumentUse, dict[str, Sheet]]] = {}
    for field, of, document in documents_of(packs, table):
        own = [(n, r, u) for n, r, u in uses if u.fields[0] == field.name]
        numbers = {cast(Mark, u.params["mark"]): n for n, _, u in own if "mark" in u.params}
        judges = tuple(
            (n, r.document(u)) for n, r, u in own
            if r.document and document.id in texts_param(u, "forms")
        )  # fmt: skip
        sheet = Sheet(packs, table, document, numbers, judges)
        made.setdefault(field.name, (of, {}))[1][document.id] = sheet
    unreadable = {u.fields[0]: n for n, r, u in uses if r.name == UNREADABLE}
    return tuple(
        Folder(name, of, sheets, unreadable[name], _reads(table, name, of, uses))
        for name, (of, sheets) in made.items()
    )


def _reads(
    table: Table, name: str, of: DocumentUse, uses: Sequence[tuple[int, Rule, Use]]
) -> tuple[str, ...]:
    """The field that chooses the document, and every field that a parameter names."""
    named = [
        v for _, _, u in uses if u.fields[0] == name for v in u.params.values()
        if isinstance(v, str) and v in table.by_name and v != name
    ]  # fmt: skip
    return tuple(dict.fromkeys([*([of.by] if of.by else []), *named]))


@dataclass(frozen=True, slots=True)
class Flaws:
    """Flaws of the documents of a batch: parallel, sorted by row."""

    use: Ints
    row: Ints
    flaws: tuple[Flaw, ...]


def judge(found: Sequence[Folder], frame: pl.DataFrame, judged: Mask) -> Flaws:
    """What is wrong in the documents of a batch; `judged`: rows to look at."""
    told: list[tuple[int, Told]] = []
    for folder in found:
        if folder.field not in frame.columns:
            continue
        names = [n for n in folder.reads if n in frame.columns]
        known: dict[tuple[str | None, ...], list[Told]] = {}
        cells = frame.select(folder.field, *names)
        for row in np.flatnonzero(judged).tolist():
            values = cells.row(row)
            if values[0] is None or is_blank(values[0]):
                continue
            if values not in known:
                known[values] = folder.told(values[0], dict(zip(names, values[1:], strict=True)))
            told += [(row, t) for t in known[values]]
    told.sort(key=lambda t: t[0])
    return Flaws(
        np.array([t[0] for _, t in told], dtype=np.int64),
        np.array([row for row, _ in told], dtype=np.int64),
        tuple(t[1] for _, t in told),
    )
