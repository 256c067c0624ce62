"""Do the names in a pack point to something? Fields, tables, code lists, formats, codes, rules.

Shapes were checked before (`validator.load_files`). A fault is a `PackError` with file, line and
remedy.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from validator.formats import FORMATS
from validator.load_feedback import check_feedback
from validator.load_files import Document, Path, did_you_mean, explain, fail, worst
from validator.load_form import check_documents
from validator.pack import CodeList, Condition, Field, Kind, Pack, Reference, RuleUse, Table

Documents = Mapping[str, Document]


def checked(pack: Pack, used: Sequence[Pack], documents: Documents, *, rules: bool) -> Pack:
    """The pack with qualified table names in its references. Raises PackError.

    `rules`: also check the explicit rule uses against the registry, which imports every rule.
    """
    _check_head(pack, documents)
    check_feedback(pack, used, documents["pack.toml"])
    known = {c.id for p in (pack, *used) for c in p.code_lists}
    tables = tuple(
        _check_table(t, pack, used, known, documents[f"tables/{t.name}.toml"]) for t in pack.tables
    )
    pack = replace(pack, tables=tables)
    check_documents(pack, frozenset(known), documents)
    if rules:
        everything = (pack, *used)
        for table in tables:
            _check_rules(table.rules, table, everything, documents[f"tables/{table.name}.toml"])
        _check_rules(pack.rules, None, everything, documents["pack.toml"])
    return pack


def _check_head(pack: Pack, documents: Documents) -> None:
    head = documents["pack.toml"]
    names = {t.name for t in pack.tables}
    seen: dict[str, str] = {}
    for stage in pack.stages:
        for table in stage.tables:
            path = ["stages", stage.id, "tables"]
            if table not in names:
                head.fail(path, f"unknown table {table!r}", f"use {did_you_mean(table, names)}")
            if table in seen:
                what = f"table {table} stands in the stages {seen[table]} and {stage.id}"
                head.fail(path, what, "keep one, or none where the facts name both")
            seen[table] = stage.id
    for codes in pack.code_lists:
        name = f"codes/{codes.id}.csv"
        if name not in documents:
            what = f"code list {codes.id!r} has no file {name}"
            head.fail(["codes", codes.id], what, "add the file; a header alone is enough")
        _check_codes(codes, documents[name])
    for name in documents:
        if name.startswith("codes/") and name[6:-4] not in {c.id for c in pack.code_lists}:
            what = f"no code list {name[6:-4]!r} in pack.toml"
            documents[name].fail([], what, "add it under [codes] or remove the file")


def _check_codes(codes: CodeList, document: Document) -> None:
    pattern, seen = re.compile(codes.pattern or ".+"), set[str]()
    for i, ((line, _), code) in enumerate(zip(document.rows, codes.codes, strict=True)):
        if pattern.fullmatch(code.code) is None:
            what = f"code {code.code!r} does not match {pattern.pattern} of list {codes.id!r}"
            remedy = "restore the code (spreadsheets drop leading zeros) or correct the pattern"
        elif code.code in seen:
            what, remedy = f"code {code.code!r} stands twice", "keep one of the two"
        elif code.parent and code.parent not in codes.by_code:
            what = f"parent {code.parent!r} is no code of list {codes.id!r}"
            remedy = "add the parent or correct it"
        else:
            seen.add(code.code)
            continue
        fail(document.written(["rows", i])[0].file, line, what, remedy)


def _check_table(
    table: Table, pack: Pack, used: Sequence[Pack], known: Collection[str], document: Document
) -> Table:
    _fields_exist(table.key.fields, table, document, ["key"])
    for field in table.fields:
        _check_field(field, table, known, document)
    references = tuple(
        _check_reference(r, table, (pack, *used), document, ["references", i])
        for i, r in enumerate(table.references)
    )
    return replace(table, references=references)


def _check_field(field: Field, table: Table, known: Collection[str], document: Document) -> None:
    at = ["fields", field.name]
    if field.codes is not None and field.codes.list not in known:
        what = f"unknown code list {field.codes.list!r}"
        document.fail([*at, "codes"], what, f"use {did_you_mean(field.codes.list, known)}")
    for use in field.formats:
        if use.name not in FORMATS:
            what = f"unknown format {use.name!r}"
            document.fail([*at, "format"], what, f"use {did_you_mean(use.name, FORMATS)}")
        _condition_holds(use.when, table, document, [*at, "format"])
    if field.kind is not Kind.TEXT and (field.formats or field.separator):
        what = f"{field.name} is of kind {field.kind} and cannot have a format or separator"
        document.fail(at, what, "use kind text or remove it")
    if field.precision is not None and field.kind is not Kind.DECIMAL:
        what = f"{field.name} is of kind {field.kind} and cannot have a precision"
        document.fail([*at, "precision"], what, "use kind decimal or remove it")
    for mark in field.required:
        _condition_holds(mark.when, table, document, [*at, "required"])


def _condition_holds(when: Condition | None, table: Table, document: Document, at: Path) -> None:
    if when is not None:
        _fields_exist([when.field], table, document, [*at, "when"])


def _check_reference(
    reference: Reference,
    table: Table,
    packs: Sequence[Pack],
    document: Document,
    at: Path,
) -> Reference:
    _fields_exist(reference.fields, table, document, at)
    target = _resolve(reference.table, packs)
    if target is None:
        tables = [t.name for p in packs for t in p.tables]
        what = f"reference to unknown table {reference.table!r}"
        document.fail(at, what, f"use {did_you_mean(reference.table, tables)}")
    _fields_exist(reference.target_fields, target, document, at)
    if len(reference.fields) != len(reference.target_fields):
        what = f"{len(reference.fields)} fields point to {len(reference.target_fields)}"
        document.fail(at, what, "name as many target_fields as fields")
    return replace(reference, table=target.qualified)


def _resolve(name: str, packs: Iterable[Pack]) -> Table | None:
    """A qualified name, or a bare one: the own pack first, then the used packs in their order."""
    tables = [t for pack in packs for t in pack.tables]
    return next((t for t in tables if name in (t.qualified, t.name)), None)


def _fields_exist(names: Iterable[str], table: Table, document: Document, at: Path) -> None:
    for name in names:
        if name not in table.by_name:
            what = f"{table.name} has no field {name!r}"
            document.fail(at, what, f"use {did_you_mean(name, table.by_name)}")


def _check_rules(
    uses: Sequence[RuleUse], table: Table | None, packs: Sequence[Pack], document: Document
) -> None:
    from validator.rules import rules

    registry = rules()
    explicit = {name for name, rule in registry.items() if rule.params is not None}
    for i, use in enumerate(uses):
        at: list[str | int] = ["rules", i, "rule"]
        if use.rule not in registry:
            what = f"unknown rule {use.rule!r}"
            document.fail(at, what, f"use {did_you_mean(use.rule, explicit)}")
        schema = registry[use.rule].params
        if schema is None:
            what = f"rule {use.rule!r} takes no explicit use: field declarations use it"
            document.fail(at, what, "remove it here and declare it at the field")
        fault = _params_fault(use.params, schema, table, packs)
        if fault is not None:
            path, what, remedy = fault
            document.fail(["rules", i, "params", *path], f"rule {use.rule}: {what}", remedy)


def _params_fault(
    params: Mapping[str, object],
    schema: Mapping[str, object],
    table: Table | None,
    packs: Sequence[Pack],
) -> tuple[Path, str, str] | None:
    """(path, what, remedy) of the worst fault against the rule's own JSON Schema.

    There format `table` is a table of this pack or the packs it uses, `column` one of their fields
    as `TABLE.FIELD`, and `field` a field of the using table; in a use that spans tables, of the
    table that its parameter `table` names.
    """
    from jsonschema import Draft202012Validator, FormatChecker

    table = table or _resolve(str(params.get("table", "")), packs)
    columns = {f"{t.name}.{f.name}" for p in packs for t in p.tables for f in t.fields}
    checker = FormatChecker(formats=())
    checker.checks("field")(lambda v: table is None or v in table.by_name)
    checker.checks("table")(lambda v: _resolve(str(v), packs) is not None)
    checker.checks("column")(lambda v: str(v) in columns)
    validator = Draft202012Validator(schema, format_checker=checker)
    error = worst(validator.iter_errors(params))
    if error is None or error.validator != "format":
        return explain(error, "params") if error else None
    names = [t.name for p in packs for t in p.tables]
    what = f"unknown table {error.instance!r}"
    if error.validator_value == "column":
        names, what = sorted(columns), f"no field {error.instance!r}, written TABLE.FIELD"
    elif error.validator_value == "field" and table is not None:
        names, what = list(table.by_name), f"{table.name} has no field {error.instance!r}"
    return list(error.absolute_path), what, f"use {did_you_mean(str(error.instance), names)}"
