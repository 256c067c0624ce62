"""Rows a second of validation with every rule, against a pure read and against plain jsonschema.

`python -m benchmarks.validate --rows 1000000 --form csv jsonl parquet`. Each measurement is a
process of its own, the cases take turns, the best of `--repeat` counts. Found violations are
compared with what was planted: a missing or an extra one fails the run. Nothing here is tuned to
pass: the ratios are printed as they come, each beside its aim.

`--every 1` makes every record fail; `--low-memory` and `--normalise` measure that option, too. What
`--normalise` puts right is no defect any more: give it `--every` beyond the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks import reads, wide_table
from benchmarks.machine import Aim, describe, peak_mb
from spgl.cli import LIBRARIES, start_light

#: Rows that plain jsonschema gets: it is slow, and steady from the first hundred on.
SAMPLE = 4_000
FORMS = ("csv", "jsonl", "parquet")
#: Measured when asked for.
MORE = ("xml", "xlsx")

#: How many times as long as the read validation may take, by form.
READ = {
    "csv": Aim("validate ÷ read", 2.2),
    # Native numbers and booleans are told from texts, which is what "strict" means.
    "jsonl": Aim("validate ÷ read, strict JSON types", 3.2),
    "parquet": Aim("validate ÷ read", 3.0),
    "xml": Aim("validate ÷ read", 1.8),
}
#: How many times as fast as plain jsonschema validation shall be, by form.
JSONSCHEMA = {"csv": 60.0, "jsonl": 40.0}
#: Peak in MB from ten million rows on, by case and form.
MANY = 10_000_000
MEMORY = {
    "validate": dict.fromkeys(FORMS, 2000.0),
    "validate, low memory": {"csv": 700.0, "jsonl": 700.0, "parquet": 1000.0},
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: wall and processor seconds of the work, rows, peak memory in MB, planted defects
    that are missing and others that are extra."""

    seconds: float
    cpu: float
    rows: int
    peak_mb: float
    missing: int = 0
    extra: int = 0

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall and processor time since `started`."""

    wall: float
    cpu: float

    def measured(self, rows: int) -> Measured:
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        return Measured(wall, cpu, rows, peak_mb())


def started() -> Clock:
    return Clock(time.perf_counter(), time.process_time())


def read_eager(path: Path, truth: Truth) -> Measured:
    """See `reads.eager`."""
    clock = started()
    return clock.measured(reads.eager(path))


def read_streaming(path: Path, truth: Truth) -> Measured:
    """See `reads.streaming`."""
    clock = started()
    return clock.measured(reads.streaming(path))


@dataclass(frozen=True, slots=True)
class Truth:
    """What was written: so many rows, one in `every` with a defect."""

    rows: int
    every: int

    def missing_and_extra(self, found: Iterator[tuple[int, str, tuple[str, ...]]]) -> Counts:
        """Held against what was found, a block at a time, so that ten million fit."""
        planted = wide_table.truth(self.rows, self.every)
        expected = next(planted, None)
        missing = extra = 0
        for one in found:
            while expected is not None and expected < one:
                missing, expected = missing + 1, next(planted, None)
            if expected == one:
                expected = next(planted, None)
            else:
                extra += 1
        missing += sum(1 for _ in planted) + (expected is not None)
        return Counts(missing, extra)


@dataclass(frozen=True, slots=True)
class Counts:
    missing: int
    extra: int


def validate(path: Path, truth: Truth) -> Measured:
    """Discovery, every rule of both packs, violations stored; projects and cases are known."""
    return _validate(path, truth)


def validate_low_memory(path: Path, truth: Truth) -> Measured:
    """The same with `--low-memory`."""
    return _validate(path, truth, low_memory=True)


def validate_normalise(path: Path, truth: Truth) -> Measured:
    """The same with `--normalise`."""
    return _validate(path, truth, normalise=True)


def _validate(
    path: Path, truth: Truth, *, low_memory: bool = False, normalise: bool = False
) -> Measured:
    from validator.check import BATCH_ROWS, FEW_BATCH_ROWS, Options, check
    from validator.load import load_packs
    from validator.sources import SourceOptions, discover
    from validator.sources.normalised import with_normalising
    from validator.sources.source import BLOCK, SMALL_BLOCK

    packs = load_packs()
    options = Options(
        known=known(truth.rows), batch_rows=FEW_BATCH_ROWS if low_memory else BATCH_ROWS
    )
    reading = SourceOptions(block=SMALL_BLOCK if low_memory else BLOCK)
    with tempfile.TemporaryDirectory() as store:
        clock = started()
        found = discover([path], packs, reading)
        checked = check(
            packs,
            with_normalising(packs, found.sources) if normalise else found.sources,
            options,
            Path(store),
            run_id="bench",
            now=lambda: datetime.now(UTC),
        )
        taken = clock.measured(checked.run.total("read"))
        said = (
            (v.record or 0, v.rule, v.fields) for v in checked.violations() if v.severity == "error"
        )
        counts = truth.missing_and_extra(said)
    return Measured(
        taken.seconds, taken.cpu, taken.rows, taken.peak_mb, counts.missing, counts.extra
    )


def plain_jsonschema(path: Path, truth: Truth) -> Measured:
    """Each of the first rows through `iter_errors` of the exported schema, all errors listed."""
    from jsonschema import Draft202012Validator

    from validator.json_schema import format_checker, table_schema
    from validator.load import load_packs

    packs = load_packs()
    table = packs.named(wide_table.TABLE)[0]
    judge = Draft202012Validator(table_schema(packs, table), format_checker=format_checker())
    if path.suffix == ".csv":
        frame = pl.read_csv(path, infer_schema=False, n_rows=SAMPLE)
    else:
        frame = pl.scan_ndjson(path).head(SAMPLE).collect()
    records = [{k: v for k, v in r.items() if v is not None} for r in frame.to_dicts()]
    clock = started()
    for record in records:
        list(judge.iter_errors(record))
    return clock.measured(len(records))


CASES: Mapping[str, Callable[[Path, Truth], Measured]] = {
    "read, eager": read_eager,
    "read, streaming": read_streaming,
    "validate": validate,
    "validate, low memory": validate_low_memory,
    "validate, normalise": validate_normalise,
    "jsonschema": plain_jsonschema,
}


def known(rows: int) -> dict[str, pl.DataFrame]:
    """What the target holds already: the parents of the table."""
    import numpy as np

    projects = wide_table.project_code(np.arange(wide_table.PROJECTS))
    cases = wide_table.case_code(np.arange(-(-rows // wide_table.PROJECTS)))
    return {
        "data-sharing-3.0/SPGL_XMJBXXB": pl.DataFrame({"GCDM": projects.tolist()}),
        "data-sharing-3.0/SPGL_XMSPSXBLXXB": pl.DataFrame({"SPSXSLBM": cases.tolist()}),
    }


def measure(case: str, path: Path, truth: Truth) -> Measured:
    """Run one case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.validate", "--case", case]
    command += ["--file", str(path), "--rows", str(truth.rows), "--every", str(truth.every)]
    # All cases alike run as the command line runs.
    environment = {**os.environ, **LIBRARIES}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def compare(cases: Sequence[str], path: Path, truth: Truth, repeat: int) -> int:
    """Measure the cases in turn and print them beside the aims; returns the exit code."""
    form = path.suffix[1:]
    print(f"\n{truth.rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB {form}", flush=True)
    taken: dict[str, list[Measured]] = {c: [] for c in cases}
    for _ in range(repeat):
        for case in cases:
            taken[case].append(measure(case, path, truth))
    best = {c: min(m, key=lambda x: x.seconds) for c, m in taken.items()}
    reads = [best[c] for c in cases if c.startswith("read")]
    floor = max((m.rate for m in reads), default=0.0)
    for case, found in best.items():
        times = f"{floor / found.rate:>7.2f} × read" if floor else ""
        print(
            f"{case:20} {found.rate:>10,.0f} rows/s {times}"
            f"   {min(m.cpu for m in taken[case]) / found.rows * 1e6:>7.2f} s CPU per million"
            f"   peak {max(m.peak_mb for m in taken[case]):,.0f} MB"
        )
    if floor:
        ratio = floor / best["validate"].rate
        print(READ[form].said(ratio) if form in READ else f"validate ÷ read: {ratio:.2f}")
        cpu = min(min(m.cpu for m in taken[c]) for c in cases if c.startswith("read"))
        spent = min(m.cpu for m in taken["validate"])
        print(f"the same in processor time, which other work on the machine hardly touches: "
              f"{spent / cpu:.2f}")  # fmt: skip
    if "jsonschema" in best:
        faster = Aim("validate, times as fast as plain jsonschema", JSONSCHEMA[form], least=True)
        print(faster.said(best["validate"].rate / best["jsonschema"].rate))
    large = truth.rows >= MANY and form in FORMS
    for case in MEMORY.keys() & taken.keys() if large else ():
        peak = max(m.peak_mb for m in taken[case])
        print(Aim(f"{case}, peak MB", MEMORY[case][form]).said(peak))
    return _complete([m for c in cases if c.startswith("validate") for m in taken[c]], truth)


