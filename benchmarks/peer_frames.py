"""Validators on frames and SQL, given every condition in their own words; ours, too.

A case builds what is not timed and returns the timed part, which reads the file and yields the
records it refuses (1-based). Nothing is measured here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import validate
from benchmarks.conditions import Asked, Form, asked, expressions, header
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


def _expressions(path: Path, rows: int) -> dict[str, pl.Expr]:
    return expressions(asked(rows), frozenset(header(path)))


def pandera_polars(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    """Custom checks of the columns, which may look at the whole frame."""
    import pandera.polars as pa

    def check(good: pl.Expr) -> Any:
        return pa.Check(lambda data: data.lazyframe.select(good.alias("good")))

    checks: dict[str, list[Any]] = {}
    for name, good in _expressions(path, rows).items():
        checks.setdefault(name.split()[0].replace("key", "GCDM"), []).append(check(good))
    columns = {n: pa.Column(pl.String, checks.get(n, []), nullable=True) for n in header(path)}
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

    of, there = asked(rows), header(path)
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

    members: dict[str, Any] = {name: dy.String(nullable=True) for name in header(path)}
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

    there = frozenset(header(path))
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
