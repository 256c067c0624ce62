"""What changes from one pack to another: tables, fields, attributes, codes, rules, severities.

A pack is laid out as facts by path; what is added, gone or said otherwise falls out of two such
layouts. What a change means for records is told by checking them with both packs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from validator.pack import Condition, Field, Pack, Provenance, RuleUse, Table
from validator.text import Lang, Text

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is None for what is added, `after` None for what is gone."""

    path: Path
    before: str | None
    after: str | None


def pack_changes(before: Pack, after: Pack) -> tuple[Change, ...]:
    """Every change, in the order of the packs; what is added or gone is said once, as a whole."""
    old, new = dict(_facts(before)), dict(_facts(after))
    found = [
        Change(path, old.get(path), new.get(path))
        for path in {**old, **new}
        if old.get(path) != new.get(path)
    ]
    whole = {c.path for c in found if c.before is None or c.after is None}
    return tuple(
        c for c in found if not any(c.path[:size] in whole for size in range(1, len(c.path)))
    )


def change_lines(before: Pack, after: Pack, lang: Lang) -> Iterator[str]:
    """The changes as lines: `+` added, `-` gone, `~` said otherwise."""
    changes = pack_changes(before, after)
    names = {"a": f"{before.name} {before.version}", "b": f"{after.name} {after.version}"}
    yield _HEAD.fill({**names, "count": len(changes)})[lang]
    for change in changes:
        place = f"{_WORDS[change.path[0]][lang]} {'.'.join(change.path[1:])}"
        if change.before is None:
            yield f"+ {place}  {change.after}".rstrip()
        elif change.after is None:
            yield f"- {place}  {change.before}".rstrip()
        else:
            yield f"~ {place}  {change.before} → {change.after}"


_HEAD = Text("{a} → {b}：{count} 处变化", "{a} → {b}: {count} changes")
_WORDS: Mapping[str, Text] = {
    "pack": Text("标准包", "pack"),
    "table": Text("表", "table"),
    "codes": Text("代码表", "code list"),
    "document": Text("文档", "document"),
    "stage": Text("阶段", "stage"),
    "rule": Text("规则", "rule"),
    "severity": Text("级别", "severity"),
    "local": Text("本地列", "local column"),
}


def _facts(pack: Pack) -> Iterator[tuple[Path, str]]:
    yield ("pack", "basis"), pack.basis
    for name in pack.uses:
        yield ("pack", "uses", name), ""
    for table in pack.tables:
        yield from _table_facts(table)
    for codes in pack.code_lists:
        here = ("codes", codes.id)
        yield here, codes.title.zh
        yield (*here, "closed"), "closed" if codes.closed else "open"
        yield (*here, "provenance"), str(codes.provenance)
        if codes.pattern:
            yield (*here, "pattern"), codes.pattern
        for code in codes.codes:
            term = f" {code.since}–{code.until}" if code.since or code.until else ""
            yield (*here, code.code), f"{code.title.zh}{term}{_basis(code.provenance)}"
    for document in pack.documents:
        for place in document.places:
            for member in place.part.members:
                path = ("document", document.id, place.name, member.name)
                yield path, f"{member.title.zh}{_basis(member.provenance)}"
                yield (*path, "kind"), str(member.shape)
                yield (*path, "required"), str(len(member.required))
    for stage in pack.stages:
        yield ("stage", stage.id), stage.title.zh
        for item in (*stage.tables, *stage.items):
            yield ("stage", stage.id, item), ""
    for use in pack.rules:
        yield from _use(("rule",), use)
    for name, severity in pack.severities.items():
        yield ("severity", name), severity
    for column in pack.local_columns:
        yield ("local", column), ""


def _table_facts(table: Table) -> Iterator[tuple[Path, str]]:
    here = ("table", table.name)
    yield here, table.title.zh
    yield (*here, "order"), str(table.order)
    yield (*here, "direction"), str(table.direction)
    yield (*here, "provenance"), str(table.provenance)
    yield (*here, "key"), ", ".join(table.key.fields) + _basis(table.key.provenance)
    for r in table.references:
        target = f"{r.table.rpartition('/')[2]} ({', '.join(r.target_fields)})"
        yield (*here, f"{', '.join(r.fields)} → {target}"), _basis(r.provenance).strip()
    for field in table.fields:
        yield from _field_facts((*here, field.name), field)
    for use in table.rules:
        yield from _use(here, use)
    for column in table.local_columns:
        yield (*here, "local column", column), ""


def _field_facts(here: Path, field: Field) -> Iterator[tuple[Path, str]]:
    yield here, field.title.zh
    yield (*here, "kind"), str(field.kind)
    yield (*here, "provenance"), str(field.provenance)
    if field.length:
        yield (*here, "length"), f"{field.length.max}{_basis(field.length.provenance)}"
    if field.precision:
        size = f"({field.precision.digits},{field.precision.scale})"
        yield (*here, "precision"), size + _basis(field.precision.provenance)
    if field.required:
        marks = [
            f"{m.attests or 'required'}{_when(m.when)}{_basis(m.provenance)}"
            for m in field.required
        ]
        yield (*here, "required"), "; ".join(marks)
    if field.formats:
        uses = [f"{u.name}{_when(u.when)}{_basis(u.provenance)}" for u in field.formats]
        yield (*here, "format"), "; ".join(uses)
    if field.codes:
        yield (*here, "codes"), field.codes.list + _basis(field.codes.provenance)
    for name, value in (
        ("separator", field.separator),
        ("personal", field.personal),
        ("role", field.role),
    ):
        if value:
            yield (*here, name), str(value)


def _use(here: Path, use: RuleUse) -> Iterator[tuple[Path, str]]:
    params = json.dumps(dict(use.params), ensure_ascii=False, sort_keys=True)
    yield (*here, f"{use.rule} {params}"), _basis(use.provenance).strip()


def _when(condition: Condition | None) -> str:
    return f" if {condition.field} = {'|'.join(condition.values)}" if condition else ""


def _basis(provenance: Provenance) -> str:
    return f" ({provenance})"
