"""Two runs side by side by fingerprint: what is new, what is fixed, what stayed.

A violation that stands n times before and m times after is unchanged min(n, m) times. Which run is
the better one is not judged, and nothing is said about records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from validator.reports.tally import qualified
from validator.run import Result, Run
from validator.text import Text
from validator.violation import Severity, Violation


class Change(StrEnum):
    """What became of a violation from one run to the next."""

    #: Only in the later run.
    NEW = "new"
    #: Only in the earlier run.
    FIXED = "fixed"
    #: In both.
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Group:
    """Violations of one rule at one severity in one table (qualified, bare, or None)."""

    rule: str
    severity: Severity
    table: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Exact counts of every change by group. Violations are read again when asked for."""

    before: Result
    after: Result
    counts: Mapping[Change, Mapping[Group, int]]
    _extra: Mapping[str, int]

    def total(self, change: Change, severity: Severity | None = None) -> int:
        """How many violations changed so, of one severity or of all."""
        groups = self.counts[change].items()
        return sum(n for group, n in groups if severity in (None, group.severity))

    def new(self) -> Iterator[Violation]:
        """Violations of the later run that the earlier one does not have."""
        return _beyond(self.after, {mark: n for mark, n in self._extra.items() if n > 0})

    def fixed(self) -> Iterator[Violation]:
        """Violations of the earlier run that the later one does not have."""
        return _beyond(self.before, {mark: -n for mark, n in self._extra.items() if n < 0})


def compare(before: Result, after: Result) -> Comparison:
    """Compare two runs. Holds one number per distinct fingerprint that is not the same in both."""
    extra: Counter[str] = Counter()
    extra.update(v.fingerprint for v in after.violations())
    extra.subtract(v.fingerprint for v in before.violations())
    changed = {mark: n for mark, n in extra.items() if n}
    new = _grouped(_beyond(after, {mark: n for mark, n in changed.items() if n > 0}))
    fixed = _grouped(_beyond(before, {mark: -n for mark, n in changed.items() if n < 0}))
    unchanged = Counter(_grouped(after.violations()))
    unchanged.subtract(new)
    counts = {Change.NEW: new, Change.FIXED: fixed, Change.UNCHANGED: +unchanged}
    return Comparison(before, after, counts, changed)


def _beyond(result: Result, extra: dict[str, int]) -> Iterator[Violation]:
    """As many violations of each fingerprint as `extra` says: the last ones of the run."""
    total = Counter(v.fingerprint for v in result.violations() if v.fingerprint in extra)
    passed: Counter[str] = Counter()
    for violation in result.violations():
        mark = violation.fingerprint
        if mark in extra:
            passed[mark] += 1
            if passed[mark] > total[mark] - extra[mark]:
                yield violation


def _grouped(violations: Iterator[Violation]) -> Counter[Group]:
    return Counter(map(group_of, violations))


def group_of(violation: Violation) -> Group:
    """What a violation is counted under."""
    return Group(violation.rule, violation.severity, qualified(violation))


def differences(before: Run, after: Run) -> tuple[Text, ...]:
    """Why two runs may not be comparable: other packs, other inputs, files that were not read."""
    found = []
    packs = [", ".join(f"{p.name} {p.version}" for p in run.packs) for run in (before, after)]
    if packs[0] != packs[1]:
        found.append(
            Text(
                f"标准包不同：前次 {packs[0]}，本次 {packs[1]}",
                f"other packs: {packs[0]} before, {packs[1]} now",
            )
        )
    inputs = [", ".join(run.inputs) for run in (before, after)]
    if inputs[0] != inputs[1]:
        found.append(
            Text(
                f"输入不同：前次 {inputs[0]}，本次 {inputs[1]}",
                f"other inputs: {inputs[0]} before, {inputs[1]} now",
            )
        )
    unread = [len(run.problems) for run in (before, after)]
    if any(unread):
        found.append(
            Text(
                f"无法读取的文件：前次 {unread[0]:,} 个，本次 {unread[1]:,} 个，"
                "其中的问题不在比较之内",
                f"files that could not be read: {unread[0]:,} before, {unread[1]:,} now; what is "
                "in them is not compared",
            )
        )
    return tuple(found)
