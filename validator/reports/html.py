"""The report people open in a browser: one offline file, zh and en, light and dark, prints on A4.

Everything from a record is escaped text. The content security policy allows exactly the style and
the script of this package, by hash, and no connection at all. The look is in `assets/`; counting is
`tally`.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import IO

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.plain import visible
from validator.reports.summary import books, passed, severities, verdict_head
from validator.reports.tally import Counts, tally
from validator.reports.titles import titles, where
from validator.run import Result
from validator.text import Lang, Text
from validator.violation import Severity

_SAMPLES = 10


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
    page = _template().generate(
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
