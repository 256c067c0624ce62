"""One line per violation, `file:line: severity rule message`, as editors and grep read it.

Every violation is there; the last lines are the summary of the run. Values are excerpts and unseen
characters escapes, so that a line stays a line.
"""

from __future__ import annotations

from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions
from validator.reports.plain import excerpt, visible
from validator.reports.summary import summary
from validator.reports.titles import where
from validator.run import Result
from validator.text import Lang

_LENGTH = 400


def render(
    result: Result, packs: Packs, out: IO[str], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the lines in the encoding of `out`; characters it lacks are written as escapes."""
    encoding = getattr(out, "encoding", None) or "utf-8"

    def write(line: str) -> None:
        out.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")

    for violation in result.violations():
        message = excerpt(visible(violation.message[lang]), _LENGTH)
        place = excerpt(where(violation), _LENGTH) or "-"
        write(f"{place}: {violation.severity} {visible(violation.rule)} {message}")
    for line in summary(result.run, lang).splitlines():
        write(visible(line))
