"""Known violations by fingerprint: a file kept beside the data, and the view that hides them.

A baseline changes what a report shows and what makes a command fail, never whether a record
conforms: a hidden error still holds its record back. Entries carry no value of a record, so the
file can be kept in a repository.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from validator.records import SourceError
from validator.reports.plain import excerpt, visible
from validator.reports.tally import qualified
from validator.run import Result, RuleCount, Run, TableCounts
from validator.text import Lang, Text
from validator.violation import Severity, Violation
from validator.whole_file import whole_file

SCHEMA_VERSION = 1
_LENGTH = 200

#: Rule, severity, table and stage: what a run counts by.
_Line = tuple[str, str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One known violation. `message` tells people what it is, without values; `date` (ISO 8601)
    is the day it entered the baseline, `reason` why it is tolerated."""

    fingerprint: str
    rule: str
    table: str | None
    message: Text
    reason: str
    date: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The entries of a baseline file by fingerprint."""

    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Baselined:
    """A run without its known violations, recounted exactly; a `run.Result`.

    `hidden`: how many violations are not shown. `stale`: entries that nothing matched.
    """

    run: Run
    hidden: int
    stale: tuple[Entry, ...]
    source: Result
    known: frozenset[str]

    def violations(self) -> Iterator[Violation]:
        """The violations that are not in the baseline, in the order of the run."""
        return (v for v in self.source.violations() if v.fingerprint not in self.known)


def apply(result: Result, baseline: Baseline) -> Baselined:
    """Hide what the baseline knows. Reads the violations once to count."""
    hidden: dict[_Line, int] = {}
    met: set[str] = set()
    for violation in result.violations():
        if violation.fingerprint in baseline.entries:
            met.add(violation.fingerprint)
            line = (
                violation.rule,
                str(violation.severity),
                qualified(violation),
                violation.stage,
            )
            hidden[line] = hidden.get(line, 0) + 1
    stale = tuple(e for mark, e in baseline.entries.items() if mark not in met)
    total = sum(hidden.values())
    run = replace(
        result.run,
        counts=tuple(_counts(result.run.counts, hidden)),
        tables=_tables(result.run, hidden),
        notes=(*result.run.notes, note(total, len(stale))),
    )
    return Baselined(run, total, stale, result, frozenset(met))


def note(hidden: int, stale: int) -> Text:
    """What a baseline did, for every report: how many it hides and how many entries are stale."""
    zh, en = f"基线隐藏已知问题 {hidden:,} 处", f"the baseline hides {hidden:,} known violations"
    if stale:
        zh += f"，另有 {stale:,} 条已不再出现，可从基线中删除"
        en += f"; {stale:,} of its entries match nothing any more and can be removed"
    return Text(zh + "。", en + ".")


def _counts(counts: Iterable[RuleCount], hidden: Mapping[_Line, int]) -> Iterator[RuleCount]:
    for line in counts:
        left = line.count - hidden.get((line.rule, line.severity, line.table, line.stage), 0)
        if left:
            yield replace(line, count=left)


def _tables(run: Run, hidden: Mapping[_Line, int]) -> Mapping[str, TableCounts]:
    def found(name: str, severity: Severity) -> int:
        return sum(n for (_, s, table, _), n in hidden.items() if (table, s) == (name, severity))

    return {
        name: replace(
            table,
            errors=table.errors - found(name, Severity.ERROR),
            warnings=table.warnings - found(name, Severity.WARNING),
            infos=table.infos - found(name, Severity.INFO),
        )
        for name, table in run.tables.items()
    }


def make(
    violations: Iterable[Violation], *, today: date, reason: str = "", known: Baseline | None = None
) -> Baseline:
    """A baseline of every violation; entries that `known` has keep their reason and date."""
    kept = known.entries if known else {}
    entries: dict[str, Entry] = {}
    for violation in violations:
        mark = violation.fingerprint
        if mark not in entries:
            entries[mark] = kept.get(mark) or _entry(violation, today, reason)
    return Baseline(MappingProxyType(entries))


def _entry(violation: Violation, today: date, reason: str) -> Entry:
    message = Text(_valueless(violation, "zh"), _valueless(violation, "en"))
    return Entry(
        violation.fingerprint,
        violation.rule,
        qualified(violation),
        message,
        reason,
        today.isoformat(),
    )


def _valueless(violation: Violation, lang: Lang) -> str:
    """The message with the value and the parts of the key blotted out, whatever they hold: a column
    no pack knows may hold a name."""
    text = violation.message[lang]
    values = [violation.value or "", *violation.key.values()]
    for value in sorted({v.strip() for v in values} - {""}, key=len, reverse=True):
        # A short code is blotted out where it stands alone, not inside other words and numbers.
        alone = rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"
        text = re.sub(alone if len(value) < 3 else re.escape(value), "…", text)
    return excerpt(visible(text), _LENGTH)


def write(path: Path, baseline: Baseline) -> None:
    """Write the file, one entry a line so that a change is a small diff. Raises OSError."""
    with whole_file(path) as out:
        out.write(f'{{"schema_version": {SCHEMA_VERSION},\n"violations": ['.encode())
        separator = "\n"
        for entry in baseline.entries.values():
            out.write((separator + json.dumps(_to_json(entry), ensure_ascii=False)).encode())
            separator = ",\n"
        out.write(b"\n]}\n")


def _to_json(entry: Entry) -> dict[str, object]:
    return {
        "fingerprint": entry.fingerprint,
        "rule": entry.rule,
        "table": entry.table,
        "message": {"zh": entry.message.zh, "en": entry.message.en},
        "reason": entry.reason,
        "date": entry.date,
    }


def read(path: Path) -> Baseline:
    """The baseline in a file. Raises SourceError naming the entry that cannot be used."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise _refused(
            path, f"无法读取（{fault.strerror}）", f"cannot be read ({fault.strerror})"
        ) from fault
    except ValueError as fault:
        raise _refused(path, f"不是合法的 JSON（{fault}）", f"not valid JSON ({fault})") from fault
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise _refused(path, "不是 spgl 的基线文件", "not a baseline file of this spgl")
    lines = document.get("violations")
    if not isinstance(lines, list):
        raise _refused(path, "缺少 violations 列表", "the list violations is missing")
    entries = [_from_json(path, number, line) for number, line in enumerate(lines, 1)]
    return Baseline(MappingProxyType({entry.fingerprint: entry for entry in entries}))


def _from_json(path: Path, number: int, line: object) -> Entry:
    """An entry; people edit the file, so what only serves people may be missing."""
    if not isinstance(line, dict) or not line.get("fingerprint"):
        raise _refused(
            path, f"第 {number} 条没有 fingerprint", f"entry {number} has no fingerprint"
        )
    message = line.get("message")
    texts = message if isinstance(message, dict) else {}
    return Entry(
        fingerprint=str(line["fingerprint"]),
        rule=str(line.get("rule") or ""),
        table=str(line["table"]) if line.get("table") else None,
        message=Text(str(texts.get("zh") or ""), str(texts.get("en") or "")),
        reason=str(line.get("reason") or ""),
        date=str(line.get("date") or ""),
    )


def _refused(path: Path, zh: str, en: str) -> SourceError:
    return SourceError(
        str(path),
        Text(
            f"基线{zh}；请更正，或用 --write-baseline 重新生成",
            f"baseline: {en}; correct it or write it anew with --write-baseline",
        ),
    )
