"""The reference of packs: tables in order of sending, fields in order of the standard, code lists,
each with what the last run counted."""

from __future__ import annotations

from dataclasses import dataclass

from spgl.inspector import words
from spgl.inspector.pages.rules import last_run
from spgl.inspector.site import Ask, Page, Refusal, Site
from validator.counting import pack_line
from validator.pack import CodeList, Field, Table
from validator.reports import phrases
from validator.reports.titles import used_rules
from validator.run import PackLine, TableCounts
from validator.text import Text


@dataclass(frozen=True, slots=True)
class TableLine:
    """A table: counts are those of the last run, None where it had none of it."""

    table: str
    title: Text
    stage: str | None
    direction: str
    fields: int
    counts: TableCounts | None
    url: str


@dataclass(frozen=True, slots=True)
class PackPart:
    """A pack with its tables and code lists."""

    line: PackLine
    basis: Text
    tables: tuple[TableLine, ...]
    lists: tuple[tuple[str, Text, bool, int, str], ...]


@dataclass(frozen=True, slots=True)
class PackList:
    """Every loaded pack."""

    packs: tuple[PackPart, ...]


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field as the pack declares it; `limits` are its length, format and code list in words."""

    field: Field
    limits: tuple[Text, ...]
    key: bool
    codes: str
    violations: int


@dataclass(frozen=True, slots=True)
class OneTable:
    """A table in full."""

    line: TableLine
    key: tuple[str, ...]
    key_note: Text
    key_provenance: str
    note: Text
    provenance: str
    fields: tuple[FieldLine, ...]
    references: tuple[tuple[tuple[str, ...], str, tuple[str, ...], Text], ...]
    rules: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class OneList:
    """A code list in full, and the fields that draw from it."""

    standard: str
    list: CodeList
    used_by: tuple[tuple[str, str, Text], ...]


def build_list(site: Site, _ask: Ask) -> PackList:
    run = last_run(site)
    counts = run.tables if run else {}
    return PackList(
        tuple(
            PackPart(
                pack_line(pack),
                phrases.basis(pack_line(pack)),
                tuple(_table(site, t, counts.get(t.qualified)) for t in pack.tables),
                tuple(
                    (c.id, c.title, c.closed, len(c.codes), f"/codes/{i}/{c.id}")
                    for c in pack.code_lists
                ),
            )
            for i, pack in enumerate(site.packs)
        )
    )


def build_table(site: Site, ask: Ask) -> OneTable:
    number, name = ask.place["pack"], ask.place["name"]
    packs = list(site.packs)
    pack = packs[int(number)] if number.isdigit() and int(number) < len(packs) else None
    found = [t for t in (pack.tables if pack else ()) if t.name == name]
    if not found:
        raise Refusal(404, _UNKNOWN.fill({"name": name}))
    table, run = found[0], last_run(site)
    per_field = _per_field(site, table) if run else {}
    return OneTable(
        line=_table(site, table, run.tables.get(table.qualified) if run else None),
        key=table.key.fields,
        key_note=table.key.note,
        key_provenance=str(table.key.provenance),
        note=table.note,
        provenance=str(table.provenance),
        fields=tuple(_field(site, table, f, per_field.get(f.name, 0)) for f in table.fields),
        references=tuple((r.fields, r.table, r.target_fields, r.note) for r in table.references),
        rules=tuple((r, site.names.rule(r)) for r in used_rules(site.packs, table)),
    )


def build_codes(site: Site, ask: Ask) -> OneList:
    number, name = ask.place["pack"], ask.place["list"]
    packs = list(site.packs)
    pack = packs[int(number)] if number.isdigit() and int(number) < len(packs) else None
    found = [c for c in (pack.code_lists if pack else ()) if c.id == name]
    if pack is None or not found:
        raise Refusal(404, _UNKNOWN.fill({"name": name}))
    used = tuple(
        (t.qualified, f.name, f.title)
        for t in site.packs.tables()
        for f in t.fields
        if f.codes is not None and f.codes.list == name
    )
    return OneList(pack.name, found[0], used)


def table_url(site: Site, qualified: str) -> str:
    """The reference page of a table."""
    standard, _, name = qualified.partition("/")
    numbers = {p.name: i for i, p in enumerate(site.packs)}
    return f"/tables/{numbers[standard]}/{name}" if standard in numbers else ""


def _table(site: Site, table: Table, counts: TableCounts | None) -> TableLine:
    return TableLine(
        table.qualified,
        table.title,
        table.stage,
        str(table.direction),
        len(table.fields),
        counts,
        table_url(site, table.qualified),
    )


def _per_field(site: Site, table: Table) -> dict[str, int]:
    """Violations of the last run by field of one table."""
    import numpy as np

    index = site.indexes.open("")
    numbers = np.bincount(index.use, minlength=len(index.stored.uses)).tolist()
    made: dict[str, int] = {}
    for use, n in zip(index.stored.uses, numbers, strict=True):
        if n and use.table == table.name and use.standard == table.standard:
            for name in use.fields:
                made[name] = made.get(name, 0) + n
    return made


def _field(site: Site, table: Table, field: Field, violations: int) -> FieldLine:
    limits = []
    if field.length is not None:
        limits.append(words.AT_MOST.fill({"max": field.length.max}))
    if field.precision is not None:
        digits, scale = field.precision.digits, field.precision.scale
        limits.append(words.PRECISION.fill({"digits": digits, "scale": scale}))
    limits += [Text(f.name, f.name) for f in field.formats]
    if field.separator is not None:
        limits.append(words.SEVERAL.fill({"separator": field.separator}))
    key = field.name in table.key.fields
    return FieldLine(field, tuple(limits), key, _codes_url(site, table, field), violations)


def _codes_url(site: Site, table: Table, field: Field) -> str:
    if field.codes is None:
        return ""
    owner = site.packs.code_list(table, field.codes.list)
    for number, pack in enumerate(site.packs):
        if owner in pack.code_lists:
            return f"/codes/{number}/{owner.id}"
    return ""


_UNKNOWN = Text("标准包中没有 {name}", "no pack has {name}")

PAGES = (
    Page("/packs", "packs.html", words.PACKS, build_list, menu=True),
    Page("/tables/{pack}/{name}", "table.html", words.PACKS, build_table),
    Page("/codes/{pack}/{list}", "codes.html", words.PACKS, build_codes),
)
