"""A line between pusher and target that misbehaves: it delays, resets, cuts either direction at a
byte, and hands a request over twice. It knows no protocol; what it does is drawn from a seed.

It closes with a TCP reset, as a broken line does, and it never invents or reorders bytes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from random import Random


class Trouble(StrEnum):
    """What may happen to a connection or to a piece of what a client says."""

    #: The connection is dropped before anything was said.
    REFUSED = "refused"
    #: The piece arrives late.
    DELAYED = "delayed"
    #: Only a part of the piece arrives at the target, then both sides are reset.
    REQUEST_CUT = "request-cut"
    #: The piece arrives; what the target says to it is lost, then both sides are reset.
    ANSWER_LOST = "answer-lost"
    #: The piece arrives; only a part of what the target says comes back.
    ANSWER_CUT = "answer-cut"
    #: The piece arrives twice, the second time on a connection of its own (HTTP).
    DOUBLED = "doubled"


#: Called with what a client said, before the target hears it; False: it never hears it.
Watch = Callable[[bytes], bool]


class Proxy:
    """A TCP proxy on loopback. `chance` (trouble → probability a piece) may change at any time;
    `happened` counts. `watch` lets a test act at an exact byte."""

    def __init__(
        self,
        host: str,
        port: int,
        rng: Random,
        chance: Mapping[Trouble, float] | None = None,
        *,
        delay: float = 0.05,
        watch: Watch | None = None,
    ) -> None:
        self.target = host, port
        self.rng = rng
        self.chance = dict(chance or {})
        self.delay = delay
        self.watch = watch
        self.happened: Counter[Trouble] = Counter()
        self.mute = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def cut(self) -> None:
        """Reset every open connection."""
        for line in list(self._lines):
            line.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        there: asyncio.StreamWriter | None = None
        try:
            if self._drawn() is Trouble.REFUSED:
                return
            back, there = await asyncio.open_connection(*self.target)
            cutting = _Cutting()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._said(reader, there, cutting))
                group.create_task(self._heard(back, writer, cutting))
        except* (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self._lines.discard(line)
            for end in (writer, there):
                if end is not None:
                    _reset(end)

    def _drawn(self, *, connected: bool = False) -> Trouble | None:
        """What happens now, if anything; counted."""
        roll = self.rng.random()
        for trouble, chance in self.chance.items():
            if (trouble is Trouble.REFUSED) == connected:
                continue
            if roll < chance:
                self.happened[trouble] += 1
                return trouble
            roll -= chance
        return None

    async def _said(
        self, reader: asyncio.StreamReader, there: asyncio.StreamWriter, cutting: _Cutting
    ) -> None:
        while piece := await reader.read(65_536):
            if self.watch is not None and not self.watch(piece):
                raise EOFError
            trouble = self._drawn(connected=True)
            if trouble is Trouble.DELAYED:
                await asyncio.sleep(self.delay * self.rng.random())
            elif trouble is Trouble.REQUEST_CUT:
                there.write(piece[: self.rng.randrange(len(piece))])
                await there.drain()
                raise EOFError
            elif trouble is Trouble.ANSWER_LOST:
                cutting.left = 0
            elif trouble is Trouble.ANSWER_CUT:
                cutting.left = self.rng.randrange(1, 200)
            elif trouble is Trouble.DOUBLED:
                await self._again(piece)
            there.write(piece)
            await there.drain()
        raise EOFError

    async def _heard(
        self, back: asyncio.StreamReader, writer: asyncio.StreamWriter, cutting: _Cutting
    ) -> None:
        while piece := await back.read(65_536):
            if self.mute or cutting.left is not None:
                writer.write(b"" if self.mute else piece[: cutting.left])
                await writer.drain()
                if not self.mute:
                    raise EOFError
                continue
            writer.write(piece)
            await writer.drain()
        raise EOFError

    async def _again(self, piece: bytes) -> None:
        """Say a piece on a connection of its own and wait a little for the answer, unread."""
        with suppress(OSError, TimeoutError):
            back, there = await asyncio.open_connection(*self.target)
            there.write(piece)
            await there.drain()
            async with asyncio.timeout(0.2):
                await back.read(65_536)
            _reset(there)


class _Cutting:
    """How many bytes of the next answer still come back; None: all of them."""

    left: int | None = None


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(RuntimeError):
        writer.transport.abort()
