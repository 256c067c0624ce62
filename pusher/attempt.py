"""One attempt at a batch: ask the target, then write down what came of it in one piece.

Writing waits for nothing, so no cancellation can cut it. What a failure means is `pusher.retry`,
which batch is attempted when is `pusher.worker`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pusher import crash
from pusher.circuit import Circuit
from pusher.events import log_attempt
from pusher.ledger import circuits
from pusher.ledger.commit import GroupCommit
from pusher.ledger.core import Ledger
from pusher.ledger.frozen import Claim
from pusher.ledger.lease import mine
from pusher.ledger.outcome import Answered, Attempt, failed, number
from pusher.pace import Budget, Pace
from pusher.retry import (
    Await,
    Decision,
    GiveUp,
    History,
    Reject,
    RetryAt,
    Settle,
    Split,
    Stop,
    decide,
)
from pusher.target import Target
from pusher.transport import Answer, Failure, Receipt, Transport, TransportError
from pusher.world import World


@dataclass(slots=True)
class Sent:
    """What the worker did: attempts, records by answer, and why it stopped early (None: it did
    not). `written` is true when the target may have taken rows over; `put_off` counts batches that
    wait for the next run because the retries of this one are used up; `fault` is the last failure
    that no answer followed."""

    attempts: int = 0
    delivered: int = 0
    accepted: int = 0
    rejected: int = 0
    given_up: int = 0
    written: bool = False
    put_off: int = 0
    fault: TransportError | None = None
    stopped: TransportError | None = None


@dataclass(slots=True)
class Attempts:
    """The attempts of one run. `success` is when the target last took a batch, `succeeded` the same
    on the clock that nobody sets."""

    ledger: Ledger
    target: Target
    transport: Transport
    run_id: str
    world: World
    sent: Sent
    circuit: Circuit
    commit: GroupCommit
    pace: Pace
    budget: Budget
    success: datetime | None = None
    succeeded: float = 0.0
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _opened: bool = False

    async def attempt(self, claimed: Claim) -> None:
        """Send or settle one batch and write down what came of it."""
        at, began = self.world.clock(), time.perf_counter()
        self.budget.requests += 1
        try:
            receipts = await self._ask(claimed)
        except TransportError as fault:
            self._failed(claimed, fault, at, began)
        except asyncio.CancelledError:
            lost = TransportError(Failure.IN_DOUBT, "interrupted", "the run was interrupted")
            self._failed(claimed, lost, at, began)
            raise
        else:
            crash.at("answered")
            if receipts is None:
                self._not_held(claimed, at, began)
            else:
                self._answered(claimed, receipts, at, began)
        crash.at("recorded")

    async def _ask(self, claimed: Claim) -> Sequence[Receipt] | None:
        """Send, or settle a doubt; every receipt is there. None: the target holds nothing of it."""
        batch, size = claimed.batch, len(claimed.versions)
        try:
            async with asyncio.timeout(self.target.timeout):
                await self._open()
                if claimed.doubtful:
                    crash.at("settling")
                    receipts = await self.transport.settle(batch)
                else:
                    receipts = await self._send(claimed)
        except TimeoutError:
            text = f"no answer within {self.target.timeout:g} s"
            raise TransportError(Failure.IN_DOUBT, "timeout", text) from None
        if receipts is not None and sorted(r.index for r in receipts) != list(range(size)):
            text = f"{len(receipts)} receipts for {size} records"
            raise TransportError(Failure.IN_DOUBT, "receipts", text)
        return receipts

    async def _open(self) -> None:
        """Connect before the first attempt; what fails here surely sent nothing."""
        if not self._opened:
            async with self._opening:
                if not self._opened:
                    await self.transport.open()
                    self._opened = True

    async def _send(self, claimed: Claim) -> Sequence[Receipt]:
        """Send; what the target says it holds already is compared by asking for it."""
        crash.at("sending")
        try:
            return await self.transport.send(claimed.batch)
        except TransportError as fault:
            if fault.failure is not Failure.DUPLICATE:
                raise
            held = await self.transport.settle(claimed.batch)
            if held is None:  # it holds something else under this key
                raise TransportError(Failure.RECORD, fault.code, fault.detail) from None
            return held

    # -- record: synchronous, so that no cancellation cuts it ---------------------------------

    def _answered(
        self, claimed: Claim, receipts: Sequence[Receipt], at: datetime, began: float
    ) -> None:
        answers = [r.answer for r in receipts]
        kinds = set(answers)
        outcome = str(answers[0]) if len(kinds) == 1 else "mixed"
        attempt = Attempt(
            at,
            self.ledger.owner,
            self.transport.name,
            outcome,
            ms=_ms(began),
            code=_code(claimed, receipts),
        )
        self.commit.add(Answered(claimed, receipts, attempt))
        log_attempt(self.world.log, self.run_id, claimed, attempt)
        self._heard(None)
        self.sent.fault = None
        self.sent.attempts += 1
        self.sent.delivered += answers.count(Answer.RECEIVED)
        self.sent.accepted += answers.count(Answer.ACCEPTED)
        self.sent.rejected += answers.count(Answer.REJECTED)
        self.sent.written |= kinds != {Answer.REJECTED}
        self.success, self.succeeded = self.world.clock(), self.world.ticks()

    def _not_held(self, claimed: Claim, at: datetime, began: float) -> None:
        """Settled: the target surely has nothing of the batch, so it is sent again."""
        self._heard(None)
        fault = TransportError(
            Failure.ROLLED_BACK, "not held", "the target does not hold the batch"
        )
        never = claimed.attempts == 0  # a process died before it could tell
        decision = RetryAt(self.world.clock()) if never else None
        self._record(claimed, fault, decision, at, began, outcome="not_held")

    def _failed(self, claimed: Claim, fault: TransportError, at: datetime, began: float) -> None:
        self._heard(fault)
        self.sent.fault = fault
        if fault.failure is Failure.CONFIGURATION:
            self.sent.stopped = fault
        self._record(claimed, fault, None, at, began)

    def _heard(self, fault: TransportError | None) -> None:
        """What the target's conduct means for other batches; stored where that changes."""
        before, now = self.circuit.open, self.world.clock()
        if fault is None:
            self.circuit.succeeded(now)
            self.pace.answered()
        else:
            self.circuit.failed(fault, now)
            if fault.failure is Failure.THROTTLED:
                self.pace.throttled()
        if self.circuit.open != before:
            self.ledger.write()
            circuits.keep(self.ledger, self.target.name, self.circuit.open)
            self.commit.note()

    def _record(
        self,
        claimed: Claim,
        fault: TransportError,
        decision: Decision | None,
        at: datetime,
        began: float,
        *,
        outcome: str = "",
    ) -> None:
        now = self.world.clock()
        failure = fault.failure
        if claimed.doubtful and failure is not Failure.CONFIGURATION and not outcome:
            failure = Failure.IN_DOUBT  # the question failed; the doubt stays
        decided = decision or self._decide(claimed, failure, fault.retry_after, now)
        attempt = Attempt(
            at,
            self.ledger.owner,
            self.transport.name,
            outcome or _OUTCOMES[type(decided)],
            str(fault.failure),
            fault.code,
            fault.detail,
            _ms(began),
            decided.due if isinstance(decided, RetryAt | Settle) else None,
            undone=self._undone(claimed, failure, outcome),
        )
        self.ledger.write()
        if claimed.id in mine(self.ledger, [claimed.id]):
            failed(self.ledger, self.target, claimed, decided, attempt, now)
        else:
            self.commit.late += 1
        if isinstance(decided, Split):
            crash.at("halved")
        self.commit.note()
        log_attempt(self.world.log, self.run_id, claimed, attempt)
        self.sent.attempts += 1
        self.sent.rejected += len(claimed.versions) * isinstance(decided, Reject)
        self.sent.given_up += len(claimed.versions) * isinstance(decided, GiveUp)

    def _undone(self, claimed: Claim, failure: Failure, outcome: str) -> bool:
        """Surely nothing of the batch has effect, or ever will."""
        if claimed.doubtful:
            return self.transport.certain and outcome == "not_held"
        if failure is Failure.UNREACHABLE and claimed.batch.fresh:
            return True
        return self.transport.certain and failure is not Failure.IN_DOUBT

    def _decide(
        self, claimed: Claim, failure: Failure, retry_after: float | None, now: datetime
    ) -> Decision:
        history = History(
            attempt=claimed.asked + 1 if failure is Failure.IN_DOUBT else number(claimed),
            burnt=claimed.burnt,
            first_at=claimed.first_at or now,
            size=len(claimed.versions),
            specific=claimed.last_at is not None
            and self.success is not None
            and self.success >= claimed.last_at,
            settling=claimed.doubtful,
        )
        return decide(failure, retry_after, history, now, self.world.rng, self.target.retry)


_OUTCOMES: dict[type[object], str] = {
    RetryAt: "retry",
    Settle: "in_doubt",
    Split: "split",
    Await: "waiting",
    Reject: "rejected",
    GiveUp: "given_up",
    Stop: "stopped",
}


def _ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _code(claimed: Claim, receipts: Sequence[Receipt]) -> str:
    """The code of the answer, where the transport has one, after a word on what was asked."""
    code = receipts[0].code if receipts else ""
    return f"settled {code}".rstrip() if claimed.doubtful else code
