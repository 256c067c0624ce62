"""Every rule: its good example passes, its bad example is found, its texts are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from engine_values import checked, given, packs

from validator.rule import Example, Rule, Scope
from validator.rules import rules

RULES = list(rules().values())
#: Examples of these come from the sources, whose own tests produce them.
FROM_SOURCES = {"unreadable-record", "unknown-table", "refused-by-target", "value-normalised"}
JUDGED = [r for r in RULES if r.name not in FROM_SOURCES]


def found(rule: Rule, example: Example, folder: Path) -> list[tuple[str, int, tuple[str, ...]]]:
    run = checked(given(example.records), folder)
    spoken = [v for v in run.violations() if v.rule == rule.name]
    for violation in spoken:
        for text in (violation.message, violation.help):
            assert not re.search(r"\{[a-z_]+\}", text.zh + text.en), "a place is left open"
    looked_at = {fields for _, _, fields in rule.bad_example.violations}
    # A rule of single cells also speaks of the fields that an example leaves out.
    return [
        (v.table or "", v.record or 0, v.fields)
        for v in spoken
        if rule.scope is not Scope.FIELD or v.fields in looked_at
    ]


@pytest.mark.parametrize("rule", JUDGED, ids=lambda r: r.name)
def test_good_example_passes(rule: Rule, tmp_path: Path) -> None:
    assert not rule.good.violations
    assert found(rule, rule.good, tmp_path) == []


@pytest.mark.parametrize("rule", JUDGED, ids=lambda r: r.name)
def test_bad_example_is_found(rule: Rule, tmp_path: Path) -> None:
    assert rule.bad_example.violations
    assert sorted(found(rule, rule.bad_example, tmp_path)) == sorted(rule.bad_example.violations)


@pytest.mark.parametrize("rule", [r for r in RULES if r.apart], ids=lambda r: r.name)
def test_rows_that_are_judged_apart_may_come_one_by_one(
    rule: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validator.dataset._PART", 1)
    assert found(rule, rule.good, tmp_path / "good") == []
    expected = sorted(rule.bad_example.violations)
    assert sorted(found(rule, rule.bad_example, tmp_path / "bad")) == expected


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_texts_are_whole(rule: Rule) -> None:
    for text in (rule.title, rule.message, rule.help, rule.notes):
        assert text.zh
        assert text.en
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert rule.name == rule.name.lower()


def test_every_rule_of_the_packs_exists() -> None:
    named = {u.rule for p in packs() for u in (*p.rules, *(u for t in p.tables for u in t.rules))}
    assert named <= set(rules())
