"""The sample city: the same bytes from the same seed, and exactly the violations it documents."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pusher.sandbox.script import Refusal, script_of
from validator.check import Checked, Options, check
from validator.lexical import canonical
from validator.load import load_packs
from validator.rules import rules
from validator.sources import SourceOptions, discover
from validator.violation import Severity

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
COMMITTED = EXAMPLES / "sample-city"


def _generate(out: Path, *options: str) -> Path:
    command = [sys.executable, str(EXAMPLES / "generate_city.py"), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True)
    return out


def _files(folder: Path) -> dict[str, bytes]:
    """Every file of an export; the READMEs are written by hand."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.name.startswith("README")
    }


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _generate(tmp_path_factory.mktemp("planted") / "city")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _generate(tmp_path_factory.mktemp("clean") / "city", "--clean")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _generate(tmp_path_factory.mktemp("second") / "city", "--night", "2")


def test_committed_files_are_what_the_generator_writes(planted: Path) -> None:
    made, kept = _files(planted), _files(COMMITTED)
    differing = sorted(name for name in made | kept if made.get(name) != kept.get(name))
    assert not differing, (
        f"run `python examples/generate_city.py --out examples/sample-city`: {differing}"
    )
    for name in ("defects", "sandbox"):
        manifest = planted.with_name(f"city.{name}.json").read_bytes()
        assert manifest == (EXAMPLES / f"sample-city.{name}.json").read_bytes()


def test_another_seed_makes_another_city(clean: Path, tmp_path: Path) -> None:
    other = _generate(tmp_path / "city", "--clean", "--seed", "7")
    assert _files(other).keys() == _files(clean).keys()
    assert _files(other) != _files(clean)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_lists_every_file(name: str) -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", (COMMITTED / name).read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(_files(COMMITTED))


def test_readmes_count_as_the_check_does(tmp_path: Path) -> None:
    run = _checked(COMMITTED, tmp_path / "run").run
    counts: dict[str, int] = {}
    for file, rows in run.files.items():
        name = file.partition("#")[0]
        counts[name] = counts.get(name, 0) + rows
    severities = [d["severity"] for d in _defects(COMMITTED)]
    for readme in ("README.md", "README.zh-CN.md"):
        text = (COMMITTED / readme).read_text("utf-8")
        listed = dict(re.findall(r"^\| `([^`]+)` \|.*\| ([\d,]+) \|$", text, re.MULTILINE))
        assert {n: int(listed[n].replace(",", "")) for n in counts} == counts
        assert f" {severities.count('error')} " in text
        assert f" {severities.count('warning')} " in text


def test_places_and_numbers_are_unassigned(clean: Path) -> None:
    """Every division and every citizen number starts with 99, which GB/T 2260 does not assign."""
    for name, data in _files(clean).items():
        text = data.decode(
            "gb18030" if data[:3] != b"\xef\xbb\xbf" and not _utf8(data) else "utf-8"
        )
        for number in re.findall(r"(?<![0-9A-Za-z.-])[0-9]{17}[0-9X](?![0-9A-Za-z])", text):
            assert number.startswith(("99", "9199", "1199")), f"{name}: {number}"


def _utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _defects(folder: Path) -> list[dict[str, Any]]:
    document = json.loads(folder.with_name(f"{folder.name}.defects.json").read_text("utf-8"))
    return list(document["defects"])


def _checked(export: Path, store: Path) -> Checked:
    packs = load_packs()
    found = discover([export], packs, SourceOptions())
    return check(
        packs,
        found.sources,
        Options(show_personal=True),
        store,
        run_id="test",
        now=lambda: datetime(2025, 9, 25, 21, tzinfo=UTC),
        unknown=[(u.file, u.name) for u in found.unknown],
        problems=found.problems,
    )


def _said(checked: Checked) -> list[tuple[object, ...]]:
    """What was found, without what follows from it."""
    return [
        (v.severity, v.rule, v.table, v.file, v.record, v.fields)
        for v in checked.violations()
        if v.rule != "parent-not-conforming"
    ]


def test_planted_defects_are_found_and_nothing_else(planted: Path, tmp_path: Path) -> None:
    checked, defects = _checked(planted, tmp_path), _defects(planted)
    wanted = [
        (d["severity"], d["rule"], d["table"], d["file"], d["record"], tuple(d["fields"]))
        for d in defects
    ]
    assert not checked.run.problems
    said = _said(checked)
    for severity in (Severity.ERROR, Severity.WARNING):
        assert sorted((v for v in said if v[0] is severity), key=str) == sorted(
            (w for w in wanted if w[0] == severity), key=str
        )
    assert set(wanted) <= set(said)
    values = {(v.rule, v.file, v.record): v for v in checked.violations()}
    for defect in defects:
        found = values[defect["rule"], defect["file"], defect["record"]]
        bad = defect["bad"].get(defect["fields"][0]) if len(defect["fields"]) == 1 else None
        if defect["action"] == "set" and bad is not None:
            assert found.value == bad
        assert dict(found.key) == _canonical(defect) or defect["action"] == "spoil"


