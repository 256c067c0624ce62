"""An overlay laid over a pack: the files of both → the files of the pack as changed.

An overlay says what it changes and adds; a name that is not there, or is there already, is a
`PackError` with file, line and remedy, so that a new edition of the pack below never swallows a
site's change unseen. Reading files is `validator.load`; what the changed files mean is checked as
for every pack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from validator.lexical import matches
from validator.load_build import table_name
from validator.load_files import (
    Data,
    Document,
    Step,
    check_shape,
    did_you_mean,
    locate,
)
from validator.overlay_parts import Draft, Plain, draft, lay_codes, lay_table, lay_uses, new_table
from validator.pack import Kind, Overlay, Pack
from validator.text import Text

Documents = Mapping[str, Document]
_NUMBERS = frozenset({"integer", "decimal"})


def overlaid(below: Documents, over: Documents) -> dict[str, Document]:
    """The documents of the pack below with the changes of an overlay. Raises PackError."""
    rests = str(over["pack.toml"].data["provenance"])
    merged = dict(below)
    for path, document in over.items():
        if path.startswith("forms/"):
            what = "an overlay does not change the parts of documents"
            document.fail([], what, "remove the file, or keep a pack of your own")
        if path.startswith("tables/"):
            _lay(merged, path, document, rests)
    merged["pack.toml"] = _lay_head(merged, below, over, rests)
    for path, document in over.items():
        if path.startswith("tables/"):
            _check_table(merged, path, document)
    check_shape(merged["pack.toml"], merged["pack.toml"].data, "pack")
    return merged


def _lay(merged: dict[str, Document], path: str, over: Document, rests: str) -> None:
    name, known = table_name(path), {table_name(p) for p in merged if p.startswith("tables/")}
    below = merged.get(path)
    if over.data.get("new"):
        if below is not None:
            over.fail(["new"], f"there is a table {name} already", "remove new to change it")
        merged[path] = new_table(over, rests)
    elif below is None:
        remedy = f"use {did_you_mean(name, known)}, or add it with new = true"
        over.fail([], f"unknown table {name}", remedy)
    elif over.data.get("drop"):
        del merged[path]
    else:
        merged[path] = lay_table(below, over, name, rests)


def _lay_head(
    merged: dict[str, Document], below: Documents, over: Documents, rests: str
) -> Document:
    """`pack.toml`: stages, code lists, rules that span tables; the name stays the standard's."""
    head, change = over["pack.toml"], over["pack.toml"].data
    made = draft(below["pack.toml"])
    made.data["version"] = f"{made.data['version']}+{change['name']}-{change['version']}"
    if "basis" in change:
        made.put(("basis",), change["basis"], head)
    columns = cast("list[object]", made.data.setdefault("local_columns", []))
    columns += [
        c for c in cast("Sequence[str]", change.get("local_columns", ())) if c not in columns
    ]
    if not columns:
        del made.data["local_columns"]
    _lay_stages(made, head, {table_name(p) for p in below.keys() - merged.keys()})
    lay_uses(made, head, rests)
    _lay_lists(made, merged, over, rests)
    return made.done()


def _lay_stages(made: Draft, over: Document, dropped: set[str]) -> None:
    stages = cast("dict[str, Plain]", made.data.setdefault("stages", {}))
    for name, change in _maps(over.data, "stages").items():
        path: Step = ("stages", name)
        if name not in stages and "title" not in change:
            remedy = f"use {did_you_mean(name, stages)}, or give it titles to add it"
            over.fail(path, f"unknown stage {name!r}", remedy)
        made.layers[path] = (over, path)
        stage = stages.setdefault(name, {})
        for key, value in change.items():
            if isinstance(value, list):
                stage[key] = [*cast("Sequence[object]", stage.get(key, ())), *value]
            else:
                made.put((*path, key), value, over)
    for name, stage in list(stages.items()):
        stage["tables"] = [t for t in _texts(stage, "tables") if t not in dropped]
        if not stage["tables"]:
            del stages[name]


