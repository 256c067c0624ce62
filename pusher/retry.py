"""When to try again: pure, from the failure and the history of a batch to one decision as a value.

Faults wait with full jitter, throttling with equal jitter (full jitter may fall to nothing, which
is wrong when asked to slow down); `Retry-After` is obeyed up to 24 hours. Only faults that are
specific to the batch burn attempts (decisions 8). This module neither sleeps nor stores.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from pusher.transport import Failure

#: Seconds: 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, then hourly.
DEFAULT_STEPS = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 3600.0)
#: A target may ask for no longer pause than this; seconds.
MAX_RETRY_AFTER = 86_400.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds before each retry (the last repeats) and the limits after which it ends."""

    steps: tuple[float, ...] = DEFAULT_STEPS
    attempts: int = 8
    days: float = 14.0

    def step(self, attempt: int) -> float:
        """Seconds before the retry that follows attempt `attempt` (1 is the first)."""
        return self.steps[min(attempt, len(self.steps)) - 1]


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of a batch when an attempt has failed.

    `attempt` counts all attempts, this one included; `burnt` those that counted against the limit;
    `first_at` is the first attempt; `size` the records in the batch. `specific`: the target took
    other batches since the last failure of this one, so the fault is not a general one. `settling`:
    the attempt only asked what became of the batch.
    """

    attempt: int
    burnt: int
    first_at: datetime
    size: int
    specific: bool = False
    settling: bool = False


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Send the same batch again, not before `due`; `burns` one of its attempts."""

    due: datetime
    burns: bool = False


@dataclass(frozen=True, slots=True)
class Settle:
    """Ask the target at `due` what became of the batch; nothing is sent before."""

    due: datetime


@dataclass(frozen=True, slots=True)
class Verify:
    """The target says it holds this: compare, then decide."""


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for the parent; no attempt is burnt."""


@dataclass(frozen=True, slots=True)
class Split:
    """Cut the batch in two: one half holds the fault, or both are small enough."""


@dataclass(frozen=True, slots=True)
class Reject:
    """The one record of the batch is refused by the interface itself."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Attempts or age are exhausted."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A person must change a setting; stop the target and burn nothing."""


Decision = RetryAt | Settle | Verify | Await | Split | Reject | GiveUp | Stop

#: Attempts after which a batch that alone fails is cut to isolate what spoils it.
_POISONED = 3
_WAIT = (Failure.UNREACHABLE, Failure.ROLLED_BACK, Failure.THROTTLED)


def decide(
    failure: Failure,
    retry_after: float | None,
    history: History,
    now: datetime,
    rng: Random,
    schedule: Schedule,
) -> Decision:
    """What follows a failed attempt; `retry_after` in seconds, as the target asked."""
    if failure is Failure.CONFIGURATION:
        return Stop()
    if failure is Failure.IN_DOUBT:
        if not history.settling:
            return Settle(now)
        return Settle(now + _pause(failure, retry_after, history.attempt, rng, schedule))
    if failure is Failure.DUPLICATE:
        return Verify()
    if failure in (Failure.RECORD, Failure.TOO_LARGE, Failure.PARENT) and history.size > 1:
        return Split()
    if failure is Failure.PARENT:
        return Await()
    if failure in _WAIT:
        return _again(failure, retry_after, history, now, rng, schedule)
    return Reject()


def _again(
    failure: Failure,
    retry_after: float | None,
    history: History,
    now: datetime,
    rng: Random,
    schedule: Schedule,
) -> Decision:
    burns = failure is Failure.ROLLED_BACK and history.specific
    if burns and history.size > 1 and history.burnt + 1 >= _POISONED:
        return Split()
    if burns and history.burnt + 1 >= schedule.attempts:
        return GiveUp()
    if now - history.first_at >= timedelta(days=schedule.days):
        return GiveUp()
    return RetryAt(now + _pause(failure, retry_after, history.attempt, rng, schedule), burns)


def _pause(
    failure: Failure, retry_after: float | None, attempt: int, rng: Random, schedule: Schedule
) -> timedelta:
    step = schedule.step(attempt)
    if failure is Failure.THROTTLED:
        seconds = step / 2 + rng.uniform(0, step / 2)
    else:
        seconds = rng.uniform(0, step)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, MAX_RETRY_AFTER))
    return timedelta(seconds=seconds)
