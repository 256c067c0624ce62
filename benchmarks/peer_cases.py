"""Other validators, each given the conditions of `conditions` in its own words.

A case builds what is not timed and returns the timed part, which yields the records it refuses
(1-based). Peers on frames and SQL get every condition; those that see one record at a time get all
but keys and references. Nothing is measured here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import validate
from benchmarks.conditions import Asked, Form, asked, expressions, the_table
from validator.formats import FORMATS
from validator.json_schema import format_checker, table_schema
from validator.lexical import PATTERNS
from validator.load import load_packs
from validator.pack import Kind

Case = Callable[[Path, int], Callable[[], Iterable[int]]]


def spgl(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    from datetime import UTC, datetime

    from validator.check import Options, check
    from validator.sources import SourceOptions, discover

    packs = load_packs()
    options = Options(known=validate.known(rows))

    def run() -> Iterable[int]:
        with tempfile.TemporaryDirectory() as store:
            found = discover([path], packs, SourceOptions())
            checked = check(
                packs, found.sources, options, Path(store), run_id="bench",
                now=lambda: datetime.now(UTC),
            )  # fmt: skip
            return {v.record or 0 for v in checked.violations() if v.severity == "error"}

    return run


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().split(",")


def _expressions(path: Path, rows: int) -> dict[str, pl.Expr]:
    return expressions(asked(rows), frozenset(_columns(path)))


def pandera_polars(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """Custom checks of the columns, which may look at the whole frame."""
    import pandera.polars as pa

    def check(good: pl.Expr) -> Any:
        return pa.Check(lambda data: data.lazyframe.select(good.alias("good")))

    checks: dict[str, list[Any]] = {}
    for name, good in _expressions(path, rows).items():
        checks.setdefault(name.split()[0].replace("key", "GCDM"), []).append(check(good))
    columns = {n: pa.Column(pl.String, checks.get(n, []), nullable=True) for n in _columns(path)}
    schema = pa.DataFrameSchema(columns)

    def run() -> Iterable[int]:
        try:
            schema.validate(pl.read_csv(path, infer_schema=False), lazy=True)
        except pa.errors.SchemaErrors as found:
            return set((found.failure_cases["index"] + 1).to_list())
        return set()

    return run


def pandera_pandas(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """Built-in checks where there are any; check digits value by value."""
    import pandas as pd
    import pandera.pandas as pa

    of, there = asked(rows), _columns(path)
    checks: dict[str, list[Any]] = {name: [] for name in there}
    required = {c.name for c in of.cells if c.required}
    for cell in of.cells:
        if cell.name not in checks:
            continue
        checks[cell.name] += [pa.Check.str_matches(f"^(?:{p})$") for p in cell.patterns]
        if cell.codes:
            checks[cell.name].append(pa.Check.isin(list(cell.codes)))
        if cell.longest is not None:
            checks[cell.name].append(pa.Check.str_length(max_value=cell.longest))
    for name, values in of.parents:
        checks[name].append(pa.Check.isin(values.to_list()))
    whole = [_pandas_form(pa, form) for form in of.forms]
    key = list(of.key)
    whole.append(pa.Check(lambda df: ~df.duplicated(key) | df[key].isna().any(axis=1)))
    columns = {n: pa.Column(str, c, nullable=n not in required) for n, c in checks.items()}
    schema = pa.DataFrameSchema(columns, checks=whole)

    def run() -> Iterable[int]:
        try:
            schema.validate(pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""]),
                            lazy=True)  # fmt: skip
        except pa.errors.SchemaErrors as found:
            return {int(i) + 1 for i in found.failure_cases["index"].dropna()}
        return set()

    return run


def _pandas_form(pa: Any, form: Form) -> Any:
    def good(frame: Any) -> Any:
        cells = frame[form.field]
        fits = cells.str.fullmatch(form.pattern).fillna(True).astype(bool)
        if form.check is not None:
            shaped = cells.where(fits).dropna()
            fits.loc[shaped.index] = shaped.map(form.check)
        if form.when is not None:
            fits |= ~frame[form.when].isin(form.values)
        return fits

    return pa.Check(good)


def dataframely(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """A schema whose rules are the expressions; the failed rows with their number."""
    import dataframely as dy

    def rule(good: pl.Expr) -> Any:
        return dy.rule()(lambda _schema: good)

    members: dict[str, Any] = {name: dy.String(nullable=True) for name in _columns(path)}
    members["row"] = dy.UInt32(nullable=False)
    for i, good in enumerate(_expressions(path, rows).values()):
        members[f"rule_{i}"] = rule(good)
    schema: Any = type("Permits", (dy.Schema,), members)

    def run() -> Iterable[int]:
        frame = pl.read_csv(path, infer_schema=False).with_row_index("row", 1)
        _, failed = schema.filter(frame)
        return set(failed.invalid()["row"].to_list())

    return run


def pointblank(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """One step per expression, with the extract of the rows that fail it."""
    import pointblank as pb

    goods = list(_expressions(path, rows).values())

    def run() -> Iterable[int]:
        frame = pl.read_csv(path, infer_schema=False)
        plan = pb.Validate(frame)
        for good in goods:
            plan = plan.col_vals_expr(expr=good)
        extracts = plan.interrogate(get_first_n=None).get_data_extracts()
        return {n for e in extracts.values() if e is not None for n in e["_row_num_"].to_list()}

    return run


def duckdb(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """One query over the file: all conditions of a row in a disjunction."""
    import duckdb as db

    there = frozenset(_columns(path))
    of = asked(rows)
    for name, values in of.parents:
        db.sql(f"CREATE TABLE parents_{name} (v VARCHAR PRIMARY KEY)")
        db.executemany(f"INSERT INTO parents_{name} VALUES (?)", [[v] for v in values.unique()])
    key = ", ".join(of.key)
    whole = " AND ".join(f"{name} IS NOT NULL" for name in of.key)
    query = (
        f"SELECT i FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY i) AS n FROM "
        f"(SELECT *, row_number() OVER () AS i FROM read_csv('{path}', all_varchar=true, "
        f"header=true))) WHERE (n > 1 AND {whole}) OR {' OR '.join(_sql(of, there))}"
    )
    return lambda: [row[0] for row in db.sql(query).fetchall()]


def _sql(of: Asked, there: frozenset[str]) -> Iterator[str]:
    for cell in of.cells:
        if cell.name not in there:
            continue
        if cell.required:
            yield f"{cell.name} IS NULL"
        for pattern in cell.patterns:
            yield f"NOT regexp_full_match({cell.name}, '{pattern}')"
        if cell.codes:
            yield f"{cell.name} NOT IN ({', '.join(repr(c) for c in cell.codes)})"
        if cell.longest is not None:
            yield f"length({cell.name}) > {cell.longest}"
    for name, _ in of.parents:
        yield f"{name} NOT IN (SELECT v FROM parents_{name})"
    for form in of.forms:
        wrong = f"NOT regexp_full_match({form.field}, '{form.pattern}')"
        if form.check is not None:
            wrong = f"({wrong} OR NOT ({_SQL_CHECKS[form.name](form.field)}))"
        if form.when is not None:
            wrong = f"({form.when} IN ({', '.join(repr(v) for v in form.values)}) AND {wrong})"
        yield wrong


def _weighted(field: str, alphabet: str, weights: Iterable[int]) -> str:
    return " + ".join(
        f"(instr('{alphabet}', {field}[{i}]) - 1) * {w}" for i, w in enumerate(weights, 1)
    )


def _credit_sql(field: str) -> str:
    weights = [*(pow(3, i, 31) for i in range(17)), 1]
    return f"({_weighted(field, '0123456789ABCDEFGHJKLMNPQRTUWXY', weights)}) % 31 = 0"


def _citizen_sql(field: str) -> str:
    digits = _weighted(field, "0123456789X", (pow(2, 17 - i, 11) for i in range(18)))
    birth = f"{field}[7:10] || '-' || {field}[11:12] || '-' || {field}[13:14]"
    return f"({digits}) % 11 = 1 AND regexp_full_match({birth}, '{PATTERNS[Kind.DATE]}')"


_SQL_CHECKS = {"credit-code": _credit_sql, "citizen-number": _citizen_sql}


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
    fields = [known.get(name, {"name": name, "type": "string"}) for name in _columns(path)]
    schema = Schema.from_descriptor({**described, "fields": fields})
    part = path.with_name("first.csv")
    with path.open("rb") as whole, part.open("wb") as out:
        out.writelines(line for _, line in zip(range(rows + 1), whole, strict=False))
    resource = Resource(part.name, basepath=str(part.parent), schema=schema)

    def run() -> set[int]:
        report = resource.validate(Checklist(), limit_errors=1_000_000)
        return {e.row_number - 1 for e in report.tasks[0].errors if hasattr(e, "row_number")}

    return run
