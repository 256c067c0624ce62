"""Conformance: a folder of files per rule that pass, one of files that fail, read as users do.

`conformance/PACK/RULE/good` must make the rule silent; `bad` must make it say exactly what
`expected.json` lists. The files are plain exports: another validator could run them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from validator.check import Options, check
from validator.load import load_packs
from validator.rule import Scope
from validator.rules import rules
from validator.sources import SourceOptions, discover

ROOT = Path(__file__).parent / "conformance"
FOLDERS = sorted(p.parent for p in ROOT.glob("*/*/expected.json"))


def said(rule: str, folder: Path, store: Path) -> list[dict[str, object]]:
    """What the rule says about the files of a folder."""
    packs = load_packs()
    found = discover([folder], packs, SourceOptions())
    assert not found.problems
    done = check(
        packs, found.sources, Options(fingerprint_key=b"k"), store, run_id="c",
        now=lambda: datetime(2026, 11, 24, tzinfo=UTC),
        unknown=[(u.file, u.name) for u in found.unknown],
    )  # fmt: skip
    return [
        {"severity": str(v.severity), "file": v.file, "record": v.record,
         "fields": list(v.fields), "value": v.value}
        for v in done.violations() if v.rule == rule
    ]  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_good_files_pass(folder: Path, tmp_path: Path) -> None:
    fields = [v["fields"] for v in expected(folder)]
    found = said(folder.name, folder / "good", tmp_path)
    if rules()[folder.name].scope is Scope.FIELD:
        # The files leave out what the rule's example does not need.
        found = [v for v in found if v["fields"] in fields]
    assert found == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_bad_files_are_found(folder: Path, tmp_path: Path) -> None:
    wanted = expected(folder)
    fields = [v["fields"] for v in wanted]
    found = said(folder.name, folder / "bad", tmp_path)
    assert [v for v in found if v["fields"] in fields] == wanted


def expected(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "expected.json").read_text("utf-8"))
    assert found
    return found


def test_every_folder_is_a_rule() -> None:
    """A new rule proves itself by its examples alone; its files here may follow."""
    assert {p.name for p in FOLDERS} <= set(rules())
    assert len(FOLDERS) >= 28
