"""Two pushes at once: one works, the other says who holds the lock, and enters nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pusher.ledger import open_ledger
from pusher.ledger.lock import LedgerBusyError, run_lock
from pusher.target import Target
from spgl.cli import Exit, main

ROOT = Path(__file__).parent.parent
HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ\n"
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "SPGL_LANG": "en"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[str]:
    """A target that answers slowly, so that the first push lasts."""
    (tmp_path / "script.json").write_text(
        '{"faults": {"steps": {"send": ["slow"]}, "slow_seconds": 4}}', encoding="utf-8"
    )
    words = ["sandbox", "--port", "0", "--script", "script.json", "--lang", "en"]
    running = subprocess.Popen(
        [sys.executable, "-m", "spgl", *words],
        cwd=tmp_path, env=ENV, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    line = running.stdout.readline()
    yield next(word.rstrip(";") for word in line.split() if word.startswith("http"))
    running.terminate()
    running.wait(10)
    running.stdout.close()


@pytest.fixture
def site(tmp_path: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    Path("spgl.toml").write_text(
        f'[target.t]\ntransport = "http"\nurl = "{sandbox}"\n', encoding="utf-8"
    )
    for number in (1, 2):
        Path(f"in{number}").mkdir()
        row = f"a{number},990100,2401-990100-04-01-{number:06d},001,00101,2024,x\n"
        Path(f"in{number}/SPGL_XMBQXXB.csv").write_text(HEAD + row, encoding="utf-8")
    return tmp_path


def start(number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "spgl", "push", f"in{number}"],
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_of_two_pushes_started_at_once_one_enters_and_delivers(site: Path) -> None:
    both = {number: start(number) for number in (1, 2)}
    ended = {
        number: (*one.communicate(timeout=120), one.returncode) for number, one in both.items()
    }
    codes = {number: code for number, (_, _, code) in ended.items()}
    assert sorted(codes.values()) == [Exit.FINE, Exit.INCOMPLETE], ended
    won = next(n for n, code in codes.items() if code == Exit.FINE)
    lost = 3 - won
    out, err, _ = ended[lost]
    assert f"another push to t is running (process {both[won].pid} " in err
    assert "nothing was entered or sent" in err
    assert "books:" not in out
    ledger = open_ledger(site / ".spgl" / "ledger.db")
    keys = ledger.db.rows("SELECT key FROM identity")
    ledger.close()
    assert len(keys) == 1
    assert f"00000{won}" in keys[0][0]
    assert main(["push", f"in{lost}"]) == Exit.FINE, "the next call does what was left"


def test_a_lock_of_a_dead_process_holds_nobody_up(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    target = Target("t")
    with run_lock(ledger, target):
        pass
    file = tmp_path / "ledger.db.t.lock"
    assert file.read_text().startswith(f"{os.getpid()} ")
    with (
        run_lock(ledger, target),
        pytest.raises(LedgerBusyError, match=f"process {os.getpid()} "),
        run_lock(ledger, target),
    ):
        pass
