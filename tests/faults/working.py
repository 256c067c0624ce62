"""A worker as a process of its own, forked from a warm one: it delivers from a shared ledger."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from random import Random

import psycopg
import pushing
import structlog

from pusher.delivery import deliver
from pusher.ledger import LedgerError, open_ledger
from pusher.world import World

_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(["tests.faults.working"])


@dataclass(frozen=True, slots=True)
class Shared:
    """A ledger on PostgreSQL and the target it is pushed to."""

    url: str
    schema: str
    kind: str
    address: str

    def start(self, name: str) -> BaseProcess:
        """A worker that is called `name` in the ledger; its exit code: 0 nothing is left, 75
        something is, 2 the ledger failed."""
        process = _WARM.Process(target=_work, args=(self, name))
        process.start()
        return process

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the ledger, or change it, beside the workers."""
        plain = self.url.replace("postgresql+psycopg://", "postgresql://", 1)
        options = f"-c search_path={self.schema}"
        with psycopg.connect(plain, autocommit=True, options=options) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def forget(self, name: str) -> None:
        """As if a worker had not renewed its lease for a minute."""
        self.rows("UPDATE worker SET lease = 0 WHERE owner = %s", name)


def kill(process: BaseProcess, number: signal.Signals = signal.SIGKILL) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def _work(shared: Shared, name: str) -> None:
    log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(50),
    )
    try:
        ledger = open_ledger(shared.url, schema=shared.schema)
        ledger.owner = name
        done = asyncio.run(
            deliver(
                ledger,
                pushing.TARGET,
                pushing.transport(shared.kind, shared.address),
                pushing.packs(),
                run_id=name,
                world=World(lambda: datetime.now(UTC), Random(name), log),
            )
        )
    except LedgerError as fault:
        print(fault, file=sys.stderr)
        sys.exit(2)
    sys.exit(75 if done.incomplete else 0)
