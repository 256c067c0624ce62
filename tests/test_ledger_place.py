"""Where the ledger is: settings, addresses without secrets, commands on PostgreSQL, workers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ledger_values import PROJECTS, START, record

from pusher.ledger import Ledger, LedgerError, enter, life, open_ledger
from pusher.ledger.database import scripts
from pusher.ledger.postgresql import Postgres
from pusher.states import State
from pusher.target import Target
from spgl.cli import Exit, main
from spgl.config import ConfigError, load
from spgl.inspector.ledger import opened, places, standing
from spgl.ledger_place import LedgerPlace
from tests.ledgers import postgres_schema

HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ\n"


def written(text: str, folder: Path) -> Path:
    file = folder / "spgl.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('url = "postgresql+psycopg://u:geheim@h/d"', "must not hold a password"),
        ('url = "postgresql+psycopg://u@h/d?password=geheim"', "must not hold a password"),
        ('url = "mysql://u@h/d"', "must read postgresql"),
        ('url = "postgresql+psycopg://u@h"', "must read postgresql"),
        ('url = "postgresql+psycopg://u@h/d"\nschema = "a; DROP"', "is no plain name"),
        ('url = "postgresql+psycopg://u@h/d"\npath = "l.db"', "exclude each other"),
    ],
)
def test_a_wrong_place_is_told_without_its_secret(tmp_path: Path, lines: str, told: str) -> None:
    file = written(f'lang = "en"\n[ledger]\n{lines}\n', tmp_path)
    with pytest.raises(ConfigError, match=told) as caught:
        load(file, {}, {})
    assert "geheim" not in str(caught.value)


def test_several_workers_need_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written('lang = "en"\n[target.t]\ntransport = "http"\nurl = "http://127.0.0.1:9"\n', tmp_path)
    assert main(["push", "--workers", "2"]) == Exit.UNUSABLE
    assert "--workers 2 needs a ledger on PostgreSQL" in capsys.readouterr().err
    assert main(["push", "--workers", "0"]) == Exit.UNUSABLE


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LedgerPlace, Path]]:
    """A site whose ledger is on PostgreSQL, with a target that nobody answers at."""
    monkeypatch.chdir(tmp_path)
    with postgres_schema() as (url, schema):
        written(
            f'lang = "en"\n[ledger]\nurl = "{url}"\nschema = "{schema}"\n'
            '[target.t]\ntransport = "http"\nurl = "http://127.0.0.1:9"\n',
            tmp_path,
        )
        (tmp_path / "in").mkdir()
        row = "a1,990100,2401-990100-04-01-000001,001,00101,2024,x\n"
        (tmp_path / "in/SPGL_XMBQXXB.csv").write_text(HEAD + row, encoding="utf-8")
        yield LedgerPlace(tmp_path / "none", url, schema), tmp_path


def test_commands_work_on_postgresql(
    shared: tuple[LedgerPlace, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    place, folder = shared
    assert main(["push", "in", "--wait", "0"]) == Exit.INCOMPLETE
    assert "entered 1" in capsys.readouterr().out
    assert main(["status"]) == Exit.FINE
    assert "SPGL_XMBQXXB" in capsys.readouterr().out
    assert main(["ledger", "list"]) == Exit.FINE
    assert "v1 " in capsys.readouterr().out
    main(["doctor"])
    assert f"[ok] ledger {place.url} ({place.schema}) · 1 versions" in capsys.readouterr().out
    assert main(["validate", "in", "--known-keys", place.url]) == Exit.FINE
    assert not (folder / ".spgl" / "ledger.db").exists()
    with opened(place) as ledger:
        assert ledger is not None
        assert [p.target for p in places(ledger)] == ["t"]
        assert standing(ledger, State.REJECTED) == (0, False)


def test_the_inspector_never_makes_or_writes_a_ledger() -> None:
    with postgres_schema() as (url, schema):
        place = LedgerPlace(Path("none"), url, schema)
        with opened(place) as ledger:
            assert ledger is None
        with pytest.raises(LedgerError, match="there is no ledger in schema"):
            place.open(read_only=True)
        open_ledger(url, schema=schema).close()
        with opened(place) as ledger:
            assert ledger is not None
            with pytest.raises(LedgerError, match="read-only"):
                ledger.db.run("DELETE FROM version")


def test_a_ledger_of_an_earlier_schema_is_migrated_with_its_data() -> None:
    later = (*scripts(), "ALTER TABLE run ADD COLUMN host TEXT;\nUPDATE run SET host = 'h';")
    with postgres_schema() as (url, schema):
        early = Ledger(Postgres(url, schema, scripts()[:1]))
        enter(early, [record("a")], Target("national"), "r1", START)
        early.close()
        with ThreadPoolExecutor(4) as threads:  # four processes find the old schema at once
            opening = [threads.submit(Postgres, url, schema, later) for _ in range(4)]
            found = [one.result() for one in opening]
        assert [db.rows("SELECT name, host FROM run") for db in found] == [[("r1", "h")]] * 4
        assert found[0].rows("SELECT version FROM spgl_schema") == [(len(later),)]
        ledger = Ledger(found[0])
        ledger.audit()
        assert life(ledger, "national", PROJECTS, {"GCDM": "a"}) is not None
        for db in found:
            db.close()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was() -> None:
    broken = (*scripts(), "ALTER TABLE run ADD COLUMN host TEXT;\nUPDATE missing SET host = 'h';")
    with postgres_schema() as (url, schema):
        open_ledger(url, schema=schema).close()
        with pytest.raises(LedgerError, match="missing"):
            Postgres(url, schema, broken)
        open_ledger(url, schema=schema).close()


def test_a_newer_schema_is_refused() -> None:
    with postgres_schema() as (url, schema):
        open_ledger(url, schema=schema).close()
        with pytest.raises(LedgerError, match="upgrade spgl"):
            Postgres(url, schema, migrations=())
