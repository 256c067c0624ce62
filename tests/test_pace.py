"""A target's condition: the circuit and what outlives a run of it, rate, concurrency, retries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ledger_values import PROJECTS, START, Fault, Lines, Memory, Time, fails, packs, record, world

from pusher.circuit import Circuit
from pusher.delivery import Delivery, deliver
from pusher.ledger import enter, open_ledger, status
from pusher.ledger.circuits import circuits
from pusher.ledger.core import Ledger
from pusher.ledger.why import why
from pusher.metrics import prometheus
from pusher.pace import CALM, FLOOR, Budget, Pace
from pusher.retry import Schedule
from pusher.states import State
from pusher.target import Target
from pusher.transport import Batch, Failure, TransportError
from spgl.commands.ledger_explain import explained
from spgl.commands.status import to_json
from spgl.pushing import tell

AWAY = TransportError(Failure.UNREACHABLE, "ECONNREFUSED", "refused")
BUSY = TransportError(Failure.THROTTLED, "HTTP 429", "slow down")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "ledger.db")


def push(ledger: Ledger, target: Target, memory: Memory, time: Time, run: str = "r") -> Delivery:
    return asyncio.run(deliver(ledger, target, memory, packs(), run_id=run, world=world(time)))


def always(failure: Failure, code: str = "HTTP 503", **more: float) -> Fault:
    return fails(failure, 1_000_000, code, **more)


def test_the_circuit_opens_after_failures_in_a_row_and_probes() -> None:
    circuit = Circuit(3, Schedule((10.0, 60.0)))
    for _ in range(2):
        circuit.failed(AWAY, START)
    assert circuit.pause(START) is None
    circuit.failed(TransportError(Failure.RECORD, "HTTP 422", ""), START)
    assert circuit.pause(START) is None, "a refusal proves that the target is there"
    circuit.failed(AWAY, START)
    assert circuit.pause(START) == START + timedelta(seconds=10)
    later = START + timedelta(seconds=11)
    assert circuit.pause(later) is None
    assert circuit.probing
    circuit.failed(BUSY, later)
    assert circuit.pause(later) == later + timedelta(seconds=60), "one failed probe is enough"
    circuit.succeeded(later)
    assert circuit.pause(later) is None
    assert not circuit.probing


def test_a_clock_that_is_set_back_ends_a_pause_instead_of_prolonging_it() -> None:
    circuit = Circuit(1, Schedule((10.0,)))
    circuit.failed(AWAY, START)
    assert circuit.pause(START) is not None
    assert circuit.pause(START - timedelta(hours=1)) is None


def test_retry_after_leaves_the_whole_target_alone_and_halves_what_is_in_flight(
    ledger: Ledger,
) -> None:
    time, memory = Time(), Memory(delay=0.01)
    asked = fails(Failure.THROTTLED, 1, "HTTP 429", retry_after=60.0)
    sent: list[float] = []

    def first(batch: Batch) -> TransportError | None:
        sent.append((time() - START).total_seconds())
        return asked(batch)

    memory.before = first
    target = Target("national", batch_records=1, concurrency=8)
    enter(ledger, [record(f"p{i}") for i in range(60)], target, "r", START)
    done = push(ledger, target, memory, time)
    assert done.states == {State.ACCEPTED: 60}
    flying = sum(at < 60 for at in sent)
    assert flying <= 8, "what was in flight already ends; nothing follows until the minute is over"
    pace = Pace(0.0, 8, world(time))
    pace.throttled()
    pace.throttled()
    assert pace.allowed == 2
    for _ in range(CALM):
        pace.answered()
    assert pace.allowed == 3


def test_a_throttled_target_gets_fewer_requests_at_once(ledger: Ledger) -> None:
    memory = Memory(before=fails(Failure.THROTTLED, 3, "HTTP 503"), delay=0.001)
    target = Target("national", batch_records=1, concurrency=8)
    enter(ledger, [record("a")], target, "r", START)
    time = Time()
    push(ledger, target, memory, time)
    enter(ledger, [record(f"p{i}") for i in range(CALM - 5)], target, "s", time())
    busy = Memory(before=fails(Failure.THROTTLED, 8, "HTTP 503"), delay=0.001)
    push(ledger, target, busy, time, "s")
    assert busy.most == 8
    seen: list[int] = []

    def after(batch: Batch) -> TransportError | None:
        seen.append(slow.flying)
        return once(batch)

    once = fails(Failure.THROTTLED, 8, "HTTP 503")
    slow = Memory(before=after, delay=0.001)
    enter(ledger, [record(f"q{i}") for i in range(CALM)], target, "t", time())
    assert push(ledger, target, slow, time, "t").states[State.ACCEPTED] == 2 * CALM - 4
    assert max(seen[16:]) == 1, "8 → 4 → 2 → 1 after as many words to slow down"


def test_requests_leave_at_the_configured_rate(ledger: Ledger) -> None:
    time = Time()
    sent: list[float] = []

    def note(batch: Batch) -> TransportError | None:
        sent.append((time() - START).total_seconds())
        return None

    target = Target("national", batch_records=1, concurrency=1, rate=20.0)
    enter(ledger, [record(f"p{i}") for i in range(41)], target, "r", START)
    push(ledger, target, Memory(before=note), time)
    assert len(sent) == 41
    assert sent[0] == 0
    assert sent[-1] == pytest.approx(2.0, abs=1e-3), "40 intervals of 1/20 s"


def test_the_rate_is_kept_when_the_clock_is_set_back() -> None:
    time = Time()
    outer = world(time)
    ticks = [0.0]
    steady = type(outer)(outer.clock, outer.rng, outer.log, _sleeps(ticks), lambda: ticks[0])

    async def two() -> None:
        pace = Pace(1.0, 4, steady)
        await pace.enter()
        time.now -= timedelta(hours=1)
        await pace.enter()

    asyncio.run(two())
    assert ticks == [1.0]


def _sleeps(ticks: list[float]) -> Callable[[float], asyncio.Future[None]]:
    def sleep(seconds: float) -> asyncio.Future[None]:
        ticks[0] += seconds
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    return sleep


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_neither_stops_a_run_nor_ends_it_early(
    ledger: Ledger, hours: int
) -> None:
    """The third attempt falls into the change; the run waits on a clock that nobody sets."""
    time = Time()
    outer = world(time)
    ticks = [0.0]

    async def sleep(seconds: float) -> None:
        ticks[0] += seconds
        time.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    once = fails(Failure.UNREACHABLE, 3, "ECONNREFUSED")

    def change(batch: Batch) -> TransportError | None:
        fault = once(batch)
        if len(memory.sent) == 2:
            time.now += timedelta(hours=hours)
        return fault

    memory = Memory(before=change)
    target = Target("national", wait=120.0, retry=Schedule((20.0,)))
    enter(ledger, [record("p0")], target, "r", START)
    steady = type(outer)(time, outer.rng, outer.log, sleep, lambda: ticks[0])
    done = asyncio.run(deliver(ledger, target, memory, packs(), run_id="r", world=steady))
    assert done.states == {State.ACCEPTED: 1}
    assert ticks[0] <= 120


def test_a_sick_target_gets_no_more_retries_than_the_budget_allows(ledger: Ledger) -> None:
    """Every batch is rolled back on and on: each is sent once, and FLOOR of them again."""
    time, memory = Time(), Memory(before=always(Failure.ROLLED_BACK, "HTTP 500"))
    target = Target("national", batch_records=1, wait=10_000_000.0, retry_budget=0.1)
    enter(ledger, [record(f"p{i}") for i in range(200)], target, "r", START)
    done = push(ledger, target, memory, time)
    assert len(memory.sent) == 200 + FLOOR
    assert done.put_off == 200
    assert done.states == {State.QUEUED: 200}
    assert done.incomplete
    assert done.next_due is not None
    assert ledger.db.rows("SELECT MAX(burnt) FROM batch") == [(0,)]
    assert status(ledger).runs[0].delivery["put_off"] == 200
    well = push(ledger, target, Memory(), time, "next")
    assert well.states == {State.ACCEPTED: 200}, "what was put off is no retry of the next run"
    assert well.put_off == 0


def test_the_first_question_about_a_lost_answer_is_no_retry(ledger: Ledger) -> None:
    """Every answer is lost: each batch is asked for once, though no retry is left."""
    time, memory = Time(), Memory(after=always(Failure.IN_DOUBT, "reset"))
    target = Target("national", batch_records=1, retry_budget=0.0)
    enter(ledger, [record(f"p{i}") for i in range(FLOOR * 2)], target, "r", START)
    done = push(ledger, target, memory, time)
    assert done.states == {State.ACCEPTED: FLOOR * 2}
    assert memory.settled == FLOOR * 2


def test_a_budget_grows_with_the_requests_of_the_run() -> None:
    budget = Budget(0.1, 0.0, requests=10_000)
    assert budget.left == 1000
    assert Budget(0.1, 0.0, requests=10).left == FLOOR
    assert Budget(1.0, 0.0, requests=500, retries=400).left == 100


def test_an_open_circuit_outlives_the_run_and_is_probed_by_the_next(tmp_path: Path) -> None:
    path, time = tmp_path / "ledger.db", Time()
    target = Target("national", batch_records=1, wait=0.0, breaker=3, retry=Schedule((3600.0,)))
    with_path = open_ledger(path)
    enter(with_path, [record(f"p{i}") for i in range(10)], target, "r", START)
    done = push(with_path, target, Memory(before=always(Failure.UNREACHABLE, "DNS")), time)
    assert done.away is not None
    assert done.away.until == START + timedelta(hours=1)
    with_path.close()

    again = open_ledger(path)
    time.now += timedelta(minutes=10)
    probed = Memory(before=always(Failure.UNREACHABLE, "DNS"))
    assert push(again, target, probed, time, "s").incomplete
    assert len(probed.sent) == 1, "a new run probes with one batch, whatever the time"
    assert status(again).away["national"].until == time() + timedelta(hours=1)
    again.close()

    last = open_ledger(path)
    time.now += timedelta(hours=1)
    healthy = Memory(delay=0.001)
    flying: list[int] = []
    healthy.before = lambda batch: flying.append(healthy.flying)
    longer = Target("national", batch_records=1, wait=7200.0, breaker=3)
    assert push(last, longer, healthy, time, "t").states == {State.ACCEPTED: 10}
    assert flying[0] == 1, "one probe first"
    assert circuits(last) == {}


def test_a_failed_probe_after_a_restart_opens_it_again(tmp_path: Path) -> None:
    path, time = tmp_path / "ledger.db", Time()
    target = Target("national", batch_records=1, wait=0.0, retry=Schedule((60.0, 600.0)))
    for run, opened in (("r", 60), ("s", 600)):
        ledger = open_ledger(path)
        enter(ledger, [record(f"{run}{i}") for i in range(10)], target, run, time())
        memory = Memory(before=always(Failure.UNREACHABLE, "DNS"))
        done = push(ledger, target, memory, time, run)
        assert done.away is not None
        assert done.away.until == time() + timedelta(seconds=opened)
        ledger.close()
        time.now += timedelta(seconds=opened + 1)
    assert len(memory.sent) == 1, "one probe was enough"


def test_the_log_never_tells_values(ledger: Ledger) -> None:
    lines = Lines()
    target = Target("national")
    enter(ledger, [record("secret-key")], target, "r", START)
    run = deliver(ledger, target, Memory(), packs(), run_id="r", world=world(lines=lines))
    asyncio.run(run)
    assert "secret-key" not in str(lines.lines)


def test_explain_status_and_metrics_tell_of_the_open_circuit(ledger: Ledger) -> None:
    time = Time(datetime.now(UTC))
    target = Target("national", wait=0.0, breaker=1, retry=Schedule((3600.0,)))
    enter(ledger, [record("p0")], target, "r", time())
    done = push(ledger, target, Memory(before=always(Failure.UNREACHABLE, "DNS")), time)
    until = (time() + timedelta(hours=1)).astimezone().isoformat(sep=" ")[:19]
    because = why(ledger, "national", PROJECTS, {"GCDM": "p0"})
    assert because is not None
    assert f"circuit open until {until}" in "\n".join(explained(because, time(), "en"))
    assert f"熔断至 {until}" in "\n".join(explained(because, time(), "zh"))
    assert f"circuit open until {until}" in tell(done, target, "en")
    shown = json.loads(to_json(status(ledger)))
    assert shown["away"][0]["fault"] == "unreachable DNS"
    stamp = (time() + timedelta(hours=1)).timestamp()
    line = f'spgl_circuit_open_until_timestamp_seconds{{target="national"}} {stamp:.15g}'
    assert line in prometheus(status(ledger), time())
