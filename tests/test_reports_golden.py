"""Reports as they are, reviewed as diffs. `make golden` writes them anew (SPGL_GOLDEN=write)."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import report_values as values

from validator.pack import Packs
from validator.reports import FORMATS, ReportOptions
from validator.text import Lang

FOLDER = Path(__file__).parent / "golden" / "reports"
#: No pack for junit: its cases name every rule in use, and this page is not about rules.
CASES = [
    ("mixed.zh.txt", "text", "zh", values.mixed, values.packs()),
    ("mixed.en.txt", "text", "en", values.mixed, values.packs()),
    ("hostile.zh.txt", "text", "zh", values.hostile, values.packs()),
    ("empty.en.txt", "text", "en", values.empty, values.packs()),
    ("mixed.json", "json", "zh", values.mixed, values.packs()),
    ("mixed.jsonl", "jsonl", "zh", values.mixed, values.packs()),
    ("mixed.junit.xml", "junit", "en", values.mixed, Packs(())),
    ("mixed.html", "html", "zh", values.mixed, values.packs()),
    ("mixed.concise.txt", "concise", "zh", values.mixed, values.packs()),
    ("mixed.csv", "csv", "zh", values.mixed, values.packs()),
    ("mixed.github.txt", "github", "en", values.mixed, values.packs()),
    ("mixed.gitlab.json", "gitlab", "zh", values.mixed, values.packs()),
    ("mixed.md", "markdown", "zh", values.mixed, values.packs()),
    ("steering.txt", "text", "en", values.steering, values.packs()),
    ("steering.jsonl", "jsonl", "en", values.steering, values.packs()),
    ("steering.junit.xml", "junit", "en", values.steering, Packs(())),
    ("steering.html", "html", "en", values.steering, values.packs()),
    ("steering.concise.txt", "concise", "en", values.steering, values.packs()),
    ("steering.csv", "csv", "en", values.steering, values.packs()),
    ("steering.github.txt", "github", "en", values.steering, values.packs()),
    ("steering.gitlab.json", "gitlab", "en", values.steering, values.packs()),
    ("steering.md", "markdown", "en", values.steering, values.packs()),
]
#: Formats that hold every value in full; the others show an excerpt.
WHOLE = {"json", "jsonl"}


@pytest.mark.parametrize(
    ("file", "name", "lang", "made", "packs"), CASES, ids=[c[0] for c in CASES]
)
def test_golden(
    file: str, name: str, lang: Lang, made: Callable[[], values.Made], packs: Packs
) -> None:
    out = io.BytesIO()
    FORMATS[name].render(made(), packs, out, lang=lang, options=ReportOptions())
    path = FOLDER / file
    if os.environ.get("SPGL_GOLDEN") == "write":
        path.write_bytes(out.getvalue())
    expected = path.read_bytes().decode("utf-8")
    assert out.getvalue().decode("utf-8") == expected, "review, then `make golden`"


@pytest.mark.parametrize("name", ["mixed", "steering"])
def test_golden_sarif(name: str) -> None:
    """The results only: the rest describes every rule of the project."""
    out = io.BytesIO()
    made: Callable[[], values.Made] = getattr(values, name)
    FORMATS["sarif"].render(made(), Packs(()), out, lang="en", options=ReportOptions())
    results = json.loads(out.getvalue())["runs"][0]["results"]
    for result in results:
        result.pop("ruleIndex", None)
    path = FOLDER / f"{name}.sarif.json"
    told = json.dumps(results, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("SPGL_GOLDEN") == "write":
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8"), "review, then `make golden`"


@pytest.mark.parametrize("name", ["mixed", "steering"])
def test_golden_workbook(name: str) -> None:
    """The texts of the workbook, a line per row, escaped as Python does."""
    out = io.BytesIO()
    made: Callable[[], values.Made] = getattr(values, name)
    FORMATS["xlsx"].render(made(), values.packs(), out, lang="en", options=ReportOptions())
    book = openpyxl.load_workbook(out)
    lines = [
        repr([sheet.title, *(c for c in row if c is not None)])
        for sheet in book for row in sheet.iter_rows(values_only=True)
    ]  # fmt: skip
    path, told = FOLDER / f"{name}.xlsx.txt", "\n".join([*lines, ""])
    if os.environ.get("SPGL_GOLDEN") == "write":
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8"), "review, then `make golden`"


@pytest.mark.parametrize("name", FORMATS)
def test_a_cell_of_a_megabyte(name: str) -> None:
    out = io.BytesIO()
    FORMATS[name].render(values.enormous(), values.packs(), out, lang="en", options=ReportOptions())
    size = out.getbuffer().nbytes
    assert size > 1_000_000 if name in WHOLE else size < 500_000
