"""The short end of a command: what was read, what conforms, what is held, in a few lines.

Counts come from the head of the run; violations are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping

from validator.reports import phrases
from validator.reports.phrases import SEVERITIES, basis
from validator.run import Run
from validator.text import Lang, Text
from validator.violation import Severity


def severities(run: Run) -> Mapping[Severity, int]:
    """Violations of the whole run by severity, those that belong to no table included."""
    counts = dict.fromkeys(Severity, 0)
    for line in run.counts:
        counts[Severity(line.severity)] += line.count
    return counts


def counted(counts: Mapping[Severity, int]) -> Text:
    """`错误 2，警告 1，提示 0` / `2 errors, 1 warning, 0 infos`."""
    zh = "，".join(f"{SEVERITIES[s].zh} {n:,}" for s, n in counts.items())
    en = ", ".join(f"{n:,} {_plural(SEVERITIES[s].en, n)}" for s, n in counts.items())
    return Text(zh, en)


def verdict(run: Run) -> Text:
    """One line: did everything read conform, and how much was found."""
    read, conforming, blocked = (run.total(n) for n in ("read", "conforming", "blocked"))
    found = counted(severities(run))
    records = Text(
        f"读取 {read:,} 条，合格 {conforming:,} 条，未放行 {blocked:,} 条",
        f"{read:,} {_plural('records', read)} read, {conforming:,} conforming, {blocked:,} blocked",
    )
    head = verdict_head(run)
    return Text(f"{head.zh}：{found.zh}；{records.zh}。", f"{head.en}: {found.en}; {records.en}.")


def passed(run: Run) -> bool:
    """True when every file was read and no violation is an error."""
    return not run.problems and not severities(run)[Severity.ERROR]


def verdict_head(run: Run) -> Text:
    """The verdict in a few words."""
    if run.problems:
        n = len(run.problems)
        return Text(
            f"检查不完整，{n} 个文件无法读取",
            f"Incomplete, {n} {_plural('files', n)} could not be read",
        )
    if severities(run)[Severity.ERROR]:
        return Text("有不合格数据", "Not conforming")
    if not run.total("read"):
        return Text("没有读到记录", "No record was read")
    if run.total("blocked"):
        # A baseline hides the errors, not what they do to the records.
        return Text("没有新的错误", "No new errors")
    return Text("全部合格", "Conforming")


def books(run: Run) -> Text:
    """What became of every record read: `读取 10 = 合格 8 + 未放行 2`; parts of 0 are left out."""
    parts = [
        ("conforming", phrases.CONFORMING),
        ("blocked", phrases.BLOCKED),
        ("skipped", phrases.SKIPPED),
        ("duplicate", phrases.DUPLICATE),
        ("unreadable", phrases.UNREADABLE),
    ]
    present = [(text, run.total(name)) for name, text in parts if run.total(name)]
    present = present or [(parts[0][1], 0)]
    waiting = run.total("blocked_parent")
    zh = " + ".join(f"{text.zh} {n:,}" for text, n in present)
    en = " + ".join(f"{n:,} {text.en}" for text, n in present)
    if waiting:
        zh += f"（未放行的有 {waiting:,} 条只因上级记录不合格）"
        en += f" ({waiting:,} of the blocked only because their parent does not conform)"
    return Text(f"读取 {run.total('read'):,} = {zh}", f"{run.total('read'):,} read = {en}")


def summary(run: Run, lang: Lang) -> str:
    """Basis lines, notes, unreadable files, books and verdict as a few lines of plain text."""
    packs = (f"{p.name} {p.version}: {basis(p)[lang]}" for p in run.packs)
    notes = (note[lang] for note in run.notes)
    problems = (f"{p.file}: {p.text[lang]}" for p in run.problems)
    return "\n".join([*packs, *notes, *problems, books(run)[lang], verdict(run)[lang]]) + "\n"


def _plural(word: str, count: int) -> str:
    return word.removesuffix("s") if count == 1 else word
