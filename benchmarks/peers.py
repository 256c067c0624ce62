"""Rows a second of other validators on the same table, beside ours in the same run.

`python -m benchmarks.peers --rows 100000`, with `pip install -e '.[bench]'`; a peer that is not
installed is left out. Every peer is given the conditions of single cells that it can state:
required, form, length, closed code list, shape of identifiers. Those marked "digits" also judge
check digits. None of them judges keys, references or conditions between fields; `spgl` judges all
of its rules. Row-wise peers get ready dictionaries, so their reading costs nothing here, and only
the first `--sample` rows, as they are slow and steady. Imports and building of schemas are not
timed. Each case is a process of its own, the best of `--repeat` counts, and the records a peer
refuses are compared with those planted for it: one that misses some is named.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import validate, wide_table
from benchmarks.machine import describe, peak_mb
from validator.cells import listed
from validator.formats import FORMATS
from validator.json_schema import format_checker, record_uses, table_schema
from validator.lexical import PATTERNS
from validator.load import load_packs
from validator.pack import FormatUse, Packs, Table
from validator.violation import Severity

#: Rules whose planted defects a peer without check digits can find in single cells.
SHAPES = frozenset({"blank-key", "wrong-type", "code-not-in-list", "wrong-format"})
DIGITS = SHAPES | {"wrong-check-digit"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What is asked of one field; each pattern is an unanchored body."""

    name: str
    required: bool
    patterns: tuple[str, ...]
    codes: tuple[str, ...]
    longest: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """`refused`: records in which the peer found something; `missed`, `extra`: against truth."""

    seconds: float
    rows: int
    peak_mb: float
    refused: int
    missed: int
    extra: int

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True, slots=True)
class Peer:
    """`prepare` builds what is not timed and returns the timed part, which yields refused records
    (1-based). `sampled`: gets the first rows only."""

    module: str
    says: str
    prepare: Callable[[Path, int], Callable[[], Iterable[int]]]
    finds: frozenset[str]
    sampled: bool


def cells(packs: Packs, table: Table) -> tuple[Cell, ...]:
    """The unconditional conditions of single cells that are errors."""
    required: set[str] = set()
    patterns: dict[str, list[str]] = {}
    codes: dict[str, tuple[str, ...]] = {}
    longest: dict[str, int] = {}
    for rule, use in record_uses(packs, table):
        field = table.by_name[use.fields[0]]
        if use.severity is not Severity.ERROR or field.separator is not None:
            continue
        of = use.params.get("use")
        if rule.name in ("missing-value", "blank-key"):
            required.update(use.fields)
        elif rule.name == "wrong-type" and field.kind in PATTERNS:
            patterns.setdefault(field.name, []).append(PATTERNS[field.kind])
        elif rule.name == "too-long" and field.length is not None:
            longest[field.name] = field.length.max
        elif rule.name == "code-not-in-list":
            codes[field.name] = tuple(c.code for c in listed(packs, table, field))
        elif rule.name == "wrong-format" and isinstance(of, FormatUse) and of.when is None:
            patterns.setdefault(field.name, []).append(FORMATS[of.name].pattern)
    return tuple(
        Cell(f.name, f.name in required, tuple(patterns.get(f.name, ())), codes.get(f.name, ()),
             longest.get(f.name))
        for f in table.fields
    )  # fmt: skip


def _table() -> tuple[Packs, Table]:
    packs = load_packs()
    return packs, packs.named(wide_table.TABLE)[0]


def _records(path: Path, rows: int) -> list[dict[str, str]]:
    frame = pl.read_csv(path, infer_schema=False, n_rows=rows)
    return [{k: v for k, v in r.items() if v is not None} for r in frame.to_dicts()]


def _each(records: list[dict[str, str]], good: Callable[[Any], bool]) -> Iterator[int]:
    return (i for i, record in enumerate(records, 1) if not good(record))


