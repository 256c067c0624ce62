"""Later words of the target: streams, look-up, old and strange verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ledger_values import PROJECTS, STANDARD, START, Lines, Memory, Time, packs, record, world

from pusher.delivery import deliver
from pusher.feedback import collect
from pusher.ledger import Selector, enter, list_rows
from pusher.ledger.core import Ledger
from pusher.ledger.verdicts import awaited, cursor
from pusher.states import State
from pusher.target import Target
from pusher.transport import Answer, Awaited, Failure, TransportError, Verdict, VerdictPage
from tests.ledgers import ENGINES, ledger_on
from validator.records import Operation

TARGET = Target("national", feedback_page=3)


@pytest.fixture(params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with ledger_on(request.param, tmp_path) as made:
        yield made


def delivered(ledger: Ledger, memory: Memory, *keys: str, run: str = "r1", **fields: str) -> None:
    enter(ledger, [record(key, **fields) for key in keys], TARGET, run, START)
    asyncio.run(deliver(ledger, TARGET, memory, packs(), run_id=run, world=world()))


def word(key: str, answer: Answer, **more: object) -> Verdict:
    place = STANDARD, "SPGL_XMJBXXB", "441802"
    return Verdict(*place, {"GCDM": key}, answer, **more)  # type: ignore[arg-type]


def states(ledger: Ledger) -> dict[str, str]:
    return {e.key["GCDM"]: str(e.state) for e in list_rows(ledger, Selector())}


def test_a_stream_is_read_to_its_end_and_continues_at_its_cursor(ledger: Ledger) -> None:
    memory = Memory(answer=Answer.RECEIVED)
    delivered(ledger, memory, *"abcde")
    memory.says = [word(key, Answer.ACCEPTED) for key in "abcde"]
    back = asyncio.run(collect(ledger, TARGET, memory, [PROJECTS], world()))
    assert (back.applied.accepted, back.pages) == (5, 3)
    assert cursor(ledger, TARGET, STANDARD) == "5"
    again = asyncio.run(collect(ledger, TARGET, memory, [PROJECTS], world()))
    assert (again.applied.accepted, again.applied.unchanged) == (0, 0)


def test_a_stream_that_does_not_move_on_ends(ledger: Ledger) -> None:
    class Stuck(Memory):
        async def verdicts(
            self, standard: str, awaited: Sequence[Awaited], cursor: str | None
        ) -> VerdictPage:
            return VerdictPage((), "7", True)

    back = asyncio.run(collect(ledger, TARGET, Stuck(), [PROJECTS], world()))
    assert back.pages == 2


def test_a_failing_target_ends_feedback_and_keeps_what_came(ledger: Ledger) -> None:
    lines = Lines()

    class Failing(Memory):
        async def verdicts(
            self, standard: str, awaited: Sequence[Awaited], cursor: str | None
        ) -> VerdictPage:
            if cursor == "1":
                raise TransportError(Failure.UNREACHABLE, "refused", "")
            return VerdictPage((word("a", Answer.ACCEPTED),), "1", True)

    memory = Memory(answer=Answer.RECEIVED)
    delivered(ledger, memory, "a", "b")
    back = asyncio.run(collect(ledger, TARGET, Failing(), [PROJECTS], world(lines=lines)))
    assert back.fault is not None
    assert states(ledger) == {"a": "accepted", "b": "delivered"}
    assert lines.events("feedback_failed")[0]["class"] == "unreachable"


def test_rows_without_an_answer_starve_nobody(ledger: Ledger) -> None:
    memory = Memory(answer=Answer.RECEIVED, stream=False)
    delivered(ledger, memory, *"abcdefgh")
    memory.says = [word("h", Answer.ACCEPTED), word("d", Answer.REJECTED, reason="缺项")]
    back = asyncio.run(collect(ledger, TARGET, memory, [PROJECTS], world()))
    assert back.pages == 3, "every awaited row is asked for, page by page"
    found = states(ledger)
    assert (found["h"], found["d"], found["a"]) == ("accepted", "rejected", "delivered")
    first = awaited(ledger, TARGET, PROJECTS, 0, 2)
    assert [a.key["GCDM"] for a in first] == ["a", "b"], "oldest first"
    assert first[0].fields == {"GCDM": "a"}


def test_an_awaited_version_is_the_sole_one_until_another_is_entered(ledger: Ledger) -> None:
    """Sent or not: from then on it is not known which of them a row may be."""
    memory = Memory(answer=Answer.RECEIVED, stream=False)
    delivered(ledger, memory, "a", "b", X="1")
    assert [a.sole for a in awaited(ledger, TARGET, PROJECTS, 0, 9)] == [True, True]
    enter(ledger, [record("a", X="2")], TARGET, "r2", START)
    assert [(a.key["GCDM"], a.sole) for a in awaited(ledger, TARGET, PROJECTS, 0, 9)] == [
        ("a", False),
        ("b", True),
    ]
    delivered(ledger, memory, "a", run="r3", X="3")
    found = awaited(ledger, TARGET, PROJECTS, 0, 9)
    assert {a.sole for a in found if a.key["GCDM"] == "a"} == {False}


def test_a_verdict_belongs_to_the_version_with_its_number(ledger: Ledger) -> None:
    memory = Memory(answer=Answer.RECEIVED)
    delivered(ledger, memory, "a", X="1")
    delivered(ledger, memory, "a", run="r2", X="2")
    memory.says = [word("a", Answer.REJECTED, lsh="L1", reason="旧版本")]
    asyncio.run(collect(ledger, TARGET, memory, [PROJECTS], world()))
    rows = [(e.sequence, str(e.state)) for e in list_rows(ledger, Selector())]
    assert rows == [(1, "rejected"), (2, "delivered")]


def test_an_older_word_does_not_undo_a_refusal(ledger: Ledger) -> None:
    memory = Memory(answer=Answer.RECEIVED)
    delivered(ledger, memory, "a")
    memory.says = [
        word("a", Answer.ACCEPTED),
        word("a", Answer.REJECTED, reason="复核不通过"),
        word("a", Answer.ACCEPTED),
    ]
    back = asyncio.run(collect(ledger, TARGET, memory, [PROJECTS], world()))
    assert (back.applied.accepted, back.applied.rejected, back.applied.unchanged) == (1, 1, 1)
    assert states(ledger) == {"a": "rejected"}
    assert list_rows(ledger, Selector())[0].note == "复核不通过"


def test_a_correction_names_the_refused_row_it_replaces(ledger: Ledger) -> None:
    memory = Memory(answer=Answer.RECEIVED)
    delivered(ledger, memory, "a", X="wrong")
    memory.says = [word("a", Answer.REJECTED, reason="错误")]
    delivered(ledger, memory, "b", run="r2")
    delivered(ledger, memory, "a", run="r3", X="right")
    parcel = memory.sent[-1].parcels[0]
    assert parcel.previous == {"GCDM": "a", "X": "wrong"}
    assert parcel.operation is Operation.UPSERT


def test_a_refused_deletion_leaves_the_record_at_the_target(ledger: Ledger) -> None:
    memory = Memory()
    delivered(ledger, memory, "a", X="1")
    memory.answer = Answer.RECEIVED
    gone = record("a", operation=Operation.INVALIDATE)
    enter(ledger, [gone], TARGET, "r2", START)
    asyncio.run(deliver(ledger, TARGET, memory, packs(), run_id="r2", world=world(Time())))
    memory.says = [word("a", Answer.REJECTED, lsh="L2", reason="不允许删除")]
    asyncio.run(collect(ledger, TARGET, memory, [PROJECTS], world()))
    assert [str(e.state) for e in list_rows(ledger, Selector())] == ["accepted", "rejected"]
    assert enter(ledger, [gone], TARGET, "r3", START).refused == 1
    delivered(ledger, memory, "a", run="r4", X="2")
    assert memory.sent[-1].parcels[0].previous == {"GCDM": "a", "X": "1"}
    assert str(list_rows(ledger, Selector())[-1].state) == str(State.DELIVERED)
