"""`spgl push --dry-run`: the plan against what was entered before, and nothing written."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ledger_values import CASES, PROJECTS, START, record

from pusher.ledger import LedgerError, enter, open_ledger
from pusher.ledger.plan import Change, copy_of, plan
from pusher.target import Target
from spgl.cli import Exit, main
from spgl.planning import tell_plan
from validator.records import Operation, Record, Standing

TARGET = Target("national")
HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ,SJYXBS,SJWXYY,SJSCZT\n"


def label(number: int, note: str) -> str:
    key = f"2401-990100-04-01-{number:06d}"
    return f"a{number},990100,{key},001,00101,2024,{note},1,,\n"


def held(key: str, *rules: str) -> Record:
    return record(key, table=CASES, standing=Standing.BLOCKED, blocked_by=rules)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose target nobody answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    (tmp_path / "spgl.toml").write_text(
        '[target.t]\ntransport = "http"\nurl = "http://127.0.0.1:9"\nretry_schedule = [60]\n',
        encoding="utf-8",
    )
    (tmp_path / "in").mkdir()
    return tmp_path


def push(site: Path, *rows: str, words: tuple[str, ...] = ()) -> int:
    (site / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + "".join(rows), encoding="utf-8")
    return main(["push", "in", "--partial", "--wait", "0", "-q", *words])


def everything(folder: Path) -> dict[str, str]:
    """Every file that holds something, with its digest."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.stat().st_size and not p.name.endswith("-shm")
    }


def test_every_kind_of_change_is_counted(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    before = [record("same"), record("other"), held("freed", "required"), record("gone")]
    enter(ledger, before, TARGET, "r1", START)
    ledger.db.begin()
    place = ledger.place("national", PROJECTS)
    ledger.db.run("UPDATE version SET state = 'accepted', landed = 1 WHERE place = ?", (place,))
    ledger.db.run("UPDATE tally SET state = 'accepted' WHERE place = ?", (place,))
    ledger.commit()
    copy_of(tmp_path / "ledger.db", tmp_path / "copy.db")
    copy = open_ledger(tmp_path / "copy.db")
    tonight = [
        record("same"),
        record("other", XMMC="renamed"),
        record("gone", operation=Operation.INVALIDATE),
        record("fresh"),
        record("freed", table=CASES),
        held("bad", "required", "wrong-format"),
        held("worse", "required"),
        held("child", "parent"),
    ]
    planned = plan(copy, tonight, TARGET, "r2", START, unreadable=1)
    assert planned.changes == {
        (PROJECTS, Change.CHANGED): 1,
        (PROJECTS, Change.WITHDRAWN): 1,
        (PROJECTS, Change.NEW): 1,
        (CASES, Change.RELEASED): 1,
    }
    assert planned.blocked == {
        (CASES, "required"): 2,
        (CASES, "wrong-format"): 1,
        (CASES, "parent"): 1,
    }
    assert (planned.books.read, planned.books.unchanged, planned.books.entered) == (9, 1, 4)
    assert planned.open_before == 0
    assert ledger.last_id("version") == 4
    for lang, words in (("en", "a parent that does not conform"), ("zh", "上级记录不合格")):
        said = tell_plan(planned, lang)  # type: ignore[arg-type]
        assert words in said
        assert any(PROJECTS in line and line.split()[1:] == ["1", "1", "1", "·"]
                   for line in said.splitlines())  # fmt: skip


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    copy_of(tmp_path / "none.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_file_that_is_no_ledger_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("this is no database at all, only text" * 40)
    with pytest.raises(LedgerError, match="cannot be copied"):
        copy_of(tmp_path / "ledger.db", tmp_path / "copy.db")


def test_a_dry_run_writes_nothing(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (label(1, "A"), label(2, "B"))
    assert push(site, *rows, words=("--dry-run",)) == Exit.FINE
    assert not (site / ".spgl").exists()
    assert push(site, *rows) == Exit.INCOMPLETE
    before = everything(site / ".spgl")
    capsys.readouterr()
    assert push(site, label(1, "A"), label(2, "C"), label(3, "D"), words=("--dry-run",)) == 0
    said = capsys.readouterr().out
    assert everything(site / ".spgl") == before
    line = next(x for x in said.splitlines() if x.startswith("  data-sharing-3.0/SPGL_XMBQXXB"))
    assert line.split()[1:] == ["1", "1", "·", "·"]
    assert "earlier runs left 2 versions" in said


def test_exit_codes_are_those_of_validate(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = label(1, "A").replace("2401-990100-04-01-000001", "no project code")
    assert push(site, bad, label(2, "B"), words=("--dry-run",)) == Exit.VIOLATIONS
    assert "wrong-format" in capsys.readouterr().out
    assert main(["push", "--dry-run"]) == Exit.UNUSABLE
    assert "--dry-run needs the export's PATH" in capsys.readouterr().err
