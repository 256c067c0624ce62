"""Pack table → XML Schema for documents `<TABLE><record><FIELD>…`, for export and as second oracle.

Facets come from the rules (`Rule.xsd`) and from closed code lists. XSD cannot say conditions
between fields, check digits, or anything that spans records; each schema names what it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from validator.json_schema import record_uses
from validator.lexical import BLANK, PATTERNS, matches
from validator.pack import RECONSTRUCTED, CodeList, Field, Kind, Packs, Table
from validator.rule import Rule, Use
from validator.violation import Severity

if TYPE_CHECKING:
    from lxml import etree

XS = "http://www.w3.org/2001/XMLSchema"
Uses = Sequence[tuple[Rule, Use]]

#: Any text that is not blank.
_FILLED = f"(.|[\n\r])*[^{BLANK}](.|[\n\r])*"


def table_xsd(packs: Packs, table: Table, *, least: Severity = Severity.ERROR) -> bytes:
    """The schema of a document of one table, with the checks at or above a severity.

    Field elements may stand in any order; an optional one may be absent, empty or `xsi:nil`.
    """
    from lxml import etree

    found = [p for p in record_uses(packs, table) if p[1].severity.rank <= least.rank]
    root = etree.Element(f"{{{XS}}}schema", nsmap={"xs": XS})
    _note(root, _head(packs, table, found, least))
    types = [
        _type(packs, table, field, [(r, u) for r, u in found if field.name in u.fields])
        for field in table.fields
    ]
    _named_types(root, packs, table, {t.base for t in types})
    document = _part(_part(root, "element", name=table.name), "complexType")
    record = _part(
        _part(document, "sequence"), "element", name="record", minOccurs="0", maxOccurs="unbounded"
    )
    fields = _part(_part(record, "complexType"), "all")
    for field, of in zip(table.fields, types, strict=True):
        _element(fields, field, of)
    etree.indent(root, " ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def said(packs: Packs, table: Table, rule: Rule, use: Use) -> bool:
    """True where XSD says the whole of this use (or it cannot fail)."""
    if rule.name == "wrong-type":
        return True
    return rule.xsd is not None and all(
        rule.xsd(packs, table, table.by_name[name], use) for name in use.fields
    )


@dataclass(frozen=True, slots=True)
class _Type:
    """The simple type of a field: a named base and patterns or lengths that all must hold."""

    base: str
    steps: tuple[tuple[str, str], ...]
    needed: bool


def _type(packs: Packs, table: Table, field: Field, own: Uses) -> _Type:
    base, steps, needed = "xs:string", list[tuple[str, str]](), False
    for rule, use in own:
        facets = rule.xsd(packs, table, field, use) if rule.xsd else {}
        needed = needed or "minOccurs" in facets
        codes = _enumerated(packs, table, field) if rule.name == "code-not-in-list" else None
        if codes is not None:
            base = f"codes-{codes.id}"
        elif rule.name == "wrong-type" and facets and field.separator is None:
            base = str(field.kind)
        else:
            steps += [(k, v) for k, v in facets.items() if k in ("pattern", "maxLength")]
    return _Type(base, tuple(steps), needed)


def _enumerated(packs: Packs, table: Table, field: Field) -> CodeList | None:
    """The closed list of a field whose text must be one of its codes as written; every code then
    has the form of the field, so that the list stands for the form."""
    if field.codes is None or field.separator or field.kind is Kind.DECIMAL:
        return None
    codes = packs.code_list(table, field.codes.list)
    formed = all(matches(field.kind, c.code) for c in codes.codes)
    return codes if codes.closed and codes.codes and formed else None


def _named_types(root: etree._Element, packs: Packs, table: Table, bases: set[str]) -> None:
    blank = _part(root, "simpleType", name="blank")
    _part(_part(blank, "restriction", base="xs:string"), "pattern", value=f"[{BLANK}]*")
    for base in sorted(bases - {"xs:string"}):
        named = _part(root, "simpleType", name=base)
        if not base.startswith("codes-"):
            restriction = _part(named, "restriction", base="xs:string")
            _part(restriction, "pattern", value=translated(PATTERNS[Kind(base)]))
            continue
        codes = packs.code_list(table, base.removeprefix("codes-"))
        _note(named, [codes.title.zh, codes.title.en])
        restriction = _part(named, "restriction", base="xs:string")
        for code in codes.codes:
            entry = _part(restriction, "enumeration", value=code.code)
            _note(entry, [t for t in (code.title.zh, code.title.en) if t])


def _element(parent: etree._Element, field: Field, of: _Type) -> None:
    more = {} if of.needed else {"minOccurs": "0", "nillable": "true"}
    plain = not of.steps and of.base == "xs:string" and not of.needed
    if plain:
        more["type"] = of.base
    element = _part(parent, "element", name=field.name, **more)
    _note(element, [field.title.zh, field.title.en])
    if plain:
        return
    simple = _part(element, "simpleType")
    if of.needed:
        _restrict(simple, of.base, (*of.steps, ("pattern", _FILLED)))
    else:
        # An optional field may also be blank, whatever its facets.
        simple = _part(_part(simple, "union", memberTypes="blank"), "simpleType")
        _restrict(simple, of.base, of.steps)


def _restrict(simple: etree._Element, base: str, steps: Sequence[tuple[str, str]]) -> None:
    """Restrictions inside each other, since patterns of one restriction are alternatives."""
    if len(steps) < 2:
        restriction = _part(simple, "restriction", base=base)
    else:
        restriction = _part(simple, "restriction")
        _restrict(_part(restriction, "simpleType"), base, steps[:-1])
    for name, value in steps[-1:]:
        _part(restriction, name, value=translated(value) if name == "pattern" else value)


def translated(body: str) -> str:
    """A pattern body in the dialect of XML Schema, which anchors by itself and knows no `(?:`.

    Raises ValueError for what the dialect lacks.
    """
    body = body.replace("(?:", "(").replace(r"\ ", " ")
    unknown = re.search(r"\(\?|\\[AZbB]|(?<![\\\[])[\^$]", body)
    if unknown is not None:
        raise ValueError(f"XSD has no {unknown[0]!r}: {body}")
    return body


def _head(packs: Packs, table: Table, found: Uses, least: Severity) -> list[str]:
    lines = [f"{table.name} {table.title.zh}", table.title.en]
    if packs.pack(table.standard).basis != "official":
        lines += [RECONSTRUCTED.zh, RECONSTRUCTED.en]
    lines.append(f"Holds the checks of severity {least} and above; other records may still warn.")
    left: dict[str, list[str]] = {}
    for rule, use in found:
        if not said(packs, table, rule, use):
            left.setdefault(rule.name, []).append("+".join(use.fields))
    lines += [f"Not said here: {name} ({', '.join(w)})" for name, w in sorted(left.items())]
    return lines


def _note(parent: etree._Element, lines: Sequence[str]) -> None:
    note = _part(parent, "annotation")
    for line in lines:
        _part(note, "documentation").text = line


def _part(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    from lxml import etree

    return etree.SubElement(parent, f"{{{XS}}}{tag}", attributes)


def export_xsd(packs: Packs, folder: Path) -> tuple[Path, ...]:
    """Write `STANDARD/TABLE.xsd` per table; returns the files."""
    written = []
    for table in packs.tables():
        path = folder / table.standard / f"{table.name}.xsd"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(table_xsd(packs, table))
        written.append(path)
    return tuple(written)
