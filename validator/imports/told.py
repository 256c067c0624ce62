"""Differences between packs and an official source as lines of text, in one language."""

from __future__ import annotations

from collections.abc import Iterator

from validator.imports.differences import Compared, Difference, Topic
from validator.imports.official import Basis
from validator.text import Lang, Text

_TOPIC = {
    Topic.MISSING_TABLE: Text("缺少的表", "tables the source lacks"),
    Topic.SURPLUS_TABLE: Text("多出的表", "tables only the source has"),
    Topic.MISSING_FIELD: Text("缺少的字段", "fields the source lacks"),
    Topic.SURPLUS_FIELD: Text("多出的字段", "fields only the source has"),
    Topic.TYPE: Text("类型不同", "type"),
    Topic.LENGTH: Text("长度不同", "length"),
    Topic.NULL: Text("可空不同", "may be empty"),
    Topic.KEY: Text("唯一标识不同", "key"),
    Topic.CODES: Text("代码不同", "codes"),
    Topic.TITLE: Text("名称不同", "title"),
}
_FOUND = Text(
    "{label}：与标准包共有 {tables} 张表、{fields} 个字段；{count} 处不同",
    "{label}: {tables} tables and {fields} fields also in the packs; {count} differences",
)
_SIDES = Text("（标准包 → 来源）", " (pack → source)")
_OTHERS = {
    Basis.DATABASE: Text(
        "另有 {count} 张表名不含 SPGL_，未作比较", "{count} tables without SPGL_ are left aside"
    ),
    Basis.DICTIONARY: Text(
        "未能识别的行（工作表：行数）：{names}", "rows not understood (sheet: rows): {names}"
    ),
}


def difference_lines(compared: Compared, lang: Lang) -> Iterator[str]:
    """A head, then every difference under its topic, in the order of the packs."""
    both = [m for m in compared.tables if m.official is not None]
    fields = sum(
        f.name in m.table.by_name for m in both for f in (m.official.fields if m.official else ())
    )
    counts = {
        "label": compared.official.label,
        "tables": len(both),
        "fields": fields,
        "count": len(compared.differences),
    }
    yield _FOUND.fill(counts)[lang]
    for topic, title in _TOPIC.items():
        found = [d for d in compared.differences if d.topic is topic]
        if found:
            two = topic not in (Topic.MISSING_TABLE, Topic.SURPLUS_TABLE, Topic.MISSING_FIELD)
            sides = _SIDES[lang] if two and topic is not Topic.SURPLUS_FIELD else ""
            yield f"{title[lang]}{sides}"
        yield from (f"  {_line(d, lang)}" for d in found)
    if compared.official.others:
        names = {
            "count": len(compared.official.others),
            "names": ", ".join(compared.official.others),
        }
        yield _OTHERS[compared.official.basis].fill(names)[lang]


def _line(difference: Difference, lang: Lang) -> str:
    d = difference
    place = f"{d.table}.{d.field}" if d.field else d.table
    values = f"{d.ours} → {d.theirs}" if d.ours and d.theirs else d.ours or d.theirs
    kept = f"{'；' if lang == 'zh' else '; '}{d.kept[lang]}" if d.kept is not None else ""
    return f"{place}  {values}{kept}".rstrip()