def _complete(runs: Sequence[Measured], truth: Truth) -> int:
    wrong = [m for m in runs if m.missing or m.extra or m.rows != truth.rows]
    for found in wrong:
        print(f"INCOMPLETE: {found.missing} missing, {found.extra} extra, {found.rows} rows read")
    if not wrong:
        planted = sum(1 for _ in wide_table.truth(truth.rows, truth.every))
        print(f"complete: all {planted:,} planted, none extra")
    return 1 if wrong else 0


def chosen(form: str, *, low_memory: bool, normalise: bool, floors: bool) -> list[str]:
    """The cases of a form."""
    without = {
        *(() if low_memory else ("validate, low memory",)),
        *(() if normalise else ("validate, normalise",)),
        *(() if floors and form in JSONSCHEMA else ("jsonschema",)),
        *(() if floors else ("read, eager", "read, streaming")),
    }
    reading = reads.possible(form)
    return [c for c in CASES if c not in without and (c in reading or not c.startswith("read"))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--every", type=int, default=100, help="one row in so many is defective")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--form", choices=(*FORMS, *MORE), nargs="+", default=list(FORMS))
    parser.add_argument("--low-memory", action="store_true", help="measure this option, too")
    parser.add_argument("--normalise", action="store_true", help="measure this option, too")
    parser.add_argument("--no-floors", action="store_true", help="validation alone, as for memory")
    parser.add_argument("--folder", type=Path, help="where the tables are written (default: /tmp)")
    parser.add_argument("--case", choices=tuple(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    truth = Truth(options.rows, options.every)
    if options.case:
        start_light()
        print(json.dumps(asdict(CASES[options.case](options.file, truth))))
        return 0
    print(describe(), flush=True)
    codes = []
    for form in options.form:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            path = wide_table.write_table(truth.rows, Path(folder), form, truth.every)
            cases = chosen(
                form,
                low_memory=options.low_memory,
                normalise=options.normalise,
                floors=not options.no_floors,
            )
            codes.append(compare(cases, path, truth, options.repeat))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
