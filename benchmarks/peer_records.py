"""Validators that see one record at a time, given all conditions but keys and references.

A case builds what is not timed and returns the timed part, which yields the records it refuses
(1-based). Records are ready dictionaries, so that reading costs these peers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.conditions import asked, header, the_table
from validator.formats import FORMATS
from validator.json_schema import format_checker, table_schema


def _records(path: Path, rows: int) -> list[dict[str, str]]:
    frame = pl.read_csv(path, infer_schema=False, n_rows=rows)
    return [{k: v for k, v in r.items() if v is not None} for r in frame.to_dicts()]


def _each(records: list[dict[str, str]], good: Callable[[Any], bool]) -> Iterator[int]:
    return (i for i, record in enumerate(records, 1) if not good(record))


def jsonschema(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    from jsonschema import Draft202012Validator

    judge = Draft202012Validator(table_schema(*the_table()), format_checker=format_checker())
    records = _records(path, rows)
    return lambda: _each(records, lambda r: not list(judge.iter_errors(r)))


def _holds(name: str) -> Callable[[str], bool]:
    form = FORMATS[name]
    return lambda text: form.check is None or not form.matches(text) or form.check(text)


def _checks() -> dict[str, Callable[[str], bool]]:
    return {name: _holds(name) for name, form in FORMATS.items() if form.check is not None}


def jsonschema_rs(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    import jsonschema_rs as rs

    judge = rs.Draft202012Validator(
        table_schema(*the_table()), formats=_checks(), validate_formats=True
    )
    records = _records(path, rows)
    return lambda: _each(records, lambda r: not list(judge.iter_errors(r)))


def fastjsonschema(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    import fastjsonschema as fast

    schema = {**table_schema(*the_table()), "$schema": "http://json-schema.org/draft-07/schema"}
    judge = fast.compile(schema, formats=_checks())

    def good(record: dict[str, str]) -> bool:
        try:
            judge(record)
        except fast.JsonSchemaValueException:
            return False
        return True

    records = _records(path, rows)
    return lambda: _each(records, good)


def pydantic(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """Patterns and lists are its own; formats, which hold under conditions, are a hook."""
    from typing import Annotated, Literal

    from pydantic import BaseModel, Field, StringConstraints, ValidationError, create_model
    from pydantic import model_validator as hook

    of = asked(rows)

    def formed(record: Any) -> Any:
        for form in of.forms:
            text = getattr(record, form.field)
            asked_for = form.when is None or getattr(record, form.when) in form.values
            if text is not None and asked_for:
                fits = FORMATS[form.name].matches(text)
                if not fits or (form.check is not None and not form.check(text)):
                    raise ValueError(form.field)
        return record

    fields: dict[str, Any] = {}
    for cell in of.cells:
        kind: Any = Literal[cell.codes] if cell.codes else str
        for pattern in cell.patterns:
            kind = Annotated[kind, StringConstraints(pattern=f"^(?:{pattern})$")]
        if cell.longest is not None:
            kind = Annotated[kind, Field(max_length=cell.longest)]
        fields[cell.name] = (kind, ...) if cell.required else (kind | None, None)
    hooks: Any = {"formed": hook(mode="after")(formed)}
    model: type[BaseModel] = create_model("Record", __validators__=hooks, **fields)

    def good(record: dict[str, str]) -> bool:
        try:
            model.model_validate(record)
        except ValidationError:
            return False
        return True

    records = _records(path, rows)
    return lambda: _each(records, good)


def frictionless(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """The descriptor that `spgl packs export` writes; it reads the file itself."""
    from frictionless import Checklist, Resource, Schema

    from validator.exports.data_package import table_schema as descriptor

    described = descriptor(*the_table())
    known = {f["name"]: f for f in described["fields"]}  # type: ignore[attr-defined]
    fields = [known.get(name, {"name": name, "type": "string"}) for name in header(path)]
    schema = Schema.from_descriptor({**described, "fields": fields})
    part = path.with_name("first.csv")
    with path.open("rb") as whole, part.open("wb") as out:
        out.writelines(line for _, line in zip(range(rows + 1), whole, strict=False))
    resource = Resource(part.name, basepath=str(part.parent), schema=schema)

    def run() -> set[int]:
        report = resource.validate(Checklist(), limit_errors=1_000_000)
        return {e.row_number - 1 for e in report.tasks[0].errors if hasattr(e, "row_number")}

    return run
