"""A circuit breaker for one target in one run; a condition of the target, not a state of rows.

After some attempts in a row that never reached the target it is left alone for a step of the retry
schedule, then probed with one batch at a time. It burns no attempts; what rows wait for is durable
in the ledger, this is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pusher.retry import Schedule
from pusher.transport import Failure

_COUNTED = (Failure.UNREACHABLE, Failure.THROTTLED)


@dataclass(slots=True)
class Circuit:
    """Opens after `limit` counted failures in a row."""

    limit: int
    schedule: Schedule
    failures: int = 0
    openings: int = 0
    until: datetime | None = None

    @property
    def probing(self) -> bool:
        """It was open and no attempt has succeeded since."""
        return self.openings > 0

    def pause(self, now: datetime) -> datetime | None:
        """Until when nothing may go out; None when the circuit is closed or may be probed."""
        return self.until if self.until is not None and now < self.until else None

    def failed(self, failure: Failure, now: datetime) -> None:
        """Count a failure; other classes prove that the target is there."""
        if failure not in _COUNTED:
            return
        self.failures += 1
        if self.failures >= self.limit or self.probing:
            self.openings += 1
            self.failures = 0
            self.until = now + timedelta(seconds=self.schedule.step(self.openings))

    def succeeded(self) -> None:
        """The target answered: closed again."""
        self.failures = self.openings = 0
        self.until = None
