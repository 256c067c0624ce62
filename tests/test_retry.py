"""When to try again: every failure class, the schedule, jitter, limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pusher.retry import (
    DEFAULT_STEPS,
    Await,
    Decision,
    GiveUp,
    History,
    Reject,
    RetryAt,
    Schedule,
    Settle,
    Split,
    Stop,
    Verify,
    decide,
)
from pusher.transport import Failure

NOW = datetime(2026, 3, 1, 22, tzinfo=UTC)
WAITING = [Failure.UNREACHABLE, Failure.ROLLED_BACK, Failure.THROTTLED]


def after(failure: Failure, retry_after: float | None = None, **changes: object) -> Decision:
    known = {"attempt": 1, "burnt": 0, "first_at": NOW, "size": 1, **changes}
    history = History(**known)  # type: ignore[arg-type]
    return decide(failure, retry_after, history, NOW, Random(1), Schedule())


@pytest.mark.parametrize(
    ("failure", "one", "many"),
    [
        (Failure.UNREACHABLE, RetryAt, RetryAt),
        (Failure.ROLLED_BACK, RetryAt, RetryAt),
        (Failure.THROTTLED, RetryAt, RetryAt),
        (Failure.IN_DOUBT, Settle, Settle),
        (Failure.DUPLICATE, Verify, Verify),
        (Failure.PARENT, Await, Split),
        (Failure.RECORD, Reject, Split),
        (Failure.TOO_LARGE, Reject, Split),
        (Failure.CONFIGURATION, Stop, Stop),
    ],
)
def test_each_class_has_one_consequence(failure: Failure, one: type, many: type) -> None:
    assert type(after(failure)) is one
    assert type(after(failure, size=100)) is many


def test_the_default_schedule_ends_in_hours() -> None:
    schedule = Schedule()
    assert [schedule.step(n) for n in range(1, 10)] == [*DEFAULT_STEPS, 3600.0, 3600.0]


@given(
    st.sampled_from(WAITING),
    st.integers(1, 20),
    st.one_of(st.none(), st.floats(0, 1e7)),
    st.integers(),
)
def test_pauses_keep_within_step_and_what_the_target_asked(
    failure: Failure, attempt: int, asked: float | None, seed: int
) -> None:
    history = History(attempt=attempt, burnt=0, first_at=NOW, size=1)
    decision = decide(failure, asked, history, NOW, Random(seed), Schedule())
    assert isinstance(decision, RetryAt)
    pause = (decision.due - NOW).total_seconds()
    step, told = Schedule().step(attempt), min(asked or 0.0, 86_400.0)
    low = max(told, step / 2 if failure is Failure.THROTTLED else 0.0)
    assert low - 1e-6 <= pause <= max(step, told) + 1e-6
    assert not decision.burns


def test_a_doubt_is_asked_about_at_once_and_then_with_growing_pauses() -> None:
    assert after(Failure.IN_DOUBT, attempt=5) == Settle(NOW)
    later = after(Failure.IN_DOUBT, attempt=5, settling=True)
    assert isinstance(later, Settle)
    assert later.due > NOW


def test_only_faults_of_the_batch_itself_burn_attempts() -> None:
    for failure in (Failure.UNREACHABLE, Failure.THROTTLED):
        decision = after(failure, burnt=7, specific=True)
        assert isinstance(decision, RetryAt)
        assert not decision.burns
    general = after(Failure.ROLLED_BACK, burnt=7)
    assert isinstance(general, RetryAt)
    assert not general.burns
    own = after(Failure.ROLLED_BACK, specific=True)
    assert isinstance(own, RetryAt)
    assert own.burns


def test_a_batch_that_alone_keeps_failing_is_cut_and_its_record_given_up() -> None:
    assert after(Failure.ROLLED_BACK, specific=True, burnt=2, size=50) == Split()
    assert type(after(Failure.ROLLED_BACK, specific=True, burnt=6)) is RetryAt
    assert after(Failure.ROLLED_BACK, specific=True, burnt=7) == GiveUp()


@pytest.mark.parametrize("failure", WAITING)
def test_age_gives_up_after_two_weeks(failure: Failure) -> None:
    young = NOW - timedelta(days=13, hours=23)
    assert type(after(failure, first_at=young)) is RetryAt
    assert after(failure, first_at=NOW - timedelta(days=14)) == GiveUp()


def test_a_doubt_is_never_given_up() -> None:
    old = NOW - timedelta(days=400)
    assert type(after(Failure.IN_DOUBT, first_at=old, attempt=99, settling=True)) is Settle
