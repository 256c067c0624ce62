"""One run of the push: take over, settle doubts, send, read feedback, notify, close the books.

It decides nothing about records; what is new was entered before (`pusher.ledger.enter`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from pusher import crash
from pusher.attempt import Sent
from pusher.circuit import Circuit, Open, resumed
from pusher.feedback import Feedback, collect
from pusher.inbound import Inbound, Inbox, receive
from pusher.ledger import lease
from pusher.ledger.circuits import circuits
from pusher.ledger.content import purge
from pusher.ledger.core import Ledger
from pusher.ledger.database import LedgerError
from pusher.ledger.lock import run_lock
from pusher.ledger.outcome import next_due, recover
from pusher.ledger.waiting import release_all
from pusher.order import sending_order
from pusher.pace import Budget, Pace
from pusher.states import State
from pusher.target import Target
from pusher.transport import Failure, Transport, TransportError
from pusher.worker import Worker
from pusher.world import World
from validator.pack import Packs

_NOTIFY_TRIES = 3
_STATES = """
SELECT t.state, SUM(t.n) FROM tally t JOIN place p ON p.id = t.place
WHERE p.target = ? GROUP BY t.state"""
_FENCE = """
INSERT INTO fence (target, epoch, owner, at) VALUES (?, 1, ?, ?)
ON CONFLICT (target) DO UPDATE
SET epoch = fence.epoch + 1, owner = excluded.owner, at = excluded.at"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a run of the push did.

    `attempts` and the records by answer are of this run, `refused` includes later verdicts that
    came in; `states` counts all versions of the target. `stopped` is the wrong setting that ended
    the run, `interrupted` the word from outside. `notified` is None when there was no need,
    `inbound` where the target writes nothing for us or was not asked. `put_off` counts batches for
    which the run had no retries left; `away` tells that the target is left alone, and until when;
    `fault` is the last failure, None where an answer came after it.
    """

    run_id: str
    attempts: int
    delivered: int
    accepted: int
    refused: int
    given_up: int
    feedback: Feedback
    states: Mapping[State, int]
    next_due: datetime | None
    stopped: TransportError | None = None
    interrupted: bool = False
    notified: bool | None = None
    recovered: int = 0
    inbound: Inbound | None = None
    put_off: int = 0
    away: Open | None = None
    fault: TransportError | None = None

    @property
    def incomplete(self) -> bool:
        """Something is still to be sent or settled: the next run continues."""
        open_ = (State.QUEUED, State.SENDING, State.IN_DOUBT)
        return self.interrupted or any(self.states.get(state) for state in open_)

    @property
    def versions(self) -> int:
        """Every version of the target, each in exactly one state."""
        return sum(self.states.values())


async def deliver(
    ledger: Ledger,
    target: Target,
    transport: Transport,
    packs: Packs,
    *,
    run_id: str,
    world: World,
    stop: asyncio.Event | None = None,
    inbox: Inbox | None = None,
    locked: bool = False,
) -> Delivery:
    """Work off the ledger for one target. `stop` drains: finish what is in flight and return.
    `inbox`: where the target writes rows for us, read at the end. On a shared ledger a run beside
    another one only sends; the other one settles what a run settles once.

    `locked`: the caller holds the lock of the run already.

    Raises LedgerError (ledger unusable, another run active, books that do not balance). A wrong
    setting of the target is no exception but `Delivery.stopped`.
    """
    lock = nullcontext(True) if locked else run_lock(ledger, target, join=True)
    with lock as leads:
        end = stop or asyncio.Event()
        push = _Push(ledger, target, transport, packs, run_id, world, end, inbox, leads)
        try:
            async with push.living():
                return await push.run()
        finally:
            await transport.close()


def states(ledger: Ledger, target: Target) -> dict[State, int]:
    """Versions of a target by state."""
    rows = ledger.db.rows(_STATES, (target.name,))
    return {State(state): n for state, n in rows if n}


@dataclass(slots=True)
class _Push:
    ledger: Ledger
    target: Target
    transport: Transport
    packs: Packs
    run_id: str
    world: World
    stop: asyncio.Event
    inbox: Inbox | None = None
    leads: bool = True
    number: int = 0
    circuit: Circuit = field(init=False)
    pace: Pace = field(init=False)
    budget: Budget = field(init=False)
    lease: lease.Lease = field(init=False)
    sent: Sent = field(default_factory=Sent)
    back: Feedback = field(default_factory=Feedback)

    def __post_init__(self) -> None:
        stored = resumed(circuits(self.ledger).get(self.target.name))
        self.circuit = Circuit(self.target.breaker, self.target.retry, stored)
        self.pace = Pace(self.target.rate, self.target.concurrency, self.world)
        self.budget = Budget(self.target.retry_budget, self.world.clock().timestamp())
        self.lease = lease.Lease(self.ledger, self.target.name, lease.LEASE)

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Renew the lease on a shared ledger for as long as the run goes on. Where that fails for
        good, the run ends while the lease still holds: nothing of it may be on its way after."""
        if not self.ledger.shared:
            yield
            return
        run = asyncio.current_task()
        assert run is not None
        beating = asyncio.create_task(self._beat())
        beating.add_done_callback(lambda beat: beat.cancelled() or run.cancel())
        try:
            yield
        except asyncio.CancelledError:
            if beating.done():
                beating.result()
            raise
        finally:
            if beating.done():
                run.uncancel()
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self) -> None:
        """Renew, and take over from processes whose lease is over. Raises LedgerError when the
        lease will run out."""
        while True:
            await asyncio.sleep(self.lease.seconds / 3)  # as real as the lease
            if self.ledger.db.busy:  # left by a fault that is on its way
                continue
            now = self.world.clock()
            try:
                with self.ledger.transaction():
                    self.lease.renew()
                    if recover(self.ledger, self.target, now, began=True):
                        release_all(self.ledger, self.target, now)
            except LedgerError:
                if self.lease.short:
                    raise

    async def run(self) -> Delivery:
        recovered = self._take_over()
        order = sending_order(self.packs)
        stopped = await self._open()
        while stopped is None:
            await self._send(order)
            stopped = self.sent.stopped
            if stopped is not None or self.stop.is_set() or not self.leads:
                break
            again = await self._feedback(order)
            if not again:
                break
        inbound = None
        settles = self.leads and stopped is None
        if self.inbox is not None and settles and not self.stop.is_set():
            inbound = await receive(self.ledger, self.target, self.inbox, self.world, self.stop)
        crash.at("unnotified")
        notified = await self._notify() if self.sent.written and settles else None
        crash.at("notified")
        return self._close(recovered, stopped, notified, inbound)

    def _take_over(self) -> int:
        """What a dead process left is put in doubt, whose wait is over is released."""
        now = self.world.clock()
        with self.ledger.transaction():
            self.number = self.ledger.run(self.target.name, self.run_id, now)
            fence = (self.target.name, self.ledger.owner, now.timestamp())
            self.ledger.db.run(_FENCE, fence)
            self.lease.renew()
            recovered = recover(self.ledger, self.target, now)
            release_all(self.ledger, self.target, now)
        crash.at("recovered")
        if recovered:
            self.world.log.warning("batches_found_in_doubt", run_id=self.run_id, batches=recovered)
        return recovered

    async def _open(self) -> TransportError | None:
        """Only a wrong setting stops the run here; a target that is away is the worker's affair."""
        try:
            async with asyncio.timeout(self.target.timeout):
                await self.transport.open()
        except TransportError as fault:
            level = self.world.log.warning
            level("target_not_open", **{"class": str(fault.failure)}, status=fault.code)
            return fault if fault.failure is Failure.CONFIGURATION else None
        except TimeoutError:
            self.world.log.warning("target_not_open", status="timeout")
        return None

    async def _send(self, order: tuple[str, ...]) -> None:
        worker = Worker(
            self.ledger,
            self.target,
            self.transport,
            order,
            self.number,
            self.run_id,
            self.world,
            self.stop,
            self.circuit,
            self.pace,
            self.budget,
            self.lease,
            self.sent,
        )
        await worker.work()

    async def _feedback(self, order: tuple[str, ...]) -> bool:
        """Read verdicts; True when they released children that can be sent now."""
        before = self.back
        back = await collect(self.ledger, self.target, self.transport, order, self.world)
        self.back = before + back
        return back.applied.released > 0

    async def _notify(self) -> bool:
        """Tell the target once that rows were written; a failure fails nothing."""
        for attempt in range(1, _NOTIFY_TRIES + 1):
            try:
                async with asyncio.timeout(self.target.timeout):
                    await self.transport.notify()
            except (TransportError, TimeoutError) as fault:
                status = fault.code if isinstance(fault, TransportError) else "timeout"
                self.world.log.warning("notify_failed", attempt=attempt, status=status)
                if attempt < _NOTIFY_TRIES:
                    await self.world.sleep(self.target.retry.step(1))
            else:
                return True
        return False

    def _close(
        self,
        recovered: int,
        stopped: TransportError | None,
        notified: bool | None,
        inbound: Inbound | None,
    ) -> Delivery:
        now = self.world.clock()
        if self.leads:
            with self.ledger.transaction():
                purge(self.ledger, self.target, now)
        self.ledger.balance()
        made = Delivery(
            run_id=self.run_id,
            attempts=self.sent.attempts,
            delivered=self.sent.delivered,
            accepted=self.sent.accepted + self.back.applied.accepted,
            refused=self.sent.rejected + self.back.applied.rejected,
            given_up=self.sent.given_up,
            feedback=self.back,
            states=states(self.ledger, self.target),
            next_due=next_due(self.ledger, self.target),
            stopped=stopped,
            interrupted=self.stop.is_set(),
            notified=notified,
            recovered=recovered,
            inbound=inbound,
            put_off=self.sent.put_off,
            away=circuits(self.ledger).get(self.target.name),
            fault=self.sent.fault,
        )
        with self.ledger.transaction():
            self.lease.end()
            sql = "UPDATE run SET ended = ?, delivery = ? WHERE id = ?"
            self.ledger.db.run(sql, (now.timestamp(), _summary(made), self.number))
        self.world.log.info(
            "push_finished",
            run_id=self.run_id,
            attempts=made.attempts,
            refused=made.refused,
            incomplete=made.incomplete,
            states={str(state): n for state, n in made.states.items()},
        )
        return made


def _summary(made: Delivery) -> str:
    values = {
        "attempts": made.attempts,
        "delivered": made.delivered,
        "accepted": made.accepted,
        "refused": made.refused,
        "given_up": made.given_up,
        "incomplete": made.incomplete,
        "stopped": None if made.stopped is None else made.stopped.code,
        "interrupted": made.interrupted,
        "notified": made.notified,
        "recovered": made.recovered,
        "put_off": made.put_off,
        "states": {str(state): n for state, n in made.states.items()},
    }
    return orjson.dumps(values).decode()
