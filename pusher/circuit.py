"""A circuit breaker for one target; a condition of the target, not a state of rows.

After some attempts in a row that never reached the target it is left alone for a step of the retry
schedule, then probed with one batch at a time. A target that says `Retry-After` is left alone for
as long. It burns no attempts. `pusher.ledger.circuits` keeps what outlives a run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pusher.retry import MAX_RETRY_AFTER, Schedule
from pusher.transport import Failure, TransportError

_COUNTED = (Failure.UNREACHABLE, Failure.THROTTLED)


@dataclass(frozen=True, slots=True)
class Open:
    """A target that is left alone: since when and until when, after how many openings without an
    answer (0: it asked for a pause itself), and the class and code of what it last did."""

    since: datetime
    until: datetime
    openings: int
    fault: str


def resumed(stored: Open | None) -> Open | None:
    """What a new run makes of it: one that did not answer is probed at once, with one batch; the
    pause that a target asked for is kept."""
    if stored is None or not stored.openings:
        return stored
    return replace(stored, until=stored.since)


@dataclass(slots=True)
class Circuit:
    """Opens after `limit` counted failures in a row. `open` is what is to be stored."""

    limit: int
    schedule: Schedule
    open: Open | None = None
    failures: int = 0

    @property
    def probing(self) -> bool:
        """It was open and no attempt has succeeded since."""
        return self.open is not None and self.open.openings > 0

    def pause(self, now: datetime) -> datetime | None:
        """Until when nothing may go out; None when the circuit is closed or may be probed. A pause
        that begins in the future is over: the clock was set back."""
        if self.open is None or not self.open.since <= now < self.open.until:
            return None
        return self.open.until

    def failed(self, fault: TransportError, now: datetime) -> None:
        """Count a failure; other classes prove that the target is there."""
        if fault.failure not in _COUNTED:
            return
        openings = 0 if self.open is None else self.open.openings
        seconds = 0.0
        if self.pause(now) is None:  # else it was sent before the circuit opened
            self.failures += 1
        if self.failures >= self.limit or (self.probing and self.pause(now) is None):
            openings, self.failures = openings + 1, 0
            seconds = self.schedule.step(openings)
        if fault.retry_after is not None:
            seconds = max(seconds, min(fault.retry_after, MAX_RETRY_AFTER))
        if seconds:
            said = f"{fault.failure} {fault.code}".rstrip()
            until = now + timedelta(seconds=seconds)
            self.open = Open(now, max(until, self.pause(now) or until), openings, said)

    def succeeded(self, now: datetime) -> None:
        """The target answered: closed again. A pause it asked for stays."""
        self.failures = 0
        if self.probing or self.pause(now) is None:
            self.open = None
