"""Reports as they are, reviewed as diffs. `make golden` writes them anew (SPGL_GOLDEN=write)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

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
]


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
