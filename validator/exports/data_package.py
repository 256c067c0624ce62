"""Packs → a Frictionless Data Package: `datapackage.json` and a Table Schema per table.

A resource is the CSV of one table, so any Frictionless tool can check an export. Every field is a
string with the pattern of its form, since the types of Table Schema take other texts (`01`, `1e3`);
`kind` names ours. Errors of evidence become constraints, what only warns is left to our own check.
Conditions, check digits and what spans records cannot be said; the key is no primaryKey, because an
invalidating copy repeats it, and references stay out, because an export may be partial.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from validator.exports.ddl import refuses_blank
from validator.exports.names import listed_name
from validator.formats import FORMATS
from validator.lexical import PATTERNS
from validator.pack import RECONSTRUCTED, Field, Kind, Packs, Table
from validator.severity import by_evidence
from validator.violation import Severity
from validator.xsd import translated

_MISSING = ["", " ", "\u3000"]


def export_data_package(
    packs: Packs, folder: Path, data: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Write `datapackage.json` and `schemas/STANDARD/TABLE.json`; returns the files.

    `data`: CSV file of a table, relative to the folder, by qualified name (default `TABLE.csv`).
    """
    written = []
    for table in packs.tables():
        path = folder / "schemas" / table.standard / f"{table.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_json(table_schema(packs, table)), encoding="utf-8", newline="\n")
        written.append(path)
    path = folder / "datapackage.json"
    path.write_text(_json(data_package(packs, data or {})), encoding="utf-8", newline="\n")
    return (path, *written)


def data_package(packs: Packs, data: Mapping[str, str]) -> dict[str, object]:
    """The descriptor. With `data` only the tables that it names are resources."""
    tables = [t for t in packs.tables() if not data or t.qualified in data]
    official = all(p.basis == "official" for p in packs)
    return {
        "name": "-".join(p.name for p in packs).lower(),
        "title": "；".join(f"{p.title.zh} {p.version}" for p in packs),
        "description": "" if official else f"{RECONSTRUCTED.zh} · {RECONSTRUCTED.en}",
        "profile": "tabular-data-package",
        "resources": [
            {
                "name": listed_name(packs, table, ".").lower(),
                "title": table.title.zh,
                "description": table.title.en,
                "profile": "tabular-data-resource",
                "path": data.get(table.qualified, f"{table.name}.csv"),
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": f"schemas/{table.standard}/{table.name}.json",
            }
            for table in tables
        ],
    }


def table_schema(packs: Packs, table: Table) -> dict[str, object]:
    """The Table Schema of a table."""
    return {
        "fields": [_field(packs, table, f) for f in table.fields],
        "fieldsMatch": "partial",  # columns in any order; one that may be empty may be absent
        "missingValues": _MISSING,
        "naturalKey": list(table.key.fields),
    }


def _field(packs: Packs, table: Table, field: Field) -> dict[str, object]:
    described = [field.title.en, field.note.zh, field.note.en]
    made: dict[str, object] = {
        "name": field.name,
        "title": field.title.zh,
        "description": "; ".join(d for d in described if d),
        "type": "string",
        "kind": str(field.kind),
        "provenance": str(field.provenance),
    }
    rules: dict[str, object] = {}
    if refuses_blank(field):
        rules["required"] = True
    if field.length and by_evidence(field.length.provenance) is Severity.ERROR:
        rules["maxLength"] = field.length.max
    codes = _closed(packs, table, field)
    if codes:
        rules["enum"] = codes
    elif field.separator is None and (pattern := _pattern(field)):
        rules["pattern"] = f"({translated(pattern)})"
    return made | ({"constraints": rules} if rules else {})


def _closed(packs: Packs, table: Table, field: Field) -> list[str]:
    """The codes of a list whose strangers are errors."""
    if field.codes is None or field.separator or field.kind is Kind.DECIMAL:
        return []
    codes = packs.code_list(table, field.codes.list)
    strict = by_evidence(field.codes.provenance, open_list=not codes.closed) is Severity.ERROR
    return [c.code for c in codes.codes] if strict else []


def _pattern(field: Field) -> str:
    """The form of the kind, or of the one format that always holds."""
    if field.kind in PATTERNS:
        return PATTERNS[field.kind]
    strict = [
        FORMATS[u.name].pattern
        for u in field.formats
        if u.when is None and by_evidence(u.provenance) is Severity.ERROR
    ]
    return strict[0] if len(strict) == 1 else ""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
