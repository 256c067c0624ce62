"""Claim → send → record: several batches in flight to one target, until nothing is due any more.

A dispatcher claims (intent committed first) and hands out; senders attempt and record. Whatever
happens to a sender, the outcome is written in one piece: writing waits for nothing. What a failure
means is decided by `pusher.retry`; feedback and books are `pusher.delivery`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NoReturn

from structlog.typing import FilteringBoundLogger

from pusher import crash
from pusher.circuit import Circuit
from pusher.events import log_attempt
from pusher.ledger.commit import GroupCommit
from pusher.ledger.core import Ledger
from pusher.ledger.outbox import Claim, claim
from pusher.ledger.outcome import Attempt, answered, failed, next_due, number, unclaim
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

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]

#: Batches claimed ahead per batch in flight: one intent commit covers many of them.
AHEAD = 8


@dataclass(frozen=True, slots=True)
class World:
    """What a run takes from outside: time, chance, log."""

    clock: Clock
    rng: Random
    log: FilteringBoundLogger
    sleep: Sleep = asyncio.sleep


@dataclass(slots=True)
class Sent:
    """What the worker did: attempts, records by answer, and why it stopped early (None: it did
    not). `written` is true when the target may have taken rows over."""

    attempts: int = 0
    delivered: int = 0
    accepted: int = 0
    rejected: int = 0
    given_up: int = 0
    written: bool = False
    stopped: TransportError | None = None


@dataclass(slots=True)
class Worker:
    """One run of sending. `stop` is set from outside to drain: claim no more, finish, return."""

    ledger: Ledger
    target: Target
    transport: Transport
    order: Sequence[str]
    run: int
    run_id: str
    world: World
    stop: asyncio.Event
    sent: Sent = field(default_factory=Sent)
    circuit: Circuit = field(init=False)
    commit: GroupCommit = field(init=False)
    _queue: asyncio.Queue[Claim | None] = field(init=False)
    _changed: asyncio.Event = field(init=False)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _opened: bool = False
    _flying: int = 0
    _progress: datetime = field(init=False)
    _success: datetime | None = None

    def __post_init__(self) -> None:
        self.circuit = Circuit(self.target.breaker, self.target.retry)
        self._changed = asyncio.Event()
        self.commit = GroupCommit(self.ledger, self._changed.set)
        self._queue = asyncio.Queue()
        self._progress = self.world.clock()

    async def work(self) -> Sent:
        """Send until nothing is due within `target.wait`, a setting is wrong, or `stop` is set.

        On return nothing is in flight and everything is committed. Raises LedgerError.
        """
        try:
            async with asyncio.TaskGroup() as group:
                senders = [
                    group.create_task(self._sender()) for _ in range(self.target.concurrency)
                ]
                await self._dispatch()
                self._put_back()
                for _ in senders:
                    self._queue.put_nowait(None)
                await self._drained(senders)
        except BaseException as fault:
            self._abandon(fault)
        self.commit.flush()
        return self.sent

    async def _drained(self, senders: Sequence[asyncio.Task[None]]) -> None:
        """Let what is in flight end; when told to stop, for `target.drain` seconds at most."""
        limit = self.target.drain if self.stop.is_set() else None
        _, late = await asyncio.wait(senders, timeout=limit)
        for sender in late:
            sender.cancel()

    def _put_back(self) -> None:
        """What was claimed and not begun returns to the ledger."""
        left: list[Claim] = []
        while not self._queue.empty():
            claimed = self._queue.get_nowait()
            if claimed is not None:
                left.append(claimed)
        if left:
            self.ledger.write()
            unclaim(self.ledger, self.target, left, self.world.clock())
            self.commit.note(len(left))

    def _abandon(self, raised: BaseException) -> NoReturn:
        """Leave after a cancellation, keeping every outcome, or after a fault, keeping none that
        was not committed: the next run settles them."""
        fault = _first(raised)
        if isinstance(fault, asyncio.CancelledError):
            self._put_back()
            self.commit.flush()
        else:
            self.ledger.rollback()
        raise fault from None

    # -- hand out ----------------------------------------------------------------------------

    async def _dispatch(self) -> None:
        window = self.target.concurrency * AHEAD
        wait = timedelta(seconds=self.target.wait)
        while not self._ended():
            self._changed.clear()
            now = self.world.clock()
            pause = self.circuit.pause(now)
            room = (1 if self.circuit.probing else window) - self._queue.qsize() - self._flying
            if pause is None and room > 0 and (self._queue.qsize() <= window // 2):
                claims = claim(self.ledger, self.target, self.order, self.run, now, room)
                self.commit.flush()
                crash.at("claimed")
                for made in claims:
                    self._queue.put_nowait(made)
            if not self._queue.empty():
                await self._until(None)
                continue
            due = pause or next_due(self.ledger, self.target)
            if not self._flying and (due is None or due > self._progress + wait):
                return
            await self._until(None if due is None else max(due - now, timedelta(0)))

    def _ended(self) -> bool:
        if self.commit.fault is not None:
            raise self.commit.fault
        return self.stop.is_set() or self.sent.stopped is not None

    async def _until(self, pause: timedelta | None) -> None:
        """Wait for a change, for the word to stop, or for `pause` to pass."""
        waits: list[Awaitable[object]] = [self._changed.wait(), self.stop.wait()]
        if pause is not None:
            waits.append(self.world.sleep(pause.total_seconds()))
        pending = [asyncio.ensure_future(each) for each in waits]
        try:
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pending:
                each.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    # -- attempt -----------------------------------------------------------------------------

    async def _sender(self) -> None:
        while (claimed := await self._queue.get()) is not None:
            self._flying += 1
            try:
                await self._attempt(claimed)
            finally:
                self._flying -= 1
                if self._queue.qsize() <= self.target.concurrency:
                    self._changed.set()

    async def _attempt(self, claimed: Claim) -> None:
        if self.circuit.pause(self.world.clock()) is not None or self.sent.stopped is not None:
            self.ledger.write()
            unclaim(self.ledger, self.target, [claimed], self.world.clock())
            self.commit.note()
            return
        at, began = self.world.clock(), time.perf_counter()
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
        self.commit.note()
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
            code=_settled(claimed),
        )
        now = self.world.clock()
        self.ledger.write()
        answered(self.ledger, self.target, claimed, receipts, attempt, now)
        log_attempt(self.world.log, self.run_id, claimed, attempt)
        self.circuit.succeeded()
        self.sent.attempts += 1
        self.sent.delivered += answers.count(Answer.RECEIVED)
        self.sent.accepted += answers.count(Answer.ACCEPTED)
        self.sent.rejected += answers.count(Answer.REJECTED)
        self.sent.written |= kinds != {Answer.REJECTED}
        self._success = self._progress = now

    def _not_held(self, claimed: Claim, at: datetime, began: float) -> None:
        """Settled: the target surely has nothing of the batch, so it is sent again."""
        self.circuit.succeeded()
        fault = TransportError(
            Failure.ROLLED_BACK, "not held", "the target does not hold the batch"
        )
        never = claimed.attempts == 0  # a process died before it could tell
        decision = RetryAt(self.world.clock()) if never else None
        self._record(claimed, fault, decision, at, began, outcome="not_held")

    def _failed(self, claimed: Claim, fault: TransportError, at: datetime, began: float) -> None:
        self.circuit.failed(fault.failure, self.world.clock())
        if fault.failure is Failure.CONFIGURATION:
            self.sent.stopped = fault
        self._record(claimed, fault, None, at, began)

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
        )
        self.ledger.write()
        failed(self.ledger, self.target, claimed, decided, attempt, now)
        log_attempt(self.world.log, self.run_id, claimed, attempt)
        self.sent.attempts += 1
        self.sent.rejected += len(claimed.versions) * isinstance(decided, Reject)
        self.sent.given_up += len(claimed.versions) * isinstance(decided, GiveUp)

    def _decide(
        self, claimed: Claim, failure: Failure, retry_after: float | None, now: datetime
    ) -> Decision:
        history = History(
            attempt=claimed.asked + 1 if failure is Failure.IN_DOUBT else number(claimed),
            burnt=claimed.burnt,
            first_at=claimed.first_at or now,
            size=len(claimed.versions),
            specific=claimed.last_at is not None
            and self._success is not None
            and self._success >= claimed.last_at,
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


def _settled(claimed: Claim) -> str:
    return "settled" if claimed.doubtful else ""


def _first(fault: BaseException) -> BaseException:
    """The first real fault of a group; a cancellation only where there is nothing else."""
    if not isinstance(fault, BaseExceptionGroup):
        return fault
    leaves = [_first(each) for each in fault.exceptions]
    real = [leaf for leaf in leaves if not isinstance(leaf, asyncio.CancelledError)]
    return (real or leaves)[0]
