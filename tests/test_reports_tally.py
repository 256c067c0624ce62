"""Counting in one pass: exact, ordered, and bounded in what it keeps."""

from __future__ import annotations

from collections.abc import Iterator

import report_values as values
from hypothesis import given
from hypothesis import strategies as st

from validator.reports.tally import Counts, Group, Tally, tally
from validator.reports.titles import titles
from validator.violation import Severity, Violation

RULES = ("sample-unlisted-code", "sample-empty", "too-long")
PLACES = (
    (values.PROJECTS, None),
    (values.CASES, "case-records"),
    (values.FIRE, "fire"),
    (None, None),
)
FACTS = st.lists(
    st.tuples(
        st.sampled_from(RULES),
        st.sampled_from(PLACES),
        st.sampled_from(list(Severity)),
        st.sampled_from(["GCDM", "XMMC", "NKGSJ"]),
    ),
    max_size=60,
)


def made(
    facts: list[tuple[str, tuple[str | None, str | None], Severity, str]],
) -> list[Violation]:
    return [
        values.violation(rule, table, (name,), "x", n, severity=severity, stage=stage)
        for n, (rule, (table, stage), severity, name) in enumerate(facts, 1)
    ]


@given(FACTS, st.integers(0, 5))
def test_counts_are_exact_and_samples_capped(
    facts: list[tuple[str, tuple[str | None, str | None], Severity, str]], cap: int
) -> None:
    violations = made(facts)
    counts = tally(iter(violations), samples=cap)
    assert counts.counts.total == len(violations)
    for severity in Severity:
        expected = sum(v.severity is severity for v in violations)
        assert counts.counts.of(severity) == expected
        assert sum(c.of(severity) for _, c in counts.rules) == expected
        assert sum(s.counts.of(severity) for s in counts.stages) == expected
    for stage, table, group in every_group(counts):
        same = [
            v
            for v in violations
            if (v.stage, v.rule, v.severity) == (stage, group.rule, group.severity)
            and (f"{v.standard}/{v.table}" if v.table else None) == table
        ]
        assert group.count == len(same) == sum(n for _, n in group.fields)
        assert len(group.samples) == min(cap, len(same))
        assert [s for s in same if s in group.samples] == list(group.samples)


def every_group(counts: Tally) -> Iterator[tuple[str | None, str | None, Group]]:
    for stage in counts.stages:
        for table in stage.tables:
            for group in table.groups:
                yield stage.stage, table.table, group


def test_samples_are_spread_over_the_fields() -> None:
    facts = [("sample-empty", PLACES[0], Severity.ERROR, "GCDM")] * 50
    facts += [("sample-empty", PLACES[0], Severity.ERROR, name) for name in ("XMMC", "NKGSJ")]
    group = tally(iter(made(facts)), samples=3).groups()[values.PROJECTS][0]
    assert [s.record for s in group.samples] == [1, 51, 52]
    assert group.fields == ((("GCDM",), 50), (("NKGSJ",), 1), (("XMMC",), 1))


def test_order_is_packs_first_then_names_and_gravest_first() -> None:
    names = titles(values.packs())
    facts = [
        ("too-long", PLACES[3], Severity.ERROR, "GCDM"),
        ("too-long", PLACES[2], Severity.ERROR, "GCDM"),
        ("too-long", PLACES[0], Severity.INFO, "GCDM"),
        ("too-long", PLACES[0], Severity.INFO, "GCDM"),
        ("sample-unlisted-code", PLACES[0], Severity.WARNING, "GCDM"),
        ("sample-empty", PLACES[1], Severity.ERROR, "GCDM"),
    ]
    counts = tally(iter(made(facts)), samples=1, stages=names.stages, tables=names.tables)
    assert [s.stage for s in counts.stages] == ["case-records", "fire", None]
    assert [t.table for t in counts.stages[2].tables] == [values.PROJECTS, None]
    projects = counts.groups()[values.PROJECTS]
    assert [g.rule for g in projects] == ["sample-unlisted-code", "too-long"]
    assert counts.rules[0] == ("too-long", Counts(2, 0, 2))


def test_fifty_thousand_violations_keep_only_the_samples() -> None:
    stream = (
        values.violation(RULES[n % 3], values.PROJECTS, (f"FIELD{n}",), "v" * 2000, n + 1)
        for n in range(50_000)
    )
    groups = tally(stream, samples=4).groups()[values.PROJECTS]
    assert [g.count for g in groups] == [16_667, 16_667, 16_666]
    assert [len(g.samples) for g in groups] == [4, 4, 4]
    assert all(len(s.value or "") < 330 for g in groups for s in g.samples)
    assert all(len(g.fields) == 101 for g in groups), "fields beyond the hundredth are one place"
    assert all(sum(n for _, n in g.fields) == g.count for g in groups)