def _jsonschema(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    from jsonschema import Draft202012Validator

    judge = Draft202012Validator(table_schema(*_table()), format_checker=format_checker())
    records = _records(path, rows)
    return lambda: _each(records, lambda r: not list(judge.iter_errors(r)))


def _holds(name: str) -> Callable[[str], bool]:
    form = FORMATS[name]
    return lambda text: form.check is None or not form.matches(text) or form.check(text)


def _checks() -> dict[str, Callable[[str], bool]]:
    return {name: _holds(name) for name, form in FORMATS.items() if form.check is not None}


def _jsonschema_rs(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    import jsonschema_rs

    judge = jsonschema_rs.Draft202012Validator(
        table_schema(*_table()), formats=_checks(), validate_formats=True
    )
    records = _records(path, rows)
    return lambda: _each(records, lambda r: not list(judge.iter_errors(r)))


def _fastjsonschema(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    import fastjsonschema

    schema = {**table_schema(*_table()), "$schema": "http://json-schema.org/draft-07/schema"}
    judge = fastjsonschema.compile(schema, formats=_checks())

    def good(record: dict[str, str]) -> bool:
        try:
            judge(record)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    records = _records(path, rows)
    return lambda: _each(records, good)


def _pydantic(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    from typing import Annotated, Literal

    from pydantic import Field, StringConstraints, ValidationError, create_model

    fields: dict[str, Any] = {}
    for cell in cells(*_table()):
        kind: Any = Literal[cell.codes] if cell.codes else str
        for pattern in cell.patterns:
            kind = Annotated[kind, StringConstraints(pattern=f"^(?:{pattern})$")]
        if cell.longest is not None:
            kind = Annotated[kind, Field(max_length=cell.longest)]
        fields[cell.name] = (kind, ...) if cell.required else (kind | None, None)
    model = create_model("Record", **fields)

    def good(record: dict[str, str]) -> bool:
        try:
            model.model_validate(record)
        except ValidationError:
            return False
        return True

    records = _records(path, rows)
    return lambda: _each(records, good)


def _frictionless(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    from frictionless import Checklist, Resource, Schema

    from validator.exports.data_package import table_schema as descriptor

    columns = path.open(encoding="utf-8").readline().strip().split(",")
    described = descriptor(*_table())
    known = {f["name"]: f for f in described["fields"]}  # type: ignore[attr-defined]
    fields = [known.get(name, {"name": name, "type": "string"}) for name in columns]
    schema = Schema.from_descriptor({**described, "fields": fields})
    part = path.with_name("first.csv")
    with path.open("rb") as whole, part.open("wb") as out:
        out.writelines(line for _, line in zip(range(rows + 1), whole, strict=False))
    resource = Resource(part.name, basepath=str(part.parent), schema=schema)

    def run() -> set[int]:
        report = resource.validate(Checklist(), limit_errors=1_000_000)
        return {e.row_number - 1 for e in report.tasks[0].errors if hasattr(e, "row_number")}

    return run


def _pandera(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    import pandera.polars as pa

    def form(pattern: str) -> Any:
        return pa.Check.str_matches(f"^(?:{pattern})$")

    columns = {
        c.name: pa.Column(
            pl.String,
            [
                *(form(p) for p in c.patterns),
                *([pa.Check.isin(list(c.codes))] if c.codes else []),
                *([pa.Check.str_length(max_value=c.longest)] if c.longest is not None else []),
            ],
            nullable=not c.required,
            required=False,
        )
        for c in cells(*_table())
    }
    schema = pa.DataFrameSchema(columns)

    def run() -> Iterable[int]:
        try:
            schema.validate(pl.read_csv(path, infer_schema=False), lazy=True)
        except pa.errors.SchemaErrors as found:
            return set((found.failure_cases["index"] + 1).to_list())
        return set()

    return run


def _duckdb(path: Path, rows: int) -> Callable[[], Iterable[int]]:
    import duckdb

    there = path.open(encoding="utf-8").readline().strip().split(",")
    bad: list[str] = []
    values: list[object] = []
    for cell in cells(*_table()):
        name = f'"{cell.name}"'
        if cell.name not in there:
            continue
        if cell.required:
            bad.append(f"{name} IS NULL")
        for pattern in cell.patterns:
            bad.append(f"NOT regexp_full_match({name}, ?)")
            values.append(pattern)
        if cell.codes:
            bad.append(f"NOT list_contains(?, {name})")
            values.append(list(cell.codes))
        if cell.longest is not None:
            bad.append(f"length({name}) > {cell.longest}")
    query = (
        f"SELECT i FROM (SELECT *, row_number() OVER () AS i FROM read_csv('{path}', "
        f"all_varchar=true, header=true)) WHERE {' OR '.join(bad)}"
    )
    return lambda: [row[0] for row in duckdb.execute(query, values).fetchall()]


def _spgl(path: Path, rows: int) -> Callable[[], Iterable[int]]:
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


ALL = frozenset(kind.rule for kind in wide_table.KINDS)
PEERS: Mapping[str, Peer] = {
    "spgl": Peer("polars", "all rules, all violations", _spgl, ALL, False),
    "duckdb": Peer("duckdb", "one SQL query, refused rows", _duckdb, SHAPES, False),
    "pandera on polars": Peer("pandera", "all failures", _pandera, SHAPES, False),
    "pydantic": Peer("pydantic", "all errors of a record", _pydantic, SHAPES, True),
    "jsonschema-rs": Peer("jsonschema_rs", "all errors, digits", _jsonschema_rs, DIGITS, True),
    "fastjsonschema": Peer("fastjsonschema", "first error, digits", _fastjsonschema, DIGITS, True),
    "jsonschema": Peer("jsonschema", "all errors, digits", _jsonschema, DIGITS, True),
    "frictionless": Peer("frictionless", "all errors, reads the file", _frictionless, SHAPES, True),
}


def run_case(name: str, path: Path, rows: int, sample: int) -> Measured:
    """One peer, in this process."""
    peer = PEERS[name]
    count = min(rows, sample) if peer.sampled else rows
    run = peer.prepare(path, count)
    started = time.perf_counter()
    refused = set(run())
    seconds = time.perf_counter() - started
    planted = {record for record, rule, _ in wide_table.truth(count) if rule in peer.finds}
    return Measured(
        seconds, count, peak_mb(), len(refused), len(planted - refused), len(refused - planted)
    )


def measure(name: str, path: Path, rows: int, sample: int) -> Measured:
    """One peer, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.peers", "--case", name, "--file", str(path)]
    command += ["--rows", str(rows), "--sample", str(sample)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def compare(rows: int, repeat: int, sample: int, folder: Path) -> None:
    path = wide_table.write_table(rows, folder)
    print(f"{describe()}\n{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB csv", flush=True)
    there = [n for n, p in PEERS.items() if importlib.util.find_spec(p.module)]
    taken: dict[str, list[Measured]] = {name: [] for name in there}
    for _ in range(repeat):
        for name in there:
            taken[name].append(measure(name, path, rows, sample))
    best = {name: min(found, key=lambda m: m.seconds) for name, found in taken.items()}
    for name, found in best.items():
        wrong = f", {found.missed} missed" if found.missed else ""
        wrong += f", {found.extra} beyond the planted" if found.extra else ""
        print(
            f"{name:18} {found.rate:>9,.0f} rows/s  spgl is {best['spgl'].rate / found.rate:6.1f} ×"
            f"  peak {found.peak_mb:,.0f} MB  {PEERS[name].says}{wrong}"
        )
    print("not installed:", ", ".join(n for n in PEERS if n not in there) or "none")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=5_000, help="rows that slow peers get")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--case", choices=tuple(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        found = run_case(options.case, options.file, options.rows, options.sample)
        print(json.dumps(asdict(found)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        compare(options.rows, options.repeat, options.sample, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
