"""The fire channel from application to case events, by the commands a city runs."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import fire_values as fire
import pytest
from front_databases import KINDS, Front, front_database
from test_push_command import HEAD, label, sandbox

from pusher import crash
from pusher.ledger import inbound
from pusher.ledger.inbound import Entry
from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from spgl.case_events import Site, event_rows
from spgl.cli import Exit, main
from spgl.ledger_place import LedgerPlace
from tests.ledgers import ENGINES, place_on, settings_of
from validator.feedback import Feedback

__all__ = ["sandbox"]
ROOT = Path(__file__).parent.parent
EVENTS = "SPGL_XMSPSXBLXXXXB"
TABLES = fire.packs().tables()


@pytest.fixture(params=KINDS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def place(front: Front, tmp_path: Path) -> Iterator[LedgerPlace]:
    """The ledger: in PostgreSQL where the front database is, else a file."""
    server = front.engine.dialect.name
    with place_on(server if server in ENGINES else "sqlite", tmp_path) as made:
        yield made


@pytest.fixture
def site(front: Front, place: LedgerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one application and the province's database as its target."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    settings(tmp_path, front, place)
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "FIRE_APPLICATION.csv").open("w", encoding="utf-8", newline="") as out:
        made = fire.application(1)
        writer = csv.DictWriter(out, made)
        writer.writeheader()
        writer.writerow(made)
    province(front).close()
    return tmp_path


def settings(site: Path, front: Front, place: LedgerPlace, more: str = "") -> None:
    known = front.settings
    secret = f'password_env = "{known.password_env}"\n' if known.password_env else ""
    extra = ", ".join(f'{name} = "{value}"' for name, value in known.extra.items())
    (site / "spgl.toml").write_text(
        '[packs]\nuse = ["data-sharing-3.0", "fire-inspection-1.0", "fire-application"]\n'
        '[tables]\nnames = { FIRE_APPLICATION = "fire-application/SPGL_XMJBXXB" }\n'
        f'[target.province]\ntransport = "exchange_db"\nurl = "{known.url}"\n'
        f'standards = ["fire-application"]\ncity_prefix = "{fire.CITY}"\n{secret}'
        f'extra_columns = {{ {extra} }}\nevent_columns = {{ DWMC = "示例局" }}\n{more}'
        + settings_of(place),
        encoding="utf-8",
    )


def province(front: Front, *states: str) -> Collector:
    own = replace(front.settings, city_prefix=fire.CITY)
    return Collector(own, fire.packs(), Script(feedback=states or ("3", "101", "11")))


def steps(front: Front, count: int, *states: str) -> None:
    """The province works: it takes applications over, and each case one state further."""
    collector = province(front, *states)
    for _ in range(count):
        collector.collect(Random(1))
    collector.close()


def push(*words: str) -> int:
    return main(["push", "in", "--wait", "1", "--fail-on", "never", "-q", *words])


def events(site: Path) -> list[list[dict[str, str]]]:
    """The rows of every event file, in order of writing."""
    found = sorted((site / "events").rglob(f"{EVENTS}.csv"))
    return [list(csv.DictReader(f.read_text(encoding="utf-8").splitlines())) for f in found]


def test_the_whole_loop(site: Path, front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    assert push() == Exit.FINE
    assert "feedback rows: 0 read" in capsys.readouterr().out
    steps(front, 2)
    assert main(["push", "-q"]) == Exit.FINE
    said = capsys.readouterr().out
    assert "1 accepted" in said
    assert "feedback rows: 2 read, 2 new, 0 stored before, 0 refused by us" in said
    assert main(["feedback", "--events", "events", "-q"]) == Exit.FINE
    said = capsys.readouterr().out
    assert "2 feedback rows became 2, written to: " in said
    assert "left empty: DWTYSHXYDM × 2" in said
    steps(front, 3)
    for _ in range(2):  # what was written is not written again
        assert main(["feedback", "--events", "events", "-q"]) == Exit.FINE
    first, second = events(site)
    assert [row["BLZT"] for row in (*first, *second)] == ["3", "8", "11"]
    row = first[0]
    assert {n: row[n] for n in ("SPSXSLBM", "GCDM", "XZQHDM", "BLCS", "BLR", "BLYJ", "DWMC")} == {
        "SPSXSLBM": "CASE1",
        "GCDM": "2401-990100-04-01-000001",
        "XZQHDM": fire.DIVISION,
        "BLCS": "示例市住房和城乡建设局",
        "BLR": "示例审批人",
        "BLYJ": "沙箱意见",
        "DWMC": "示例局",
    }
    assert row["SJLY"] == "山东省建设工程消防设计审查及验收管理信息系统"
    assert row["DWTYSHXYDM"] == ""
    assert len({r["DFSJZJ"] for r in (*first, *second)}) == 3


def test_the_next_run_takes_the_events_in(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    push()
    steps(front, 4)
    main(["feedback", "--events", "events", "-q"])
    capsys.readouterr()
    words = ["validate", "in", "events", "--partial", "--format", "json", "--no-store", "-q"]
    main(words)
    found = json.loads(capsys.readouterr().out)
    counts = found["tables"][f"data-sharing-3.0/{EVENTS}"]
    assert counts["records"] == 3
    errors = {
        (v["rule"], *v["fields"]) for v in found["violations"]
        if v["table"] == EVENTS and v["severity"] == "error"
    }  # fmt: skip
    assert errors == {("missing-value", "DWTYSHXYDM")}
    assert "示例审批人" not in json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize("action", ["show", "explain"])
def test_the_ledger_tells_what_came_back_on_a_case(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    push()
    steps(front, 2, "3", "99")
    assert main(["feedback", "--events", "events", "-q"]) == Exit.FINE
    capsys.readouterr()
    assert main(["ledger", action, "LSH=CASE1"]) == Exit.FINE
    said = capsys.readouterr().out
    assert "fire-application/SPGL_XMJBXXB · LSH=CASE1" in said
    line, other = said.splitlines()[-2:]
    assert "province SPGL_XMSPGCXXB · SPJG=3 Accepted · taken over · case events in /" in line
    assert "SPJG=99 · refused by us · SPJG=99，没有对应的办理状态" in other
    assert main(["status"]) == Exit.FINE
    assert "feedback of province in SPGL_XMSPGCXXB: 2 rows, 1 refused by us, 0 not marked" in (
        capsys.readouterr().out
    )
    assert main(["ledger", action, "SPSXSLBM=CASE1"]) == Exit.FINE
    assert "feedback on case CASE1:" in capsys.readouterr().out
    assert "示例审批人" not in said


def test_doctor_looks_at_the_tables_of_the_target_only(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == Exit.FINE
    tables = set(re.findall(r"table (\w+) of province", capsys.readouterr().out))
    assert tables == {t.name if t.direction == "out" else fire.CITY + t.name for t in TABLES}
    document, process = (f"{fire.CITY}SPGL_XMSPG{name}" for name in ("CPFWJXXB", "CXXB"))
    front.run(
        f"ALTER TABLE {front.name(document)} DROP COLUMN {front.name('FJZWWURL')}",
        f"DROP TABLE {front.name(process)}",
    )
    assert main(["doctor"]) == Exit.UNUSABLE
    said = {line for line in capsys.readouterr().out.splitlines() if fire.CITY in line}
    assert any(f"{document} lacks FJZWWURL" in line and "✗" not in line for line in said), said
    assert any(f"{process} does not exist" in line for line in said), said


def test_states_in_the_source_are_read_with_the_codes_of_the_pack(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    """4 stands at the province already; 3, taken over at the national system, was refused here."""
    path = site / "in" / "FIRE_APPLICATION.csv"
    rows = [{**fire.application(n), "SJSCZT": state} for n, state in ((1, "4"), (2, "3"))]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert push() == Exit.UNUSABLE
    assert "1 records of the export stand at the target already (SJSCZT 4)" in (
        capsys.readouterr().err
    )
    assert main(["ledger", "adopt", "in", "-q"]) == Exit.FINE
    assert "1 records noted as accepted" in capsys.readouterr().out
    assert push() == Exit.FINE
    sent = f"SELECT {front.name('LSH')} FROM {front.name(fire.APPLICATION)}"
    assert front.rows(sent) == [("CASE2",)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "SPGL_XMJBXXB stand in several packs and cannot share a database"),
        (("--collect-standard", "fire"), "--collect-standard fire: that pack is not in use"),
    ],
)
def test_the_sandbox_collects_for_packs_that_can_share_a_database(
    site: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    collect = ["sandbox", "--port", "0", "--collect", f"sqlite:///{site / 'x.db'}"]
    assert main([*collect, *words]) == Exit.UNUSABLE
    assert said in capsys.readouterr().err


def test_a_case_the_ledger_does_not_know_is_told(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    push()
    steps(front, 1)
    table = front.name(f"{fire.CITY}SPGL_XMSPGCXXB")
    front.run(f"UPDATE {table} SET {front.name('LSH')} = 'OTHER'")
    assert main(["feedback", "--events", "events", "-q"]) == Exit.FINE
    assert "the ledger knows no application of 1 cases" in capsys.readouterr().out
    ((row,),) = events(site)
    assert (row["SPSXSLBM"], row["GCDM"]) == ("OTHER", "")


@pytest.mark.parametrize("point", crash.INBOUND_POINTS)
def test_a_kill_anywhere_repeats_nothing(
    site: Path, front: Front, place: LedgerPlace, point: str
) -> None:
    assert push() == Exit.FINE
    steps(front, 3)
    command = [sys.executable, "-m", "spgl", "feedback", "--events", "events", "-q"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "SPGL_CRASH": point}
    killed = subprocess.run(command, env=env, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert main(["feedback", "--events", "events", "-q"]) == Exit.FINE
    assert main(["feedback", "--events", "events", "-q"]) == Exit.FINE
    assert sorted(row["BLZT"] for rows in events(site) for row in rows) == ["11", "3", "8"]
    ledger = place.open()
    found = inbound.of_case(ledger, "province", "CASE1")
    ledger.close()
    assert len(found) == len({(e.table, e.key) for e in found}) == 4
    assert all(entry.marked for entry in found)
    name = front.name
    state = f"SELECT DISTINCT {name('SJSCZT')} FROM {name(f'{fire.CITY}SPGL_XMSPGCXXB')}"
    assert [int(str(row[0])) for row in front.rows(state)] == [4]


@pytest.mark.parametrize("broken", ["none", "national", "province"])
def test_both_channels_in_one_push(
    site: Path,
    front: Front,
    place: LedgerPlace,
    sandbox: str,
    capsys: pytest.CaptureFixture[str],
    broken: str,
) -> None:
    """The national system over HTTP and the province's database, one of them out of reach."""
    address = "http://127.0.0.1:9" if broken == "national" else sandbox
    national = f'url = "{address}"\nstandards = ["data-sharing-3.0", "fire-inspection-1.0"]\n'
    settings(site, front, place, f'[target.national]\ntransport = "http"\n{national}')
    (site / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + label(1, "one"), encoding="utf-8")
    if broken == "province":
        front.run(f"DROP TABLE {front.name(fire.APPLICATION)}")
    expected = {"none": Exit.FINE, "national": Exit.INCOMPLETE, "province": Exit.UNUSABLE}
    assert push("--partial") == expected[broken]
    capsys.readouterr()
    main(["status", "--format", "json"])
    found = {
        (c["target"], c["state"]): c["versions"]
        for c in json.loads(capsys.readouterr().out)["counts"]
    }
    assert found == {
        ("national", "queued" if broken == "national" else "accepted"): 1,
        ("province", "queued" if broken == "province" else "delivered"): 1,
    }


