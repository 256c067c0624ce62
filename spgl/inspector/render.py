"""Values → pages: templates with everything escaped, and the JSON twin of the same value.

Whatever comes from a record passes `visible` and the escaping of the template engine; no template
marks anything as safe. Sizes of bars are attributes of SVG: the policy allows no inline style.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from urllib.parse import urlencode

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from pusher.notes import in_words
from pusher.states import TITLES as STATES
from spgl.inspector import walk, words
from spgl.inspector.filters import table_title
from spgl.inspector.site import Ask, Page, Site
from validator.reports import phrases
from validator.reports.plain import excerpt, visible
from validator.reports.titles import where
from validator.run import PackLine
from validator.text import Lang, Text
from validator.violation import Severity

#: Characters of a value shown in a list.
_SHORT = 240

ASSETS: Mapping[str, tuple[str, str, str]] = {
    "report.css": ("validator.reports", "assets/report.css", "text/css"),
    "inspector.css": ("spgl.inspector", "assets/inspector.css", "text/css"),
    "inspector.js": ("spgl.inspector", "assets/inspector.js", "text/javascript"),
    "icon.svg": ("spgl.inspector", "assets/icon.svg", "image/svg+xml"),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page: the menu, the languages, what the visitor may do."""

    site: Site
    menu: tuple[Page, ...]
    tool: str
    pack_lines: Mapping[str, PackLine]


@cache
def asset(name: str) -> bytes:
    """The bytes of an asset. Raises KeyError for a name that is none."""
    package, path, _ = ASSETS[name]
    return files(package).joinpath(path).read_bytes()


@cache
def asset_url(name: str) -> str:
    """The address of an asset; it changes with its content, so that it may be cached."""
    return f"/assets/{name}?v={hashlib.sha256(asset(name)).hexdigest()[:12]}"


def html(frame: Frame, page: Page, ask: Ask, value: object, path: str) -> str:
    """A page as HTML. `path` is the address asked for, without its query."""
    template = _environment().get_template(page.template)
    return template.render(
        v=value,
        page=page,
        frame=frame,
        site=frame.site,
        names=frame.site.names,
        lang=ask.lang,
        say=_say(ask.lang),
        ask=ask,
        path=path,
        twin=_with_query(("/overview" if path == "/" else path) + ".json", ask),
        language={code: _with_query(path, ask, lang=code) for code in ("zh", "en")},
    )


def json(value: object) -> bytes:
    """The JSON twin of a page: the same value, texts in both languages."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def _with_query(path: str, ask: Ask, **changed: str) -> str:
    pairs = [(n, v) for n, vs in ask.query.items() if n not in changed for v in vs]
    query = urlencode([*pairs, *changed.items()])
    return f"{path}?{query}" if query else path


def _say(lang: Lang) -> Callable[[Text | None], str]:
    return lambda text: text[lang] if text is not None else ""


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("spgl.inspector"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters.update(n=_number, share=_share, day=_day, moment=_moment, short=_short, ms=_ms)
    made.filters.update(words=in_words)
    made.globals.update(
        w=words,
        phrases=phrases,
        Severity=Severity,
        Text=Text,
        STATES=STATES,
        where=where,
        walk=walk,
        table_title=table_title,
        asset_url=asset_url,
        bar=bar,
        query=lambda **pairs: urlencode(pairs),
    )
    return made


def _shown(value: object) -> object:
    """Every text of a page passes here before it is escaped; our own markup does not."""
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _number(value: int | float) -> str:
    return f"{value:,}"


def _share(part: int, whole: int) -> str:
    """Per cent for people; 99.96 % of something is not all of it."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if part < whole and percent >= 99.95:
        return "99.9 %"
    return f"{percent:.1f} %"


def _short(value: str) -> str:
    return excerpt(value, _SHORT)


def _day(value: datetime | str) -> str:
    return _local(value).strftime("%Y-%m-%d")


def _moment(value: datetime | str | None) -> str:
    return "–" if value is None else _local(value).strftime("%Y-%m-%d %H:%M:%S")


def _local(value: datetime | str) -> datetime:
    """A time as the run wrote it; times of the ledger (UTC) in the zone of this machine."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.astimezone()


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:,.1f} s"


def bar(parts: Mapping[str, int | float], whole: int | float) -> Markup:
    """Stacked shares of `whole` as one bar; the names are classes of the style sheet."""
    made, x = Markup(), 0.0
    for name, value in parts.items():
        size = 100 * value / max(whole, 1e-9)
        if size:
            size = min(max(size, 0.6), 100)
            made += Markup('<rect class="{}" x="{}" width="{}" height="6"/>').format(
                name, f"{x:.2f}", f"{size:.2f}"
            )
            x += size
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        "{}</svg>"
    ).format(made)
