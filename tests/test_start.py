"""What `spgl validate` does beside its work: libraries that it does not need cost start-up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNNEEDED = {
    "aiohttp", "holidays", "jinja2", "jsonschema", "lxml", "openpyxl", "rich", "sqlalchemy",
    "structlog", "tomllib", "xlsxwriter",
}  # fmt: skip


def test_libraries_are_imported_only_where_they_are_used(tmp_path: Path) -> None:
    file = tmp_path / "SPGL_XMJBXXB.csv"
    file.write_text("GCDM,XMMC\n2401-990102-04-02-000001,样川\n", encoding="utf-8")
    code = (
        "import sys; from spgl.cli import main;"
        f"main(['validate', {str(file)!r}, '--no-store', '-q']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    modules = set(_said(code).split())
    assert "polars" in modules
    assert modules & UNNEEDED == set()


def test_no_garbage_is_looked_for_at_the_end() -> None:
    code = (
        "import sys\n"
        "from spgl.cli import main\n"
        "class Ring:\n"
        "    def __del__(self): print('found', file=sys.stderr)\n"
        "Ring.own = Ring()\n"
        "Ring.own.self = Ring.own\n"
    )
    assert _said(code) == "found\n"
    assert _said(code + "main(['--version'])") == ""


def _said(code: str) -> str:
    words = [sys.executable, "-c", code]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stderr
