"""Records a second of 1, 2, 4, 8 worker processes over one PostgreSQL ledger, and the ratio to one.

`SPGL_LEDGER_URL=postgresql+psycopg://user@host/db python -m benchmarks.workers`. Every measurement
gets a fresh sandbox and a schema of its own, dropped afterwards. The records are entered and the
processes started beforehand; measured is from the first claim to the last outcome, by the clock of
the database. Afterwards the books must balance and the sandbox must hold every record.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import secrets
import sys
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from random import Random

import psycopg

from benchmarks.machine import describe
from benchmarks.push import Shape, held, records, sandbox
from pusher.delivery import deliver
from pusher.ledger.core import open_ledger
from pusher.ledger.enter import enter
from pusher.states import State
from pusher.target import Target
from pusher.transports.http import HttpSettings, HttpTransport
from pusher.worker import World
from spgl.log import logger
from validator.load import load_packs

SHAPE = Shape(20, 8_000, 4)
_SPAN = "SELECT MAX(at + ms / 1000) - MIN(at) FROM attempt"


def target() -> Target:
    return Target("bench", batch_records=SHAPE.batch, concurrency=SHAPE.flight, wait=5.0)


def work(url: str, schema: str, address: str, name: str, ready: Barrier) -> None:
    """One worker: open everything, wait for the others, deliver."""
    ledger, packs = open_ledger(url, schema=schema), load_packs()
    transport = HttpTransport(HttpSettings(address, connections=SHAPE.flight))
    world = World(lambda: datetime.now(UTC), Random(name), logger(sys.stderr, level="warning"))
    ready.wait()
    asyncio.run(deliver(ledger, target(), transport, packs, run_id=name, world=world))
    ledger.close()


async def measure(url: str, workers: int, count: int) -> float:
    """Records a second. Raises RuntimeError when one is missing."""
    schema = f"spgl_bench_{secrets.token_hex(4)}"
    rows = records(count)
    ledger = open_ledger(url, schema=schema)
    try:
        enter(ledger, rows, target(), "bench", datetime.now(UTC))
        async with sandbox() as address:
            fresh = multiprocessing.get_context("spawn")
            ready = fresh.Barrier(workers)
            crew = [
                fresh.Process(target=work, args=(url, schema, address, f"w{n}", ready))
                for n in range(workers)
            ]
            for one in crew:
                one.start()
            for one in crew:
                await asyncio.to_thread(one.join)
            there = await held(address)
        ledger.audit()
        states = dict(ledger.db.rows("SELECT state, SUM(n) FROM tally GROUP BY state"))
        if there != count or {s: n for s, n in states.items() if n} != {State.ACCEPTED: count}:
            raise RuntimeError(f"not delivered: {states}, the sandbox holds {there}")
        return count / float(ledger.db.rows(_SPAN)[0][0])
    finally:
        ledger.close()
        plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE'.encode())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--records", type=int, default=SHAPE.records)
    options = parser.parse_args()
    url = os.environ["SPGL_LEDGER_URL"]
    print(describe(), flush=True)
    alone = 0.0
    for workers in (1, 2, 4, 8):
        rates = [asyncio.run(measure(url, workers, options.records)) for _ in range(options.repeat)]
        alone = alone or max(rates)
        print(
            f"{workers} workers: {max(rates):>7,.0f} records/s = {max(rates) / alone:.2f} of one",
            flush=True,
        )
    print("every record is accepted in the ledger and held by the sandbox")
    return 0


if __name__ == "__main__":
    sys.exit(main())
