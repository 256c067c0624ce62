"""Two runs side by side; json reports read back; the command that does both."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import report_values as values
from jsonschema import Draft202012Validator
from test_reports_json import DOCS, REGISTRY

from spgl.cli import main
from validator import report_file
from validator.compare import Change, Group, compare, differences
from validator.records import SourceError
from validator.reports import FORMATS, ReportOptions, write
from validator.reports.comparison import render_json, render_text
from validator.run import FileProblem
from validator.text import Lang, Text
from validator.violation import Severity, Violation

COMPARISON = json.loads((DOCS / "compare.schema.json").read_text("utf-8"))


def run_of(violations: Sequence[Violation], name: str = "run") -> values.Made:
    head = replace(values.head({}, values.rule_counts(iter(violations))), id=name)
    return values.Made(head, lambda: iter(violations))


def fault(record: int, severity: Severity = Severity.ERROR) -> Violation:
    return values.violation(
        "sample-empty", values.PROJECTS, ("XMMC",), None, record, severity=severity
    )


def test_new_fixed_and_unchanged() -> None:
    found = compare(run_of([fault(1), fault(2), fault(3)]), run_of([fault(2), fault(3), fault(4)]))
    assert list(found.new()) == [fault(4)]
    assert list(found.fixed()) == [fault(1)]
    group = Group("sample-empty", Severity.ERROR, values.PROJECTS)
    assert found.counts == {
        Change.NEW: {group: 1},
        Change.FIXED: {group: 1},
        Change.UNCHANGED: {group: 2},
    }


def test_repetitions_are_counted() -> None:
    found = compare(run_of([fault(1)] * 3 + [fault(2)]), run_of([fault(1)] * 5))
    assert [found.total(change) for change in Change] == [2, 1, 3]
    assert list(found.new()) == [fault(1)] * 2
    assert list(found.fixed()) == [fault(2)]


def test_the_same_run_has_no_changes() -> None:
    found = compare(values.mixed(), values.mixed())
    assert [found.total(change) for change in Change] == [0, 0, 13]
    assert found.total(Change.UNCHANGED, Severity.WARNING) == 2
    assert differences(found.before.run, found.after.run)[0].en.startswith("files that could not")


def test_what_makes_runs_hard_to_compare_is_said() -> None:
    first = values.head({}, ())
    problem = FileProblem("a.csv", Text("空", "empty"))
    second = replace(first, packs=first.packs[:1], inputs=("other",), problems=(problem,))
    texts = [text.en for text in differences(first, second)]
    assert [text.split(":")[0] for text in texts] == [
        "other packs",
        "other inputs",
        "files that could not be read",
    ]
    assert differences(first, first) == ()


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "新增 已修复 未变"), ("en", "New Fixed Unchanged")]
)
def test_the_text_counts_and_names_changes(lang: Lang, words: str) -> None:
    out = io.StringIO()
    before = run_of([fault(n) for n in range(1, 40)], "first")
    after = run_of([fault(n) for n in range(30, 40)] + [fault(50)], "second")
    render_text(compare(before, after), values.packs(), out, lang=lang)
    lines = out.getvalue().splitlines()
    counted = [line.split(":")[0] for line in lines if line and not line.startswith(" ")]
    new, fixed, unchanged = words.split()
    assert counted[-3:] == [f"{new} 1", f"{fixed} 29", f"{unchanged} 10"]
    assert lines[0].startswith("first (")
    assert sum("SPGL_XMJBXXB.csv:" in line for line in lines) == 1 + 3
    assert sum("26" in line and line.startswith("    ") for line in lines) == 1, "not shown"


def test_the_json_holds_every_change() -> None:
    out = io.BytesIO()
    render_json(compare(run_of([fault(1), fault(2)]), values.many(50)), out)
    document = json.loads(out.getvalue())
    assert len(document["new"]) == 50
    assert [v["record"] for v in document["fixed"]] == [1, 2]
    assert document["counts"]["new"]["violations"] == {"error": 50, "warning": 0, "info": 0}
    assert document["counts"]["fixed"]["groups"] == [
        {"rule": "sample-empty", "severity": "error", "table": values.PROJECTS, "count": 2}
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [(values.mixed, values.steering), (values.empty, values.mixed), (values.clean, values.clean)],
)
def test_the_json_is_valid_against_its_schema(
    before: Callable[[], values.Made], after: Callable[[], values.Made]
) -> None:
    out = io.BytesIO()
    render_json(compare(before(), after()), out)
    schema = Draft202012Validator(COMPARISON, registry=REGISTRY)
    document = json.loads(out.getvalue())
    schema.validate(document)
    assert not schema.is_valid({**document, "new": [{"rule": "sample-empty"}]})
    assert not schema.is_valid({**document, "counts": {}})
    assert set(COMPARISON["properties"]) == set(document), "every member is described"


# --- json reports read back


def report(made: values.Made, path: Path) -> Path:
    write("json", path, made, values.packs(), lang="zh", options=ReportOptions())
    return path


@pytest.mark.parametrize("name", ["mixed", "hostile", "empty", "clean"])
def test_a_json_report_comes_back(tmp_path: Path, name: str) -> None:
    made = getattr(values, name)()
    found = report_file.read(report(made, tmp_path / "run.json"))
    assert list(found.violations()) == list(made.violations())
    assert found.run == made.run


def test_a_report_laid_out_anew_comes_back(tmp_path: Path) -> None:
    path = report(values.mixed(), tmp_path / "run.json")
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=2), "utf-8")
    found = report_file.read(path)
    assert list(found.violations()) == list(values.mixed().violations())


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for text in ("", "{}", "[]", '"violations":[\n', '{"schema_version":2}', "\x00"):
        path.write_text(text, "utf-8")
        with pytest.raises(SourceError) as raised:
            report_file.read(path)
        assert "--report json=FILE" in raised.value.text.en


def test_a_report_that_was_cut_off_is_refused_while_reading(tmp_path: Path) -> None:
    path = report(values.mixed(), tmp_path / "run.json")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))
    found = report_file.read(path)
    with pytest.raises(SourceError):
        list(found.violations())


# --- the command


@pytest.fixture
def runs(tmp_path: Path) -> tuple[str, str]:
    one, two = list(values.mixed().violations()), list(values.mixed().violations())[2:]
    first = report(run_of(one, "first"), tmp_path / "first.json")
    second = report(run_of(two, "second"), tmp_path / "second.json")
    return str(first), str(second)


def test_report_renders_a_json_report_again(
    tmp_path: Path, runs: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.sarif"
    words = ["report", runs[0], "--lang", "en", "--format", "concise", "--report", f"sarif={page}"]
    assert main(words) == 0
    assert capfd.readouterr().out.count("error sample-") == 11
    assert json.loads(page.read_bytes())["version"] == "2.1.0"
    assert main([*words, "--fail-on", "warning"]) == 1


def test_report_compares_and_fails_only_on_what_is_new(
    runs: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = runs
    assert main(["report", "compare", first, second, "--fail-on", "info", "--lang", "en"]) == 0
    assert "Fixed 2: 2 errors" in capfd.readouterr().out
    assert main(["report", "compare", second, first, "--fail-on", "error"]) == 1
    capfd.readouterr()
    assert main(["report", "compare", second, first, "--format", "json"]) == 0
    assert len(json.loads(capfd.readouterr().out)["new"]) == 2


def test_report_takes_and_writes_baselines(
    tmp_path: Path, runs: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = runs
    known = tmp_path / "known.json"
    command = ["--lang", "en", "--fail-on", "info", "--format", "concise"]
    assert main(["report", first, *command, "--write-baseline", str(known)]) == 0
    assert "Not conforming" not in capfd.readouterr().out
    assert main(["report", first, *command, "--baseline", str(known)]) == 0
    capfd.readouterr()
    assert main(["report", second, *command, "--baseline", str(known)]) == 0
    assert capfd.readouterr().err.count("stale in the baseline: sample-unlisted-code") == 2
    assert main(["report", second, *command, "--write-baseline", str(known)]) == 0
    capfd.readouterr()
    assert main(["report", first, *command, "--baseline", str(known)]) == 1
    assert capfd.readouterr().out.count(": error sample-unlisted-code") == 2


def test_a_stored_run_is_the_run_of_its_json_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "SPGL_XMBQXXB.csv").write_text("XMDM,NOSUCH\n,x\n2399-990102-04-02-000001,y\n")
    command = ["--lang", "en", "--format", "jsonl"]
    assert main(["validate", ".", *command, "--report", "json=run.json"]) in (0, 1)
    first = capfd.readouterr().out
    assert first.count("\n") >= 2
    (stored,) = (tmp_path / ".spgl" / "runs").iterdir()
    for name in ([], [stored.name], [str(stored)], [str(stored / "run.json")], ["run.json"]):
        assert main(["report", *name, *command]) == 0
        assert capfd.readouterr().out == first, name
    assert main(["report", "compare", "run.json", stored.name, "--lang", "en"]) == 0
    assert f"Unchanged {first.count(chr(10))}" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["report", "no-such-run"], "no run no-such-run"),
        (["report"], "no stored run"),
        (["report", "a", "b"], "one run at a time"),
        (["report", "compare", "a"], "usage: spgl report compare"),
        (["report", "compare", "a", "b", "--format", "sarif"], "usage: spgl report compare"),
        (["report", "a", "--baseline", "none.json"], "none.json"),
        (["report", "a", "--write-baseline", "none/known.json"], "folder none does not exist"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--lang", "en"]) == 2
    told = capfd.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_every_screen_format_can_show_a_run(
    runs: tuple[str, str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in (f.name for f in FORMATS.values() if f.screen):
        assert main(["report", runs[0], "--format", name]) == 0
        assert capfdbinary.readouterr().out