def _canonical(defect: dict[str, Any]) -> dict[str, str]:
    """The key as reports give it."""
    fields = {f.name: f for t in load_packs().named(defect["table"] or "") for f in t.fields}
    return {name: canonical(fields[name].kind, text) for name, text in defect["key"].items()}


def test_records_held_back_are_those_below_a_defect(planted: Path, tmp_path: Path) -> None:
    run = _checked(planted, tmp_path).run
    assert run.total("blocked_parent") == sum(d["holds_back"] for d in _defects(planted)) > 0


def test_enough_is_planted() -> None:
    defects = [d for d in _defects(COMMITTED) if d["severity"] == "error"]
    assert 30 <= len(defects) <= 70
    packs = load_packs()
    stages = {packs.named(d["table"])[0].stage for d in defects}
    assert stages >= {s.id for p in packs for s in p.stages}
    assert {packs.named(d["table"])[0].standard for d in defects} == {p.name for p in packs}


def test_the_rules_people_should_see_are_planted() -> None:
    """Rules that block and that the sample shows; planting a new rule is not demanded."""
    planted = {d["rule"] for d in _defects(COMMITTED) if d["severity"] == "error"}
    assert planted == {
        "acceptance-without-start",
        "assessed-project-without-unit",
        "blank-key",
        "business-row-of-other-item",
        "category-outside-class",
        "code-not-in-list",
        "completed-case-without-business-row",
        "completed-case-without-event",
        "dangling-reference",
        "duplicate-key",
        "event-after-end",
        "first-event-differs",
        "missing-conditional-value",
        "missing-event",
        "missing-invalid-reason",
        "missing-value",
        "no-unit-large-enough",
        "open-pause-at-completion",
        "parallel-item-repeated",
        "repeated-acceptance",
        "repeated-completion",
        "repeated-intake",
        "repeated-part",
        "special-procedure-without-event",
        "stage-limit-out-of-range",
        "unpaired-event",
        "unreadable-record",
        "value-not-unique",
        "wrong-check-digit",
        "wrong-format",
        "wrong-type",
    }
    assert planted <= rules().keys()


def test_clean_nights_have_nothing_to_report(clean: Path, second: Path, tmp_path: Path) -> None:
    for export in (clean, second):
        checked = _checked(export, tmp_path / export.parent.name)
        assert not checked.run.problems
        assert [v for v in _said(checked) if v[0] is not Severity.INFO] == []
        assert checked.run.total("blocked") == 0
        assert checked.run.total("skipped") >= 2


def test_second_night_changes_what_the_sandbox_refused(clean: Path, second: Path) -> None:
    refusals = json.loads((EXAMPLES / "sample-city.sandbox.json").read_text("utf-8"))["refusals"]
    script = script_of({"refusals": refusals})
    assert 3 <= len(script.refusals) <= 5
    for night, refused in ((clean, 1), (second, 0)):
        for refusal in script.refusals:
            assert _matching(night, refusal) == refused


def _matching(export: Path, refusal: Refusal) -> int:
    packs = load_packs()
    found = discover([export], packs, SourceOptions())
    return sum(
        refusal.matches(refusal.table, {}, {k: v for k, v in row.items() if v is not None})
        for source in found.sources
        if source.table.name == refusal.table
        for batch in source.batches(10_000)
        for row in batch.frame.to_dicts()
    )


def _applied(city: Path, folder: Path) -> Checked:
    """The city checked together with its fire applications."""
    packs = load_packs(["fire-application"])
    names = {"SPGL_XMJBXXB": "data-sharing-3.0:SPGL_XMJBXXB"}
    found = discover([city], packs, SourceOptions(tables=names))
    assert not found.problems
    fire = [s for s in found.sources if "JSGCXF" in s.table.name or s.table.order > 39]
    return check(
        packs, fire, Options(fingerprint_key=b"k"), folder, run_id="r",
        now=lambda: datetime(2025, 9, 26, tzinfo=UTC),
    )  # fmt: skip


def test_applications_agree_with_the_fire_rows_of_their_cases(tmp_path: Path) -> None:
    city = _generate(tmp_path / "city", "--clean", "--applications")
    own = [
        v for v in _applied(city, tmp_path / "1").violations() if v.standard == "fire-application"
    ]
    # Two owners are natural persons, whose number is no credit code.
    assert {(v.rule, v.pointer) for v in own} == {
        ("document-wrong-check-digit", "/ProjectDto/ConstructionUscc")
    }
    assert all("*" in (v.value or "") for v in own)
    path = city / "fire-application/SPGL_XMJBXXB.jsonl"
    first, second, *rest = path.read_text("utf-8").splitlines()
    renamed = json.dumps({**json.loads(first), "LSH": "ZZ1"})
    moved = json.dumps({**json.loads(second), "GCDM": "elsewhere"})
    path.write_text("\n".join([renamed, moved, *rest]), "utf-8")
    found = {
        (v.rule, v.table, v.pointer)
        for v in _applied(city, tmp_path / "2").violations()
        if v.rule in {"document-differs-from-record"} or "application" in v.rule
    }
    assert found == {
        ("application-without-fire-row", "SPGL_XMJBXXB", None),
        ("fire-row-without-application", "SPGL_JSGCXFSJSCXXB", None),
        ("document-differs-from-record", "SPGL_XMJBXXB", None),
    }
