"""Reports for CI services: valid against their formats, bounded, exact, hostile values harmless."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import report_values as values
from jsonschema import Draft4Validator, Draft202012Validator

from validator.reports import FORMATS, ReportOptions, places
from validator.reports.github import attribute, data
from validator.reports.markdown import escaped
from validator.reports.quotas import spread
from validator.rules import rules
from validator.text import Lang, Text
from validator.violation import Severity

SCHEMAS = Path(__file__).parent / "schemas"
SARIF = Draft4Validator(json.loads((SCHEMAS / "sarif-2.1.0.schema.json").read_text("utf-8")))
GITLAB = Draft202012Validator(
    json.loads((SCHEMAS / "gitlab-code-quality.schema.json").read_text("utf-8"))
)
MADE = {
    "mixed": values.mixed,
    "hostile": values.hostile,
    "empty": values.empty,
    "clean": values.clean,
}
TEXTS = ("concise", "github", "markdown")


def written(name: str, made: values.Made, lang: Lang = "en") -> str:
    out = io.BytesIO()
    options = ReportOptions(tool="spgl 0.1.0")
    FORMATS[name].render(made, values.packs(), out, lang=lang, options=options)
    return out.getvalue().decode("utf-8")


def noted(made: values.Made) -> values.Made:
    note = Text("基线隐藏已知问题 3 处。", "the baseline hides 3 known violations.")
    return values.Made(replace(made.run, notes=(note,)), made.make)


def shared_counts(lines: int, made: values.Made) -> Counter[tuple[str, str]]:
    return Counter((v.rule, str(v.severity)) for v in spread(made, lines))


# --- which violations a bounded report shows


def test_a_rare_rule_is_not_crowded_out_by_a_frequent_one() -> None:
    made = values.many(5000)  # 1,000 of sample-empty, 4,000 of sample-unlisted-code
    assert shared_counts(10, made) == {
        ("sample-empty", "error"): 5,
        ("sample-unlisted-code", "error"): 5,
    }
    assert shared_counts(3000, made)[("sample-empty", "error")] == 1000
    assert shared_counts(3000, made).total() == 3000


def test_the_gravest_come_first_and_order_is_kept() -> None:
    made = values.mixed()  # 11 errors, 2 warnings
    everything = list(made.violations())
    assert list(spread(made, 100)) == everything
    assert list(spread(made, 11)) == [v for v in everything if v.severity is Severity.ERROR]
    assert shared_counts(12, made)[("sample-wrong-order", "warning")] == 0
    assert shared_counts(12, made)[("sample-stray-file", "warning")] == 1
    assert Counter(v.severity for v in spread(made, 100, of_each=1)) == {
        Severity.ERROR: 1,
        Severity.WARNING: 1,
    }
    assert list(spread(made, 0)) == []


def test_reading_stops_when_nothing_more_is_shown() -> None:
    made = values.many(100)

    def make() -> Any:
        for number, violation in enumerate(made.violations()):
            assert number < 20, "the rest of a long run is not read for a short report"
            yield violation

    assert len(list(spread(values.Made(made.run, make), 4))) == 4


# --- where CI services look


@pytest.mark.parametrize(
    ("file", "inputs", "expected"),
    [
        ("SPGL_XMJBXXB.csv", ("export",), "export/SPGL_XMJBXXB.csv"),
        ("a/b.csv", ("./data/export/",), "data/export/a/b.csv"),
        ("SPGL_XMJBXXB.csv", ("data/SPGL_XMJBXXB.csv",), "data/SPGL_XMJBXXB.csv"),
        ("b.csv", ("x/a.csv", "y/b.csv"), "y/b.csv"),
        ("north/b.csv", ("in/north", "in/south"), "in/north/b.csv"),
        ("only.csv", ("in/north", "in/south"), "only.csv"),
        ("book.xlsx#项目", ("in/book.xlsx",), "in/book.xlsx"),
        ("SPGL_X.csv", ("data\\export",), "data/export/SPGL_X.csv"),
        ("SPGL_X", ("sqlite:///a.db",), "SPGL_X"),
        (None, ("export",), "export"),
        (None, (), ""),
    ],
)
def test_paths_start_where_the_command_was_run(
    file: str | None, inputs: tuple[str, ...], expected: str
) -> None:
    assert places.path(file, inputs) == expected


def test_a_file_and_what_is_inside() -> None:
    assert places.split("a/all.json#SPGL_XMJBXXB") == ("a/all.json", "SPGL_XMJBXXB")
    assert places.split("odd#name.csv") == ("odd#name.csv", "")
    assert places.uri("导出/a b#1.csv") == "%E5%AF%BC%E5%87%BA/a%20b%231.csv"
    assert places.uri("bad\udcff:name") == "bad%5Cudcff%3Aname"


# --- concise


def test_concise_is_one_line_per_violation_and_then_the_summary() -> None:
    lines = written("concise", values.mixed()).splitlines()
    assert lines[10] == (
        "export/SPGL_XMJBXXB.csv:8: warning sample-wrong-order "
        "The planned start is after the planned end"
    )
    assert lines[12].startswith("export/notes.csv: warning sample-stray-file ")
    assert len([line for line in lines if re.match(r"\S+: (error|warning|info) ", line)]) == 13
    assert "official fields 0 of 7" in written("concise", values.mixed())
    assert lines[-1].startswith("Incomplete, 1 file could not be read")
    assert written("concise", values.many(3000)).count(": error ") == 3000


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_hidden_character_reaches_a_text_report(name: str, lang: Lang) -> None:
    text = written(name, values.hostile(), lang)
    assert all(c.isprintable() or c == "\n" for c in text)
    assert len(text) < 40_000, "a value of 40,000 characters is shown as an excerpt"


# --- github


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("::")]


def test_github_annotations_name_place_rule_message_and_help() -> None:
    lines = written("github", values.mixed()).splitlines()
    assert lines[0] == (
        "::error file=export/empty.csv,title=Files that could not be read::"
        "The file is empty; export it again"
    )
    assert (
        "::warning file=export/SPGL_XMJBXXB.csv,line=8,title=sample-wrong-order::"
        "The planned start is after the planned end%0ACheck both dates."
    ) in lines
    assert "1 more not shown" in lines, "11 errors, of which ten are shown"
    assert lines[-1].startswith("Incomplete")


def test_github_annotations_are_ten_of_a_kind() -> None:
    kinds = Counter(line.split(" ")[0] for line in commands(written("github", values.many(5000))))
    assert kinds == {"::error": 10}
    assert "4,990 more not shown" in written("github", values.many(5000))


def test_github_escapes_what_would_end_a_command() -> None:
    assert data("50%\r\nnext: a, b") == "50%25%0D%0Anext: a, b"
    assert attribute("50%\r\na: b, c") == "50%25%0D%0Aa%3A b%2C c"
    text = written("github", values.hostile())
    for line in commands(text):
        properties, _, message = line[2:].partition("::")
        names = [part.split("=")[0] for part in properties.split(" ", 1)[1].split(",")]
        assert set(names) <= {"file", "line", "title"}
        assert message
    assert not [line for line in text.splitlines() if "##[" in line and line[:2] != "::"]


def test_a_violation_is_no_command_of_its_own() -> None:
    def make() -> Any:
        for value in ("::add-mask::x", "##[set-env name=PATH]x", "a\n::error::planted"):
            yield values.violation(
                "sample-empty", values.PROJECTS, ("XMMC",), value, 1,
                message=Text(value, value), file=value,
            )  # fmt: skip

    made = values.Made(values.head({}, values.rule_counts(make())), make)
    found = commands(written("github", made))
    assert len(found) == 3
    assert all(line.startswith("::error file=") for line in found)


# --- gitlab


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", MADE)
def test_gitlab_is_valid_and_fingerprints_differ(name: str, lang: Lang) -> None:
    findings = json.loads(written("gitlab", noted(MADE[name]()), lang))
    assert [e.message for e in GITLAB.iter_errors(findings)] == []
    marks = [finding["fingerprint"] for finding in findings]
    assert len(set(marks)) == len(marks)


def test_gitlab_tells_severities_files_and_the_basis() -> None:
    findings = json.loads(written("gitlab", values.mixed()))
    found = Counter((f["check_name"], f["severity"]) for f in findings)
    assert found[("pack-basis", "info")] == 2
    assert found[("unreadable-file", "blocker")] == 1
    assert found[("sample-unlisted-code", "major")] == 5
    assert found[("sample-wrong-order", "minor")] == 1
    place = next(f["location"] for f in findings if f["check_name"] == "sample-wrong-order")
    assert place == {"path": "export/SPGL_XMJBXXB.csv", "lines": {"begin": 8}}


def test_gitlab_keeps_repetitions_apart() -> None:
    """GitLab keeps one finding per fingerprint."""
    one = values.violation("sample-empty", values.PROJECTS, ("XMMC",), None, 1)
    made = values.Made(
        values.head({}, values.rule_counts(iter([one] * 3))), lambda: iter([one] * 3)
    )
    marks = [f["fingerprint"] for f in json.loads(written("gitlab", made))][-3:]
    assert marks == [one.fingerprint, f"{one.fingerprint}-2", f"{one.fingerprint}-3"]


# --- sarif


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", MADE)
def test_sarif_is_valid(name: str, lang: Lang) -> None:
    log = json.loads(written("sarif", noted(MADE[name]()), lang))
    assert [e.message for e in SARIF.iter_errors(log)] == []


def test_the_sarif_schema_refuses_what_it_should() -> None:
    log = json.loads(written("sarif", values.mixed()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not SARIF.is_valid(log)


def test_sarif_results_point_to_rule_place_and_fingerprint() -> None:
    run = json.loads(written("sarif", values.mixed()))["runs"][0]
    first = next(values.mixed().violations())
    result = run["results"][0]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == first.rule
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 2}
    assert unquote(place["artifactLocation"]["uri"]) == "export/SPGL_XMJBXXB.csv"
    assert set(result["partialFingerprints"].values()) == {first.fingerprint}
    assert result["message"]["text"] == f"{first.message.en}. {first.help.en}"
    assert Counter(r["level"] for r in run["results"]) == {"error": 11, "warning": 2}


def test_sarif_holds_every_rule_in_both_languages() -> None:
    for lang, other in (("zh", "en"), ("en", "zh")):
        run = json.loads(written("sarif", values.empty(), lang))["runs"][0]
        driver, translation = run["tool"]["driver"], run["translations"][0]
        assert [rule["id"] for rule in driver["rules"]] == sorted(rules())
        for described, translated in zip(driver["rules"], translation["rules"], strict=True):
            rule = rules()[described["id"]]
            assert described["shortDescription"]["text"] == rule.title[lang]
            assert translated["id"] == described["id"]
            assert translated["shortDescription"]["text"] == rule.title[other]
            assert translated["help"]["text"] == rule.help[other]


def test_sarif_tells_basis_totals_and_unreadable_files() -> None:
    run = json.loads(written("sarif", noted(values.mixed())))["runs"][0]
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    told = [(n["level"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]]
    assert ("error", "The file is empty; export it again") in told
    assert ("note", "the baseline hides 3 known violations.") in told
    assert sum("Reconstructed" in text for _, text in told) == 2
    assert run["properties"]["violations"] == {"error": 11, "warning": 2, "info": 0}
    assert run["properties"]["notShown"] == 0


def test_sarif_stays_below_what_services_take_and_counts_the_rest() -> None:
    run = json.loads(written("sarif", values.many(26_000)))["runs"][0]
    assert len(run["results"]) == 25_000
    assert run["properties"]["violations"]["error"] == 26_000
    assert run["properties"]["notShown"] == 1000
    assert Counter(r["ruleId"] for r in run["results"])["sample-empty"] == 5200
    told = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert any(text.startswith("1,000 more not shown") for text in told)


# --- markdown


def test_markdown_counts_by_stage_table_and_rule() -> None:
    text = written("markdown", noted(values.mixed()))
    lines = text.splitlines()
    assert lines[0] == "## ❌ Validation report"
    assert "official fields 0 of 7" in text
    assert "> the baseline hides 3 known violations.  " in lines
    assert "| Case records | 1 | 0 | 0 |" in lines
    assert "| SPGL\\_XMJBXXB Project | 1,200 | 1,190 | 9 | 10 | 1 | 0 |" in lines
    assert "| sample-unlisted-code | 5 | 0 | 0 |" in lines
    assert "| export/empty.csv | The file is empty; export it again |" in lines
    assert written("markdown", values.clean()).startswith("## ✅")


def test_markdown_samples_are_bounded_and_counts_exact() -> None:
    text = written("markdown", values.many(5000))
    assert "| sample-unlisted-code | 4,000 | 0 | 0 |" in text
    assert text.count("| export/SPGL\\_XMJBXXB.csv:") == 6
    assert "3,997 more not shown" in text

    def make() -> Any:
        for number in range(1000):
            yield values.violation(f"sample-{number}", f"table{number}", (), "长" * 5000, 1)

    made = values.Made(values.head({}, values.rule_counts(make())), make)
    assert len(written("markdown", made).encode()) < 300_000, "a job summary takes 1 MiB"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_markdown_holds_no_markup_of_others(lang: Lang) -> None:
    text = written("markdown", values.hostile(), lang)
    tags = set(re.findall(r"(?<!\\)<[^>]*>", text))
    assert tags == {"<details>", "</details>", "<summary>", "</summary>"}
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 5, 6, 8)


def test_markdown_escapes() -> None:
    assert escaped("a|b\n[x](http://e.invalid) `c` <b> @all www.e.invalid") == (
        "a\\|b\\\\n\\[x\\](http\\://e.invalid) \\`c\\` \\<b\\> \\@all www\\.e.invalid"
    )
