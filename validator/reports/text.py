"""The report people read on a terminal. Samples are capped, counts are exact.

Every foreign character that could steer a terminal is shown as an escape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.plain import excerpt, left, right, visible, width, wrap
from validator.reports.summary import books, counted, passed, verdict
from validator.reports.tally import Counts, Group, TableTally, Tally, tally
from validator.reports.titles import Titles, titles, where
from validator.run import Result, Run, TableCounts
from validator.text import Lang, Text
from validator.violation import Severity, Violation

_SAMPLES = 3
_SGR = {
    "bold": "1",
    "dim": "2",
    "title": "1;36",
    "good": "1;32",
    Severity.ERROR: "1;31",
    Severity.WARNING: "1;33",
    Severity.INFO: "1;34",
}


def render(
    result: Result, packs: Packs, out: IO[str], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the report to `out`. Characters its encoding lacks are written as escapes."""
    names = titles(packs)
    cap = _SAMPLES if options.samples is None else options.samples
    counts = tally(
        result.violations(),
        samples=cap,
        excerpt_length=120,
        stages=names.stages,
        tables=[*names.tables, *result.run.tables],
    )
    view = _View(lang, options.columns, options.color, names)
    encoding = getattr(out, "encoding", None) or "utf-8"
    for line in _lines(view, result.run, counts):
        out.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


@dataclass(frozen=True, slots=True)
class _View:
    """How lines are set: language, width, colours, titles."""

    lang: Lang
    columns: int
    color: bool
    titles: Titles

    def say(self, text: Text) -> str:
        return visible(text[self.lang])

    def paint(self, style: str, text: str) -> str:
        return f"\x1b[{_SGR[style]}m{text}\x1b[0m" if self.color else text

    def block(self, indent: int, text: str, *, mark: str = "") -> Iterator[str]:
        """`text` wrapped behind `indent` columns, `mark` before its first line."""
        hang = indent + width(mark)
        for index, line in enumerate(wrap(text, max(20, self.columns - hang))):
            yield " " * indent + mark + line if index == 0 else " " * hang + line


def _lines(view: _View, run: Run, counts: Tally) -> Iterator[str]:
    yield from _head(view, run)
    if run.problems:
        yield ""
        heading = view.paint("title", view.say(phrases.UNREADABLE_FILES))
        yield f"{heading}  {len(run.problems):,}"
        for problem in run.problems:
            yield from view.block(2, visible(problem.file))
            yield from view.block(4, view.say(problem.text))
    for stage in counts.stages:
        yield ""
        heading = view.paint("title", view.say(view.titles.stage(stage.stage)))
        yield f"{heading}  {_counted(view, stage.counts)}"
        for table in stage.tables:
            yield from _table(view, table)
    if any(g.hidden for groups in counts.groups().values() for g in groups):
        yield ""
        for line in view.block(0, view.say(phrases.CAPPED)):
            yield view.paint("dim", line)
    if run.tables:
        yield ""
        yield from _summary(view, run)
    yield ""
    yield from view.block(0, view.say(books(run)))
    style = "good" if passed(run) else Severity.ERROR
    for line in view.block(0, view.say(verdict(run))):
        yield view.paint(style, line)


def _head(view: _View, run: Run) -> Iterator[str]:
    labels = (phrases.TIME, phrases.INPUTS, phrases.STANDARDS, phrases.NOTES)
    column = max(width(view.say(label)) for label in labels) + 2
    yield view.paint("bold", f"{view.say(phrases.TITLE)}  {visible(run.id)}")

    def entry(label: Text, lines: Sequence[str]) -> Iterator[str]:
        mark = left(view.say(label), column)
        for index, line in enumerate(lines):
            yield from view.block(0, line, mark=mark if index == 0 else " " * column)

    yield from entry(phrases.TIME, [view.say(phrases.times(run.started, run.finished))])
    yield from entry(phrases.INPUTS, [visible(path) for path in run.inputs])
    packs = [
        line
        for pack in run.packs
        for line in (
            f"{visible(pack.name)} {visible(pack.version)} {view.say(pack.title)}",
            view.say(phrases.basis(pack)),
        )
    ]
    yield from entry(phrases.STANDARDS, packs)
    yield from entry(phrases.NOTES, [view.say(note) for note in run.notes])


