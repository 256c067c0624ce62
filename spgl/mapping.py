"""The mapping file: which reason of the target is which rule of ours, as people keep it.

    reason,rule
    项目代码*不存在,dangling-reference
    人工复核不通过*,

A CSV file; `*` stands for anything, `…` (as in proposals) too, and a line without rule says that no
rule can know it. The first line that fits wins.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pusher.reasons import ANY, Group
from spgl.config import ConfigError
from validator.rules import rules
from validator.text import Lang, Text

#: A reason that nobody has tied to a rule yet.
UNKNOWN = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a reason as a pattern, and the rule (empty: none can know it)."""

    pattern: re.Pattern[str]
    rule: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """The lines in order."""

    lines: tuple[Line, ...] = ()

    def rule(self, reason: str) -> str | None:
        """The rule for a reason: its name, empty where none can know it, None where unmapped."""
        for line in self.lines:
            if line.pattern.fullmatch(" ".join(reason.split())):
                return line.rule
        return UNKNOWN


def read(path: Path, lang: Lang) -> Mapping:
    """The mapping of a file in UTF-8 or GB18030. Raises ConfigError naming the line."""
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise ConfigError(f"feedback.mapping {path}: {fault.strerror}") from fault
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace")
    lines: list[Line] = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() in ("reason", "原因")):
            continue
        reason, rule = cells[0], cells[1] if len(cells) > 1 else ""
        if not reason or (rule and rule not in rules()):
            said = (_NO_REASON if not reason else _NO_RULE.fill({"rule": rule}))[lang]
            raise ConfigError(f"feedback.mapping {path}:{number}: {said}")
        lines.append(Line(_pattern(reason), rule))
    return Mapping(tuple(lines))


def proposal(groups: Iterable[Group]) -> str:
    """Reasons nobody has mapped yet, as a mapping file to be filled in."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(["reason", "rule", "count"])
    writer.writerows([group.pattern, "", group.count] for group in groups)
    return made.getvalue()


def _pattern(reason: str) -> re.Pattern[str]:
    parts: Sequence[str] = re.split(rf"[*{ANY}]+", " ".join(reason.split()))
    return re.compile(".*".join(re.escape(part) for part in parts), re.S)


_NO_REASON = Text("第一列应为原因", "the first cell has to be a reason")
_NO_RULE = Text(
    "没有规则 {rule}；spgl explain 或 docs/rules.md 列出全部规则",
    "there is no rule {rule}; docs/rules.md lists them",
)
