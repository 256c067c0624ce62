"""`spgl push` end to end against a real sandbox process: what is sent, what is not, exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spgl.cli import Exit, main

ROOT = Path(__file__).parent.parent
HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ,SJYXBS,SJWXYY,SJSCZT\n"


def label(number: int, note: str, *, valid: str = "1", reason: str = "", state: str = "") -> str:
    """One project label; its project is in no export, which its inferred reference only informs."""
    key = f"2401-990100-04-01-{number:06d}"
    return f"a{number},990100,{key},001,00101,2024,{note},{valid},{reason},{state}\n"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[str]:
    """Address of a sandbox process that refuses what is noted `bad`, and forgets at the end."""
    script = {"refusals": [{"reason": "附件无法打开", "where": {"BZ": "bad"}}]}
    (tmp_path / "script.json").write_text(json.dumps(script), encoding="utf-8")
    words = ["sandbox", "--port", "0", "--script", "script.json", "--lang", "en"]
    running = subprocess.Popen(
        [sys.executable, "-m", "spgl", *words],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    line = running.stdout.readline()
    yield next(word.rstrip(";") for word in line.split() if word.startswith("http"))
    running.terminate()
    running.wait(10)
    running.stdout.close()


@pytest.fixture
def site(tmp_path: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a target that speaks to the sandbox."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    (tmp_path / "spgl.toml").write_text(
        f'[target.t]\ntransport = "http"\nurl = "{sandbox}"\nretry_schedule = [0.1]\n'
        '[target.x]\ntransport = "exchange_db"\nurl = "sqlite:///x.db"\n',
        encoding="utf-8",
    )
    (tmp_path / "in").mkdir()
    return tmp_path


def push(site: Path, *rows: str, words: tuple[str, ...] = ()) -> int:
    (site / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + "".join(rows), encoding="utf-8")
    return main(["push", "in", "--target", "t", "--partial", "--wait", "5", "-q", *words])


def books(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """The books of the last run."""
    capsys.readouterr()
    assert main(["status", "--format", "json"]) == Exit.FINE
    found: dict[str, int] = json.loads(capsys.readouterr().out)["runs"][0]["books"]
    return found


def states(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    capsys.readouterr()
    main(["status", "--format", "json"])
    counts = json.loads(capsys.readouterr().out)["counts"]
    return {c["state"]: c["versions"] for c in counts}


def test_the_log_tells_the_status_of_answers(site: Path) -> None:
    (site / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + label(1, "x"), encoding="utf-8")
    words = ["--target", "t", "--partial", "--log", "push-{date}.jsonl", "--log-days", "9"]
    assert main(["push", "in", *words]) == Exit.FINE
    (path,) = site.glob("push-2*.jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    (done,) = [line for line in lines if line["event"] == "attempt_succeeded"]
    assert (done["status"], done["class"]) == ("HTTP 200", None)


def test_the_same_export_twice_sends_nothing(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(site, label(1, "one"), label(2, "two")) == Exit.FINE
    assert books(capsys)["entered"] == 2
    assert push(site, label(1, "one"), label(2, "two")) == Exit.FINE
    assert (books(capsys)["entered"], books(capsys)["unchanged"]) == (0, 2)
    assert states(capsys) == {"accepted": 2}


def test_a_division_is_sent_and_the_books_balance(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = label(2, "two").replace(",990100,", ",990201,")
    only = ("--where-division", "990100")
    assert push(site, label(1, " one"), other, words=(*only, "--normalise")) == Exit.FINE
    told = books(capsys)
    assert (told["read"], told["entered"]) == (1, 1)
    assert push(site, label(1, "one"), other, words=only) == Exit.FINE
    assert books(capsys)["unchanged"] == 1, "what was normalised is what entered"
    assert push(site, label(1, "one"), other) == Exit.FINE
    assert (books(capsys)["read"], books(capsys)["entered"]) == (2, 1)


def test_content_that_returns_is_sent_again(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for note in ("A", "B", "A"):
        assert push(site, label(1, note)) == Exit.FINE
        assert books(capsys)["entered"] == 1
    assert states(capsys) == {"accepted": 3}


def test_a_deletion_after_a_change_is_sent(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    push(site, label(1, "A"))
    push(site, label(1, "B"))
    assert push(site, label(1, "B", valid="0", reason="录入错误")) == Exit.FINE
    assert books(capsys)["entered"] == 1
    assert push(site, label(1, "B", valid="0", reason="录入错误")) == Exit.FINE
    assert books(capsys)["entered"] == 0


def test_an_invalid_row_nobody_holds_is_skipped(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(site, label(1, "A", valid="0", reason="录入错误")) == Exit.FINE
    assert books(capsys)["skipped"] == 1


def test_a_pack_upgrade_that_changes_no_value_sends_nothing(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push(site, label(1, "A"))
    newer = site / "data-sharing-3.0"
    shutil.copytree(ROOT / "standards" / "data-sharing-3.0", newer)
    pack = newer / "pack.toml"
    text = pack.read_text(encoding="utf-8")
    pack.write_text(text.replace('version = "3.0"', 'version = "3.1"', 1), encoding="utf-8")
    table = newer / "tables" / "SPGL_XMBQXXB.toml"
    text = table.read_text(encoding="utf-8")
    assert 'title_en = "Remark"' in text or "BZ" in text
    words = ("--standard", str(newer), "--standard", "fire-inspection-1.0")
    assert push(site, label(1, "A"), words=words) == Exit.FINE
    assert (books(capsys)["entered"], books(capsys)["unchanged"]) == (0, 1)


def test_refusals_exit_3_and_stay_until_a_person_or_new_content(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(site, label(1, "bad"), label(2, "fine")) == Exit.REFUSED
    assert states(capsys) == {"accepted": 1, "rejected": 1}
    assert push(site, label(1, "bad"), label(2, "fine")) == Exit.FINE
    assert books(capsys)["refused"] == 1
    assert push(site, label(1, "mended"), label(2, "fine")) == Exit.FINE
    assert states(capsys)["accepted"] == 2


def test_retry_needs_yes_and_sends_again(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    push(site, label(1, "bad"))
    assert main(["ledger", "retry", "--state", "rejected"]) == Exit.FINE
    assert states(capsys) == {"rejected": 1}
    assert main(["ledger", "retry", "--state", "rejected", "--yes"]) == Exit.FINE
    assert states(capsys) == {"queued": 1}
    assert main(["push", "--target", "t", "-q"]) == Exit.REFUSED
    assert states(capsys) == {"rejected": 1}


def test_the_gate_holds_errors_and_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = label(1, "A").replace("2401-990100-04-01-000001", "no project code")
    assert push(site, bad, label(2, "B")) == Exit.VIOLATIONS
    assert states(capsys) == {"accepted": 1, "blocked": 1}
    capsys.readouterr()
    main(["ledger", "list", "--state", "blocked"])
    assert "wrong-format" in capsys.readouterr().out


def test_a_first_run_stops_at_rows_sent_before(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (label(1, "A", state="1"), label(2, "B"))
    assert push(site, *rows) == Exit.UNUSABLE
    assert "spgl ledger adopt in" in capsys.readouterr().err
    assert main(["ledger", "adopt", "in", "--target", "t", "--partial"]) == Exit.FINE
    assert push(site, *rows) == Exit.FINE
    assert (books(capsys)["entered"], books(capsys)["unchanged"]) == (1, 1)


def test_a_target_that_is_away_leaves_the_rest_for_the_next_run(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = site / "spgl.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        '[target.t]\ntransport = "http"\nurl = "http://127.0.0.1:9"\nretry_schedule = [60]\n',
        encoding="utf-8",
    )
    assert push(site, label(1, "A"), words=("--wait", "0")) == Exit.INCOMPLETE
    settings.write_text(text, encoding="utf-8")
    assert states(capsys) == {"queued": 1}


def test_one_ledger_serves_two_targets(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    push(site, label(1, "A"))
    from pusher.sandbox.collector import Collector
    from pusher.sandbox.script import Script
    from pusher.transports.exchange_settings import ExchangeSettings
    from validator.load import load_packs

    Collector(ExchangeSettings(f"sqlite:///{site / 'x.db'}"), load_packs(), Script()).close()
    assert main(["push", "in", "--target", "x", "--partial", "-q", "--wait", "0"]) == Exit.FINE
    capsys.readouterr()
    main(["status", "--format", "json"])
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert {(c["target"], c["state"]) for c in counts} == {("t", "accepted"), ("x", "delivered")}
