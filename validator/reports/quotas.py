"""Which violations a bounded report shows: the gravest first, each rule of each table its share.

A service that takes 25,000 results, or ten, would otherwise see one frequent fault and nothing
else. Counts are never touched here: they are in the head of the run and stay exact.
"""

from __future__ import annotations

from collections.abc import Iterator

from validator.reports.tally import qualified
from validator.run import Result, Run
from validator.violation import Severity, Violation

_Group = tuple[str, str, str | None]


def spread(result: Result, limit: int, *, of_each: int | None = None) -> Iterator[Violation]:
    """At most `limit` violations, of each severity at most `of_each`, in the order of the run.

    Reading ends as soon as nothing more is to be shown.
    """
    left = _shares(result.run, limit, limit if of_each is None else of_each)
    total = sum(left.values())
    for violation in result.violations() if total else ():
        group = (violation.rule, str(violation.severity), qualified(violation))
        if left.get(group, 0):
            left[group] -= 1
            total -= 1
            yield violation
            if not total:
                return


def _shares(run: Run, limit: int, of_each: int) -> dict[_Group, int]:
    shares: dict[_Group, int] = {}
    for severity in Severity:
        counts: dict[_Group, int] = {}
        for line in run.counts:
            if line.severity == severity:
                group = (line.rule, line.severity, line.table)
                counts[group] = counts.get(group, 0) + line.count
        left = min(limit, of_each)
        waiting = len(counts)
        # Smallest first: what a rare group does not need goes to the frequent ones.
        for group, count in sorted(counts.items(), key=lambda c: c[1]):
            shares[group] = min(count, left // waiting)
            left -= shares[group]
            limit -= shares[group]
            waiting -= 1
    return shares
