"""Warm processes that fork pushes and stand-ins: a kill -9 is real and costs no start-up."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

ROOT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL


@dataclass(slots=True)
class Running:
    """A forked process; `ended` gets its exit code (-9: killed)."""

    pid: int
    ended: asyncio.Task[int]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@dataclass(slots=True)
class Zygote:
    """The warm process, one child at a time. `order` holds what all pushes have in common."""

    process: asyncio.subprocess.Process
    order: dict[str, object] = field(default_factory=dict)

    async def push(
        self, night: int, seed: int, *, kill_after: float | None, at: str = "", **more: object
    ) -> int:
        """One push, killed after some seconds or at a point; its exit code (-9: killed)."""
        line = {**self.order, "night": night, "seed": seed, "crash": at, **more}
        running = await self.start(line)
        if kill_after is not None:
            await asyncio.wait([running.ended], timeout=kill_after)
            if not running.ended.done():
                running.kill()
        return await running.ended

    async def start(self, line: Mapping[str, object]) -> Running:
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(line) + b"\n")
        pid = int(await self._line())
        return Running(pid, asyncio.create_task(self._end()))

    async def _end(self) -> int:
        return int(await self._line(600))

    async def _line(self, patience: float = 60) -> bytes:
        assert self.process.stdout is not None
        return await asyncio.wait_for(self.process.stdout.readline(), patience)


@asynccontextmanager
async def zygote(errors: Path | None = None, **order: object) -> AsyncIterator[Zygote]:
    """A warm process; what its children write to standard error goes to `errors`."""
    heard = None if errors is None else errors.open("ab")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("pushing.py")),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=heard,
    )
    try:
        yield Zygote(process, order)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        if heard is not None:
            heard.close()
