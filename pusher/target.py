"""What the pusher has to know about a target. Where the settings come from is `spgl.config`;
addresses and credentials belong to the transports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pusher.retry import Schedule


@dataclass(frozen=True, slots=True)
class Target:
    """One target; its `name`, never its address, is its identity in the ledger.

    Seconds: `timeout` of one attempt, `wait` a run waits for retries that fall due, `drain` an
    interrupted run gives to batches in flight. `parent_status` is what a parent must reach before
    its children go. After `breaker` failures in a row without a success the target is left alone
    for a step of the schedule. `rate` is in requests a second, 0 for no limit; `retry_budget` the
    share of a run's requests that may be retries.
    """

    name: str
    batch_records: int = 100
    batch_bytes: int = 4_000_000
    concurrency: int = 4
    rate: float = 0.0
    timeout: float = 60.0
    wait: float = 120.0
    drain: float = 10.0
    parent_status: Literal["delivered", "accepted"] = "delivered"
    retry: Schedule = field(default_factory=Schedule)
    retry_budget: float = 0.1
    breaker: int = 5
    feedback_page: int = 500
    keep_content_days: int = 30
