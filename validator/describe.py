"""What packs declare, as text for people: `packs list`, `packs show TABLE`, `explain NAME`.

Pure: values in, text out. What one thing looks like is `validator.describe_parts`.
"""

from __future__ import annotations

import difflib

from validator import describe_words as w
from validator.describe_origins import overlay_line
from validator.describe_parts import (
    code_list_lines,
    field_lines,
    format_lines,
    join,
    pad,
    rule_lines,
    table_lines,
)
from validator.formats import FORMATS
from validator.pack import RECONSTRUCTED, Packs, Table
from validator.rules import rules
from validator.text import Lang


def packs(packs: Packs, lang: Lang) -> str:
    """Every pack with what it rests on, its stages and its tables."""
    lines: list[str] = []
    for pack in packs:
        official, fields = pack.official_fields
        basis = [RECONSTRUCTED[lang]] if pack.basis != "official" else []
        facts = [
            w.TABLES.fill({"count": len(pack.tables)})[lang],
            w.OFFICIAL.fill({"official": official, "fields": fields})[lang],
            *([w.USES.fill({"packs": ", ".join(pack.uses)})[lang]] if pack.uses else []),
        ]
        lines += [f"{pack.name}  {pack.title[lang]} {pack.version}"]
        lines += [f"  {join([*basis, *facts], lang)}"]
        lines += [f"  {overlay_line(overlay, lang)}" for overlay in pack.overlays]
        titles = {s.id: s.title[lang] for s in pack.stages}
        for table in pack.tables:
            stage = titles.get(table.stage or "", w.NO_STAGE[lang])
            lines.append(f"  {pad(table.name, 22)} {table.title[lang]}  [{stage}]")
        lines.append("")
    return "\n".join(lines).rstrip()


def table(packs: Packs, name: str, lang: Lang) -> str:
    """A table with its fields, evidence and checks. `name` bare or qualified, any case.

    Raises KeyError with a sentence in the language when there is no such table.
    """
    found = _tables(packs, name)
    if not found:
        raise KeyError(_unknown(name, w.TABLE[lang], [t.name for t in packs.tables()], lang))
    return "\n\n".join("\n".join(table_lines(packs, t, lang)) for t in found)


def explain(packs: Packs, name: str, lang: Lang) -> str:
    """A rule, a table, a field (`TABLE.FIELD`), a code list or a format.

    A name that stands for several things explains each. Raises KeyError with a sentence in the
    language when nothing has it.
    """
    parts: list[list[str]] = []
    table_name, _, field_name = name.rpartition(".")
    parts += [list(table_lines(packs, found, lang)) for found in _tables(packs, name)]
    for found in _tables(packs, table_name):
        if field_name.upper() in found.by_name:
            field = found.by_name[field_name.upper()]
            parts.append(list(field_lines(packs, found, field, lang)))
    wanted = name.lower()
    if wanted in rules():
        parts.append(list(rule_lines(packs, rules()[wanted], lang)))
    for pack in packs:
        parts += [
            list(code_list_lines(packs, c, lang))
            for c in pack.code_lists
            if wanted in (c.id, f"{pack.name}/{c.id}", c.title.zh.lower())
        ]
    if wanted in FORMATS:
        parts.append(list(format_lines(packs, FORMATS[wanted], lang)))
    if not parts:
        raise KeyError(_unknown(name, w.ANYTHING[lang], _names(packs, table_name), lang))
    return "\n\n".join("\n".join(part) for part in parts)


def _tables(packs: Packs, name: str) -> tuple[Table, ...]:
    standard, _, bare = name.rpartition("/")
    return tuple(t for t in packs.named(bare) if standard in ("", t.standard))


def _names(packs: Packs, table_name: str) -> list[str]:
    """Every name `explain` knows; of fields those of the table that was meant."""
    near = difflib.get_close_matches(
        table_name.upper(), [t.name for t in packs.tables()], n=1, cutoff=0.8
    )
    fields = [f"{t.name}.{f.name}" for t in packs.tables() if t.name in near for f in t.fields]
    lists = [c.id for p in packs for c in p.code_lists]
    return [*rules(), *(t.name for t in packs.tables()), *fields, *lists, *FORMATS]


def _unknown(name: str, what: str, known: list[str], lang: Lang) -> str:
    by_case = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), list(by_case), n=3, cutoff=0.6)
    sentence = w.UNKNOWN.fill({"name": name, "what": what})[lang]
    if close:
        sentence += w.NEAR.fill({"names": ", ".join(by_case[c] for c in close)})[lang]
    return sentence
