"""`spgl push --workers N`: several processes of this machine send from one shared ledger.

The first process enters, reads verdicts and tells how it went; the others only send, each with its
own connections, and end when nothing is left that they could send. One that dies is no loss: its
lease runs out and another takes over what it held. On other machines `spgl push` does the same.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from spgl.cli import Call
from spgl.config import ConfigError
from validator.text import Text

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from pusher.delivery import Delivery
    from pusher.ledger.core import Ledger
    from spgl.routing import Route
    from validator.pack import Packs


def check(call: Call) -> None:
    """Raise ConfigError where --workers makes no sense or the ledger is for one process."""
    workers: int = call.args.workers
    if workers < 1:
        raise ConfigError(_NUMBER.fill({"n": workers})[call.lang])
    if workers > 1 and not call.settings.ledger.shared:
        raise ConfigError(_NOT_SHARED.fill({"n": workers})[call.lang])


def deliver(
    call: Call,
    ledger: Ledger,
    route: Route,
    packs: Packs,
    run_id: str,
    *,
    until: datetime | None = None,
    locked: bool = False,
) -> Delivery:
    """Deliver with as many processes as --workers says; the numbers are those of all of them.
    Raises ConfigError, LedgerError."""
    from pusher.delivery import states
    from spgl import pushing

    with _helped(call, route.target.name, run_id, until) as helpers:
        delivery = pushing.deliver(
            call, ledger, route.target, packs, run_id, until=until, locked=locked
        )
        if delivery.interrupted or delivery.stopped is not None:
            helpers.stop()
    if not helpers.shares:
        return delivery
    return replace(
        delivery,
        attempts=delivery.attempts + sum(s.attempts for s in helpers.shares),
        delivered=delivery.delivered + sum(s.delivered for s in helpers.shares),
        accepted=delivery.accepted + sum(s.accepted for s in helpers.shares),
        refused=delivery.refused + sum(s.refused for s in helpers.shares),
        given_up=delivery.given_up + sum(s.given_up for s in helpers.shares),
        states=states(ledger, route.target),
    )


@dataclass(frozen=True, slots=True)
class Share:
    """What one helping process did."""

    attempts: int = 0
    delivered: int = 0
    accepted: int = 0
    refused: int = 0
    given_up: int = 0


@dataclass(slots=True)
class Helpers:
    """The processes that help, and what they told when they ended."""

    running: list[tuple[BaseProcess, Connection]] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)

    def stop(self) -> None:
        """Let them finish what is in flight and end."""
        for process, _ in self.running:
            process.terminate()

    def wait(self, call: Call) -> None:
        """Until all have ended. One that did not end well is told, its work is taken over."""
        for number, (process, answers) in enumerate(self.running, 2):
            process.join()
            if answers.poll():
                self.shares.append(answers.recv())
            else:
                said = _LOST.fill({"number": number, "code": process.exitcode})[call.lang]
                print(f"spgl: {said}", file=sys.stderr)


@contextmanager
def _helped(call: Call, target: str, run_id: str, until: datetime | None) -> Iterator[Helpers]:
    """Start the helpers, and wait for their end; after a fault they are told to stop."""
    fresh = multiprocessing.get_context("spawn")  # a fork would share our connections
    helpers = Helpers()
    for number in range(2, getattr(call.args, "workers", 1) + 1):
        answers, told = fresh.Pipe(duplex=False)
        plain = replace(call, args=_plain(call.args))
        process = fresh.Process(
            target=_help, args=(plain, target, f"{run_id}-{number}", until, told)
        )
        process.start()
        told.close()
        helpers.running.append((process, answers))
    try:
        yield helpers
    except BaseException:
        helpers.stop()
        raise
    finally:
        helpers.wait(call)


def _plain(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments that a process that only sends has a use for."""
    return argparse.Namespace(**{**vars(args), "paths": [], "workers": 1, "metrics": None})


def _help(call: Call, target: str, run_id: str, until: datetime | None, told: Connection) -> None:
    """What a helping process does."""
    from pusher.ledger import LedgerError
    from spgl import checking, pushing, routing

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    packs = checking.packs_of(call)
    routes = routing.routes_of(call, packs, wait=call.args.wait)
    route = next(route for route in routes if route.target.name == target)
    try:
        with pushing.open_ledger(call) as ledger:
            done = pushing.deliver(
                call, ledger, route.target, route.packs(packs), run_id, until=until
            )
    except LedgerError as fault:
        print(f"spgl: {fault.text[call.lang]}", file=sys.stderr)
        raise SystemExit(2) from None
    told.send(Share(done.attempts, done.delivered, done.accepted, done.refused, done.given_up))


_NUMBER = Text("--workers {n}：应为 1 或更大", "--workers {n}: give 1 or more")
_NOT_SHARED = Text(
    "--workers {n} 需要 PostgreSQL 台账（[ledger] url）；SQLite 台账只供一个进程使用",
    "--workers {n} needs a ledger on PostgreSQL ([ledger] url); one in SQLite is for one process",
)
_LOST = Text(
    "第 {number} 个投送进程异常结束（{code}），其未完成的批次由其他进程或下次运行接管",
    "worker {number} ended badly ({code}); others or the next run take over what it held",
)
