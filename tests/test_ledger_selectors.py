"""Replay by selector: shown first, done when confirmed, originals untouched; and the export."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from ledger_values import CASES, PROJECTS, START, Memory, packs, record, world
from transport_values import packs as named_packs

from pusher.delivery import deliver
from pusher.ledger import Selector, enter, list_rows, withdraw
from pusher.states import State
from pusher.target import Target
from spgl.cli import Exit, main
from spgl.ledger_place import LedgerPlace
from tests.ledgers import ENGINES, place_on, settings_of
from validator.records import Standing

ROOT = Path(__file__).parent.parent
TARGET = Target("national", wait=0.0)
PHONE = "13800000000"


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerPlace]:
    with place_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def site(place: LedgerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of refused, blocked and accepted records of two projects, by two runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    (tmp_path / "spgl.toml").write_text(
        '[feedback]\nmapping = "map.csv"\n[target.national]\ntransport = "http"\n'
        'url = "http://127.0.0.1:9"\n' + settings_of(place),
        encoding="utf-8",
    )
    (tmp_path / "map.csv").write_text("reason,rule\n附件*无法打开,wrong-format\n", encoding="utf-8")
    reasons = {
        "A": "附件1无法打开",
        "B": f"=联系人{PHONE}不存在",
        "A-case": "附件2无法打开",
    }
    memory = Memory(refuse=lambda key: reasons.get(next(iter(key.values())), ""))
    rows = [
        record("A"), record("B"), record("C"),
        record("A-case", table=CASES), record("C-case", table=CASES, parent="C"),
        record("D", standing=Standing.BLOCKED, blocked_by=("wrong-format", "too-long")),
    ]  # fmt: skip
    ledger = place.open()
    for run, some in (("one", rows[:3]), ("two", rows[3:])):
        enter(ledger, some, TARGET, run, START)
        asyncio.run(deliver(ledger, TARGET, memory, packs(), run_id=run, world=world()))
    ledger.close()
    return tmp_path


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> set[str]:
    capsys.readouterr()
    assert main(["ledger", "list", *words]) == Exit.FINE
    lines = capsys.readouterr().out.splitlines()
    return {line.split("=")[1].split()[0] for line in lines if "=" in line}


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("--run", "one"), {"A", "B", "C"}),
        (("--table", "SPGL_XMSPSXBLXXB"), {"A-case", "C-case"}),
        (("--rule", "too-long"), {"D"}),
        (("--rule", "wrong-format"), {"A", "A-case", "D"}),
        (("--reason", "无法打开", "--run", "two"), {"A-case"}),
        (("--state", "accepted"), {"C", "C-case"}),
        (("--division", "441802", "--state", "blocked"), {"D"}),
        (("--project", "C"), {"C"}),
    ],
)
def test_selectors_name_what_they_say(
    site: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], keys: set[str]
) -> None:
    assert listed(capsys, *words) == keys


def test_a_project_brings_what_names_it_in_its_kept_columns(place: LedgerPlace) -> None:
    from dataclasses import replace

    ledger = place.open()
    case = record("case", table=CASES)
    event = record("event", table=CASES)
    rows = [
        record("P"),
        replace(case, known={"GCDM": "P", "SPSXSLBM": "case"}),
        replace(event, known={"SPSXSLBM": "case"}),
        replace(record("other", table=CASES), known={"GCDM": "P2", "SPSXSLBM": "other"}),
    ]
    enter(ledger, rows, TARGET, "r", START)
    from spgl.selecting import _linked

    links = _linked(ledger, None, "P")
    found = list_rows(ledger, Selector(linked=links))
    ledger.close()
    assert {next(iter(e.key.values())) for e in found} == {"P", "case", "event"}


def test_a_rule_nobody_has_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "list", "--rule", "no-such"]) == Exit.UNUSABLE
    assert "--rule no-such: no such rule" in capsys.readouterr().err


def test_replay_is_shown_by_group_and_done_only_with_yes(
    site: Path, place: LedgerPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", "retry", "--rule", "wrong-format"]) == Exit.FINE
    told = capsys.readouterr().out
    assert "        1  national  data-sharing-3.0/SPGL_XMJBXXB  rejected  附件…无法打开\n" in told
    assert "2 versions match" in told
    assert "add --yes to do it" in told
    before = snapshot(place)
    assert main(["ledger", "retry", "--rule", "wrong-format", "--yes"]) == Exit.FINE
    assert "2 versions done" in capsys.readouterr().out
    after = snapshot(place)
    assert after["attempt"] == before["attempt"], "attempts stay as they were"
    assert after["event"][: len(before["event"])] == before["event"], "events are only added"
    assert after["content"] == before["content"]
    assert listed(capsys, "--state", "queued") == {"A", "A-case"}
    assert main(["ledger", "withdraw", "--project", "A", "--yes"]) == Exit.FINE
    assert listed(capsys, "--state", "withdrawn") == {"A"}


def snapshot(place: LedgerPlace) -> dict[str, list[tuple[object, ...]]]:
    ledger = place.open()
    names = ("attempt", "event", "content")
    rows = {name: ledger.db.rows(f"SELECT * FROM {name} ORDER BY 1") for name in names}
    ledger.close()
    return rows


@pytest.mark.parametrize(("typed", "done"), [("3\n", True), ("yes\n", False), ("\n", False)])
def test_a_terminal_asks_for_the_number(
    site: Path, place: LedgerPlace, typed: str, done: bool
) -> None:
    upper, lower = pty.openpty()
    words = [sys.executable, "-m", "spgl", "ledger", "withdraw", "--state", "rejected"]
    running = subprocess.Popen(
        words, cwd=site, stdin=lower, stdout=lower, stderr=lower,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )  # fmt: skip
    os.close(lower)
    os.write(upper, typed.encode())
    said = b""
    while True:
        try:
            some = os.read(upper, 4096)
        except OSError:
            break
        if not some:
            break
        said += some
    assert running.wait(60) == 0
    os.close(upper)
    assert (b"3 versions done" in said) is done
    assert (b"nothing was done" in said) is not done
    ledger = place.open()
    gone = list_rows(ledger, Selector(states=(State.WITHDRAWN,)))
    ledger.close()
    assert len(gone) == (3 if done else 0)


def test_export_writes_each_format_with_the_same_rows(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        assert main(["ledger", "export", name, "--table", "SPGL_XMJBXXB", "--timeline"]) == 0
        assert f"4 versions written to {name}" in capsys.readouterr().err
    with Path("a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in Path("a.jsonl").read_text("utf-8").splitlines()]
    frame = pl.read_parquet("a.parquet")
    assert [r["state"] for r in rows] == [r["state"] for r in lines] == frame["state"].to_list()
    assert [r["key"] for r in lines] == ["GCDM=A", "GCDM=B", "GCDM=C", "GCDM=D"]
    assert rows[1]["reason"] == "'=联系人***不存在", "no formula, no number of a person"
    assert lines[1]["reason"] == "=联系人***不存在"
    assert [h[1] for h in lines[0]["timeline"]] == ["entered", "sending", "attempt", "rejected"]
    assert PHONE not in Path("a.csv").read_text("utf-8-sig")
    assert main(["ledger", "export", "b.jsonl", "--show-personal"]) == 0
    assert PHONE in Path("b.jsonl").read_text("utf-8")


def test_personal_parts_of_a_key_are_masked(tmp_path: Path) -> None:
    from spgl.keys import shown_key

    masked = shown_key(named_packs(), PROJECTS, {"GCDM": "P", "XM": "张三"}, personal=False)
    assert masked == {"GCDM": "P", "XM": "张*"}, "a field nobody knows is taken for a name"
    assert shown_key(named_packs(), PROJECTS, {"XM": "张三"}, personal=True) == {"XM": "张三"}


def test_export_refuses_other_names_and_folders_that_are_not_there(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", "export", "a.txt"]) == Exit.UNUSABLE
    assert "name the file with one of .csv, .jsonl, .parquet" in capsys.readouterr().err
    assert main(["ledger", "export", "no/a.csv"]) == Exit.UNUSABLE
    assert "no/a.csv: No such file or directory" in capsys.readouterr().err


def test_withdrawing_by_selector_leaves_what_is_at_the_target(
    site: Path, place: LedgerPlace
) -> None:
    ledger = place.open()
    done = withdraw(ledger, Selector(linked=(("GCDM", "C"),)), "me", START)
    assert done.moved == ()
    ledger.close()
