"""Counts of a run's violations in one streaming pass: exact counts, capped samples.

Memory is bounded by (tables x rules x fields x samples) short excerpts, whatever the number of
violations and the length of their values. Machine formats that hold everything do not come here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from validator.reports.plain import excerpt
from validator.text import Text
from validator.violation import Severity, Violation

#: Distinct divisions counted apart: a value from data can be anything.
_MAX_DIVISIONS = 1000
#: Distinct field combinations counted apart within one group; the rest are counted together.
_MAX_PLACES = 100


@dataclass(frozen=True, slots=True)
class Counts:
    """Exact numbers of violations by severity."""

    error: int = 0
    warning: int = 0
    info: int = 0

    @property
    def total(self) -> int:
        return self.error + self.warning + self.info

    def of(self, severity: Severity) -> int:
        return (self.error, self.warning, self.info)[severity.rank]

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.error + other.error, self.warning + other.warning, self.info + other.info
        )


@dataclass(frozen=True, slots=True)
class Group:
    """One rule at one severity in one table. `fields` counts by field combination, most first
    (empty names: the ones beyond the first hundred). `samples` are excerpts, in order of
    occurrence, and spread over the field combinations."""

    rule: str
    severity: Severity
    count: int
    fields: tuple[tuple[tuple[str, ...], int], ...]
    samples: tuple[Violation, ...]

    @property
    def help(self) -> Text | None:
        """The help that all samples share, to be shown once; None where each has its own."""
        helps = {sample.help for sample in self.samples}
        return self.samples[0].help if len(helps) == 1 else None

    @property
    def hidden(self) -> int:
        """How many violations have no sample."""
        return self.count - len(self.samples)


@dataclass(frozen=True, slots=True)
class TableTally:
    """One table: its groups, gravest and most frequent first. `table` is `standard/table`, the
    name as found for an unknown table, or None for what belongs to no table; `name` is the bare
    name."""

    table: str | None
    name: str | None
    counts: Counts
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class StageTally:
    """One stage: its tables that have violations, in the order asked for."""

    stage: str | None
    counts: Counts
    tables: tuple[TableTally, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """All counts of a run. `rules`: by rule, gravest and most frequent first; `divisions` likewise,
    by the division of the record (None: it has none, or stands beyond the first thousand)."""

    counts: Counts
    stages: tuple[StageTally, ...]
    rules: tuple[tuple[str, Counts], ...]
    divisions: tuple[tuple[str | None, Counts], ...] = ()

    def tables(self) -> tuple[TableTally, ...]:
        """The tables that have violations, gravest and most frequent first."""
        found = (t for s in self.stages for t in s.tables)
        return tuple(sorted(found, key=lambda t: (*_gravity(t.counts), t.table or "")))

    def groups(self) -> Mapping[str | None, tuple[Group, ...]]:
        """The groups by table."""
        return {t.table: t.groups for s in self.stages for t in s.tables}


def qualified(violation: Violation) -> str | None:
    """`standard/table`, the bare name where no standard is known, or None."""
    if violation.table is None or violation.standard is None:
        return violation.table
    return f"{violation.standard}/{violation.table}"


def tally(
    violations: Iterable[Violation],
    *,
    samples: int,
    excerpt_length: int = 300,
    stages: Iterable[str] = (),
    tables: Iterable[str] = (),
) -> Tally:
    """Count `violations` and keep at most `samples` of each rule, severity and table.

    Values, key parts and texts of samples are excerpts of about `excerpt_length` characters.
    `stages` and `tables` (qualified) give the order; what they do not name comes after, by name.
    """
    places: dict[_Place, _Bucket] = {}
    divisions: dict[str | None, list[int]] = {None: [0] * len(Severity)}
    for violation in violations:
        _bucket(places, violation).take(violation, samples, excerpt_length)
        division = violation.division
        if division not in divisions and len(divisions) >= _MAX_DIVISIONS:
            division = None
        divisions.setdefault(division, [0] * len(Severity))[violation.severity.rank] += 1
    by_stage: dict[str | None, dict[str | None, list[Group]]] = {}
    bare: dict[str | None, str | None] = {}
    for place, bucket in places.items():
        bare[place.table] = place.name
        groups = by_stage.setdefault(place.stage, {}).setdefault(place.table, [])
        groups.append(bucket.group(place, samples))
    stage_order, table_order = _position(list(stages)), _position(list(tables))
    return _tally(
        tuple(
            _stage(
                stage,
                tuple(
                    _table(table, bare[table], by_stage[stage][table])
                    for table in sorted(by_stage[stage], key=table_order)
                ),
            )
            for stage in sorted(by_stage, key=stage_order)
        ),
        {name: Counts(*found) for name, found in divisions.items() if any(found)},
    )


@dataclass(frozen=True, slots=True)
class _Place:
    stage: str | None
    table: str | None
    name: str | None
    rule: str
    severity: Severity


@dataclass(slots=True)
class _Bucket:
    """The only mutable part: what one place has taken so far."""

    count: int = 0
    fields: dict[tuple[str, ...], int] = field(default_factory=dict)
    samples: dict[tuple[str, ...], list[tuple[int, Violation]]] = field(default_factory=dict)

    def take(self, violation: Violation, cap: int, length: int) -> None:
        names = violation.fields
        if names not in self.fields and len(self.fields) >= _MAX_PLACES:
            names = ()
        self.fields[names] = self.fields.get(names, 0) + 1
        kept = self.samples.setdefault(names, [])
        if len(kept) < cap:
            kept.append((self.count, _short(violation, length)))
        self.count += 1

    def group(self, place: _Place, cap: int) -> Group:
        turns = zip_longest(*self.samples.values())
        spread = [sample for turn in turns for sample in turn if sample is not None][:cap]
        return Group(
            rule=place.rule,
            severity=place.severity,
            count=self.count,
            fields=tuple(sorted(self.fields.items(), key=lambda f: (-f[1], f[0]))),
            samples=tuple(sample for _, sample in sorted(spread, key=lambda s: s[0])),
        )


def _bucket(places: dict[_Place, _Bucket], violation: Violation) -> _Bucket:
    v = violation
    return places.setdefault(_Place(v.stage, qualified(v), v.table, v.rule, v.severity), _Bucket())


def _short(violation: Violation, length: int) -> Violation:
    return replace(
        violation,
        key={name: excerpt(value, length) for name, value in violation.key.items()},
        value=None if violation.value is None else excerpt(violation.value, length),
        message=_short_text(violation.message, 2 * length),
        help=_short_text(violation.help, 2 * length),
    )


def _short_text(text: Text, length: int) -> Text:
    return Text(excerpt(text.zh, length), excerpt(text.en, length))


def _tally(stages: tuple[StageTally, ...], divisions: Mapping[str | None, Counts]) -> Tally:
    by_rule: dict[str, Counts] = {}
    for group in (g for s in stages for t in s.tables for g in t.groups):
        by_rule[group.rule] = by_rule.get(group.rule, Counts()) + _counts([group])
    return Tally(
        counts=sum((s.counts for s in stages), Counts()),
        stages=stages,
        rules=tuple(sorted(by_rule.items(), key=lambda r: (*_gravity(r[1]), r[0]))),
        divisions=tuple(sorted(divisions.items(), key=lambda d: (*_gravity(d[1]), d[0] or ""))),
    )


def _stage(stage: str | None, tables: tuple[TableTally, ...]) -> StageTally:
    return StageTally(stage, sum((t.counts for t in tables), Counts()), tables)


def _table(table: str | None, name: str | None, groups: Sequence[Group]) -> TableTally:
    ordered = sorted(groups, key=lambda g: (g.severity.rank, -g.count, g.rule))
    return TableTally(table, name, _counts(groups), tuple(ordered))


def _counts(groups: Iterable[Group]) -> Counts:
    by_severity = dict.fromkeys(Severity, 0)
    for group in groups:
        by_severity[group.severity] += group.count
    return Counts(*(by_severity[severity] for severity in Severity))


def _gravity(counts: Counts) -> tuple[int, int, int]:
    return -counts.error, -counts.warning, -counts.info


def _position(order: Sequence[str]) -> Callable[[str | None], tuple[int, str]]:
    """A sort key: names of `order` first, other names after, None last."""
    places = {name: index for index, name in enumerate(order)}

    def position(name: str | None) -> tuple[int, str]:
        if name is None:
            return len(places) + 1, ""
        return places.get(name, len(places)), name

    return position