def _table(view: _View, table: TableTally) -> Iterator[str]:
    name = excerpt(visible(table.name or ""), 30) or view.say(phrases.NO_TABLE)
    title = view.titles.table(table.table)
    heading = f"{view.paint('bold', name)} {view.say(title) if title else ''}".rstrip()
    yield ""
    yield f"  {heading}  {_counted(view, table.counts)}"
    for group in table.groups:
        yield from _group(view, table.table, group)


def _group(view: _View, table: str | None, group: Group) -> Iterator[str]:
    severity = view.paint(group.severity, view.say(phrases.SEVERITY[group.severity]))
    title = view.titles.rule(group.rule)
    named = f" {view.say(title)}" if title[view.lang] != group.rule else ""
    yield f"    {severity} {group.rule}{named}  × {group.count:,}"
    if len(group.fields) > 1:
        places = (f"{_names(fields)} {n:,}" for fields, n in group.fields)
        for line in view.block(6, " · ".join(places)):
            yield view.paint("dim", line)
    told: set[Text] = set()
    for sample in group.samples:
        yield from _sample(view, table, sample)
        if group.help is None and sample.help not in told:
            told.add(sample.help)
            yield from view.block(8, view.say(sample.help), mark="→ ")
    if group.hidden:
        more = phrases.NOT_SHOWN.fill({"count": f"{group.hidden:,}"})
        yield view.paint("dim", f"      {view.say(more)}")
    if group.help:
        yield from view.block(6, view.say(group.help), mark="→ ")


def _sample(view: _View, table: str | None, sample: Violation) -> Iterator[str]:
    place = where(sample)
    key = " ".join(f"{visible(n)}={visible(v)}" for n, v in sample.key.items())
    yield from view.block(6, f"{place}  {key}".strip() or "-", mark="· ")
    if sample.fields:
        fields = (f"{visible(n)} {_title(view, table, n)}".rstrip() for n in sample.fields)
        empty = view.say(phrases.EMPTY)
        value = empty if sample.value is None else f'"{visible(sample.value)}"'
        yield from view.block(8, f"{', '.join(fields)} = {value}")
    yield from view.block(8, view.say(sample.message))


def _title(view: _View, table: str | None, field: str) -> str:
    title = view.titles.field(table, field)
    return view.say(title) if title else ""


def _names(fields: tuple[str, ...]) -> str:
    return visible("+".join(fields)) or "…"


def _counted(view: _View, counts: Counts) -> str:
    return view.say(counted({s: counts.of(s) for s in Severity if counts.of(s)}))


def _summary(view: _View, run: Run) -> Iterator[str]:
    """The table of tables, columns right-aligned, a total below."""
    columns = (
        (phrases.READ, "read"),
        (phrases.CONFORMING, "conforming"),
        (phrases.BLOCKED, "blocked"),
        (phrases.SEVERITIES[Severity.ERROR], "errors"),
        (phrases.SEVERITIES[Severity.WARNING], "warnings"),
        (phrases.SEVERITIES[Severity.INFO], "infos"),
    )
    rows = [
        (_label(view, name, counts), [f"{getattr(counts, a):,}" for _, a in columns])
        for name, counts in run.tables.items()
    ]
    rows.append((view.say(phrases.TOTAL), [f"{run.total(a):,}" for _, a in columns]))
    heads = [view.say(text) for text, _ in columns]
    sizes = [max(width(h), *(width(r[1][i]) for r in rows)) for i, h in enumerate(heads)]
    room = max(20, view.columns - sum(size + 2 for size in sizes))
    first = min(room, max(width(label) for label, _ in rows))
    yield view.paint("bold", _row(view.say(phrases.TABLE), heads, first, sizes))
    for label, numbers in rows[:-1]:
        yield _row(label, numbers, first, sizes)
    yield view.paint("bold", _row(rows[-1][0], rows[-1][1], first, sizes))


def _label(view: _View, name: str, counts: TableCounts) -> str:
    return f"{visible(name.rpartition('/')[2])} {view.say(counts.title)}"


def _row(label: str, numbers: Sequence[str], first: int, sizes: Sequence[int]) -> str:
    head = label if width(label) <= first else wrap(label, first - 1)[0] + "…"
    return left(head, first) + "".join(
        "  " + right(number, size) for number, size in zip(numbers, sizes, strict=True)
    )
