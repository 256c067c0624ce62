"""Logs: JSON off a terminal, secrets redacted whoever logs them, levels kept."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import TextIO, cast

import pytest

from spgl.log import logger
from spgl.log_file import LogFile, named, remove_old


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_json_lines_hold_event_level_time_and_fields() -> None:
    out = io.StringIO()
    log = logger(out).bind(run_id="r1")
    log.info("batch_accepted", table="SPGL_XMJBXXB", records=3, file=Path("导出.csv"))
    (line,) = lines(out)
    assert line.pop("timestamp")
    assert line == {
        "event": "batch_accepted", "level": "info", "run_id": "r1",
        "table": "SPGL_XMJBXXB", "records": 3, "file": "导出.csv",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["token", "API_TOKEN", "password", "client_secret", "Authorization"]
)
def test_secrets_never_reach_the_log(name: str) -> None:
    out = io.StringIO()
    logger(out).warning("target_not_open", **{name: "s3cr3t"})
    assert "s3cr3t" not in out.getvalue()
    assert lines(out)[0][name] == "***"


def test_quiet_logs_drop_information() -> None:
    out = io.StringIO()
    log = logger(out, level="warning")
    log.info("attempt_made")
    log.warning("attempt_failed")
    assert [line["event"] for line in lines(out)] == ["attempt_failed"]


def test_a_log_that_is_moved_away_is_made_anew_and_no_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "push.jsonl"
    log = logger(cast("TextIO", LogFile(path)), json=True)
    log.info("one")
    path.rename(tmp_path / "push.jsonl.1")
    log.info("two")
    path.unlink()
    log.info("three")
    kept = [json.loads(line)["event"] for line in (tmp_path / "push.jsonl.1").read_text().split()]
    assert kept == ["one"]
    assert json.loads(path.read_text())["event"] == "three"
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_file_a_day_and_the_old_ones_go(tmp_path: Path) -> None:
    pattern, today = tmp_path / "push-{date}.jsonl", date(2026, 3, 31)
    names = ("push-2026-03-01.jsonl", "push-2026-03-02.jsonl", "push-2026-02-01.jsonl.bak", "x")
    for name in names:
        (tmp_path / name).touch()
    assert named(pattern, today).name == "push-2026-03-31.jsonl"
    assert remove_old(pattern, today, 30) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names[1:])
    assert remove_old(tmp_path / "push.jsonl", today, 1) == 0
