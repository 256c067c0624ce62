"""A summary for the page of a CI run (GitHub job summary, merge request comment): GFM tables.

Counts are exact; samples and rows are bounded, since such pages take a megabyte at most. Foreign
text is escaped, so that a value is never a link, a heading or HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.plain import excerpt, visible
from validator.reports.summary import books, passed, severities, verdict
from validator.reports.tally import Counts, Group, Tally, tally
from validator.reports.titles import Titles, titles, where
from validator.run import Result, Run, TableCounts
from validator.text import Lang, Text
from validator.violation import Severity, Violation

_SAMPLES = 3
#: Rows of one table and groups with samples; what is beyond is counted in a last line.
_ROWS = 200
_GROUPS = 40
_LENGTH = 160
_ACTIVE = re.compile(r"[\\`*_{}\[\]<>#!|~@&$]|:(?=/)|(?<=www)\.", re.IGNORECASE)


def render(
    result: Result, packs: Packs, out: IO[str], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the page in one language."""
    run, names = result.run, titles(packs)
    counts = tally(
        result.violations(),
        samples=_SAMPLES if options.samples is None else options.samples,
        excerpt_length=_LENGTH,
        stages=names.stages,
        tables=[*names.tables, *run.tables],
    )
    for line in (*_head(run, lang), *_numbers(run, counts, names, lang)):
        out.write(line + "\n")
    for line in _samples(counts, names, lang):
        out.write(line + "\n")


def escaped(text: str) -> str:
    """`text` on one line, shown as it is: no markup, no link, no table border."""
    return _ACTIVE.sub(lambda found: "\\" + found[0], visible(text))


def _head(run: Run, lang: Lang) -> Iterator[str]:
    yield f"## {'✅' if passed(run) else '❌'} {phrases.TITLE[lang]}"
    yield ""
    yield f"**{escaped(verdict(run)[lang])}**"
    yield ""
    for pack in run.packs:
        name = f"{pack.name} {pack.version} {pack.title[lang]}"
        yield f"> {escaped(name)}: {escaped(phrases.basis(pack)[lang])}  "
    for note in run.notes:
        yield f"> {escaped(note[lang])}  "
    yield ""
    yield f"- {phrases.RUN[lang]}: {escaped(run.id)}"
    yield f"- {phrases.TIME[lang]}: {escaped(phrases.times(run.started, run.finished)[lang])}"
    yield f"- {phrases.INPUTS[lang]}: {escaped(', '.join(run.inputs))}"
    yield f"- {escaped(books(run)[lang])}"
    if run.problems:
        rows = [[escaped(p.file), escaped(p.text[lang])] for p in run.problems]
        yield from _table(phrases.UNREADABLE_FILES, (phrases.WHERE, phrases.MESSAGE), rows, lang)


def _numbers(run: Run, counts: Tally, names: Titles, lang: Lang) -> Iterator[str]:
    found = [phrases.SEVERITIES[severity] for severity in Severity]
    stages = [
        [escaped(names.stage(stage.stage)[lang]), *_cells(stage.counts)] for stage in counts.stages
    ]
    yield from _table(phrases.STAGES, (phrases.STAGE, *found), stages, lang)
    heads = (phrases.TABLE, phrases.READ, phrases.CONFORMING, phrases.BLOCKED, *found)
    tables = [_table_row(name, numbers, lang) for name, numbers in run.tables.items()]
    yield from _table(phrases.TABLES, heads, tables, lang)
    by_rule = [[_rule(rule, names, lang), *_cells(n)] for rule, n in counts.rules]
    yield from _table(phrases.RULES, (phrases.RULE, *found), by_rule, lang)
    if by_rule:
        totals = severities(run)
        yield f"{phrases.TOTAL[lang]}: {sum(totals.values()):,}"


def _table_row(name: str, counts: TableCounts, lang: Lang) -> list[str]:
    title = f"{name.rpartition('/')[2]} {counts.title[lang]}"
    names = ("read", "conforming", "blocked", "errors", "warnings", "infos")
    return [escaped(title), *(f"{getattr(counts, n):,}" for n in names)]


def _cells(counts: Counts) -> list[str]:
    return [f"{counts.of(severity):,}" for severity in Severity]


def _rule(name: str, names: Titles, lang: Lang) -> str:
    title = names.rule(name)[lang]
    return f"{escaped(name)} {escaped(title)}" if title != name else escaped(name)


def _table(
    title: Text, heads: Sequence[Text], rows: Sequence[Sequence[str]], lang: Lang
) -> Iterator[str]:
    """A heading and a table; the first column is text, numbers behind it stand right."""
    if not rows:
        return
    numeric = all(text not in (phrases.MESSAGE, phrases.VALUE) for text in heads)
    yield from ("", f"### {title[lang]}", "")
    yield _row([head[lang] for head in heads])
    yield _row(["---", *(["---:" if numeric else "---"] * (len(heads) - 1))])
    yield from (_row(row) for row in rows[:_ROWS])
    yield ""
    if len(rows) > _ROWS:
        yield phrases.NOT_SHOWN.fill({"count": f"{len(rows) - _ROWS:,}"})[lang]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _samples(counts: Tally, names: Titles, lang: Lang) -> Iterator[str]:
    groups = [(t.table, g) for s in counts.stages for t in s.tables for g in t.groups if g.samples]
    groups.sort(key=lambda found: found[1].severity.rank)
    if not groups:
        return
    yield from ("", f"### {phrases.VIOLATIONS[lang]}")
    for table, group in groups[:_GROUPS]:
        yield from _group(table, group, names, lang)
    yield ""
    yield escaped(phrases.CAPPED[lang])


def _group(table: str | None, group: Group, names: Titles, lang: Lang) -> Iterator[str]:
    severity, title = phrases.SEVERITY[group.severity][lang], names.rule(group.rule)[lang]
    rule = group.rule if title == group.rule else f"{group.rule} {title}"
    bare = excerpt((table or phrases.NO_TABLE[lang]).rpartition("/")[2], _LENGTH)
    head = visible(f"{severity} {rule} — {bare} × {group.count:,}")
    # Inside an HTML block Markdown's own escapes do not count.
    yield from ("", f"<details><summary>{html.escape(head)}</summary>", "")
    yield _row([t[lang] for t in (phrases.WHERE, phrases.KEY, phrases.VALUE, phrases.MESSAGE)])
    yield _row(["---"] * 4)
    yield from (_row(_sample(sample, lang)) for sample in group.samples)
    hidden = group.count - len(group.samples)
    if hidden:
        yield from ("", phrases.NOT_SHOWN.fill({"count": f"{hidden:,}"})[lang])
    yield from ("", f"→ {escaped(group.samples[0].help[lang])}", "", "</details>")


def _sample(sample: Violation, lang: Lang) -> list[str]:
    key = ", ".join(f"{name}={value}" for name, value in sample.key.items())
    value = phrases.EMPTY[lang] if sample.value is None else sample.value
    place = excerpt(where(sample), _LENGTH)
    return [escaped(text) for text in (place, key, value, sample.message[lang])]
