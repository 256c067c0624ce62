"""What a run takes from outside: time, chance, log. Nothing in the pusher reads a clock itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from structlog.typing import FilteringBoundLogger

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class World:
    """Time (aware datetimes), chance, log; `sleep` in seconds."""

    clock: Clock
    rng: Random
    log: FilteringBoundLogger
    sleep: Sleep = asyncio.sleep
