"""Exact counts of a run from what the passes kept. It judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from validator.duplicates import Place
from validator.pack import Pack, Packs
from validator.passing import PARENT, Outcome
from validator.rule import Use
from validator.run import PackLine, RuleCount, TableCounts
from validator.violation import Severity


class Counts(TypedDict):
    """The counted part of a `Run`."""

    tables: dict[str, TableCounts]
    counts: tuple[RuleCount, ...]
    held: dict[str, int]


def pack_line(pack: Pack) -> PackLine:
    """The basis line of a pack."""
    official, fields = pack.official_fields
    return PackLine(pack.name, pack.version, pack.title, pack.basis, official, fields)


def counted(
    packs: Packs,
    uses: Sequence[Use],
    outcomes: Sequence[Outcome],
    dataset: Mapping[str, Mapping[int, int]],
    others: Mapping[int, int],
) -> Counts:
    """Counts per table and rule; `dataset` are the violations of dataset rules by table and use,
    `others` those of no table by use."""
    tables: dict[str, TableCounts] = {}
    numbers: dict[int, int] = {}
    held: dict[str, int] = {}
    for outcome in outcomes:
        name = outcome.run.table.qualified
        own = dict(outcome.run.counts)
        for use, number in dataset[name].items():
            own[use] = own.get(use, 0) + number
        tables[name] = _table(uses, outcome, own)
        numbers.update(own)
        _held(uses, outcome, held)
    numbers.update(others)
    rules: dict[tuple[str, str, str | None, str | None], int] = {}
    for use, number in sorted(numbers.items()):
        of = uses[use]
        table = packs.table(of.table) if of.table else None
        key = (of.rule, str(of.severity), of.table or None, table.stage if table else None)
        rules[key] = rules.get(key, 0) + number
    counts = tuple(RuleCount(*key, number) for key, number in rules.items())
    return Counts(tables=tables, counts=counts, held=held)


def _table(uses: Sequence[Use], outcome: Outcome, numbers: Mapping[int, int]) -> TableCounts:
    places, blocks = outcome.places, outcome.blocks
    goes = (places != Place.SKIPPED) & (places != Place.REPEATED)
    by_severity = dict.fromkeys(Severity, 0)
    for use, number in numbers.items():
        by_severity[uses[use].severity] += number
    blocked = int((goes & blocks.any).sum())
    return TableCounts(
        title=outcome.run.table.title,
        stage=outcome.run.table.stage,
        read=len(places) + outcome.run.unreadable,
        unreadable=outcome.run.unreadable,
        skipped=int((places == Place.SKIPPED).sum()),
        duplicate=int((places == Place.REPEATED).sum()),
        conforming=int(goes.sum()) - blocked,
        blocked=blocked,
        blocked_parent=int((goes & blocks.parent & ~blocks.own).sum()),
        errors=by_severity[Severity.ERROR],
        warnings=by_severity[Severity.WARNING],
        infos=by_severity[Severity.INFO],
    )


def _held(uses: Sequence[Use], outcome: Outcome, held: dict[str, int]) -> None:
    """Add how many records each rule holds back."""
    places, blocks = outcome.places, outcome.blocks
    goes = (places != Place.SKIPPED) & (places != Place.REPEATED)
    use, row = outcome.held
    rules = np.array([uses[u].rule for u in use.tolist()], dtype=object)
    mine = goes[row] if len(row) else np.empty(0, dtype=np.bool_)
    for rule in sorted(set(rules[mine].tolist())):
        held[rule] = held.get(rule, 0) + len(np.unique(row[mine & (rules == rule)]))
    waiting = int((goes & blocks.parent & ~blocks.own).sum())
    if waiting:
        held[PARENT] = held.get(PARENT, 0) + waiting
