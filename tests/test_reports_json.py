"""The json and jsonl reports hold everything and keep their published shape."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import report_values as values
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from validator.pack import Provenance
from validator.reports import FORMATS, ReportOptions
from validator.reports.json import encode
from validator.violation import Severity

DOCS = Path(__file__).parent.parent / "docs"
VIOLATION: dict[str, Any] = json.loads((DOCS / "violation.schema.json").read_text("utf-8"))
REPORT: dict[str, Any] = json.loads((DOCS / "report.schema.json").read_text("utf-8"))
REGISTRY: Registry[Any] = Registry().with_resource(
    "violation.schema.json", Resource.from_contents(VIOLATION)
)
MADE = {
    "mixed": values.mixed,
    "hostile": values.hostile,
    "empty": values.empty,
    "clean": values.clean,
}


def written(name: str, made: values.Made) -> bytes:
    out = io.BytesIO()
    FORMATS[name].render(made, values.packs(), out, lang="zh", options=ReportOptions(samples=1))
    return out.getvalue()


@pytest.mark.parametrize("name", MADE)
def test_the_json_report_is_valid_against_its_schema(name: str) -> None:
    made = MADE[name]()
    report = json.loads(written("json", made))
    validator = Draft202012Validator(
        REPORT, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    assert [e.message for e in validator.iter_errors(report)] == []
    assert report["violations"] == [v.to_json() for v in made.violations()]


@pytest.mark.parametrize("name", MADE)
def test_each_jsonl_line_is_one_valid_violation(name: str) -> None:
    made = MADE[name]()
    lines = written("jsonl", made).decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [v.to_json() for v in made.violations()]
    validator = Draft202012Validator(VIOLATION)
    for line in lines:
        validator.validate(json.loads(line))


def test_schemas_are_schemas_and_refuse_what_they_should() -> None:
    for schema in (VIOLATION, REPORT):
        Draft202012Validator.check_schema(schema)
    good = next(values.mixed().violations()).to_json()
    for change in ({"severity": "fatal"}, {"record": 0}, {"key": {"GCDM": 1}}, {"message": "x"}):
        assert not Draft202012Validator(VIOLATION).is_valid({**good, **change})
    assert not Draft202012Validator(REPORT, registry=REGISTRY).is_valid({"schema_version": 1})


def test_the_schemas_describe_every_member_that_is_written() -> None:
    report = json.loads(written("json", values.mixed()))
    defs: Mapping[str, Any] = REPORT["$defs"]
    run = report["run"]
    pairs = [
        (VIOLATION, report["violations"][0]),
        (REPORT, report),
        (defs["run"], run),
        (defs["pack"], run["packs"][0]),
        (defs["counts"], run["counts"]),
        (defs["rule"], run["rules"][0]),
        (defs["problem"], run["problems"][0]),
        (defs["table"], report["tables"][values.PROJECTS]),
    ]
    for schema, value in pairs:
        assert list(schema["properties"]) == list(value), "document the member and keep its place"
        assert schema["required"] == list(schema["properties"])


def test_the_enumerations_of_the_schema_are_ours() -> None:
    properties = VIOLATION["properties"]
    assert properties["severity"]["enum"] == [str(s) for s in Severity]
    assert properties["provenance"]["enum"] == [str(p) for p in Provenance]


def test_counts_of_the_run_include_what_belongs_to_no_table() -> None:
    counts = json.loads(written("json", values.mixed()))["run"]["counts"]
    assert counts["violations"] == {"error": 11, "warning": 2, "info": 0}
    parts = ("unreadable", "skipped", "duplicate", "conforming", "blocked")
    assert counts["records"] == sum(counts[name] for name in parts) == 1234


def test_machine_formats_never_cap() -> None:
    made = values.many(5000)
    assert written("jsonl", made).count(b"\n") == 5000
    assert len(json.loads(written("json", made))["violations"]) == 5000


def test_a_file_name_that_is_no_utf8_still_gives_json() -> None:
    assert json.loads(encode({"file": "a\udcff.csv"})) == {"file": "a\udcff.csv"}
    assert encode({"文件": 1}) == '{"文件":1}'.encode()
