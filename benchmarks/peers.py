"""Rows a second of other validators on the same table, beside ours in the same run.

`python -m benchmarks.peers --rows 1000000`, with `pip install -e '.[bench]'`; a peer that is not
installed is left out. Peers on frames and SQL are given every condition behind the planted defects,
check digits, keys and references among them, and read the same file; those that see one record at a
time are given all but keys and references, as ready dictionaries, so that their reading costs
nothing here, and only the first `--sample` rows, as they are slow and steady. Imports and building
of schemas are not timed. Each case is a process of its own, the cases take turns, the best of
`--repeat` counts, and the refused records are compared with those planted for it: a peer that
misses some or refuses others is named.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks import peer_frames, peer_records, wide_table
from benchmarks.machine import Aim, describe, peak_mb
from spgl.cli import LIBRARIES, start_light

ALL = frozenset(kind.rule for kind in wide_table.KINDS)
#: What a single record shows.
DIGITS = ALL - {"duplicate-key", "dangling-reference"}
#: The same without check digits.
SHAPES = DIGITS - {"wrong-check-digit"}


@dataclass(frozen=True, slots=True)
class Peer:
    """`finds`: rules whose planted defects it is given; `sampled`: gets the first rows only;
    `beside`: modules it needs besides."""

    module: str
    says: str
    case: peer_frames.Case
    finds: frozenset[str] = ALL
    sampled: bool = False
    beside: tuple[str, ...] = ()

    @property
    def there(self) -> bool:
        """Whether it is installed."""
        return all(importlib.util.find_spec(m) for m in (self.module, *self.beside))


PEERS: Mapping[str, Peer] = {
    "spgl": Peer("polars", "all rules, every violation stored", peer_frames.spgl),
    "pandera on polars": Peer("pandera", "all failures", peer_frames.pandera_polars),
    "dataframely": Peer("dataframely", "refused rows", peer_frames.dataframely),
    "pointblank": Peer("pointblank", "refused rows by check", peer_frames.pointblank),
    "duckdb": Peer("duckdb", "one SQL query, refused rows", peer_frames.duckdb),
    "pandera on pandas": Peer(
        "pandera", "all failures", peer_frames.pandera_pandas, beside=("pandas",)
    ),
    "pydantic": Peer("pydantic", "records", peer_records.pydantic, DIGITS, sampled=True),
    "jsonschema-rs": Peer(
        "jsonschema_rs", "records, all errors", peer_records.jsonschema_rs, DIGITS, sampled=True
    ),
    "fastjsonschema": Peer(
        "fastjsonschema", "records, first error", peer_records.fastjsonschema, DIGITS, sampled=True
    ),
    "frictionless": Peer(
        "frictionless", "no digits, reads the file", peer_records.frictionless, SHAPES, sampled=True
    ),
    "jsonschema": Peer(
        "jsonschema", "records, all errors", peer_records.jsonschema, DIGITS, sampled=True
    ),
}

#: How many times as fast as a peer validation shall be.
AIMS = {"jsonschema": 60.0, "frictionless": 25.0, "pandera on pandas": 12.0,
        "pandera on polars": 1.0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """`cpu`: processor seconds; `refused`: records in which the peer found something; `missed`,
    `extra`: against what was planted for it."""

    seconds: float
    cpu: float
    rows: int
    peak_mb: float
    refused: int
    missed: int
    extra: int

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def run_case(name: str, path: Path, rows: int, sample: int) -> Measured:
    """One peer, in this process."""
    peer = PEERS[name]
    count = min(rows, sample) if peer.sampled else rows
    run = peer.case(path, count)
    wall, cpu = time.perf_counter(), time.process_time()
    refused = set(run())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    planted = {record for record, rule, _ in wide_table.truth(count) if rule in peer.finds}
    missed, extra = len(planted - refused), len(refused - planted)
    return Measured(wall, cpu, count, peak_mb(), len(refused), missed, extra)


def measure(name: str, path: Path, rows: int, sample: int) -> Measured:
    """One peer, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.peers", "--case", name, "--file", str(path)]
    command += ["--rows", str(rows), "--sample", str(sample)]
    environment = {**os.environ, **LIBRARIES}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def compare(names: list[str], path: Path, rows: int, repeat: int, sample: int) -> int:
    """Measure the peers in turn and print them; 1 where ours misses a defect, else 0."""
    taken: dict[str, list[Measured]] = {name: [] for name in names}
    for _ in range(repeat):
        for name in names:
            taken[name].append(measure(name, path, rows, sample))
    best = {name: min(found, key=lambda m: m.seconds) for name, found in taken.items()}
    ours = best["spgl"]
    print("| peer | rows/s | spgl is | CPU s per million | peak | |\n|---|---|---|---|---|---|")
    for name, found in best.items():
        wrong = f"; {found.missed} missed" if found.missed else ""
        wrong += f"; {found.extra} beyond the planted" if found.extra else ""
        memory = "" if PEERS[name].sampled else f"{found.peak_mb:,.0f} MB"
        of = "" if name == "spgl" else f" {version(PEERS[name].module.replace('_', '-'))}"
        print(
            f"| {name}{of} | {found.rate:,.0f} | {ours.rate / found.rate:.1f} × "
            f"| {found.cpu / found.rows * 1e6:,.1f} | {memory} | {PEERS[name].says}{wrong} |"
        )
    for name, times in AIMS.items():
        if name in best:
            aim = Aim(f"times as fast as {name}", times, least=True)
            print(aim.said(ours.rate / best[name].rate))
    if "pandera on polars" in best:
        share = ours.peak_mb / best["pandera on polars"].peak_mb
        print(Aim("memory ÷ pandera on polars", 1 / 3).said(share))
    return 1 if ours.missed or ours.extra else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--sample", type=int, default=5_000, help="rows that slow peers get")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=tuple(PEERS), help="these beside spgl")
    parser.add_argument("--case", choices=tuple(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        start_light()
        found = run_case(options.case, options.file, options.rows, options.sample)
        print(json.dumps(asdict(found)))
        return 0
    wanted = ["spgl", *options.only] if options.only else list(PEERS)
    there = [n for n in PEERS if n in wanted and PEERS[n].there]
    with tempfile.TemporaryDirectory() as folder:
        path = wide_table.write_table(options.rows, Path(folder))
        print(f"{describe()}\n{options.rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB csv")
        code = compare(there, path, options.rows, options.repeat, options.sample)
    missing = [n for n in wanted if n not in there]
    if missing:
        print("not installed:", ", ".join(missing))
    return code


if __name__ == "__main__":
    sys.exit(main())
