"""Standard input as a table: kept for both passes, one clear line when it is not described."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def ran(folder: Path, *words: str, given: bytes = b"") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "spgl", "validate", *words, "--lang", "en", "--format", "jsonl"],
        input=given,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode()


def test_standard_input_is_a_table(tmp_path: Path) -> None:
    described = ("-", "--input-format", "csv", "--table", "SPGL_XMJBXXB")
    code, said = ran(tmp_path, *described, given=b"GCDM,TDSFDSJFA\nx,9\n")
    assert code == 1
    assert '"file":"SPGL_XMJBXXB.csv"' in said.replace(": ", ":")
    assert '"code-not-in-list"' in said
    assert not list(tmp_path.glob("spgl-*"))


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    for words in (
        ("-",),
        ("-", "--input-format", "doc", "--table", "SPGL_XMJBXXB"),
        ("-", "--input-format", "csv", "--table", "../SPGL_XMJBXXB"),
        ("-", "-", "--input-format", "csv", "--table", "SPGL_XMJBXXB"),
    ):
        code, said = ran(tmp_path, *words)
        assert code == 2
        assert "--input-format and --table NAME" in said
        assert "Traceback" not in said
