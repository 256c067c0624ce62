"""Every violation as one JSON line (docs/violation.schema.json), in the order of the run.

No head and no counts: those are in the json report.
"""

from __future__ import annotations

from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions
from validator.reports.json import encode
from validator.run import Result
from validator.text import Lang


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write one line per violation; an empty run writes nothing."""
    for violation in result.violations():
        out.write(encode(violation.to_json()) + b"\n")