def _lay_lists(made: Draft, merged: dict[str, Document], over: Documents, rests: str) -> None:
    """Entries under [codes] and the files codes/ID.csv."""
    head = over["pack.toml"]
    lists = cast("dict[str, Plain]", made.data.setdefault("codes", {}))
    changes = dict(_maps(head.data, "codes"))
    for path in over:
        if path.startswith("codes/"):
            changes.setdefault(path[6:-4], {})
    for name, change in changes.items():
        path, rows = f"codes/{name}.csv", over.get(f"codes/{name}.csv")
        own = {k: v for k, v in change.items() if k != "replace"}
        if name not in lists:
            if "title" not in change:
                place = head if name in _maps(head.data, "codes") else over[path]
                remedy = (
                    f"use {did_you_mean(name, lists)}, or give it titles under [codes] to add it"
                )
                place.fail(["codes", name], f"unknown code list {name!r}", remedy)
            made.put(("codes", name), {"provenance": rests, **own}, head)
            if rows is not None:
                merged[path] = replace(rows, layers={(): (rows, ())})
            continue
        if change.get("replace") and rows is None:
            what = f"the list {name!r} is replaced, but there is no {path}"
            head.fail(["codes", name, "replace"], what, "add the file with the whole list")
        if rows is not None:
            merged[path] = lay_codes(merged[path], rows, lists[name], change, rests, name)
        for key, value in own.items():
            made.put(("codes", name, key), value, head)


def _check_table(merged: Documents, path: str, over: Document) -> None:
    """What the overlay did to a table fits the rest of the pack."""
    name = table_name(path)
    if path not in merged:
        for user in _users(merged, name, None):
            what = f"{name} is dropped, but {user} needs it"
            over.fail(["drop"], what, "keep it, or change what needs it first")
        return
    check_shape(merged[path], merged[path].data, "table")
    for field, change in _maps(over.data, "fields").items():
        if change.get("drop"):
            for user in _users(merged, name, field):
                what = f"{field} is dropped, but {user} needs it"
                over.fail(["fields", field], what, "keep it, or change what needs it first")
        elif "kind" in change:
            _kind_fits(merged, name, field, str(change["kind"]), over)


def _kind_fits(merged: Documents, table: str, field: str, kind: str, over: Document) -> None:
    at = ["fields", field, "kind"]
    codes = _fields(merged, table)[field].get("codes")
    list_id = codes.get("list") if isinstance(codes, dict) else codes
    rows = merged[f"codes/{list_id}.csv"].rows if f"codes/{list_id}.csv" in merged else ()
    for _, row in rows:
        if not matches(Kind(kind), row["code"]):
            what = f"{field} becomes {kind}, but its code list {list_id!r} holds {row['code']!r}"
            over.fail(at, what, "change the list or keep the kind")
    for own, other, target in _pairs(merged):
        if (table, field) in (own, (other, target)):
            far = (other, target) if own == (table, field) else own
            its = str(_fields(merged, far[0]).get(far[1], {}).get("kind", "text"))
            if its != kind and not {its, kind} <= _NUMBERS:
                what = f"{field} becomes {kind}, but {'.'.join(far)}, which it goes with, is {its}"
                over.fail(at, what, "change both or neither")


def _pairs(merged: Documents) -> Iterator[tuple[tuple[str, str], str, str]]:
    """((table, field), target table, target field) of every reference inside the pack."""
    for path, document in merged.items():
        for entry in _entries(document, "references"):
            target = str(entry["table"]).rpartition("/")[2]
            if f"tables/{target}.toml" in merged:
                fields = _texts(entry, "fields")
                targets = _texts(entry, "target_fields") or fields
                for own, other in zip(fields, targets, strict=False):
                    yield (table_name(path), own), target, other


