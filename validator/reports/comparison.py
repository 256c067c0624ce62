"""Two runs side by side, as text for people and as JSON for programs. Comparing is `compare`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO

from validator.compare import Change, Comparison, Group, differences, group_of
from validator.pack import Packs
from validator.reports import phrases
from validator.reports.json import encode
from validator.reports.plain import excerpt, visible
from validator.reports.summary import counted
from validator.reports.titles import Titles, titles, where
from validator.text import Lang, Text
from validator.violation import Severity, Violation

#: Of each rule in each table.
_SAMPLES = 3
_LENGTH = 300
_WORD = {
    Change.NEW: Text("新增", "New"),
    Change.FIXED: Text("已修复", "Fixed"),
    Change.UNCHANGED: Text("未变", "Unchanged"),
}


def render_text(comparison: Comparison, packs: Packs, out: IO[str], *, lang: Lang) -> None:
    """Counts of every change by rule and table; a few violations of what is new or fixed."""
    names = titles(packs)
    for line in _lines(comparison, names, lang):
        out.write(line + "\n")


def _lines(comparison: Comparison, names: Titles, lang: Lang) -> Iterator[str]:
    before, after = comparison.before.run, comparison.after.run
    yield visible(f"{before.id} ({before.started}) → {after.id} ({after.started})")
    for pack in after.packs:
        yield visible(f"{pack.name} {pack.version}: {phrases.basis(pack)[lang]}")
    for text in (*differences(before, after), *before.notes, *after.notes):
        yield visible(text[lang])
    for change in Change:
        found = {s: comparison.total(change, s) for s in Severity}
        yield ""
        yield f"{_WORD[change][lang]} {comparison.total(change):,}: {counted(found)[lang]}"
        samples = _samples(comparison, change)
        for group, count in sorted(comparison.counts[change].items(), key=_gravity):
            yield f"  {_group(group, names, lang)} × {count:,}"
            shown = samples.get(group, [])
            yield from (f"    {_line(violation, lang)}" for violation in shown)
            if shown and count > len(shown):
                hidden = f"{count - len(shown):,}"
                yield f"    {phrases.NOT_SHOWN.fill({'count': hidden})[lang]}"


def _samples(comparison: Comparison, change: Change) -> Mapping[Group, list[Violation]]:
    """The first violations of each group that is new or fixed."""
    if change is Change.UNCHANGED:
        return {}
    found: dict[Group, list[Violation]] = {}
    for violation in comparison.new() if change is Change.NEW else comparison.fixed():
        kept = found.setdefault(group_of(violation), [])
        if len(kept) < _SAMPLES:
            kept.append(violation)
    return found


def _gravity(line: tuple[Group, int]) -> tuple[int, int, str, str]:
    group, count = line
    return group.severity.rank, -count, group.table or "", group.rule


def _group(group: Group, names: Titles, lang: Lang) -> str:
    title = names.rule(group.rule)[lang]
    rule = group.rule if title == group.rule else f"{group.rule} {title}"
    table = excerpt((group.table or phrases.NO_TABLE[lang]).rpartition("/")[2], _LENGTH)
    return visible(f"{phrases.SEVERITY[group.severity][lang]} {table} {rule}")


def _line(violation: Violation, lang: Lang) -> str:
    return f"{where(violation) or '-'}: {excerpt(visible(violation.message[lang]), _LENGTH)}"


def render_json(comparison: Comparison, out: IO[bytes]) -> None:
    """One document: head, counts by change and group, every new and fixed violation."""
    runs = {"before": comparison.before.run.id, "after": comparison.after.run.id}
    texts = differences(comparison.before.run, comparison.after.run)
    counts = {
        str(change): {
            "violations": {str(s): comparison.total(change, s) for s in Severity},
            "groups": [
                {"rule": g.rule, "severity": str(g.severity), "table": g.table, "count": n}
                for g, n in sorted(comparison.counts[change].items(), key=_gravity)
            ],
        }
        for change in Change
    }
    out.write(b'{"schema_version":1,\n"runs":' + encode(runs))
    out.write(b',\n"differences":' + encode([{"zh": t.zh, "en": t.en} for t in texts]))
    out.write(b',\n"counts":' + encode(counts))
    for name, violations in (("new", comparison.new()), ("fixed", comparison.fixed())):
        out.write(b',\n"' + name.encode() + b'":[')
        separator = b"\n"
        for violation in violations:
            out.write(separator + encode(violation.to_json()))
            separator = b",\n"
        out.write(b"\n]")
    out.write(b"\n}\n")
