"""spgl packs on the command line: every export in one call, and clear refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from spgl.cli import main
from spgl.packs_export import DDL
from validator.exports.ddl import DIALECTS


def test_every_format_in_one_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["packs", "export", "--lang", "zh", "--dictionary", str(tmp_path / "out/d.xlsx")]
    for dialect in DDL:
        words += ["--ddl", dialect, str(tmp_path / "sql")]
    for name in ("json-schema", "xsd", "data-package", "html"):
        words += [f"--{name}", str(tmp_path / name)]
    assert main([*words, "--template", str(tmp_path / "out/t.xlsx")]) == 0
    told = capsys.readouterr().out.splitlines()
    written = {str(p) for p in tmp_path.rglob("*") if p.is_file()}
    assert set(told) == written
    assert len(written) == 39 * 4 + 2 * len(DDL) + 1 + 3 + 2


def test_dialects_of_the_help_are_those_there_are() -> None:
    assert tuple(DIALECTS) == DDL


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name what to export"),
        (["--ddl", "mysqll", "x"], "no such dialect; use mysql, postgresql, oracle, dameng"),
        (["--html", "/dev/null/x"], "name another place"),
        (["--dictionary", "/dev/null/x.xlsx"], "name another place"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["packs", "export", "--lang", "en", *words]) == 2
    found = capsys.readouterr().err
    assert said in found
    assert len(found.splitlines()) == 1


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    example = str(Path(__file__).parents[1] / "examples/overlay-guangdong")
    assert main(["packs", "list", "--lang", "zh"]) == 0
    assert "SPGL_XMJBXXB" in capsys.readouterr().out
    words = ["packs", "show", "SPGL_XMJBXXB", "--lang", "en", "--standard", example]
    assert main(words) == 0
    assert "GBHYDMFBND.length" in capsys.readouterr().out
    assert main(["packs", "show", "NOTHING", "--lang", "en"]) == 2
    assert "no table named" in capsys.readouterr().err
