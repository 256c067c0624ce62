"""Kill -9 in the middle of writing to an exchange database, at the transport alone: whatever was
intended is settled, then sent, and stands there once. The whole push is killed elsewhere."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from front_databases import KINDS, front_database
from transport_values import PROJECT, batch, packs, parcel

from pusher.sandbox.collector import Collector
from pusher.sandbox.journal import repeats
from pusher.sandbox.script import Script
from pusher.transport import Batch
from pusher.transports.exchange_db import ExchangeSettings, ExchangeTransport

KILLS = int(os.environ.get("SPGL_KILLS", "6"))
RECORDS, SEED = 40, 20260301

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
    extra = {"GXSJ": "@now"} if "sqlite" not in url else {}
    extra |= {"SCSJ": "@now"} if "mysql" in url else {}
    password = os.environ.get("SPGL_TEST_FRONT_PASSWORD") and "SPGL_TEST_FRONT_PASSWORD"
    settings = ExchangeSettings(url, password_env=password or None, extra=extra)
    transport = ExchangeTransport(settings, packs())
    await transport.open()
    return transport


async def settle(url: str, number: int) -> None:
    """What a restarted pusher does with the one batch that was on its way."""
    transport = await opened(url)
    if await transport.settle(numbered(number)) is None:
        await transport.send(numbered(number))
    await transport.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_writer_leaves_nothing_lost_and_nothing_twice(kind: str, tmp_path: Path) -> None:
    with front_database(kind, tmp_path) as front:
        url = front.settings.url
        collector = Collector(front.settings, packs(), Script())
        rng, number = Random(SEED), 0
        for _ in range(KILLS):
            number = killed(url, number, rng)
            asyncio.run(settle(url, number))
            collector.collect(rng)
            number += 1
        while collector.collect(rng).answered:
            continue
        assert repeats(collector.effects()) == []
        state = front.name("SJSCZT")
        assert front.rows(f"SELECT DISTINCT {state} FROM {front.name(PROJECT)}") == [(3,)]
        names = ("旧名", "新名")
        expected = {
            f"P{n - n % 2}-{i}": names[n % 2] for n in range(number) for i in range(RECORDS)
        }
        assert {h.fields["GCDM"]: h.fields["XMMC"] for h in collector.held()} == expected
        assert len(collector.held()) == len(expected)
        collector.close()


def killed(url: str, number: int, rng: Random) -> int:
    """Write from `number` on until a kill; the number that was on its way."""
    started = subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(number)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
        env={
            **os.environ,
            "PYTHONPATH": f"{Path(__file__).parents[1]}:{Path(__file__).parent}",
        },
    )
    with started as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.1))
        writer.kill()
        intents = writer.stdout.read().split()
    return int(intents[-1]) if intents else number
