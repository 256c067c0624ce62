"""How fast a target is asked: requests a second, requests at once, and retries of a run.

Rates are kept on the monotonic clock, so that a clock that is set does not stop or flood a target.
Whether it is asked at all is `pusher.circuit`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from pusher.ledger.frozen import Claim
from pusher.world import World

#: Answers in a row after which a target that asked to slow down gets one request more at once.
CALM = 20
#: Retries that any run may make, however few requests it makes.
FLOOR = 50


@dataclass(slots=True)
class Pace:
    """The pace of one run at one target.

    `rate` is in requests a second, 0 for no limit; `most` is the configured number of requests at
    once, `allowed` how many it is now: halved whenever the target asks to slow down, one more after
    every `CALM` answers.
    """

    rate: float
    most: int
    world: World
    allowed: int = field(init=False)
    flying: int = 0
    _calm: int = 0
    _next: float = 0.0
    _free: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.allowed = self.most

    async def enter(self) -> None:
        """Wait until one more request may go out; it counts as in flight until `leave`."""
        while self.flying >= self.allowed:
            self._free.clear()
            await self._free.wait()
        self.flying += 1
        if self.rate:
            try:
                await self._slot()
            except asyncio.CancelledError:
                self.leave()
                raise

    def leave(self) -> None:
        """A request is over."""
        self.flying -= 1
        self._free.set()

    async def _slot(self) -> None:
        """Take the next free moment; moments are 1 / rate seconds apart and are not saved up."""
        now = self.world.ticks()
        at = max(now, self._next)
        self._next = at + 1 / self.rate
        if at > now:
            await self.world.sleep(at - now)

    def throttled(self) -> None:
        """The target asked to slow down."""
        self._calm = 0
        self.allowed = max(1, self.allowed // 2)

    def answered(self) -> None:
        """The target answered."""
        if self.allowed < self.most:
            self._calm += 1
            if self._calm >= CALM:
                self._calm = 0
                self.allowed += 1
                self._free.set()


@dataclass(slots=True)
class Budget:
    """Retries of one run: at most a share of its requests, and `FLOOR` in any case. Without it a
    sick target would get several times the requests of a healthy one.

    A retry is a claim of a batch that was attempted since `since` (seconds since 1970), the
    beginning of the run: what earlier runs left is no retry of this one. The first question about
    a lost answer is none either, nothing is written by it.
    """

    share: float
    since: float
    requests: int = 0
    retries: int = 0

    @property
    def left(self) -> int:
        """Retries that may be made now."""
        return max(0, max(FLOOR, int(self.share * self.requests)) - self.retries)

    def claimed(self, claims: Iterable[Claim]) -> None:
        """These are about to be attempted."""
        self.retries += sum(map(self._again, claims))

    def returned(self, claims: Iterable[Claim]) -> None:
        """These were put back without an attempt."""
        self.retries -= sum(map(self._again, claims))

    def _again(self, claim: Claim) -> bool:
        first = claim.doubtful and not claim.asked
        return claim.last_at is not None and claim.last_at.timestamp() >= self.since and not first
