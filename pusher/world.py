"""What a run takes from outside: time, chance, log. Nothing in the pusher reads a clock itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from structlog.typing import FilteringBoundLogger

Clock = Callable[[], datetime]
Ticks = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class World:
    """Time (aware datetimes), chance, log; `sleep` in seconds.

    `ticks` are seconds of a clock that nobody sets: how long something has taken.
    """

    clock: Clock
    rng: Random
    log: FilteringBoundLogger
    sleep: Sleep = asyncio.sleep
    ticks: Ticks = time.monotonic
