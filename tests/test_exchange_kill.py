"""Kill -9 in the middle of writing to an exchange database, at the transport alone: whatever was
intended is settled, then sent, and stands there once. The whole push is killed elsewhere."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

from transport_values import PROJECT, batch, packs, parcel

from pusher.sandbox.collector import Collector
from pusher.sandbox.journal import repeats
from pusher.sandbox.script import Script
from pusher.transport import Batch
from pusher.transports.exchange_db import ExchangeSettings, ExchangeTransport

KILLS, RECORDS, SEED = 4, 40, 20260301

#: Notes its intent, then writes; the number on standard output is the intent.
WRITER = """
import asyncio, sys
from dataclasses import replace
from test_exchange_kill import numbered, opened

async def main(url, start):
    transport = await opened(url)
    for number in range(start, start + 10_000):
        print(number, flush=True)
        await transport.send(replace(numbered(number), fresh=True))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def numbered(number: int) -> Batch:
    """Batch `number`; every second one changes the records of the one before."""
    first = number - number % 2
    old = [{"GCDM": f"P{first}-{i}", "XMMC": "旧名"} for i in range(RECORDS)]
    if number == first:
        return batch(number, *(parcel(i, f) for i, f in enumerate(old)))
    return batch(
        number,
        *(parcel(i, {**f, "XMMC": "新名"}, previous=f) for i, f in enumerate(old)),
    )


async def opened(url: str) -> ExchangeTransport:
    transport = ExchangeTransport(ExchangeSettings(url), packs())
    await transport.open()
    return transport


async def settle(url: str, number: int) -> None:
    """What a restarted pusher does with the one batch that was on its way."""
    transport = await opened(url)
    if await transport.settle(numbered(number)) is None:
        await transport.send(numbered(number))
    await transport.close()


def test_a_killed_writer_leaves_nothing_lost_and_nothing_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'front.db'}"
    collector = Collector(ExchangeSettings(url), packs(), Script())
    rng, number = Random(SEED), 0
    for _ in range(KILLS):
        started = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(number)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
            env={"PYTHONPATH": f"{Path(__file__).parents[1]}:{Path(__file__).parent}"},
        )
        with started as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.05))
            writer.kill()
            intents = writer.stdout.read().split()
        number = int(intents[-1]) if intents else number
        asyncio.run(settle(url, number))
        collector.collect(rng)
        number += 1
    while collector.collect(rng).answered:
        continue
    assert repeats(collector.effects()) == []
    with closing(sqlite3.connect(tmp_path / "front.db")) as db:
        rows = db.execute(
            f"SELECT GCDM, XMMC, SJYXBS, SJSCZT, count(*) FROM {PROJECT} GROUP BY 1, 2, 3, 4"
        ).fetchall()
    assert {status for *_, status, _ in rows} == {3}
    names = {n % 2: name for n, name in ((0, "旧名"), (1, "新名"))}
    expected = {f"P{n - n % 2}-{i}": names[n % 2] for n in range(number) for i in range(RECORDS)}
    assert {h.fields["GCDM"]: h.fields["XMMC"] for h in collector.held()} == expected
    assert len(collector.held()) == len(expected)
    collector.close()
