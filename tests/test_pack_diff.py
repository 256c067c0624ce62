"""packs diff: every kind of change is told once, and an export shows who would fail or pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_load import FILES, write_pack

from spgl.cli import main
from validator.load import load_packs
from validator.pack import Pack
from validator.pack_diff import Change, change_lines, pack_changes

ROOT = Path(__file__).parents[1]
HEAD = """\
name = "site"
version = "2"
title = "某地"
title_en = "Some site"
extends = "{below}"
provenance = "official"
"""


def changed(folder: Path, files: dict[str, str]) -> tuple[Pack, Pack]:
    write_pack(folder / "toy", FILES)
    site = write_pack(folder / "site", {"pack.toml": HEAD.format(below="../toy"), **files})
    (before,), (after,) = load_packs([folder / "toy"]), load_packs([site])
    return before, after


def test_the_same_pack_changes_in_nothing() -> None:
    for pack in load_packs():
        assert pack_changes(pack, pack) == ()


def test_each_change_is_told_once(tmp_path: Path) -> None:
    files = {
        "pack.toml": HEAD.format(below="../toy")
        + '[codes]\ncolour = { closed = true }\n[severity]\ntoo-long = "info"\n',
        "codes/colour.csv": "code,title\n02,深蓝\n03,绿\n",
        "tables/PARENT.toml": """\
[fields]
ID = { length = { max = 9 }, required = false }
X = { new = true, title = "新", title_en = "New", kind = "date" }
""",
        "tables/CHILD.toml": """\
key = { fields = ["ID"] }
references = [{ fields = ["ID"], table = "PARENT", drop = true }]
rules = [{ rule = "start-not-before-end", drop = true }]
[fields]
END = { drop = true }
BEGIN = { kind = "datetime" }
""",
    }
    before, after = changed(tmp_path, files)
    found = {c.path: (c.before, c.after) for c in pack_changes(before, after)}
    use = 'start-not-before-end {"end": "END", "start": "BEGIN"}'
    assert found == {
        ("table", "PARENT", "ID", "length"): (None, "9 (official)"),
        ("table", "PARENT", "ID", "required"): ("refusal (deployed)", None),
        ("table", "PARENT", "X"): (None, "新"),
        ("table", "CHILD", "key"): ("ID, NO (inferred)", "ID (official)"),
        ("table", "CHILD", "ID → PARENT (ID)"): ("(deployed)", None),
        ("table", "CHILD", use): ("(earlier)", None),
        ("table", "CHILD", "END"): ("结束", None),
        ("table", "CHILD", "BEGIN", "kind"): ("date", "datetime"),
        ("codes", "colour", "closed"): ("open", "closed"),
        ("codes", "colour", "02"): ("蓝 (earlier)", "深蓝 (official)"),
        ("codes", "colour", "03"): (None, "绿 (official)"),
        ("severity", "too-long"): (None, "info"),
    }
    back = {c.path: (c.after, c.before) for c in pack_changes(after, before)}
    assert back == found
    lines = list(change_lines(before, after, "zh"))
    assert lines[0] == "toy-1.0 1.0 → toy-1.0 1.0+site-2：12 处变化"
    assert "~ 表 CHILD.BEGIN.kind  date → datetime" in lines
    assert "+ 表 PARENT.X  新" in lines
    assert "- table CHILD.END  结束" in list(change_lines(before, after, "en"))


def test_a_table_that_comes_or_goes_is_one_change(tmp_path: Path) -> None:
    before, after = changed(tmp_path, {"tables/CHILD.toml": "drop = true\n"})
    changes = pack_changes(before, after)
    assert Change(("table", "CHILD"), "子表", None) in changes
    assert {c.path[0] for c in changes} == {"table", "stage"}
    assert len(changes) == 2


def test_an_export_shows_who_would_newly_fail_or_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = {
        "pack.toml": HEAD.format(below="data-sharing-3.0"),
        "tables/SPGL_QYPGXXB.toml": """\
[fields]
QYPGQYMC = { length = { max = 4 } }
QYPGMJ = { kind = "text" }
""",
    }
    site = write_pack(tmp_path / "site", overlay)
    export = tmp_path / "export"
    export.mkdir()
    rows = [
        "DFSJZJ,XZQHDM,QYPGDYBM,QYPGQYMC,QYPGMJ,SJYXBS,SJSCZT",
        "1,990100,A,甲区,1.5,1,0",
        "2,990100,B,名称很长的区,2.5,1,0",
        "3,990100,C,丙区,两顷,1,0",
        "4,990100,D,名称也很长的区,三顷,1,0",
    ]
    (export / "SPGL_QYPGXXB.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    words = ["packs", "diff", "data-sharing-3.0", str(site), str(export), "--lang", "en"]
    state = ["--state-dir", str(tmp_path / "state"), "-q"]
    assert main([*words, *state]) == 0
    told = capsys.readouterr().out
    assert "+ table SPGL_QYPGXXB.QYPGQYMC.length  4 (official)" in told
    assert (
        "records that newly fail: 1\n  SPGL_QYPGXXB.csv record 2 (SPGL_QYPGXXB)  too-long" in told
    )
    assert (
        "records that newly pass: 1\n  SPGL_QYPGXXB.csv record 3 (SPGL_QYPGXXB)  wrong-type" in told
    )
    assert "SPGL_QYPGXXB  too-long  error  0 → 2" in told
    assert "SPGL_QYPGXXB  wrong-type  error  2 → 0" in told
    assert not (tmp_path / "state").exists(), "nothing is kept"


def test_packs_that_cannot_be_read_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "diff", "data-sharing-3.0", "nowhere", "--lang", "en"]) == 2
    assert "nowhere: no such pack" in capsys.readouterr().err
    example = str(ROOT / "examples/overlay-guangdong")
    assert main(["packs", "diff", "data-sharing-3.0", example, "--lang", "zh"]) == 0
    assert "+ 代码表 person-discipline.1  岩土 (earlier)" in capsys.readouterr().out
