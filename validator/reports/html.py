"""The report people open in a browser: one offline file, zh and en, light and dark, prints on A4.

Everything from a record is escaped text. The content security policy allows exactly the style and
the script of this package, by hash, and no connection at all. The look is in `assets/`; counting is
`tally`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import IO

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.plain import visible
from validator.reports.quotas import spread
from validator.reports.rows import Rows, written
from validator.reports.summary import books, passed, severities, verdict_head
from validator.reports.tally import Counts, TableTally, Tally, tally
from validator.reports.titles import Titles, titles, where
from validator.run import Result
from validator.text import Lang, Text
from validator.violation import Severity

_SAMPLES = 10
#: Violations that the page lists one by one; a browser on an old computer still opens as many.
ROWS = 200_000
#: Columns of the list: the name by which it is sorted, the heading.
_HEADS = (
    ("severity", phrases.SEVERITY_WORD),
    ("where", phrases.WHERE),
    ("key", phrases.KEY),
    ("field", phrases.FIELD),
    ("value", phrases.VALUE),
    ("rule", phrases.MESSAGE),
)


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the page in UTF-8. `lang` is the language it opens in; it holds both."""
    names = titles(packs)
    run = result.run
    counts = tally(
        result.violations(),
        samples=_SAMPLES if options.samples is None else options.samples,
        stages=names.stages,
        tables=[*names.tables, *run.tables],
    )
    style, script = _asset("report.css"), _asset("report.js")
    total = sum(severities(run).values())
    page = _template().generate(
        charts=_charts(counts, names),
        heads=_HEADS,
        rows=Rows(),
        chosen=spread(result, ROWS),
        rows_capped=_capped(total),
        page_titles=written(_titles(counts, names)),
        lang=lang,
        run=run,
        tool=options.tool,
        counts=counts,
        names=names,
        severities=severities(run),
        verdict=verdict_head(run),
        passed=passed(run),
        books=books(run),
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
    )
    for part in page:
        out.write(part.encode("utf-8"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart, one choice of a filter: `id` stands in the address of the page, `code`
    beside the title where that says more."""

    id: str
    title: Text
    code: str
    counts: Counts


def _charts(counts: Tally, names: Titles) -> dict[str, Sequence[Line]]:
    def table(of: TableTally) -> Line:
        title = names.table(of.table)
        bare = Text(of.name, of.name) if of.name else phrases.NO_TABLE
        return Line(
            visible(of.table or "-"), title or bare, of.name or "" if title else "", of.counts
        )

    return {
        "stage": [Line(s.stage or "-", names.stage(s.stage), "", s.counts) for s in counts.stages],
        "rule": [
            Line(rule, names.rule(rule), rule if names.rule(rule).zh != rule else "", found)
            for rule, found in counts.rules
        ],
        "table": list(map(table, counts.tables())),
        "division": [
            Line(visible(d or "-"), Text(d, d) if d else phrases.NO_DIVISION, "", found)
            for d, found in counts.divisions
        ],
    }


def _titles(counts: Tally, names: Titles) -> dict[str, object]:
    """What the script shows of rules and fields: [zh, en] by name."""
    fields = {
        f"{visible(t.table or '-')} {visible(name)}": [visible(title.zh), visible(title.en)]
        for t in counts.tables()
        for group in t.groups
        for combination, _ in group.fields
        for name in combination
        if (title := names.field(t.table, name))
    }
    rules = {rule: [names.rule(rule).zh, names.rule(rule).en] for rule, _ in counts.rules}
    said = {s: [phrases.SEVERITY[s].zh, phrases.SEVERITY[s].en] for s in Severity}
    return {
        "fields": fields,
        "rules": rules,
        "severities": said,
        "empty": [phrases.EMPTY.zh, phrases.EMPTY.en],
    }


def _capped(total: int) -> Text | None:
    """What to say where not every violation is listed."""
    if total <= ROWS:
        return None
    return phrases.ROWS_CAPPED.fill({"total": f"{total:,}", "shown": f"{ROWS:,}"})


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(n=_number, share=_share)
    environment.globals.update(
        say=_say, where=where, phrases=phrases, Severity=Severity, bar=_bar, times=phrases.times
    )
    environment.globals["raw"] = Markup  # JSON that `rows.written` made safe for a page
    return environment.from_string(_asset("report.html"))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _shown(value: object) -> object:
    """Every text of the page passes here before it is escaped; our own markup does not."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _say(text: Text) -> Markup:
    """Both languages of a text; the style shows one."""
    zh, en = visible(text.zh), visible(text.en)
    if zh == en:
        return Markup("{}").format(zh)
    return Markup('<span lang="zh-CN">{}</span><span lang="en">{}</span>').format(zh, en)


def _number(value: int) -> str:
    return f"{value:,}"


def _share(part: int, whole: int) -> str:
    """Per cent for people; 99.96 % of something is not all of it."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if part < whole and percent >= 99.95:
        return "99.9 %"
    return f"{percent:.1f} %"


def _bar(counts: Counts, largest: int) -> Markup:
    """Errors, warnings and infos as one stacked bar, `largest` being the full width."""
    parts, x = Markup(), 0.0
    for severity in Severity:
        size = 100 * counts.of(severity) / max(largest, 1)
        if size:
            size = max(size, 0.6)
            parts += Markup('<rect class="{}" x="{}" width="{}" height="6"/>').format(
                str(severity), f"{x:.2f}", f"{size:.2f}"
            )
            x += size
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        "{}</svg>"
    ).format(parts)
