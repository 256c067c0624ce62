"""Records a second through ledger and HTTP transport, against a bare client in the same run.

`python -m benchmarks.push`; `--all` adds exchange databases (`push_exchange`) and what the ledger
costs beside sending (`push_ledger`). Both send the same records in batches of the same size, with
the same number of requests in flight, to a sandbox in a process of its own; each measurement gets a
fresh sandbox, the cases take turns, the best of `--repeat` counts. The ledger is a file with full
sync and the attempt log a file of JSON lines. Afterwards the books must balance and the sandbox
must hold every record: a fast run that loses one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import aiohttp
import orjson
import sqlalchemy as sa

from benchmarks import push_exchange, push_ledger
from benchmarks.machine import Aim, describe
from benchmarks.wide_table import TABLE, blocks
from pusher.delivery import deliver
from pusher.ledger.core import open_ledger
from pusher.ledger.enter import enter
from pusher.states import State
from pusher.target import Target
from pusher.transport import Batch, Parcel
from pusher.transports.body import gzipped, json_body
from pusher.transports.http import HttpSettings, HttpTransport
from pusher.worker import World
from spgl.log import logger
from validator.load import load_packs
from validator.records import Operation, Record, Standing

STANDARD, DIVISION = "data-sharing-3.0", "990100"
KEY = ("XZQHDM", "GCDM", "SPSXSLBM")


@dataclass(frozen=True, slots=True)
class Shape:
    """Batch size, records in all, requests in flight."""

    batch: int
    records: int
    flight: int


SHAPES = (Shape(1, 4_000, 16), Shape(100, 40_000, 4))
AIMS = {
    1: Aim("single records ÷ bare client", 0.80, least=True),
    100: Aim("batches of 100 ÷ bare client", 0.60, least=True),
}


def records(count: int) -> list[Record]:
    """Conforming records of the wide table; without parents, so that none has to wait."""
    made: list[Record] = []
    exchange = {"LSH", "SJYXBS", "SJSCZT", "ROWGUID", "SYNC", "OPERATEDATE"}
    for frame in blocks(count * 2):
        for i, row in enumerate(frame.iter_rows(named=True)):
            if i % 100 == 57 or len(made) == count:
                continue
            content = {k: v for k, v in row.items() if v is not None and k not in exchange}
            key = {k: content[k] for k in KEY}
            made.append(
                Record(
                    table=f"{STANDARD}/{TABLE}",
                    division=DIVISION,
                    key=key,
                    operation=Operation.UPSERT,
                    content=content,
                    reason="",
                    standing=Standing.CONFORMING,
                    blocked_by=(),
                    parents=(),
                    handles=(),
                    known=key,
                    file="wide.csv",
                    record=i + 1,
                    line=None,
                )
            )
    return made


def requests(rows: Sequence[Record], size: int) -> list[Batch]:
    """The records as the batches a bare client would make of them."""
    return [
        Batch(
            f"bare-{start}", f"bare-{start}", STANDARD, TABLE, DIVISION, _parcels(rows, start, size)
        )
        for start in range(0, len(rows), size)
    ]


def _parcels(rows: Sequence[Record], start: int, size: int) -> tuple[Parcel, ...]:
    return tuple(
        Parcel(i, Operation.UPSERT, "", r.key, r.content)
        for i, r in enumerate(rows[start : start + size])
    )


async def bare(rows: Sequence[Record], shape: Shape, url: str) -> float:
    """Seconds of a plain aiohttp client: encode, post, read the answer, keep nothing."""
    settings = HttpSettings(url, connections=shape.flight)
    waiting = iter(requests(rows, shape.batch))
    address = f"{url}/api/v1/{STANDARD}/{TABLE}/records"
    connector = aiohttp.TCPConnector(limit=shape.flight)

    async def sender(session: aiohttp.ClientSession) -> None:
        for batch in waiting:
            body = json_body(batch)
            headers = {"Idempotency-Key": batch.idempotency_key, "Content-Type": "application/json"}
            if settings.gzip_above is not None and len(body) > settings.gzip_above:
                body, headers["Content-Encoding"] = gzipped(body), "gzip"
            async with session.post(address, data=body, headers=headers) as answer:
                receipts = orjson.loads(await answer.read())["receipts"]
                if answer.status not in (200, 207) or len(receipts) != len(batch.parcels):
                    raise RuntimeError(f"the sandbox answered {answer.status}")

    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(shape.flight):
                group.create_task(sender(session))
        return time.perf_counter() - started


async def spgl(rows: Sequence[Record], shape: Shape, url: str, folder: Path) -> tuple[float, float]:
    """Seconds of entering and of delivering with ledger and log. Raises when one is missing."""
    target = Target("bench", batch_records=shape.batch, concurrency=shape.flight, wait=0.0)
    transport = HttpTransport(HttpSettings(url, connections=shape.flight))
    ledger, packs = open_ledger(folder / "ledger.db"), load_packs()
    with (folder / "attempts.jsonl").open("w") as log:
        world = World(lambda: datetime.now(UTC), Random(1), logger(log, json=True))
        started = time.perf_counter()
        books = enter(ledger, rows, target, "bench", datetime.now(UTC))
        entered = time.perf_counter() - started
        started = time.perf_counter()
        done = await deliver(ledger, target, transport, packs, run_id="bench", world=world)
        seconds = time.perf_counter() - started
    ledger.audit()
    ledger.close()
    if not books.balanced or done.states != {State.ACCEPTED: len(rows)}:
        raise RuntimeError(f"not delivered: {books} {done.states}")
    return entered, seconds


@asynccontextmanager
async def sandbox() -> AsyncIterator[str]:
    """A fresh sandbox in a process of its own; its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pusher.sandbox", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def held(url: str) -> int:
    """How many records the sandbox holds."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/sandbox/counts") as answer:
        return int((await answer.json())["held"])


async def compare(shape: Shape, repeat: int) -> None:
    rows = records(shape.records)
    plain: list[float] = []
    ours: list[float] = []
    entering: list[float] = []
    for _ in range(repeat):
        async with sandbox() as url:
            plain.append(await bare(rows, shape, url))
        async with sandbox() as url:
            with tempfile.TemporaryDirectory() as folder:
                entered, seconds = await spgl(rows, shape, url, Path(folder))
            if await held(url) != len(rows):
                raise RuntimeError(f"the sandbox holds {await held(url)} of {len(rows)}")
        ours.append(seconds)
        entering.append(entered)
    rate, floor = len(rows) / min(ours), len(rows) / min(plain)
    print(
        f"batches of {shape.batch:>3}, {shape.flight} in flight: "
        f"bare client {floor:>8,.0f} records/s, spgl {rate:>8,.0f} records/s = {rate / floor:.2f}; "
        f"entering {len(rows) / min(entering):,.0f} records/s\n"
        f"  {AIMS[shape.batch].said(rate / floor)}",
        flush=True,
    )


def others(scale: float, repeat: int) -> None:
    """Exchange databases and ledger; a server that is missing is told and left out."""
    rows = records(int(20_000 * scale))
    for kind in push_exchange.SERVERS:
        try:
            print(*push_exchange.measure(kind, rows, repeat), sep="\n", flush=True)
        except sa.exc.OperationalError as fault:
            print(f"{kind}: not measured, {str(fault.orig or fault).splitlines()[0]}", flush=True)
    print(*push_ledger.logging(rows, repeat), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = push_ledger.resume(records(int(100_000 * scale) + 100), Path(folder))
        print(*found, sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        many = push_ledger.large(int(10_000_000 * scale), rows, Path(folder))
        print(*many, sep="\n", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer records")
    parser.add_argument("--all", action="store_true", help="exchange databases and ledger as well")
    options = parser.parse_args()
    print(describe(), flush=True)
    for shape in SHAPES:
        count = max(shape.batch, int(shape.records * options.scale))
        asyncio.run(compare(Shape(shape.batch, count, shape.flight), options.repeat))
    if options.all:
        others(options.scale, options.repeat)
    print("every record is accepted in the ledger and held by the sandbox")
    return 0


if __name__ == "__main__":
    sys.exit(main())
