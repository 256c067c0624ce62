"""`spgl push --dry-run`: the plan against what was entered before, and nothing written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ledger_values import CASES, PROJECTS, START, record

from pusher.ledger import LedgerError, enter, open_ledger
from pusher.ledger.copying import copy_file
from pusher.ledger.plan import Change, plan
from pusher.target import Target
from spgl.cli import Exit, main
from spgl.ledger_place import LedgerPlace
from spgl.planning import tell_plan
from tests.ledgers import ENGINES, place_on, settings_of
from validator.records import Operation, Record, Standing

TARGET = Target("national")
HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ,SJYXBS,SJWXYY,SJSCZT\n"


def label(number: int, note: str) -> str:
    key = f"2401-990100-04-01-{number:06d}"
    return f"a{number},990100,{key},001,00101,2024,{note},1,,\n"


def held(key: str, *rules: str) -> Record:
    return record(key, table=CASES, standing=Standing.BLOCKED, blocked_by=rules)


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerPlace]:
    with place_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def site(place: LedgerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose target nobody answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    (tmp_path / "spgl.toml").write_text(
        '[target.t]\ntransport = "http"\nurl = "http://127.0.0.1:9"\nretry_schedule = [60]\n'
        + settings_of(place),
        encoding="utf-8",
    )
    (tmp_path / "in").mkdir()
    return tmp_path


def push(site: Path, *rows: str, words: tuple[str, ...] = ()) -> int:
    (site / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + "".join(rows), encoding="utf-8")
    return main(["push", "in", "--partial", "--wait", "0", "-q", *words])


def everything(place: LedgerPlace, folder: Path) -> dict[str, str]:
    """Every file that holds something and every table of the ledger's schema, with its digest."""
    found = {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted((folder / ".spgl").rglob("*"))
        if p.is_file() and p.stat().st_size and not p.name.endswith("-shm")
    }
    if place.url:
        with psycopg.connect(place.url.replace("+psycopg", "", 1)) as connection:
            named = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", (place.schema,)
            ).fetchall()
            for (name,) in named:
                rows = connection.execute(
                    f'SELECT t::text FROM "{place.schema}"."{name}" t ORDER BY 1'.encode()
                ).fetchall()
                found[name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def test_every_kind_of_change_is_counted(place: LedgerPlace, tmp_path: Path) -> None:
    ledger = place.open()
    before = [record("same"), record("other"), held("freed", "required"), record("gone")]
    enter(ledger, before, TARGET, "r1", START)
    ledger.db.begin()
    projects = ledger.place("national", PROJECTS)
    ledger.db.run("UPDATE version SET state = 'accepted', landed = 1 WHERE place = ?", (projects,))
    ledger.db.run("UPDATE tally SET state = 'accepted' WHERE place = ?", (projects,))
    ledger.commit()
    place.copy(tmp_path / "copy.db")
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
    ledger.audit()
    ledger.close()
    copy.audit()
    copy.close()
    for lang, words in (("en", "a parent that does not conform"), ("zh", "上级记录不合格")):
        said = tell_plan(planned, lang)  # type: ignore[arg-type]
        assert words in said
        assert any(PROJECTS in line and line.split()[1:] == ["1", "1", "1", "·"]
                   for line in said.splitlines())  # fmt: skip


def test_no_ledger_is_an_empty_one(place: LedgerPlace, tmp_path: Path) -> None:
    place.copy(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_copy_waits_for_no_writer_and_sees_only_what_was_committed(
    place: LedgerPlace, tmp_path: Path
) -> None:
    ledger = place.open()
    enter(ledger, [record("a"), record("b", table=CASES, parent="a")], TARGET, "r1", START)
    with ledger.transaction():  # another process in the middle of its turn of writing
        ledger.run("national", "r2", START)
        place.copy(tmp_path / "copy.db")
    ledger.close()
    copy = open_ledger(tmp_path / "copy.db")
    assert copy.db.rows("SELECT name FROM run") == [("r1",)]
    assert copy.waiting == 1
    copy.audit()
    copy.close()


def test_a_file_that_is_no_ledger_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("this is no database at all, only text" * 40)
    with pytest.raises(LedgerError, match="cannot be copied"):
        copy_file(tmp_path / "ledger.db", tmp_path / "copy.db")


def test_a_dry_run_writes_nothing(
    place: LedgerPlace, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (label(1, "A"), label(2, "B"))
    assert push(site, *rows, words=("--dry-run",)) == Exit.FINE
    assert everything(place, site) == {}
    assert push(site, *rows) == Exit.INCOMPLETE
    before = everything(place, site)
    capsys.readouterr()
    assert push(site, label(1, "A"), label(2, "C"), label(3, "D"), words=("--dry-run",)) == 0
    said = capsys.readouterr().out
    assert everything(place, site) == before
    line = next(x for x in said.splitlines() if x.startswith("  data-sharing-3.0/SPGL_XMBQXXB"))
    assert line.split()[1:] == ["1", "1", "·", "·"]
    assert "earlier runs left 2 versions" in said


def test_exit_codes_are_those_of_validate(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = label(1, "A").replace("2401-990100-04-01-000001", "no project code")
    assert push(site, bad, label(2, "B"), words=("--dry-run",)) == Exit.VIOLATIONS
    assert "wrong-format" in capsys.readouterr().out
    assert main(["push", "--dry-run"]) == Exit.UNUSABLE
    assert "--dry-run needs the export's PATH" in capsys.readouterr().err
