"""The wheel works away from the source tree: packs, schemas and templates travel with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the unpacked wheel, built from a copy of the source."""
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    source.mkdir()
    for name in ("standards", "validator", "pusher", "spgl"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*build, str(source)], check=True, capture_output=True, text=True)
    (wheel,) = out.glob("*.whl")
    site = out / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/", "examples/", "docs/"))]
    return site


def spgl(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1", "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "spgl", *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_packs_and_rules_are_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    listed = spgl(installed, tmp_path, "packs", "list")
    assert listed.returncode == 0, listed.stderr
    assert "data-sharing-3.0" in listed.stdout
    assert "fire-inspection-1.0" in listed.stdout
    where = subprocess.run(
        [sys.executable, "-c", "import validator; print(validator.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(installed) in where.stdout


def test_validation_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    export = tmp_path / "SPGL_XMJBXXB.csv"
    export.write_text("GCDM,TDSFDSJFA\n2401-990100-04-01-100126,9\n", encoding="utf-8")
    ran = spgl(installed, tmp_path, "validate", str(export), "--format", "jsonl")
    assert ran.returncode == 1, ran.stderr
    assert '"code-not-in-list"' in ran.stdout
    page = spgl(installed, tmp_path, "validate", str(export), "--report", "html=report.html")
    assert page.returncode == 1, page.stderr
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
