"""GitLab code quality: one JSON array of findings, the subset of the Code Climate format it reads.

GitLab knows findings by fingerprint and keeps the last of equal ones, so repetitions get a suffix.
It has no head: the basis of the packs, unreadable files and what a cap left out are findings too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.json import encode
from validator.reports.phrases import basis
from validator.reports.places import path
from validator.reports.plain import visible
from validator.reports.quotas import spread
from validator.reports.summary import severities, verdict
from validator.reports.told import told
from validator.run import Result, Run
from validator.text import Lang
from validator.violation import Severity

#: GitLab parses the whole report in one go and shows a merge request's findings on one page.
_LIMIT = 25_000
_SEVERITY = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the array, one finding a line."""
    separator = b"[\n"
    for finding in _findings(result, lang):
        out.write(separator + encode(finding))
        separator = b",\n"
    out.write(b"\n]\n" if separator == b",\n" else b"[]\n")


def _findings(result: Result, lang: Lang) -> Iterator[Mapping[str, object]]:
    run = result.run
    seen: dict[str, int] = {}
    shown = 0
    yield from _head(run, lang)
    for violation in spread(result, _LIMIT):
        times = seen[violation.fingerprint] = seen.get(violation.fingerprint, 0) + 1
        mark = violation.fingerprint if times == 1 else f"{violation.fingerprint}-{times}"
        shown += 1
        yield _finding(
            violation.rule, told(violation, lang), mark, _SEVERITY[violation.severity],
            path(violation.file, run.inputs), violation.line,
        )  # fmt: skip
    hidden = sum(severities(run).values()) - shown
    if hidden:
        more = phrases.NOT_SHOWN.fill({"count": f"{hidden:,}"})
        text = f"{more[lang]}: {verdict(run)[lang]}"
        yield _note("not-shown", text, run, "info", run.id)


def _head(run: Run, lang: Lang) -> Iterator[Mapping[str, object]]:
    for pack in run.packs:
        text = f"{pack.name} {pack.version}: {basis(pack)[lang]}"
        yield _note("pack-basis", text, run, "info", pack.name)
    for note in run.notes:
        yield _note("note", note[lang], run, "info", note.en)
    for problem in run.problems:
        yield _note(
            "unreadable-file", problem.text[lang], run, "blocker", problem.file, problem.file
        )


def _note(
    name: str, text: str, run: Run, severity: str, mark: str, file: str | None = None
) -> Mapping[str, object]:
    fingerprint = hashlib.sha256(f"{name}\0{mark}".encode("utf-8", "backslashreplace")).hexdigest()
    return _finding(name, visible(text), fingerprint, severity, path(file, run.inputs), None)


def _finding(
    name: str, text: str, mark: str, severity: str, file: str, line: int | None
) -> Mapping[str, object]:
    return {
        "type": "issue",
        "check_name": name,
        "description": text,
        "categories": ["Bug Risk"],
        "severity": severity,
        "fingerprint": mark,
        "location": {"path": visible(file) or ".", "lines": {"begin": line or 1}},
    }
