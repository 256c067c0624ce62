"""Why a record is not at the target yet, for every way of not being there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_values import CASES, PROJECTS, START, Memory, Time, fails, packs, record, spoilt, world

from pusher.delivery import deliver
from pusher.ledger import Selector, enter, hold
from pusher.ledger.core import Ledger
from pusher.ledger.why import why
from pusher.retry import Schedule
from pusher.target import Target
from pusher.transport import Answer, Failure
from spgl.cli import Exit, main
from spgl.commands.ledger_explain import explained
from tests.ledgers import ENGINES, ledger_on, place_on, settings_of
from validator.records import Operation, Record, Standing
from validator.text import Lang

TARGET = Target("national", wait=0.0, retry=Schedule(steps=(600.0,)))


@pytest.fixture(params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with ledger_on(request.param, tmp_path) as made:
        yield made


async def push(
    ledger: Ledger, memory: Memory, *records: Record, run: str = "r1", target: Target = TARGET
) -> None:
    time = Time()
    enter(ledger, records, target, run, time())
    await deliver(ledger, target, memory, packs(), run_id=run, world=world(time))


def told(ledger: Ledger, key: str, *, table: str = PROJECTS, lang: Lang = "en") -> list[str]:
    name = "GCDM" if table == PROJECTS else "SPSXSLBM"
    found = why(ledger, "national", table, {name: key})
    assert found is not None
    return explained(found, START + timedelta(seconds=1), lang)


def test_a_record_the_ledger_does_not_know(ledger: Ledger) -> None:
    assert why(ledger, "national", PROJECTS, {"GCDM": "p"}) is None


def test_blocked_names_the_rules(ledger: Ledger) -> None:
    bad = record("p", standing=Standing.BLOCKED, blocked_by=("required", "wrong-format"))
    enter(ledger, [bad], TARGET, "r1", START)
    assert "blocked by the gate because of required, wrong-format" in told(ledger, "p")[1]
    assert "未放行，未通过的规则：required, wrong-format" in told(ledger, "p", lang="zh")[1]


@pytest.mark.asyncio
async def test_a_chain_of_waits_is_followed_to_the_refused_root(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "项目代码不存在" if key.get("GCDM") == "root" else "")
    chain = (
        record("root"),
        record("p", parent="root"),
        record("c", table=CASES, parent="p"),
    )
    await push(ledger, memory, *chain)
    lines = told(ledger, "c", table=CASES)
    assert lines[0] == f"national · {CASES} · SPSXSLBM=c"
    assert "waiting until" in lines[1]
    assert lines[2].endswith(f"{PROJECTS} GCDM=p")
    assert "waiting until" in lines[3]
    assert lines[4].endswith(f"{PROJECTS} GCDM=root")
    assert "refused at" in lines[5]
    assert "项目代码不存在" in lines[5]
    assert len(lines) == 6


def test_records_that_wait_for_each_other_are_told_without_end(ledger: Ledger) -> None:
    enter(ledger, [record("a", parent="b"), record("b")], TARGET, "r1", START)
    enter(ledger, [record("b", parent="a")], TARGET, "r2", START)
    assert "the ledger follows this chain no further" in "\n".join(told(ledger, "a"))


@pytest.mark.asyncio
async def test_queued_again_says_when_and_what_went_wrong(ledger: Ledger) -> None:
    await push(ledger, Memory(before=fails(Failure.UNREACHABLE, 9)), record("p"))
    assert "queued, next try at " in told(ledger, "p")[1]
    assert "the last attempt: unreachable HTTP 503 as scripted" in told(ledger, "p")[1]


def test_queued_and_never_tried_goes_with_the_next_run(ledger: Ledger) -> None:
    enter(ledger, [record("p")], TARGET, "r1", START)
    assert told(ledger, "p")[1] == "  v1 queued, goes with the next run"
    assert told(ledger, "p", lang="zh")[1] == "  v1 待投送，下次运行即投送"


@pytest.mark.asyncio
async def test_in_doubt_says_since_when(ledger: Ledger) -> None:
    away = fails(Failure.UNREACHABLE, 9)
    await push(ledger, Memory(after=fails(Failure.IN_DOUBT, 9), asked=away), record("p"))
    assert "in doubt since " in told(ledger, "p")[1]
    assert "the target is asked before anything is sent again" in told(ledger, "p")[1]


@pytest.mark.asyncio
async def test_accepted_and_delivered_say_when(ledger: Ledger) -> None:
    await push(ledger, Memory(), record("p"))
    await push(ledger, Memory(answer=Answer.RECEIVED), record("q"), run="r2")
    assert "accepted at " in told(ledger, "p")[1]
    assert "(LSH L1)" in told(ledger, "p")[1]
    assert "the target's verdict is pending" in told(ledger, "q")[1]


@pytest.mark.asyncio
async def test_a_held_change_tells_what_the_target_holds_meanwhile(ledger: Ledger) -> None:
    await push(ledger, Memory(), record("p"))
    enter(ledger, [record("p", XMMC="two")], TARGET, "r2", START)
    enter(ledger, [record("p", XMMC="three")], TARGET, "r3", START)
    hold(ledger, Selector(), "engineer", START)
    lines = told(ledger, "p")
    assert lines[1].startswith("  v3 held by a person since ")
    assert lines[2].startswith("  the target holds v1 (accepted, ")
    assert lines[3] == "  v2 was superseded by v3 before it was sent"


@pytest.mark.asyncio
async def test_a_deletion_leaves_nothing_standing(ledger: Ledger) -> None:
    memory = Memory()
    await push(ledger, memory, record("p"))
    await push(ledger, memory, record("p", operation=Operation.INVALIDATE), run="r2")
    lines = told(ledger, "p")
    assert len(lines) == 2
    assert lines[1].startswith("  v2 (a deletion) accepted at ")


@pytest.mark.asyncio
async def test_given_up_counts_the_attempts(ledger: Ledger) -> None:
    memory = Memory(before=spoilt(Failure.ROLLED_BACK, "p"))
    once = Target("national", retry=Schedule(steps=(1.0,), attempts=1))
    await push(ledger, memory, record("p"), record("q", division="441800"), target=once)
    assert "given up at " in told(ledger, "p")[1]


def test_a_child_of_a_bad_parent_is_blocked_in_words(ledger: Ledger) -> None:
    held = record("c", table=CASES, standing=Standing.BLOCKED, blocked_by=("parent",))
    enter(ledger, [held], TARGET, "r1", START)
    assert "because of a parent that does not conform;" in told(ledger, "c", table=CASES)[1]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_command_prints_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    with place_on(engine, tmp_path) as place:
        ledger = place.open()
        enter(ledger, [record("p")], TARGET, "r1", START)
        ledger.close()
        config = tmp_path / "spgl.toml"
        config.write_text(settings_of(place), encoding="utf-8")
        _explained(capsys, "--config", str(config), "--state-dir", str(place.path.parent))


def _explained(capsys: pytest.CaptureFixture[str], *site: str) -> None:
    words = [*site, "--lang", "en"]
    assert main(["ledger", "explain", "GCDM=p", *words]) == Exit.FINE
    assert "queued, goes with the next run" in capsys.readouterr().out
    assert main(["ledger", "explain", "GCDM=nobody", *words]) == Exit.UNUSABLE
    assert "the ledger knows no GCDM=nobody" in capsys.readouterr().err
