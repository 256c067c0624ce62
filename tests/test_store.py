"""Runs on disk: what is written is read back, in order, privately, and bad folders are told."""

from __future__ import annotations

import stat
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from engine_values import Given, checked, table

from validator import store
from validator.check import Options
from validator.finding import SCHEMA
from validator.records import SourceError
from validator.store import Writer, open_run

PROJECTS = table("SPGL_XMJBXXB")


def bad(count: int, name: str = "p.csv") -> Given:
    rows = tuple({"GCDM": f"G{i % 7}", "NKGSJ": "昨天", "XMMC": str(i)} for i in range(count))
    return Given(PROJECTS, name, rows)


def test_a_run_is_read_back_as_it_was(tmp_path: Path) -> None:
    done = checked([bad(20)], tmp_path, inputs=["export"])
    again = open_run(tmp_path)
    assert again.run == done.run
    assert again.run.inputs == ("export",)
    assert list(again.violations()) == list(done.violations())
    assert open_run(tmp_path / "run.json").run == done.run


def test_violations_come_by_file_and_record_over_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dataset violations are merged into those of single records, chunk by chunk."""
    whole = [v.to_json() for v in checked([bad(30), bad(9, "q.csv")], tmp_path / "1").violations()]
    monkeypatch.setattr(store, "CHUNK", 5)
    small = checked([bad(30), bad(9, "q.csv")], tmp_path / "2", Options(batch_rows=4,
                    fingerprint_key=b"key"))  # fmt: skip
    assert len(list((tmp_path / "2").iterdir())) > 10
    assert [v.to_json() for v in small.violations()] == whole
    places = [(str(v["file"]), int(str(v["record"]))) for v in whole]
    assert all(a <= b for a, b in pairwise(places))
    assert {str(v["rule"]) for v in whole} > {"duplicate-key", "wrong-type"}


def test_files_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "r1"
    checked([bad(3)], folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in folder.iterdir()} == {0o600}


def test_a_discarded_group_leaves_no_file(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    group = writer.group("t", "f")
    frame = pl.DataFrame({"use": [0], "record": [1], "line": [None], "value": ["v"], "key": ["{}"],
                          "params": [None], "fingerprint": ["f"]}, schema=SCHEMA)  # fmt: skip
    writer.add(group, frame)
    writer.flush(group)
    writer.add(group, frame)
    writer.discard(group)
    writer.flush(group)
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"run\.json"):
        open_run(tmp_path)


def test_a_run_of_another_version_is_told(tmp_path: Path) -> None:
    checked([bad(1)], tmp_path)
    head = tmp_path / "run.json"
    head.write_text(head.read_text("utf-8").replace('"version": 1', '"version": 99'), "utf-8")
    with pytest.raises(SourceError, match="another version"):
        open_run(tmp_path)


def test_texts_survive_without_the_rule(tmp_path: Path) -> None:
    """A stored run holds its texts, so that a later rule cannot change what was said."""
    checked([bad(1)], tmp_path)
    head = tmp_path / "run.json"
    text = head.read_text("utf-8").replace("wrong-type", "renamed-rule")
    head.write_text(text, "utf-8")
    said = [v for v in open_run(tmp_path).violations() if v.rule == "renamed-rule"]
    assert "昨天" in said[0].message.zh


def test_headers_as_written_are_kept(tmp_path: Path) -> None:
    done = checked([bad(1)], tmp_path)
    found = {v.fields: v.column for v in done.violations()}
    assert found["NKGSJ",] == "NKGSJ"
    assert found["JSDW",] is None
