"""Baselines hide what is known, count the rest exactly, and keep no value of a record."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import report_values as values

from validator import baseline
from validator.records import SourceError
from validator.reports.summary import verdict_head
from validator.reports.tally import qualified
from validator.text import Text
from validator.violation import Violation

DAY = date(2026, 11, 24)


def known(*violations: Violation) -> baseline.Baseline:
    return baseline.make(violations, today=DAY, reason="known since spring")


def counts(violations: Any) -> Counter[tuple[str, str, str | None]]:
    return Counter((v.rule, str(v.severity), qualified(v)) for v in violations)


def test_known_violations_are_hidden_and_the_rest_is_recounted() -> None:
    made = values.mixed()
    everything = list(made.violations())
    found = baseline.apply(made, known(everything[0], everything[5], everything[10]))
    assert found.hidden == 3
    assert found.stale == ()
    shown = list(found.violations())
    assert shown == [v for n, v in enumerate(everything) if n not in (0, 5, 10)]
    assert counts(shown) == Counter(
        {(c.rule, c.severity, c.table): c.count for c in found.run.counts}
    )
    before, after = made.run.tables[values.PROJECTS], found.run.tables[values.PROJECTS]
    assert (before.errors - after.errors, before.warnings - after.warnings) == (2, 1)
    assert found.run.tables[values.CASES] == made.run.tables[values.CASES]


def test_hiding_never_makes_a_record_conform() -> None:
    made = values.mixed()
    found = baseline.apply(made, known(*made.violations()))
    assert list(found.violations()) == []
    assert found.run.counts == ()
    assert verdict_head(replace(found.run, problems=())).en == "No new errors"
    for name, table in found.run.tables.items():
        assert (table.errors, table.warnings, table.infos) == (0, 0, 0)
        read = made.run.tables[name]
        assert (table.conforming, table.blocked) == (read.conforming, read.blocked)


def test_every_repetition_of_a_known_violation_is_hidden() -> None:
    one = next(values.mixed().violations())
    made = values.Made(
        values.head({}, values.rule_counts(iter([one] * 3))), lambda: iter([one] * 3)
    )
    assert baseline.apply(made, known(one)).hidden == 3


def test_what_no_longer_occurs_is_stale() -> None:
    gone = values.violation("sample-empty", values.PROJECTS, ("XMMC",), None, 999)
    first = next(values.mixed().violations())
    found = baseline.apply(values.mixed(), known(first, gone))
    assert [entry.fingerprint for entry in found.stale] == [gone.fingerprint]
    assert found.run.notes[-1] == baseline.note(1, 1)
    assert "隐藏已知问题 1 处" in found.run.notes[-1].zh
    assert "1 of its entries match nothing" in found.run.notes[-1].en
    assert "entries" not in baseline.note(4, 0).en


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    made = known(*values.mixed().violations())
    baseline.write(path, made)
    assert dict(baseline.read(path).entries) == dict(made.entries)
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == 13 + 3, "one entry a line, so that a change is a small diff"
    entry = json.loads(path.read_text("utf-8"))["violations"][0]
    assert list(entry) == ["fingerprint", "rule", "table", "message", "reason", "date"]
    assert entry["table"] == values.PROJECTS
    assert (entry["reason"], entry["date"]) == ("known since spring", "2026-11-24")
    assert [p.name for p in tmp_path.iterdir()] == ["known.json"]


def test_an_empty_baseline_is_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    baseline.write(path, known())
    assert dict(baseline.read(path).entries) == {}


def test_entries_keep_reason_and_date_when_written_again() -> None:
    first, second, *_ = values.mixed().violations()
    earlier = baseline.make([first], today=date(2026, 3, 1), reason="old system")
    later = baseline.make([first, second], today=DAY, reason="new", known=earlier)
    assert [(e.reason, e.date) for e in later.entries.values()] == [
        ("old system", "2026-03-01"),
        ("new", "2026-11-24"),
    ]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_entries_carry_no_value_and_no_key(lang: Any) -> None:
    name, phone = "测某某", "13800000000"
    one = values.violation(
        "sample-empty", values.FIRE, ("JSDWLXR",), phone, 3,
        message=Text(
            f"记录 2401-441802-04-01-100003 的联系人{name}的电话{phone}不合格",
            f"record 2401-441802-04-01-100003: phone {phone} of {name} does not conform",
        ),
    )  # fmt: skip
    one = replace(one, key={**one.key, "JSDWLXR": name})
    entry = next(iter(known(one).entries.values()))
    for part in (name, phone, "100003"):
        assert part not in entry.message[lang]
    assert "…" in entry.message[lang]


def test_a_short_code_is_blotted_out_only_where_it_stands_alone() -> None:
    one = values.violation(
        "sample-empty", values.PROJECTS, ("XMMC",), "9", 1,
        message=Text("值 9 不在表 A9 的 19 个代码中", "9 is none of the 19 codes of A9"),
    )  # fmt: skip
    entry = next(iter(known(one).entries.values()))
    assert entry.message == Text("值 … 不在表 A9 的 19 个代码中", "… is none of the 19 codes of A9")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not valid JSON"),
        ("[]", "not a baseline file"),
        ('{"schema_version": 2, "violations": []}', "not a baseline file"),
        ('{"schema_version": 1}', "violations is missing"),
        ('{"schema_version": 1, "violations": [{"fingerprint": "a"}, {}]}', "entry 2 has no"),
        ('{"schema_version": 1, "violations": [7]}', "entry 1 has no"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_in_one_line(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "known.json"
    path.write_text(text, "utf-8")
    with pytest.raises(SourceError) as raised:
        baseline.read(path)
    assert says in raised.value.text.en
    assert "\n" not in raised.value.text.zh


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        baseline.read(tmp_path / "none.json")


def test_people_may_leave_out_what_only_serves_people(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text('{"schema_version": 1, "violations": [{"fingerprint": "a"}]}', "utf-8")
    assert baseline.read(path).entries["a"] == baseline.Entry("a", "", None, Text("", ""), "", "")