def _users(merged: Documents, table: str, field: str | None) -> Iterator[str]:
    """What in the pack names a table, or one of its fields."""
    for path, document in merged.items():
        name = table_name(path)
        for entry in _entries(document, "references"):
            there = str(entry["table"]).rpartition("/")[2] == table
            targets = _texts(entry, "target_fields") or _texts(entry, "fields")
            if there and (field is None or field in targets):
                yield f"a reference of {name}"
            if name == table and field in _texts(entry, "fields"):
                yield "a reference"
        for entry in _entries(document, "rules"):
            words = _words(entry.get("params", {}))
            parts = {w.partition(".")[0] for w in words}
            if field is None:
                needed = table in parts
            else:
                near = name == table or table in parts
                needed = (near and field in words) or f"{table}.{field}" in words
            if needed:
                yield f"rule {entry['rule']}"
        if name == table and field is not None:
            if field in _texts(cast(Data, document.data["key"]), "fields"):
                yield "the key"
            for other, own in _fields(merged, name).items():
                marks = [own.get("required"), own.get("format")]
                if field in {k for m in _flat(marks) for k in cast(Data, m.get("when", {}))}:
                    yield f"a condition of {other}"


def _words(value: object) -> set[str]:
    """Every text in the parameters of a rule."""
    if isinstance(value, Mapping):
        return {w for v in value.values() for w in _words(v)}
    if isinstance(value, list):
        return {w for v in value for w in _words(v)}
    return {str(value)}


def _flat(values: Sequence[object]) -> Iterator[Data]:
    for value in values:
        yield from value if isinstance(value, list) else [cast(Data, value)] if value else []


def _entries(document: Document, part: str) -> Sequence[Data]:
    return cast("Sequence[Data]", document.data.get(part, ()))


def _fields(merged: Documents, table: str) -> Mapping[str, Plain]:
    return cast("Mapping[str, Plain]", merged[f"tables/{table}.toml"].data["fields"])


def _maps(data: Data, part: str) -> Mapping[str, Data]:
    return cast("Mapping[str, Data]", data.get(part, {}))


def _texts(data: Data, part: str) -> tuple[str, ...]:
    return tuple(cast("Sequence[str]", data.get(part, ())))


def named(pack: Pack, documents: Documents, overlays: Sequence[Documents]) -> Pack:
    """The built pack with its overlays, their severities and the origin of what they brought.

    Raises PackError for a severity of nothing, and for a basis that is not earned.
    """
    severities: dict[str, str] = {}
    origins: dict[tuple[str, ...], str] = {}
    found = []
    for over in overlays:
        head = over["pack.toml"]
        title = Text(str(head.data["title"]), str(head.data["title_en"]))
        place = head.file.rpartition("/")[0]
        found.append(Overlay(str(head.data["name"]), str(head.data["version"]), title, place))
        for name, severity in cast("Mapping[str, str]", head.data.get("severity", {})).items():
            _check_severity(name, pack, head)
            severities[name] = severity
            origins["pack.toml", "severity", name] = _place(head, ("severity", name))
    for path, document in documents.items():
        for step, (written, own) in document.layers.items():
            key = tuple(map(str, step))
            if step[:1] == ("rows",):
                line, row = document.rows[cast(int, step[1])]
                origins[path, row["code"]] = f"{written.file}:{line}"
            else:
                origins[(path, *key)] = _place(written, own)
    official, fields = pack.official_fields
    if pack.basis == "official" and official < fields:
        what = f"basis is official, but only {official} of {fields} fields are"
        documents["pack.toml"].fail(["basis"], what, "remove basis until every field is")
    return replace(pack, overlays=tuple(found), severities=severities, origins=origins)


def _place(document: Document, path: Step) -> str:
    return f"{document.file}:{locate(document.text, path)}"


def _check_severity(name: str, pack: Pack, head: Document) -> None:
    from validator.rules import rules

    at = ["severity", name]
    *where, rule = name.split(".")
    if rule not in rules():
        head.fail(at, f"unknown rule {rule!r}", f"use {did_you_mean(rule, rules())}")
    table = next((t for t in pack.tables if where and t.name == where[0]), None)
    if where and table is None:
        remedy = f"use {did_you_mean(where[0], [t.name for t in pack.tables])}"
        head.fail(at, f"unknown table {where[0]!r}", remedy)
    if table is not None and len(where) > 1 and where[1] not in table.by_name:
        remedy = f"use {did_you_mean(where[1], table.by_name)}"
        head.fail(at, f"{table.name} has no field {where[1]!r}", remedy)
