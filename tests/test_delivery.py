"""A run of the push, end to end against a target in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_values import (
    CASES,
    PROJECTS,
    STANDARD,
    START,
    Lines,
    Memory,
    Time,
    fails,
    packs,
    record,
    spoilt,
    world,
)

from pusher.delivery import Delivery, deliver
from pusher.ledger import LedgerError, Selector, enter, life, list_rows, open_ledger, retry
from pusher.ledger.core import Ledger
from pusher.ledger.lock import run_lock
from pusher.retry import Schedule
from pusher.states import State
from pusher.target import Target
from pusher.transport import Answer, Failure, TransportError, Verdict
from tests.ledgers import ENGINES, ledger_on
from validator.records import Operation, Record

TARGET = Target("national", batch_records=10)


@pytest.fixture(params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with ledger_on(request.param, tmp_path) as made:
        yield made


async def push(
    ledger: Ledger,
    memory: Memory,
    records: list[Record] | None = None,
    *,
    run: str = "r1",
    target: Target = TARGET,
    time: Time | None = None,
    lines: Lines | None = None,
) -> Delivery:
    clock = time or Time()
    if records is not None:
        enter(ledger, records, target, run, clock())
    done = await deliver(ledger, target, memory, packs(), run_id=run, world=world(clock, lines))
    ledger.audit()
    return done


def projects(count: int) -> list[Record]:
    return [record(f"p{i}", XMMC=f"项目{i}") for i in range(count)]


@pytest.mark.asyncio
async def test_a_child_entered_first_arrives_after_its_parent(ledger: Ledger) -> None:
    cases = [record(f"c{i}", table=CASES, parent=f"p{i % 5}") for i in range(30)]
    memory = Memory()
    done = await push(ledger, memory, cases + projects(5))
    assert done.states == {State.ACCEPTED: 35}
    assert {key for _, key, _ in memory.effects[:5]} == {f"p{i}" for i in range(5)}
    assert memory.notified == 1
    assert done.notified


@pytest.mark.asyncio
async def test_a_project_arrives_after_the_project_it_refers_to(ledger: Ledger) -> None:
    chain = [record(f"p{i}", parent=f"p{i + 1}") for i in range(6)] + [record("p6")]
    memory = Memory()
    done = await push(ledger, memory, chain)
    assert done.states == {State.ACCEPTED: 7}
    assert [key for _, key, _ in memory.effects] == [f"p{i}" for i in reversed(range(7))]


@pytest.mark.asyncio
async def test_a_parent_the_ledger_does_not_know_holds_nobody_back(ledger: Ledger) -> None:
    done = await push(ledger, Memory(), [record("c1", table=CASES, parent="elsewhere")])
    assert done.states == {State.ACCEPTED: 1}


@pytest.mark.asyncio
async def test_a_child_of_a_refused_parent_stays_waiting(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "项目代码不存在" if key.get("GCDM") == "p0" else "")
    done = await push(ledger, memory, [*projects(1), record("c1", table=CASES, parent="p0")])
    assert done.states == {State.REJECTED: 1, State.WAITING: 1}
    assert done.refused == 1
    story = life(ledger, "national", CASES, {"SPSXSLBM": "c1"})
    assert story is not None
    assert story.versions[0].waits_for == (f"{PROJECTS} GCDM=p0",)
    assert not done.incomplete


@pytest.mark.asyncio
async def test_the_same_export_pushed_twice_sends_nothing_the_second_time(ledger: Ledger) -> None:
    memory = Memory()
    await push(ledger, memory, projects(25))
    before = len(memory.sent)
    done = await push(ledger, memory, projects(25), run="r2")
    assert len(memory.sent) == before
    assert done.attempts == 0
    assert memory.notified == 1


@pytest.mark.asyncio
async def test_content_that_returns_to_an_earlier_state_is_sent_under_a_new_key(
    ledger: Ledger,
) -> None:
    memory = Memory()
    for run, name in enumerate("ABA"):
        await push(ledger, memory, [record("p0", XMMC=name)], run=f"r{run}")
    assert [fields["XMMC"] for _, _, fields in memory.effects] == ["A", "B", "A"]
    assert len(memory.batches) == 3
    previous = [batch.parcels[0].previous for batch in memory.sent]
    assert [p and p["XMMC"] for p in previous] == [None, "A", "B"]


@pytest.mark.asyncio
async def test_a_deletion_after_a_change_is_sent_with_what_the_target_holds(
    ledger: Ledger,
) -> None:
    memory = Memory()
    await push(ledger, memory, [record("p0", XMMC="A")])
    await push(ledger, memory, [record("p0", XMMC="B")], run="r2")
    gone = record("p0", operation=Operation.INVALIDATE)
    await push(ledger, memory, [gone], run="r3")
    assert [(op, fields.get("XMMC")) for op, _, fields in memory.effects] == [
        ("upsert", "A"),
        ("upsert", "B"),
        ("invalidate", "B"),
    ]
    assert memory.rows == {}
    done = await push(ledger, memory, [gone], run="r4")
    assert done.attempts == 0


@pytest.mark.asyncio
async def test_children_are_invalidated_before_their_parents(ledger: Ledger) -> None:
    memory = Memory()
    target = Target("national", batch_records=2, concurrency=8)
    cases = [record(f"c{i}", table=CASES, parent="p0") for i in range(9)]
    await push(ledger, memory, [record("p0"), *cases], target=target)
    gone = [record("p0", operation=Operation.INVALIDATE), record("p1")]
    gone += [record(f"c{i}", table=CASES, operation=Operation.INVALIDATE) for i in range(9)]
    memory.delay = 0.001
    await push(ledger, memory, gone, run="r2", target=target)
    effects = [(op, key) for op, key, _ in memory.effects[10:]]
    assert effects[0] == ("upsert", "p1")
    assert sorted(effects[1:-1]) == [("invalidate", f"c{i}") for i in range(9)]
    assert effects[-1] == ("invalidate", "p0")


@pytest.mark.asyncio
async def test_an_outage_is_waited_out_and_burns_nothing(ledger: Ledger) -> None:
    time, memory = Time(), Memory(before=fails(Failure.UNREACHABLE, 3, "refused"))
    done = await push(ledger, memory, projects(3), time=time)
    assert done.states == {State.ACCEPTED: 3}
    assert time.slept
    assert ledger.db.rows("SELECT MAX(burnt) FROM batch") == [(0,)]
    assert [b.fresh for b in memory.sent] == [True] * 4


@pytest.mark.asyncio
async def test_a_target_that_stays_away_leaves_everything_queued(ledger: Ledger) -> None:
    memory = Memory(before=fails(Failure.UNREACHABLE, 10_000, "refused"))
    done = await push(ledger, memory, projects(500))
    assert done.states == {State.QUEUED: 500}
    assert done.incomplete
    assert len(memory.sent) < 40, "the circuit keeps us from trying every batch"
    assert memory.notified == 0
    memory.before = lambda batch: None
    done = await push(ledger, memory, run="r2")
    assert done.states == {State.ACCEPTED: 500}


@pytest.mark.asyncio
async def test_throttling_is_obeyed_at_least_as_long_as_told(ledger: Ledger) -> None:
    time = Time()
    memory = Memory(before=fails(Failure.THROTTLED, 1, "HTTP 429", retry_after=77.0))
    done = await push(ledger, memory, projects(1), time=time)
    assert done.states == {State.ACCEPTED: 1}
    assert sum(time.slept) >= 77


@pytest.mark.asyncio
async def test_a_retry_due_after_the_wait_is_left_for_the_next_run(ledger: Ledger) -> None:
    memory = Memory(before=fails(Failure.THROTTLED, 1, "HTTP 429", retry_after=3600.0))
    time = Time()
    done = await push(ledger, memory, projects(2), time=time)
    assert done.incomplete
    assert done.next_due is not None
    assert (done.next_due - START).total_seconds() >= 3600
    done = await push(ledger, memory, run="r2", time=time)
    assert done.attempts == 0, "not due yet"
    time.now = done.next_due or time.now
    done = await push(ledger, memory, run="r3", time=time)
    assert done.states == {State.ACCEPTED: 2}
    assert len({b.idempotency_key for b in memory.sent}) == 1, "re-sent unchanged, same key"


@pytest.mark.asyncio
async def test_a_wrong_setting_stops_the_run_and_burns_nothing(ledger: Ledger) -> None:
    memory = Memory(before=fails(Failure.CONFIGURATION, 10_000, "HTTP 401"))
    done = await push(ledger, memory, projects(100))
    assert done.stopped is not None
    assert done.stopped.code == "HTTP 401"
    assert done.states == {State.QUEUED: 100}
    assert len(memory.sent) <= TARGET.concurrency
    assert ledger.db.rows("SELECT MAX(burnt) FROM batch") == [(0,)]


@pytest.mark.asyncio
async def test_a_lost_answer_is_settled_before_anything_is_sent_again(ledger: Ledger) -> None:
    lost = fails(Failure.IN_DOUBT, 3, "reset")
    memory = Memory(after=lost)
    done = await push(ledger, memory, projects(30))
    assert done.states == {State.ACCEPTED: 30}
    assert memory.settled == 3
    assert len(memory.sent) == 3, "the target held them all"
    assert len(memory.effects) == 30


@pytest.mark.asyncio
async def test_doubt_about_a_batch_that_never_arrived_ends_in_sending_it(ledger: Ledger) -> None:
    memory = Memory(before=fails(Failure.IN_DOUBT, 2, "timeout"))
    done = await push(ledger, memory, projects(10))
    assert done.states == {State.ACCEPTED: 10}
    assert len(memory.effects) == 10
    assert [b.fresh for b in memory.sent] == [True, False, False]


@pytest.mark.asyncio
async def test_a_doubt_that_cannot_be_settled_stays_a_doubt(ledger: Ledger) -> None:
    away = fails(Failure.UNREACHABLE, 10_000, "refused")
    memory = Memory(after=fails(Failure.IN_DOUBT, 1, "reset"), asked=away)
    done = await push(ledger, memory, projects(1))
    assert done.states == {State.IN_DOUBT: 1}
    assert done.incomplete
    assert len(memory.sent) == 1
    memory.asked = lambda batch: None
    done = await push(ledger, memory, run="r2", time=Time(done.next_due or START))
    assert done.states == {State.ACCEPTED: 1}
    assert len(memory.sent) == 1


@pytest.mark.asyncio
async def test_one_bad_record_never_blocks_the_rest(ledger: Ledger) -> None:
    memory = Memory(before=spoilt(Failure.RECORD, "p37"))
    done = await push(ledger, memory, projects(100))
    assert done.states == {State.ACCEPTED: 99, State.REJECTED: 1}
    row = list_rows(ledger, Selector(states=(State.REJECTED,)))[0]
    assert row.key == {"GCDM": "p37"}
    assert row.note == "bad record"
    assert len(memory.effects) == 99


@pytest.mark.asyncio
async def test_a_record_that_breaks_the_target_is_isolated_and_given_up(ledger: Ledger) -> None:
    memory = Memory(before=spoilt(Failure.ROLLED_BACK, "p7"))
    steps = Schedule((1.0,), attempts=8)
    quick = Target("national", batch_records=10, wait=3, retry=steps)
    time = Time()
    enter(ledger, projects(60), quick, "r0", START)
    for run in range(40):
        # other records keep coming, so the target is seen to work
        fresh = [record(f"x{run}")]
        done = await push(ledger, memory, fresh, run=f"r{run + 1}", target=quick, time=time)
        if State.GIVEN_UP in done.states:
            break
    assert done.states == {State.GIVEN_UP: 1, State.ACCEPTED: 59 + run + 1}
    assert list_rows(ledger, Selector(states=(State.GIVEN_UP,)))[0].key == {"GCDM": "p7"}


@pytest.mark.asyncio
async def test_a_general_fault_gives_nothing_up_within_days(ledger: Ledger) -> None:
    memory = Memory(before=fails(Failure.ROLLED_BACK, 10_000, "HTTP 502"))
    time = Time()
    for run in range(20):
        done = await push(ledger, memory, projects(30), run=f"r{run}", time=time)
        assert done.next_due is not None
        time.now = max(done.next_due, time.now)
    assert done.states == {State.QUEUED: 30}


@pytest.mark.asyncio
async def test_too_large_is_halved_until_it_fits(ledger: Ledger) -> None:
    def large(batch: object) -> TransportError | None:
        size = len(batch.parcels)  # type: ignore[attr-defined]
        too = size > 3
        return TransportError(Failure.TOO_LARGE, "HTTP 413", "too large") if too else None

    memory = Memory(before=large)
    done = await push(ledger, memory, projects(20))
    assert done.states == {State.ACCEPTED: 20}
    assert max(len(b.parcels) for b, _ in memory.batches.values()) <= 3


@pytest.mark.asyncio
async def test_a_duplicate_is_verified(ledger: Ledger) -> None:
    def held(batch: object) -> TransportError | None:
        known = batch.idempotency_key in first  # type: ignore[attr-defined]
        first.add(batch.idempotency_key)  # type: ignore[attr-defined]
        return None if known else TransportError(Failure.DUPLICATE, "HTTP 409", "there already")

    first: set[str] = set()
    memory = Memory(after=held)
    done = await push(ledger, memory, projects(5))
    assert done.states == {State.ACCEPTED: 5}
    assert memory.settled == 1


@pytest.mark.asyncio
async def test_a_duplicate_of_something_else_is_refused_record_by_record(ledger: Ledger) -> None:
    memory = Memory(before=spoilt(Failure.DUPLICATE, "p2"))
    done = await push(ledger, memory, projects(5))
    assert done.states == {State.ACCEPTED: 4, State.REJECTED: 1}


@pytest.mark.asyncio
async def test_a_parent_missing_at_the_target_makes_the_record_wait(ledger: Ledger) -> None:
    memory = Memory(before=spoilt(Failure.PARENT, "c3"))
    cases = [record(f"c{i}", table=CASES, parent="elsewhere") for i in range(8)]
    done = await push(ledger, memory, cases)
    assert done.states == {State.ACCEPTED: 7, State.WAITING: 1}
    memory.before = lambda batch: None
    done = await push(ledger, memory, run="r2")
    assert done.states == {State.ACCEPTED: 8}


@pytest.mark.asyncio
async def test_missing_receipts_are_a_doubt_not_an_acceptance(ledger: Ledger) -> None:
    memory = Memory(short=1)
    done = await push(ledger, memory, projects(4))
    assert done.states == {State.ACCEPTED: 4}
    assert memory.settled == 1


@pytest.mark.asyncio
async def test_late_verdicts_come_by_stream_and_rejected_after_accepted_is_taken(
    ledger: Ledger,
) -> None:
    memory = Memory(answer=Answer.RECEIVED)
    done = await push(ledger, memory, projects(3))
    assert done.states == {State.DELIVERED: 3}
    for i, answer in enumerate([Answer.ACCEPTED, Answer.REJECTED, Answer.ACCEPTED]):
        memory.says.append(_verdict(f"p{i}", answer, "缺少材料"))
    done = await push(ledger, memory, run="r2")
    assert done.states == {State.ACCEPTED: 2, State.REJECTED: 1}
    assert done.refused == 1
    memory.says += [_verdict("p0", Answer.REJECTED, "重复"), _verdict("nobody", Answer.ACCEPTED)]
    done = await push(ledger, memory, run="r3")
    assert done.states == {State.ACCEPTED: 1, State.REJECTED: 2}
    assert done.feedback.applied.unknown == 1
    done = await push(ledger, memory, run="r4")
    assert done.feedback.applied.unknown == 0, "the cursor moved on"


@pytest.mark.asyncio
async def test_look_up_asks_for_every_awaited_row_and_for_words_that_may_change(
    ledger: Ledger,
) -> None:
    memory = Memory(answer=Answer.RECEIVED, stream=False)
    target = Target("national", feedback_page=2)
    await push(ledger, memory, projects(5), target=target)
    memory.says = [_verdict("p4", Answer.ACCEPTED, final=False)]
    done = await push(ledger, memory, run="r2", target=target)
    assert done.states == {State.DELIVERED: 4, State.ACCEPTED: 1}
    memory.says = [_verdict("p4", Answer.REJECTED, "不符")]
    done = await push(ledger, memory, run="r3", target=target)
    assert done.states == {State.DELIVERED: 4, State.REJECTED: 1}


@pytest.mark.asyncio
async def test_a_strict_child_goes_when_its_parent_is_accepted(ledger: Ledger) -> None:
    memory = Memory(answer=Answer.RECEIVED)
    strict = Target("national", parent_status="accepted")
    rows = [*projects(1), record("c0", table=CASES, parent="p0")]
    done = await push(ledger, memory, rows, target=strict)
    assert done.states == {State.DELIVERED: 1, State.WAITING: 1}
    memory.says = [_verdict("p0", Answer.ACCEPTED)]
    done = await push(ledger, memory, run="r2", target=strict)
    assert done.states == {State.ACCEPTED: 1, State.DELIVERED: 1}


@pytest.mark.asyncio
async def test_a_failing_notify_fails_nothing(ledger: Ledger) -> None:
    class Deaf(Memory):
        async def notify(self) -> None:
            self.notified += 1
            raise TransportError(Failure.UNREACHABLE, "refused", "")

    memory = Deaf()
    done = await push(ledger, memory, projects(1))
    assert done.states == {State.ACCEPTED: 1}
    assert done.notified is False
    assert memory.notified == 3


@pytest.mark.asyncio
async def test_a_second_run_at_the_same_time_is_refused(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    busy = pytest.raises(LedgerError, match="another push to national is running")
    with run_lock(ledger, TARGET), busy:
        await push(ledger, Memory(), projects(1))
    done = await push(ledger, Memory(), projects(1))
    assert done.states == {State.ACCEPTED: 1}


@pytest.mark.asyncio
async def test_the_word_to_stop_drains_and_leaves_the_rest_queued(ledger: Ledger) -> None:
    enter(ledger, projects(400), TARGET, "r1", START)
    stop = asyncio.Event()
    memory = Memory(delay=0.001)

    def enough(batch: object) -> None:
        if len(memory.sent) == 8:
            stop.set()

    memory.before = enough
    done = await deliver(ledger, TARGET, memory, packs(), run_id="r1", world=world(), stop=stop)
    ledger.audit()
    assert done.interrupted
    assert done.incomplete
    assert set(done.states) == {State.ACCEPTED, State.QUEUED}
    assert done.states[State.ACCEPTED] == len(memory.effects) < 400


@pytest.mark.asyncio
async def test_a_cancelled_run_leaves_what_was_in_flight_in_doubt(ledger: Ledger) -> None:
    enter(ledger, projects(20), TARGET, "r1", START)
    memory = Memory(delay=30)
    run = asyncio.create_task(deliver(ledger, TARGET, memory, packs(), run_id="r1", world=world()))
    while memory.flying < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    ledger.audit()
    counts = {entry.state for entry in list_rows(ledger, Selector())}
    assert counts == {State.IN_DOUBT}
    memory.delay = 0
    done = await push(ledger, memory, run="r2")
    assert done.states == {State.ACCEPTED: 20}
    assert len(memory.effects) == 20


@pytest.mark.asyncio
async def test_a_retried_refusal_goes_out_under_a_new_key(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "项目代码不存在")
    await push(ledger, memory, projects(1))
    memory.refuse = lambda key: ""
    act = retry(ledger, Selector(reason="不存在"), "engineer", START)
    assert [e.key for e in act.moved] == [{"GCDM": "p0"}]
    done = await push(ledger, memory, run="r2")
    assert done.states == {State.ACCEPTED: 1}
    assert len({b.idempotency_key for b in memory.sent}) == 2


@pytest.mark.asyncio
async def test_log_lines_of_attempts_have_exactly_the_contract_fields(ledger: Ledger) -> None:
    lines, memory = Lines(), Memory(before=fails(Failure.UNREACHABLE, 1, "refused"))
    await push(ledger, memory, projects(2), lines=lines)
    (failed,) = lines.events("attempt_failed")
    assert set(failed) == {
        "event", "run_id", "standard", "table", "batch", "records", "attempt", "transport",
        "outcome", "class", "status", "duration_ms", "bytes", "next_due",
    }  # fmt: skip
    assert failed["class"] == "unreachable"
    assert failed["records"] == 2
    assert failed["next_due"] is not None
    (done,) = lines.events("attempt_succeeded")
    assert (done["attempt"], done["outcome"], done["class"]) == (2, "accepted", None)
    assert done["status"] is None, "this transport has no codes for answers"
    assert "项目" not in repr(lines.lines), "record values are never logged"


@pytest.mark.asyncio
async def test_batches_are_in_flight_together_up_to_the_limit(ledger: Ledger) -> None:
    memory = Memory(delay=0.002)
    target = Target("national", batch_records=1, concurrency=7)
    await push(ledger, memory, projects(50), target=target)
    assert memory.most == 7


def _verdict(key: str, answer: Answer, reason: str = "", *, final: bool = True) -> Verdict:
    return Verdict(
        STANDARD, "SPGL_XMJBXXB", "441802", {"GCDM": key}, answer, reason=reason, final=final
    )
