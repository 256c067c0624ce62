"""Two runs side by side: what is new, what is gone, what stayed, by rule and table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from spgl.inspector import words
from spgl.inspector.filters import Filter, address, table_of, table_title
from spgl.inspector.index import Index, Mask
from spgl.inspector.site import Ask, Page, Site
from spgl.inspector.walk import record_url
from validator.compare import differences
from validator.text import Text
from validator.violation import Severity, Violation

_SAMPLES = 12


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One rule in one table: how many are new, gone, and stayed. `url` leads to the new ones."""

    rule: str
    title: Text
    severity: Severity
    table: str
    table_title: Text
    new: int
    gone: int
    stayed: int
    url: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One violation that is new or gone."""

    violation: Violation
    record_url: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The page. `choices`: runs to choose from, with their time."""

    before: str
    after: str
    choices: Mapping[str, datetime]
    differences: tuple[Text, ...]
    new: int
    gone: int
    stayed: int
    lines: tuple[ChangeLine, ...]
    new_samples: tuple[Sample, ...]
    gone_samples: tuple[Sample, ...]


def build(site: Site, ask: Ask) -> Compared:
    after = site.runs.open(ask.one("after"))
    before = ask.one("before") or site.runs.before(after.run)
    choices = site.runs.titles()
    if not before:
        return Compared("", after.run.id, choices, (words.ONE_RUN,), 0, 0, 0, (), (), ())
    now, old = site.indexes.open(after.run.id), site.indexes.open(before)
    new = site.indexes.new(after.run.id, old.stored.run.id)
    gone = site.indexes.new(old.stored.run.id, after.run.id)
    return Compared(
        before=old.stored.run.id,
        after=after.run.id,
        choices=choices,
        differences=differences(old.stored.run, after.run),
        new=int(np.count_nonzero(new)),
        gone=int(np.count_nonzero(gone)),
        stayed=int(np.count_nonzero(~new)),
        lines=_lines(site, now, new, old, gone),
        new_samples=_samples(site, now, new),
        gone_samples=_samples(site, old, gone),
    )


_Key = tuple[str, Severity, str]


def _lines(site: Site, now: Index, new: Mask, old: Index, gone: Mask) -> tuple[ChangeLine, ...]:
    counts: dict[_Key, list[int]] = {}
    for at, (index, mask) in enumerate(((now, new), (old, gone), (now, ~new))):
        numbers = np.bincount(index.use[mask], minlength=len(index.stored.uses))
        for number in np.flatnonzero(numbers).tolist():
            use = index.stored.uses[number]
            cells = counts.setdefault((use.rule, use.severity, table_of(use)), [0, 0, 0])
            cells[at] += int(numbers[number])
    order = sorted(counts.items(), key=lambda c: (-c[1][0], -c[1][1], c[0][1].rank, c[0]))
    return tuple(
        ChangeLine(
            rule=rule,
            title=site.names.rule(rule),
            severity=severity,
            table=table,
            table_title=table_title(site.names, table),
            new=cells[0],
            gone=cells[1],
            stayed=cells[2],
            url=address(
                "/violations",
                now.stored.run.id,
                Filter(
                    rule=(rule,),
                    table=(table,),
                    severity=(str(severity),),
                    new=old.stored.run.id if cells[0] else "",
                ),
            ),
        )
        for (rule, severity, table), cells in order
    )


def _samples(site: Site, index: Index, mask: Mask) -> tuple[Sample, ...]:
    at = np.flatnonzero(mask)[:_SAMPLES]
    run = index.stored.run.id
    return tuple(Sample(v, record_url(site.names, run, v)) for v in index.violations(at))


PAGES = (Page("/compare", "compare.html", words.COMPARE, build),)