def entry(**fields: str) -> Entry:
    known = {"LSH": "CASE1", "SPSJ": "2026-03-02 10:00:00", **fields}
    now = datetime(2026, 3, 2, tzinfo=UTC)
    table = "fire-application/SPGL_XMSPGCXXB"
    return Entry(1, "t", table, "r1", "CASE1", "", known, now, "consumed", "", None, None, None)


def rules() -> Feedback:
    found = fire.packs().pack(fire.STANDARD).feedback
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "opinion", "expected"),
    [
        ("3", "", ["3"]),
        ("101", "", ["8"]),
        ("21", "", ["8"]),
        ("22", "未抽中", ["8", "11"]),
        ("22", "另行抽取", ["8"]),
        ("13", "", ["13"]),
        ("99", "", []),
    ],
)
def test_states_become_those_of_the_facts(state: str, opinion: str, expected: list[str]) -> None:
    made = list(event_rows(entry(SPJG=state, SPYJ=opinion), rules(), {}, Site("", {})))
    assert [row["BLZT"] for row in made] == expected
    assert len({row["DFSJZJ"] for row in made}) == len(made)


def test_nothing_is_invented_where_the_mapping_is_silent() -> None:
    (row,) = event_rows(entry(SPJG="3"), rules(), {}, Site("", {}))
    assert row.keys() == {"SPSXSLBM", "BLSJ", "SJLY", "BLZT", "DFSJZJ"}


def test_an_unknown_event_column_is_named(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    push()
    steps(front, 1)
    text = (site / "spgl.toml").read_text(encoding="utf-8").replace("DWMC", "DWMX")
    (site / "spgl.toml").write_text(text, encoding="utf-8")
    assert main(["feedback", "--events", "events", "-q"]) == Exit.UNUSABLE
    assert f"event_columns: table {EVENTS} has no field DWMX" in capsys.readouterr().err
    assert events(site) == []
