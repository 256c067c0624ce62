"""Logs: JSON off a terminal, secrets redacted whoever logs them, levels kept."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from spgl.log import logger


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
