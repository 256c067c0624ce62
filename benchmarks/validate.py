"""Rows a second of validation with every rule, against a pure read and against plain jsonschema.

`python -m benchmarks.validate --rows 200000`. Each measurement is a process of its own, the cases
take turns, the best of `--repeat` counts. Found violations are compared with what was planted: a
missing or an extra one fails the run. Nothing here is tuned to pass: the ratios are printed as they
come.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks import wide_table
from benchmarks.machine import describe, peak_mb

#: Rows that plain jsonschema gets: it is slow, and steady from the first hundred on.
SAMPLE = 4_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: seconds from opening the file, rows, peak memory in MB, missing and extra."""

    seconds: float
    rows: int
    peak_mb: float
    missing: int = 0
    extra: int = 0

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def read_eager(path: Path, rows: int) -> Measured:
    """All columns as text, in one call."""
    started = time.perf_counter()
    frame = pl.read_csv(path, infer_schema=False) if _is_csv(path) else pl.read_ndjson(path)
    return Measured(time.perf_counter() - started, frame.height, peak_mb())


def read_streaming(path: Path, rows: int) -> Measured:
    """All columns as text through the streaming engine."""
    started = time.perf_counter()
    scan = pl.scan_csv(path, infer_schema=False) if _is_csv(path) else pl.scan_ndjson(path)
    frame = scan.collect(engine="streaming")
    return Measured(time.perf_counter() - started, frame.height, peak_mb())


def validate(path: Path, rows: int) -> Measured:
    """Discovery, every rule of both packs, violations stored; projects and cases are known."""
    from validator.check import Options, check
    from validator.load import load_packs
    from validator.sources import SourceOptions, discover

    packs = load_packs()
    options = Options(known=known(rows))
    with tempfile.TemporaryDirectory() as store:
        started = time.perf_counter()
        found = discover([path], packs, SourceOptions())
        checked = check(
            packs,
            found.sources,
            options,
            Path(store),
            run_id="bench",
            now=lambda: datetime.now(UTC),
        )
        seconds = time.perf_counter() - started
        peak = peak_mb()
        said = {
            wide_table.Truth(v.record or 0, v.rule, v.fields)
            for v in checked.violations()
            if v.severity == "error"
        }
    planted = set(wide_table.truth(rows))
    read = checked.run.total("read")
    return Measured(seconds, read, peak, len(planted - said), len(said - planted))


def plain_jsonschema(path: Path, rows: int) -> Measured:
    """Each of the first rows through `iter_errors` of the exported schema, all errors listed."""
    from jsonschema import Draft202012Validator

    from validator.json_schema import format_checker, table_schema
    from validator.load import load_packs

    packs = load_packs()
    table = packs.named(wide_table.TABLE)[0]
    judge = Draft202012Validator(table_schema(packs, table), format_checker=format_checker())
    frame = pl.read_csv(path, infer_schema=False, n_rows=SAMPLE)
    records = [{k: v for k, v in r.items() if v is not None} for r in frame.to_dicts()]
    started = time.perf_counter()
    for record in records:
        list(judge.iter_errors(record))
    return Measured(time.perf_counter() - started, len(records), peak_mb())


CASES: Mapping[str, Callable[[Path, int], Measured]] = {
    "read, eager": read_eager,
    "read, streaming": read_streaming,
    "validate": validate,
    "jsonschema": plain_jsonschema,
}


def _is_csv(path: Path) -> bool:
    return path.suffix == ".csv"


def known(rows: int) -> dict[str, pl.DataFrame]:
    """What the target holds already: the parents of the table."""
    import numpy as np

    projects = wide_table.project_code(np.arange(wide_table.PROJECTS))
    cases = wide_table.case_code(np.arange(-(-rows // wide_table.PROJECTS)))
    return {
        "data-sharing-3.0/SPGL_XMJBXXB": pl.DataFrame({"GCDM": projects.tolist()}),
        "data-sharing-3.0/SPGL_XMSPSXBLXXB": pl.DataFrame({"SPSXSLBM": cases.tolist()}),
    }


def measure(case: str, path: Path, rows: int) -> Measured:
    """Run one case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.validate", "--case", case]
    command += ["--file", str(path), "--rows", str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def compare(rows: int, repeat: int, form: str, folder: Path) -> int:
    """Write the table, measure all cases in turn, print; returns the exit code."""
    path = wide_table.write_table(rows, folder, form)
    print(f"{describe()}\n{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB {form}", flush=True)
    cases = [c for c in CASES if form == "csv" or c != "jsonschema"]
    taken: dict[str, list[Measured]] = {c: [] for c in cases}
    for _ in range(repeat):
        for case in cases:
            taken[case].append(measure(case, path, rows))
    best = {c: min(m, key=lambda x: x.seconds) for c, m in taken.items()}
    floor = max(best["read, eager"].rate, best["read, streaming"].rate)
    for case, found in best.items():
        peak = max(m.peak_mb for m in taken[case])
        print(
            f"{case:16} {found.rate:>10,.0f} rows/s   {floor / found.rate:>7.2f} × read"
            f"   peak {peak:,.0f} MB"
        )
    if "jsonschema" in best:
        faster = best["validate"].rate / best["jsonschema"].rate
        print(f"validate is {faster:.0f} × plain jsonschema")
    wrong = [m for m in taken["validate"] if m.missing or m.extra or m.rows != rows]
    for found in wrong:
        print(f"INCOMPLETE: {found.missing} missing, {found.extra} extra, {found.rows} rows read")
    print("" if wrong else f"complete: all {len(wide_table.truth(rows)):,} planted, none extra")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--form", choices=("csv", "jsonl"), default="csv")
    parser.add_argument("--case", choices=tuple(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(asdict(CASES[options.case](options.file, options.rows))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return compare(options.rows, options.repeat, options.form, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
