"""Claim → send → record: several batches in flight to one target, until nothing is due any more.

A dispatcher claims (intent committed first) and hands out; senders attempt (`pusher.attempt`).
Feedback and books are `pusher.delivery`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from pusher import crash
from pusher.attempt import Attempts, Sent
from pusher.circuit import Circuit
from pusher.ledger.commit import GroupCommit
from pusher.ledger.core import Ledger
from pusher.ledger.frozen import Claim
from pusher.ledger.lease import Lease, mine, others_busy
from pusher.ledger.outbox import claim
from pusher.ledger.outcome import FOREVER, next_due, put_off, unclaim
from pusher.pace import Budget, Pace
from pusher.target import Target
from pusher.transport import Transport
from pusher.world import World

__all__ = ["Sent", "Worker", "World"]

#: One intent commit covers many batches: claimed at once are so many per batch in flight, as long
#: as that is not more records than this (claiming holds up the loop, and what was claimed is in
#: doubt after a crash), but always enough for everyone in flight.
AHEAD = 32
RECORDS = 1_000
#: Seconds between looks at a shared ledger for what other processes have set free.
LOOK = 0.5


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
    circuit: Circuit
    pace: Pace
    budget: Budget
    lease: Lease
    sent: Sent = field(default_factory=Sent)
    commit: GroupCommit = field(init=False)
    attempts: Attempts = field(init=False)
    _queue: asyncio.Queue[Claim | None] = field(init=False)
    _changed: asyncio.Event = field(init=False)
    _flying: int = 0
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        self.commit = GroupCommit(self.ledger, self.target, self.world.clock, self._changed.set)
        self._queue = asyncio.Queue()
        self._began = self.world.ticks()
        self.attempts = Attempts(
            self.ledger,
            self.target,
            self.transport,
            self.run_id,
            self.world,
            self.sent,
            self.circuit,
            self.commit,
            self.pace,
            self.budget,
        )

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
        if not self.budget.left:
            self.sent.put_off = put_off(self.ledger, self.target, self.budget.since)
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
            self._return(left)

    def _return(self, claims: Sequence[Claim]) -> None:
        """Surely nothing of these left."""
        self.budget.returned(claims)
        self.ledger.write()
        unclaim(self.ledger, self.target, claims, self.world.clock())
        self.commit.note()

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
        flight = self.target.concurrency
        window = max(2 * flight, min(AHEAD * flight, RECORDS // self.target.batch_records))
        while not self._ended():
            self._changed.clear()
            self.commit.flush()  # what it releases can be claimed
            now = self.world.clock()
            pause = self.circuit.pause(now)
            untried = FOREVER if self.budget.left else self.budget.since
            room = 1 - self._queue.qsize() - self._flying if self.circuit.probing else window
            if pause is None and room > 0 and self._queue.qsize() <= flight:
                claims = claim(self.ledger, self.target, self.order, self.run, now, room, untried)
                self.budget.claimed(claims)
                crash.at("claimed")
                for made in claims:
                    self._queue.put_nowait(made)
            if not self._queue.empty():
                await self._until(None)
                continue
            due = pause or next_due(self.ledger, self.target, untried)
            late = None if due is None else max(due - now, timedelta(0))
            if self._others():
                look = timedelta(seconds=LOOK)
                late = look if late is None else min(late, look)
            if not self._flying and (late is None or late > self._patience()):
                return
            await self._until(late)

    def _others(self) -> bool:
        """Other processes hold batches: what they leave or release may be ours to send."""
        return not self._flying and others_busy(self.ledger, self.target.name)

    def _patience(self) -> timedelta:
        """How much longer this run waits for what falls due: `target.wait` after its beginning or
        its last success, on a clock that nobody sets."""
        last = max(self._began, self.attempts.succeeded)
        return timedelta(seconds=last + self.target.wait - self.world.ticks())

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
        """Attempt it when its turn comes, unless it must not go out any more by then."""
        try:
            await self.pace.enter()
        except asyncio.CancelledError:
            self._return([claimed])
            raise
        try:
            if self.lease.short and not self._still_ours(claimed):
                return
            stopped = self.stop.is_set() or self.sent.stopped is not None
            if stopped or self.circuit.pause(self.world.clock()):
                self._return([claimed])
            else:
                await self.attempts.attempt(claimed)
        finally:
            self.pace.leave()

    def _still_ours(self, claimed: Claim) -> bool:
        """This process was away for long: nobody has taken the batch over yet, and from here on
        nobody does."""
        with self.ledger.transaction():
            held = bool(mine(self.ledger, [claimed.id]))
            self.lease.renew()
        return held


def _first(fault: BaseException) -> BaseException:
    """The first real fault of a group; a cancellation only where there is nothing else."""
    if not isinstance(fault, BaseExceptionGroup):
        return fault
    leaves = [_first(each) for each in fault.exceptions]
    real = [leaf for leaf in leaves if not isinstance(leaf, asyncio.CancelledError)]
    return (real or leaves)[0]
