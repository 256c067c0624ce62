"""The private folder of a run: gone after a kill, at once or with the next run; never another's."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spgl.spool import spool_folder

ROOT = Path(__file__).parent.parent
WORDS = ("validate", "-", "--input-format", "csv", "--table", "SPGL_XMJBXXB", "--no-store")


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A validation that waits for the rest of its standard input, its folder made."""
    with subprocess.Popen(
        [sys.executable, "-m", "spgl", *WORDS],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
    ) as process:  # fmt: skip
        assert process.stdin
        process.stdin.write(b"GCDM\nx\n")
        process.stdin.flush()
        until = time.monotonic() + 60
        while not list(folder.glob("spgl-spool-*/standard-input/*")):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.02)
        yield process


def test_the_folder_is_private_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with spool_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.parent == tmp_path
    assert not list(tmp_path.iterdir())


def test_sigterm_takes_the_folder_along(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert not list(tmp_path.glob("spgl-*"))


def test_the_next_run_sweeps_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with running(tmp_path) as process:
        (left,) = tmp_path.glob("spgl-spool-*")
        with spool_folder():
            assert left.is_dir(), "a folder in use stays"
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert left.is_dir()
    with spool_folder() as folder:
        assert list(tmp_path.glob("spgl-*")) == [folder]


def test_links_and_fresh_folders_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    (tmp_path / "spgl-spool-link").symlink_to(elsewhere)
    fresh, old = tmp_path / "spgl-new-fresh", tmp_path / "spgl-new-old"
    fresh.mkdir()
    old.mkdir()
    os.utime(old, (0, 0))
    with spool_folder():
        pass
    assert (elsewhere / "file").exists()
    assert fresh.exists()
    assert not old.exists()


def test_max_record_is_an_option_and_a_setting(tmp_path: Path) -> None:
    (tmp_path / "SPGL_XMJBXXB.csv").write_text("GCDM\n" + "x" * (2 << 20) + "\n", "utf-8")

    def said(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "spgl", "validate", "SPGL_XMJBXXB.csv", "--no-store",
             "--format", "jsonl", *words],
            capture_output=True, cwd=tmp_path, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        return (done.stdout + done.stderr).decode()

    assert "unreadable-record" not in said()
    assert "unreadable-record" in said("--max-record", "1")
    (tmp_path / "spgl.toml").write_text("[read]\nmax_record = 1\n", "utf-8")
    assert "unreadable-record" in said()
    assert "unreadable-record" not in said("--max-record", "4")
    refused = said("--max-record", "0")
    assert "--max-record 0: " in refused
    assert "Traceback" not in refused
