"""`--until`: when the window ends, and that a run ends with it and loses nothing."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from ledger_values import PROJECTS, START, Time, record, world

from pusher.ledger import Selector, enter, list_rows, open_ledger
from pusher.states import State
from spgl import checking, pushing
from spgl.cli import Call, Exit, main
from spgl.config import ConfigError, load
from spgl.night import LOOK, ends, stop_at

EVENING = datetime(2026, 3, 1, 22, 0, 5)


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("23:30", datetime(2026, 3, 1, 23, 30)),
        ("06:00", datetime(2026, 3, 2, 6, 0)),
        ("6:00", datetime(2026, 3, 2, 6, 0)),
        ("22:00", datetime(2026, 3, 2, 22, 0)),
        ("22:01", datetime(2026, 3, 1, 22, 1)),
    ],
)
def test_the_next_time_the_clock_shows_it(word: str, end: datetime) -> None:
    assert ends(word, EVENING, "en") == end


@pytest.mark.parametrize("word", ["24:00", "6", "06:60", "06:00:00", "六点", "０６:００"])
def test_a_wrong_time_says_how_to_write_it(word: str) -> None:
    with pytest.raises(ConfigError, match="write HH:MM"):
        ends(word, EVENING, "en")


@pytest.mark.asyncio
async def test_the_word_to_stop_comes_at_the_end_and_not_before() -> None:
    time, stop = Time(), asyncio.Event()
    await stop_at(START + timedelta(seconds=LOOK * 2.5), world(time), stop)
    assert stop.is_set()
    assert time.now == START + timedelta(seconds=LOOK * 2.5)
    assert time.slept == [LOOK, LOOK, LOOK / 2]


@pytest.mark.asyncio
async def test_a_clock_set_forward_ends_the_window_at_the_next_look() -> None:
    time, stop = Time(), asyncio.Event()
    window = asyncio.create_task(stop_at(START + timedelta(hours=8), world(time), stop))
    await asyncio.sleep(0)
    time.now += timedelta(hours=9)
    await window
    assert stop.is_set()
    assert len(time.slept) == 1


@pytest.mark.timeout(30)
def test_a_run_that_would_wait_ends_with_the_window(tmp_path: Path) -> None:
    """Nobody answers and the retry is a minute away: only the window ends this run so early."""
    file = tmp_path / "spgl.toml"
    file.write_text(
        '[target.t]\ntransport = "http"\nurl = "http://127.0.0.1:9"\nretry_schedule = [60]\n',
        encoding="utf-8",
    )
    args = argparse.Namespace(quiet=True, verbose=0, target="t", log=None, no_color=True)
    call = Call(args, load(file, {}))
    target = pushing.target_of(call, wait=3600.0)
    ledger = open_ledger(tmp_path / "ledger.db")
    now = datetime.now().astimezone()
    enter(ledger, [record("p")], target, "r1", now)
    done = pushing.deliver(
        call, ledger, target, checking.packs_of(call), "r1", until=now + timedelta(seconds=0.4)
    )
    assert done.interrupted
    assert pushing.exit_code(done) == Exit.INCOMPLETE
    assert [e.state for e in list_rows(ledger, Selector(table=PROJECTS))] == [State.QUEUED]
    ledger.audit()


def test_the_command_refuses_a_wrong_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spgl.toml").write_text(
        '[target.t]\ntransport = "http"\nurl = "http://127.0.0.1:9"\n', encoding="utf-8"
    )
    assert main(["push", "--until", "25:00", "--lang", "zh"]) == Exit.UNUSABLE
    assert "请写作 时:分" in capsys.readouterr().err
