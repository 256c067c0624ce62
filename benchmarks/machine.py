"""The machine a figure was measured on, the peak memory of this process, aims."""

from __future__ import annotations

import os
import platform
import resource
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure shall be: at most `limit`, with `least` at least."""

    what: str
    limit: float
    least: bool = False

    def said(self, found: float) -> str:
        """The figure, its aim, and by how much it misses."""
        met = found >= self.limit if self.least else found <= self.limit
        sign = "≥" if self.least else "≤"
        verdict = "met" if met else f"NOT met, by {abs(found / self.limit - 1):.0%}"
        return f"{self.what}: {found:.2f} (aim {sign} {self.limit:g}): {verdict}"


def describe() -> str:
    """Class of the machine in one line: cores, memory, Python, polars. No names."""
    import polars

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = _memory_gib()
    size = f", {memory:.0f} GiB" if memory else ""
    return (
        f"{cores} cores{size}, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, polars {polars.__version__}"
    )


def peak_mb() -> float:
    """Largest resident size of this process so far, in MB.

    Linux keeps `ru_maxrss` of the parent over an exec, so the figure of the address space is read.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(x.split()[1]) for x in lines if x.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _memory_gib() -> float:
    try:
        line = Path("/proc/meminfo").read_text().splitlines()[0]
    except OSError:
        return 0.0
    return int(line.split()[1]) / 2**20
