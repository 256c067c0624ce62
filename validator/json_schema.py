"""Pack table → JSON Schema 2020-12, for export and as the reference of the bulk engine.

Every rule owns its fragment (`Rule.json_schema`); this module only gathers them. A record is an
object whose values are text in lexical form, or native numbers and booleans where fields allow
them. What spans records (keys, references, case histories) JSON Schema cannot say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from validator.formats import FORMATS
from validator.pack import RECONSTRUCTED, Packs, Table
from validator.rule import Rule, Scope, Use, uses_in
from validator.rules import rules
from validator.violation import Severity

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, object]
Fault = tuple[tuple[str, ...], str]


def record_uses(packs: Packs, table: Table) -> Iterator[tuple[Rule, Use]]:
    """What field and record rules check in the table, in the order of first faults."""
    scoped = [r for r in rules().values() if r.scope in (Scope.FIELD, Scope.RECORD)]
    for rule in sorted(scoped, key=lambda r: (r.order, r.name)):
        for use in uses_in(packs, table, rule):
            yield rule, use


def table_schema(packs: Packs, table: Table, *, least: Severity = Severity.ERROR) -> Schema:
    """The schema of one record of the table, with the checks at or above a severity.

    Valid means: no field or record rule of that severity speaks. Each fragment names its rule in
    `$comment`. Unknown columns are allowed, as they only warn.
    """
    properties: dict[str, Schema] = {
        f.name: {"title": f.title.zh, "description": f.title.en, "allOf": []} for f in table.fields
    }
    required: set[str] = set()
    rest: list[Schema] = []
    for rule, use in record_uses(packs, table):
        if rule.json_schema is None or use.severity.rank > least.rank:
            continue
        fragment = dict(rule.json_schema(packs, table, use))
        own = cast("Mapping[str, Schema]", fragment.get("properties", {}))
        if set(fragment) <= {"properties", "required"} and set(own) == set(use.fields[:1]):
            required.update(cast("list[str]", fragment.get("required", [])))
            part = {"$comment": rule.name, **own[use.fields[0]]}
            cast("list[Schema]", properties[use.fields[0]]["allOf"]).append(part)
        else:
            rest.append({"$comment": rule.name, **fragment})
    basis = f"{RECONSTRUCTED.zh} / {RECONSTRUCTED.en}"
    official = packs.pack(table.standard).basis == "official"
    schema: Schema = {
        "$schema": DIALECT,
        "$id": f"urn:spgl:{table.standard}:{table.name}",
        "title": f"{table.name} {table.title.zh}",
        "description": table.title.en if official else f"{table.title.en}. {basis}",
        "type": "object",
        "properties": properties,
    }
    if required:
        schema["required"] = [f.name for f in table.fields if f.name in required]
    if rest:
        schema["allOf"] = rest
    shared = _share(properties)
    return schema | ({"$defs": shared} if shared else {})


def _share(properties: Mapping[str, Schema]) -> Schema:
    """Move parts that stand more than once to `$defs`, named by their rule and a number."""
    seen: dict[str, list[Schema]] = {}
    for field in properties.values():
        for part in cast("list[Schema]", field["allOf"]):
            seen.setdefault(json.dumps(part), []).append(part)
    shared: Schema = {}
    numbers: dict[str, int] = {}
    for parts in seen.values():
        rule = str(parts[0]["$comment"])
        if len(parts) > 1:
            numbers[rule] = numbers.get(rule, 0) + 1
            name = f"{rule}-{numbers[rule]}"
            shared[name] = dict(parts[0])
            for part in parts:
                part.clear()
                part["$ref"] = f"#/$defs/{name}"
    return shared


def format_checker() -> FormatChecker:
    """Knows the check digits of `validator.formats`; what has not the format's shape passes, since
    the shape is judged by `pattern`."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    for form in FORMATS.values():
        if form.check is not None:
            checker.checks(form.name)(_holds(form.name))
    return checker


def _holds(name: str) -> Callable[[object], bool]:
    form = FORMATS[name]

    def holds(value: object) -> bool:
        judged = isinstance(value, str) and form.matches(value)
        return form.check is None or not judged or form.check(str(value))

    return holds


@dataclass(frozen=True, slots=True)
class ReferenceChecker:
    """Judges single records by JSON Schema alone: slow, plain, and what the bulk engine must match.

    `uses` are those whose rule has a fragment, in order of first faults.
    """

    table: Table
    uses: tuple[tuple[Rule, Use], ...]
    validator: Draft202012Validator

    def first_faults(self, record: Mapping[str, object]) -> set[Fault]:
        """(fields, rule) of the record's faults; of each cell only the first of its chain."""
        broken = {
            cast(int, error.absolute_schema_path[1]) for error in self.validator.iter_errors(record)
        }
        faults: set[Fault] = set()
        judged: set[str] = set()
        for i in sorted(broken):
            rule, use = self.uses[i]
            if rule.scope is Scope.FIELD:
                if use.fields[0] in judged:
                    continue
                judged.add(use.fields[0])
            faults.add((use.fields, rule.name))
        return faults


def reference_checker(
    packs: Packs, table: Table, uses: Iterable[tuple[Rule, Use]] | None = None
) -> ReferenceChecker:
    """The checker of a table, by default for everything that field and record rules check there."""
    from jsonschema import Draft202012Validator

    chosen = record_uses(packs, table) if uses is None else uses
    kept = tuple(
        sorted(((r, u) for r, u in chosen if r.json_schema), key=lambda p: (p[0].order, p[0].name))
    )
    parts = [rule.json_schema(packs, table, use) for rule, use in kept if rule.json_schema]
    validator = Draft202012Validator({"allOf": parts}, format_checker=format_checker())
    return ReferenceChecker(table, kept, validator)


def export_json_schema(packs: Packs, folder: Path) -> tuple[Path, ...]:
    """Write `STANDARD/TABLE.schema.json` per table, `STANDARD/forms/ID.schema.json` per document;
    returns the files."""
    from validator import form_schema
    from validator.documents import documents_of

    texts: dict[Path, str] = {}
    for table in packs.tables():
        own = folder / table.standard
        texts[own / f"{table.name}.schema.json"] = schema_text(packs, table)
        for _, _, document in documents_of(packs, table):
            path = own / "forms" / f"{document.id}.schema.json"
            texts[path] = form_schema.schema_text(packs, table, document)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return tuple(texts)


def schema_text(packs: Packs, table: Table) -> str:
    """The exported text of a table's schema."""
    return json.dumps(table_schema(packs, table), ensure_ascii=False, indent=1) + "\n"
