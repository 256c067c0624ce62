"""Formats by name, lazily imported; files written whole or not at all."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import report_values as values

from validator.reports import FORMATS, ReportOptions, write
from validator.reports.summary import summary
from validator.violation import Violation

OURS = ("text", "json", "jsonl", "junit", "html")


def test_formats_are_named_in_both_languages() -> None:
    assert set(OURS) <= set(FORMATS)
    for name, found in FORMATS.items():
        assert found.name == name
        assert found.title.zh
        assert found.title.en
    assert [name for name in OURS if not FORMATS[name].binary] == ["text"]
    assert [name for name in OURS if not FORMATS[name].screen] == ["html"]


def test_naming_formats_imports_no_renderer() -> None:
    script = "import sys, validator.reports; print(*sorted({'lxml', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b""


@pytest.mark.parametrize("name", OURS)
def test_a_report_is_written_to_a_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("an older report")
    write(name, path, values.mixed(), values.packs(), lang="zh", options=ReportOptions())
    assert "sample-unlisted-code" in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRUSR
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["text", "json", "junit", "html"])
def test_the_notes_of_a_run_are_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / "report"
    write(name, path, values.mixed(), values.packs(), lang="en", options=ReportOptions())
    assert "A baseline hides 3 violations" in path.read_text("utf-8")
    assert "A baseline hides 3 violations" in summary(values.mixed().run, "en")


def test_a_report_that_fails_leaves_the_older_one(tmp_path: Path) -> None:
    def broken() -> Iterator[Violation]:
        yield from values.mixed().make()
        raise OSError("the store went away")

    path = tmp_path / "report.jsonl"
    path.write_text("an older report")
    made = replace(values.mixed(), make=broken)
    with pytest.raises(OSError, match="the store went away"):
        write("jsonl", path, made, values.packs(), lang="zh", options=ReportOptions())
    assert path.read_text() == "an older report"
    assert list(tmp_path.iterdir()) == [path]
