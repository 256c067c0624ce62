"""Start-up: `spgl validate` of a ten-row file against a bare `import polars`.

`python -m benchmarks.start`. Both are processes of their own that take turns; of each the best
processor time counts (user and system), which other work on the machine hardly touches.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import wide_table
from benchmarks.machine import Aim, describe

AIM = Aim("start of validate ÷ import polars, processor time", 1.7)


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of one process."""

    cpu: float
    wall: float


def run(command: Sequence[str]) -> Spent:
    """One process; modules are compiled by the first and found compiled by the others."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before, wall = _children(), time.perf_counter()
    # A run that finds faults ends with 1.
    subprocess.run(command, check=False, env=environment, capture_output=True)
    return Spent(_children() - before, time.perf_counter() - wall)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = wide_table.write_table(10, Path(folder))
        cases: Mapping[str, list[str]] = {
            "python": [sys.executable, "-c", ""],
            "import polars": [sys.executable, "-c", "import polars"],
            "import polars, numpy": [sys.executable, "-c", "import polars, numpy"],
            "validate": [sys.executable, "-m", "spgl", "validate", str(file), "--no-store"],
        }
        taken: dict[str, list[Spent]] = {name: [] for name in cases}
        for _ in range(options.repeat):
            for name, command in cases.items():
                taken[name].append(run(command))
    print(describe())
    best = {name: min(s.cpu for s in spent) for name, spent in taken.items()}
    for name, spent in taken.items():
        wall = min(s.wall for s in spent)
        print(f"{name:22} {best[name]:.3f} s of processor time, {wall:.3f} s on the clock")
    print(AIM.said(best["validate"] / best["import polars"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
