"""JUnit XML for CI: a suite per table, a case per rule that judges it, written incrementally.

An error-level violation fails its case; warnings and infos are told in the output of a passing
case, since JUnit has no word for them. Counts are exact, texts bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol

from lxml import etree

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.plain import visible
from validator.reports.summary import counted
from validator.reports.tally import Group, Tally, tally
from validator.reports.titles import Titles, titles, used_rules, where
from validator.run import FileProblem, Result, Run, TableCounts
from validator.text import Lang
from validator.violation import Severity, Violation

_SAMPLES = 10


class _Writer(Protocol):
    """The part of lxml's incremental writer used here; lxml has no public type for it."""

    def element(self, tag: str, attrib: Mapping[str, str]) -> AbstractContextManager[object]: ...

    def write(self, *content: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case. `failed` and `unreadable` are the outcome's one-line message."""

    name: str
    classname: str
    failed: str = ""
    unreadable: str = ""
    text: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class _Suite:
    name: str
    properties: Mapping[str, str]
    cases: tuple[_Case, ...]

    def counts(self) -> dict[str, str]:
        return {
            "tests": str(len(self.cases)),
            "failures": str(sum(bool(c.failed) for c in self.cases)),
            "errors": str(sum(bool(c.unreadable) for c in self.cases)),
        }


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write one document in UTF-8; JUnit holds one language, so texts are in `lang`."""
    names = titles(packs)
    run = result.run
    counts = tally(
        result.violations(),
        samples=_SAMPLES if options.samples is None else options.samples,
        stages=names.stages,
        tables=[*names.tables, *run.tables],
    )
    suites = [*_table_suites(run, counts, packs, names, lang), *_file_suite(run.problems, lang)]
    with etree.xmlfile(out, encoding="utf-8") as writer:
        writer.write_declaration()
        _write(writer, run, suites)
    out.write(b"\n")


def _table_suites(
    run: Run, counts: Tally, packs: Packs, names: Titles, lang: Lang
) -> Iterator[_Suite]:
    groups = dict(counts.groups())
    for table, numbers in run.tables.items():
        known = names.tables.get(table)
        used = used_rules(packs, known) if known else ()
        cases = _cases(table, used, groups.pop(table, ()), names, lang)
        yield _Suite(visible(table), _properties(numbers), cases)
    for name, found in groups.items():
        table = name or phrases.NO_TABLE[lang]
        yield _Suite(visible(table), {}, _cases(table, (), found, names, lang))


def _cases(
    table: str, used: Sequence[str], groups: Sequence[Group], names: Titles, lang: Lang
) -> tuple[_Case, ...]:
    found = sorted({*used, *(group.rule for group in groups)})
    classname = visible(table).replace("/", ".")
    return tuple(
        _case(rule, classname, [g for g in groups if g.rule == rule], names, lang) for rule in found
    )


def _case(rule: str, classname: str, groups: Sequence[Group], names: Titles, lang: Lang) -> _Case:
    title = names.rule(rule)[lang]
    name = rule if title == rule else f"{rule} {visible(title)}"
    errors = [g for g in groups if g.severity is Severity.ERROR]
    others = [g for g in groups if g.severity is not Severity.ERROR]
    return _Case(
        name,
        classname,
        failed=_headline(errors, lang) if errors else "",
        text=_samples(errors, lang),
        output="\n".join([_headline(others, lang), _samples(others, lang)]) if others else "",
    )


def _headline(groups: Sequence[Group], lang: Lang) -> str:
    found = counted({group.severity: group.count for group in groups})[lang]
    samples = [sample for group in groups for sample in group.samples]
    return f"{found}: {visible(samples[0].message[lang])}" if samples else found


def _samples(groups: Sequence[Group], lang: Lang) -> str:
    lines: list[str] = []
    for group in groups:
        lines.extend(_line(sample, lang, own_help=not group.help) for sample in group.samples)
        if group.hidden:
            lines.append(phrases.NOT_SHOWN.fill({"count": f"{group.hidden:,}"})[lang])
        if group.help:
            lines.append(f"→ {visible(group.help[lang])}")
    return "\n".join(lines)


def _line(sample: Violation, lang: Lang, *, own_help: bool) -> str:
    key = " ".join(f"{name}={value}" for name, value in sample.key.items())
    parts = [where(sample), visible(key), visible(sample.message[lang])]
    if own_help:
        parts.append(f"→ {visible(sample.help[lang])}")
    return "  ".join(part for part in parts if part)


def _properties(counts: TableCounts) -> dict[str, str]:
    names = ("read", "unreadable", "skipped", "duplicate", "conforming", "blocked")
    found = ("errors", "warnings", "infos")
    stage = {"stage": visible(counts.stage)} if counts.stage else {}
    return {**stage, **{name: str(getattr(counts, name)) for name in (*names, *found)}}


def _file_suite(problems: Sequence[FileProblem], lang: Lang) -> Iterator[_Suite]:
    if problems:
        cases = tuple(
            _Case(visible(p.file), "files", unreadable=visible(p.text[lang])) for p in problems
        )
        yield _Suite("files", {}, cases)


def _write(writer: _Writer, run: Run, suites: Sequence[_Suite]) -> None:
    started, finished = (datetime.fromisoformat(t) for t in (run.started, run.finished))
    totals = {
        name: str(sum(int(suite.counts()[name]) for suite in suites))
        for name in ("tests", "failures", "errors")
    }
    time = f"{(finished - started).total_seconds():.3f}"
    timestamp = started.replace(tzinfo=None).isoformat(timespec="seconds")
    with writer.element("testsuites", {"name": "spgl validate", **totals, "time": time}):
        for index, suite in enumerate(suites):
            head = {"id": str(index), "name": suite.name, **suite.counts(), "skipped": "0"}
            writer.write("\n")
            with writer.element("testsuite", {**head, "time": "0", "timestamp": timestamp}):
                _write_properties(writer, run, suite)
                for case in suite.cases:
                    _write_case(writer, case)
        writer.write("\n")


def _write_properties(writer: _Writer, run: Run, suite: _Suite) -> None:
    packs = {f"pack.{p.name}": f"{p.version}; {phrases.basis(p).en}" for p in run.packs}
    notes = {f"note.{index}": note.en for index, note in enumerate(run.notes, 1)}
    writer.write("\n")
    with writer.element("properties", {}):
        for name, value in {**packs, **notes, **suite.properties}.items():
            _leaf(writer, "property", {"name": visible(name), "value": visible(value)})
    writer.write("\n")


def _write_case(writer: _Writer, case: _Case) -> None:
    with writer.element("testcase", {"name": case.name, "classname": case.classname, "time": "0"}):
        if case.failed:
            kind = {"message": case.failed, "type": case.name.partition(" ")[0]}
            _leaf(writer, "failure", kind, case.text)
        if case.unreadable:
            _leaf(writer, "error", {"message": case.unreadable, "type": "unreadable-file"})
        if case.output:
            _leaf(writer, "system-out", {}, case.output)
    writer.write("\n")


def _leaf(writer: _Writer, tag: str, attributes: Mapping[str, str], text: str = "") -> None:
    with writer.element(tag, attributes):
        writer.write(text)
