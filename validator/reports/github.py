"""Workflow commands of GitHub Actions: annotations on the changed files, then a few plain lines.

GitHub shows ten annotations of each kind per step, so no more are written; counts are exact in the
last lines. No foreign text stands outside a command, where the runner would read commands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.phrases import basis
from validator.reports.places import path
from validator.reports.plain import excerpt, visible
from validator.reports.quotas import spread
from validator.reports.summary import books, severities, verdict
from validator.reports.titles import Titles, titles
from validator.run import FileProblem, Result, Run
from validator.text import Lang
from validator.violation import Severity, Violation

#: What GitHub shows of each kind per step.
_OF_EACH = 10
_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_LENGTH = 1000


def render(
    result: Result, packs: Packs, out: IO[str], *, lang: Lang, options: ReportOptions
) -> None:
    """Write commands and plain lines in the encoding of `out`."""
    run, names = result.run, titles(packs)
    for problem in run.problems[:_OF_EACH]:
        out.write(_problem(problem, run, lang) + "\n")
    shown = 0
    for violation in spread(result, len(Severity) * _OF_EACH, of_each=_OF_EACH):
        out.write(_annotation(violation, run, names, lang) + "\n")
        shown += 1
    for line in _end(run, shown, lang):
        out.write(line.replace("##[", "## [") + "\n")


def data(text: str) -> str:
    """The message of a command: what follows `::`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def attribute(text: str) -> str:
    """The value of a command's property, which also ends at `:` and `,`."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def _annotation(violation: Violation, run: Run, names: Titles, lang: Lang) -> str:
    title = names.rule(violation.rule)[lang]
    named = violation.rule if title == violation.rule else f"{violation.rule} {title}"
    place = {"file": path(violation.file, run.inputs), "line": violation.line or "", "title": named}
    texts = (violation.message[lang], violation.help[lang])
    message = "\n".join(excerpt(visible(text), _LENGTH) for text in texts)
    return _command(_COMMAND[violation.severity], place, message)


def _problem(problem: FileProblem, run: Run, lang: Lang) -> str:
    place = {"file": path(problem.file, run.inputs), "title": phrases.UNREADABLE_FILES[lang]}
    return _command("error", place, visible(problem.text[lang]))


def _command(name: str, properties: Mapping[str, object], message: str) -> str:
    written = ",".join(
        f"{key}={attribute(excerpt(visible(str(value)), _LENGTH))}"
        for key, value in properties.items()
        if value != ""
    )
    return f"::{name} {written}::{data(message)}"


def _end(run: Run, shown: int, lang: Lang) -> Iterator[str]:
    hidden = sum(severities(run).values()) - shown
    if hidden:
        yield phrases.NOT_SHOWN.fill({"count": f"{hidden:,}"})[lang]
    for pack in run.packs:
        yield visible(f"{pack.name} {pack.version}: {basis(pack)[lang]}")
    for note in run.notes:
        yield visible(note[lang])
    yield books(run)[lang]
    yield verdict(run)[lang]
