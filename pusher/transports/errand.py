"""Work in a thread for somebody who may stop waiting for it.

A thread cannot be stopped. Whoever waited for it goes on, asks the target, and perhaps sends again
or withdraws; what the thread writes after that nobody expects. So it asks, under its fence and
before it writes, whether it is still wanted: it was, then whoever asks the target afterwards waits
at the fence and sees what it wrote; or it was not, then it writes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from pusher.transport import Failure, TransportError

_Result = TypeVar("_Result")

#: Seconds between the signs of life that who waits for an errand gives it.
PULSE = 5.0
#: Seconds without one after which the process was stopped, and may have been taken for dead: well
#: within what a lease has left when a batch goes out (`pusher.ledger.lease`).
AWAY = 15.0


class Errand:
    """Whether somebody waits for a piece of work. `keep` and `end` belong to who waits, `check` to
    the thread."""

    def __init__(self) -> None:
        self._seen = time.monotonic()
        self._over = False

    def keep(self) -> None:
        """Still waiting; but for good no more once the whole process was away."""
        now = time.monotonic()
        self._over |= now - self._seen > AWAY
        self._seen = now

    def end(self) -> None:
        """Nobody waits any more."""
        self._over = True

    def check(self) -> None:
        """Raises TransportError(ROLLED_BACK) when nobody waits."""
        if self._over or time.monotonic() - self._seen > AWAY:
            raise TransportError(
                Failure.ROLLED_BACK, "given up", "nobody waited for it any more; not written"
            )


async def run_errand(threads: Executor, work: Callable[[Errand], _Result], limit: float) -> _Result:
    """`work` in a thread, waited for `limit` seconds at most. Raises TimeoutError after that, and
    whatever `work` raises."""
    errand = Errand()
    submitted = threads.submit(work, errand)
    running = asyncio.wrap_future(submitted)
    try:
        async with asyncio.timeout(limit):
            while not (await asyncio.wait([running], timeout=PULSE))[0]:
                errand.keep()
            return running.result()
    finally:
        errand.end()
        submitted.cancel()  # one that has not begun never will
