"""Packs → a reference to browse: tables, fields, code lists, rules, in Chinese and English.

Plain files that need no server and no network: the content security policy allows exactly the style
and script of this package, by hash. Every text is escaped. What a site's settings change is not in
it; the look is in `assets/`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from validator import describe_words as w
from validator.describe_origins import table_origins
from validator.formats import FORMATS
from validator.pack import RECONSTRUCTED, CodeList, Condition, Field, Pack, Packs, Required, Table
from validator.rule import Example, Rule, uses_in
from validator.rules import rules
from validator.severity import by_evidence
from validator.text import Lang, Text
from validator.violation import Severity

_NONE = Text("", "")


#: Words of the pages that packs have no need of elsewhere.
_WORDS: Mapping[str, Text] = {
    "TITLE": Text("数据标准参考", "Reference of the data standards"),
    "TABLES": Text("表", "Tables"),
    "CODES": Text("代码表", "Code lists"),
    "RULES": Text("规则", "Rules"),
    "FIELD": Text("字段", "Field"),
    "FIELDS": Text("字段", "Fields"),
    "NAME": Text("名称", "Title"),
    "KIND": Text("类型", "Type"),
    "LIMITS": Text("取值与格式", "Values and form"),
    "ORDER": Text("报送顺序", "Order of sending"),
    "SEARCH": Text("查找表或字段", "find a table or field"),
    "FOOT": Text(
        "级别由依据决定，未计入现场设置。是否接收由国家系统决定。",
        "Severity follows evidence, without a site's settings. The national system decides what it "
        "accepts.",
    ),
}


def export_html(packs: Packs, folder: Path, lang: Lang) -> tuple[Path, ...]:
    """Write `index.html`, `codes.html`, `rules.html` and `STANDARD/TABLE.html`; returns the files.

    `lang` is the language that pages open in; they hold both.
    """
    written = []
    for name, page in pages(packs, lang):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", newline="\n")
        written.append(path)
    return tuple(written)


def pages(packs: Packs, lang: Lang) -> Iterator[tuple[str, str]]:
    """(path, text) of every page."""
    style, script = _asset("reference.css"), _asset("reference.js")
    shared: dict[str, object] = {
        "lang": lang,
        "packs": packs,
        "policy": policy(style, script),
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "checks": lambda table: _checks(packs, table),
        "users": lambda pack, codes: _users(packs, pack, codes),
        "used": lambda rule: _used(packs, rule),
        "rules": list(rules().values()),
    }
    for page, title in (("index", "TITLE"), ("codes", "CODES"), ("rules", "RULES")):
        text = _template().render(shared, page=page, heading=_WORDS[title][lang], up="")
        yield f"{page}.html", text
    for pack in packs:
        for table in pack.tables:
            heading = f"{table.name} {table.title[lang]}"
            values = {"pack": pack, "table": table, "heading": heading}
            yield _place(table), _template().render(shared, page="table", up="../", **values)


def policy(style: str, script: str) -> str:
    """The content security policy: our style, our script, nothing else."""

    def digest(text: str) -> str:
        value = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        return f"'sha256-{value}'"

    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        say=_say, w=w, t=_WORDS, formats=FORMATS, place=_place, basis=_basis, stage=_stage,
        when=_when, mark_severity=_mark_severity, shown=_shown, origins=_origins,
    )  # fmt: skip
    return environment.from_string(_asset("reference.html"))


def _say(text: Text) -> Markup:
    """Both languages of a text; the style shows one."""
    if text.zh == text.en:
        return Markup("{}").format(text.zh)
    return Markup('<span lang="zh-CN">{}</span><span lang="en">{}</span>').format(text.zh, text.en)


def _place(table: Table) -> str:
    return f"{table.standard}/{table.name}.html"


def _basis(pack: Pack) -> Text:
    official, fields = pack.official_fields
    counts = w.OFFICIAL.fill({"official": official, "fields": fields})
    if pack.basis == "official":
        return counts
    return Text(f"{RECONSTRUCTED.zh}；{counts.zh}", f"{RECONSTRUCTED.en}; {counts.en}")


def _stage(pack: Pack, table: Table) -> Text:
    return next((s.title for s in pack.stages if s.id == table.stage), w.NO_STAGE)


def _when(condition: Condition | None) -> Text:
    return _NONE if condition is None else Text(w.when(condition, "zh"), w.when(condition, "en"))


def _mark_severity(mark: Required) -> Severity:
    return by_evidence(mark.provenance, attests=mark.attests)


def _shown(example: Example) -> str:
    records = {t: [dict(r) for r in rows] for t, rows in example.records.items()}
    return json.dumps(records, ensure_ascii=False, indent=1)


def _origins(pack: Pack, table: Table) -> Text:
    zh, en = ("\n".join(table_origins(pack, table, lang)) for lang in ("zh", "en"))
    return Text(zh, en)


Check = tuple[Severity, Rule, Sequence[str] | None]


def _checks(packs: Packs, table: Table) -> list[Check]:
    """Severity, rule and the fields it looks at (None: every field), gravest first."""
    found: dict[tuple[int, str], tuple[Severity, Rule, dict[str, None]]] = {}
    for rule in rules().values():
        for use in uses_in(packs, table, rule):
            key = (use.severity.rank, rule.name)
            fields = found.setdefault(key, (use.severity, rule, {}))[2]
            fields["+".join(use.fields)] = None
    return [
        (severity, rule, None if rule.name == "wrong-type" else [f for f in fields if f])
        for _, (severity, rule, fields) in sorted(found.items(), key=lambda pair: pair[0])
    ]


def _users(packs: Packs, pack: Pack, codes: CodeList) -> list[tuple[Table, Field]]:
    return [
        (table, field)
        for table in packs.tables()
        for field in table.fields
        if field.codes
        and field.codes.list == codes.id
        and any(packs.code_list(table, codes.id) is c for c in pack.code_lists)
    ]


def _used(packs: Packs, rule: Rule) -> list[Table]:
    return [t for t in packs.tables() if any(u.fields for u in uses_in(packs, t, rule))]
