"""Where a campaign pushes to: the HTTP sandbox or an exchange database, behind a bad line.

A place can be hit (its process or its sessions killed, its line cut, its database held), calmed,
and asked what stands there.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Protocol

import orjson
import pushing
import sqlalchemy as sa
from front_databases import front_database
from oracle import Stand
from proxy import Proxy, Trouble
from pushes import Running, Zygote, zygote
from sqlalchemy.engine import make_url

from pusher.sandbox.collector import Collector, Pace
from pusher.sandbox.script import Script
from pusher.sandbox.store import Store

#: What the sandbox does by itself, by chance a request.
ANSWERS = {
    "reset-before": 0.03, "reset-after": 0.04, "truncate": 0.03, "html": 0.03, "unknown": 0.02,
    "gateway-after": 0.02, "missing": 0.02, "duplicate": 0.03, "unavailable": 0.02,
    "throttle": 0.02, "slow": 0.02, "slow-after": 0.02,
}  # fmt: skip
#: What the line does, by chance a piece.
LINE = {
    Trouble.REFUSED: 0.05, Trouble.DELAYED: 0.05, Trouble.REQUEST_CUT: 0.02,
    Trouble.ANSWER_LOST: 0.03, Trouble.ANSWER_CUT: 0.02,
}  # fmt: skip
#: Seconds at most by which the line delays a piece.
DELAYS = (0.05, 0.05, 0.5)


class Place(Protocol):
    """One kind of target. `kind` and `address` are what a push is told."""

    kind: str
    address: str
    happened: Counter[str]

    async def begin(self, folder: Path, rng: Random) -> None:
        """Everything empty and misbehaving, for the next run."""
        ...

    async def hit(self, rng: Random) -> None:
        """Something of the target dies, or holds still, while a push is on its way."""
        ...

    async def calm(self) -> None:
        """No more trouble."""
        ...

    async def stand(self) -> Stand:
        """Let the target finish; what happened there and what stands."""
        ...

    def keep(self, folder: Path) -> None:
        """Lay down in a folder what is not in files of the run anyway."""
        ...


class HttpPlace:
    """The sandbox in a process of its own, behind a proxy."""

    kind = "http"

    def __init__(self, forks: Zygote, proxy: Proxy) -> None:
        self._forks, self._proxy = forks, proxy
        self._running: Running | None = None
        self._store = Path()
        self._script: dict[str, object] = {}
        self.address = f"http://127.0.0.1:{proxy.port}"
        self.happened: Counter[str] = Counter()

    async def begin(self, folder: Path, rng: Random) -> None:
        await self._stop()
        self._store = folder / "sandbox.db"
        scale = rng.choice((0.0, 1.0, 2.0))
        chance = {name: p * scale for name, p in ANSWERS.items()}
        faults = {"seed": rng.randrange(1 << 30), "chance": chance}
        faults |= {"slow_seconds": 0.05, "retry_after": 0.02}
        most = rng.choice((5, 10_000))
        self._script = {"faults": faults, "verdict_delay": 0.01, "page": 20, "max_records": most}
        self._proxy.rng = rng
        self._proxy.chance = rng.choice(({}, {**LINE, Trouble.DOUBLED: 0.05}))
        self._proxy.delay = rng.choice(DELAYS)
        await self._start()

    async def hit(self, rng: Random) -> None:
        if rng.random() < 0.3:
            self._proxy.cut()
            self.happened["lines cut"] += 1
            return
        self.happened["sandbox killed"] += 1
        await self._stop()
        await asyncio.sleep(rng.uniform(0, 0.05))
        await self._start()

    async def calm(self) -> None:
        self._proxy.chance = {}
        self._script = {"verdict_delay": 0.01}
        await self._stop()
        await self._start()

    async def stand(self) -> Stand:
        await self._stop()
        store = Store(self._store)
        try:
            return Stand(store.effects(), store.held())
        finally:
            store.close()

    def keep(self, folder: Path) -> None:
        """The store of the sandbox is a file of the run."""

    async def _start(self) -> None:
        port = self._proxy.target[1]
        sandbox = {"store": str(self._store), "port": port, "script": self._script}
        self._running = await self._forks.start({"sandbox": sandbox})
        for _ in range(500):
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.01)
        raise RuntimeError("the sandbox does not listen")

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.kill()
            await self._running.ended
            self._running = None


class FrontPlace:
    """An exchange database with its collector; servers stand behind a proxy."""

    def __init__(self, kind: str, url: str, engine: sa.Engine | None, proxy: Proxy | None) -> None:
        self.kind, self._url, self._engine, self._proxy = kind, url, engine, proxy
        parts = make_url(url)
        seen = parts if proxy is None else parts.set(host="127.0.0.1", port=proxy.port)
        self.address = seen.render_as_string(hide_password=False)
        self.happened: Counter[str] = Counter()
        self._collector: Collector | None = None
        self._collecting: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def begin(self, folder: Path, rng: Random) -> None:
        await self._end()
        if self._proxy is None:
            self._url = self.address = f"sqlite:///{folder / 'front.db'}"
        else:
            self._proxy.rng = rng
            self._proxy.chance = rng.choice(({}, {t: p / 4 for t, p in LINE.items()}))
            self._proxy.delay = rng.choice(DELAYS)
        if self._engine is not None:
            await asyncio.to_thread(_empty, self._engine)
        settings = pushing.front_settings(self._url)
        pace = Pace(share=rng.choice((0.5, 1.0)), promote=0.5)
        self._collector = await asyncio.to_thread(
            Collector, settings, pushing.packs(), Script(), pace
        )
        self._stop = asyncio.Event()
        self._collecting = asyncio.create_task(self._collect(Random(rng.random())))

    async def hit(self, rng: Random) -> None:
        if self._proxy is not None and rng.random() < 0.3:
            self._proxy.cut()
            self.happened["lines cut"] += 1
        elif self._engine is not None:
            self.happened["sessions ended"] += await asyncio.to_thread(end_sessions, self._engine)
        else:
            self.happened["database held"] += 1
            await asyncio.to_thread(_hold, self._url, rng.uniform(0.0, 0.1))

    async def calm(self) -> None:
        if self._proxy is not None:
            self._proxy.chance = {}

    async def stand(self) -> Stand:
        collector = self._collector
        assert collector is not None
        await self._end()

        def finish() -> Stand:
            rest(collector)
            try:
                return Stand(collector.effects(), collector.held(), replaces=False)
            finally:
                collector.close()

        return await asyncio.to_thread(finish)

    def keep(self, folder: Path) -> None:
        if self._engine is None:
            return
        with self._engine.connect() as connection:
            for name in sa.inspect(connection).get_table_names():
                quoted = self._engine.dialect.identifier_preparer.quote(name)
                rows = connection.exec_driver_sql(f"SELECT * FROM {quoted}").mappings()
                lines = [orjson.dumps(dict(row), default=str) for row in rows]
                (folder / f"{name}.jsonl").write_bytes(b"\n".join(lines))

    async def _collect(self, rng: Random) -> None:
        """Take rows over all the time; a step whose session was ended is another step's work."""
        assert self._collector is not None
        while not self._stop.is_set():
            with suppress(Exception):  # some drivers raise their own; one that stays is seen later
                await asyncio.to_thread(self._collector.collect, rng)
            await asyncio.sleep(0.02)

    async def _end(self) -> None:
        self._stop.set()
        if self._collecting is not None:
            await self._collecting
            self._collecting = None


def rest(collector: Collector) -> None:
    """Let it take over everything: a slow one may leave what waits alone for some steps."""
    rng, idle = Random(0), 0
    while idle < 12:
        taken = collector.collect(rng)
        idle = 0 if taken.answered or taken.moved else idle + 1


@asynccontextmanager
async def place(kind: str, folder: Path, errors: Path) -> AsyncIterator[Place]:
    """A target of a kind: `http`, `sqlite`, `mariadb`, `postgresql`."""
    if kind == "http":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with zygote(errors) as forks, Proxy("127.0.0.1", port, Random(0)) as proxy:
            made = HttpPlace(forks, proxy)
            yield made
            await made._stop()
            made.happened.update({f"line: {t}": n for t, n in proxy.happened.items()})
    elif kind == "sqlite":
        yield FrontPlace("exchange_db", "sqlite://", None, None)
    else:
        with ExitStack() as opened:
            front = opened.enter_context(front_database(kind, folder))
            url = front.engine.url
            async with Proxy("127.0.0.1", url.port or 0, Random(0)) as proxy:
                text = front.settings.url
                server = FrontPlace("exchange_db", text, front.engine, proxy)
                yield server
                await server._end()
                server.happened.update({f"line: {t}": n for t, n in proxy.happened.items()})


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _empty(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for name in sa.inspect(connection).get_table_names():
            quoted = engine.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"DELETE FROM {quoted}")


def end_sessions(engine: sa.Engine) -> int:
    """End every session in this database but the one that does it; how many."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            sql = (
                "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return int(connection.exec_driver_sql(sql).scalar() or 0)
        sql = (
            "SELECT id FROM information_schema.processlist"
            " WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        )
        ended = 0
        for (number,) in connection.exec_driver_sql(sql).all():
            with suppress(sa.exc.SQLAlchemyError):
                connection.exec_driver_sql(f"KILL {int(number)}")
                ended += 1
        return ended


def _hold(url: str, seconds: float) -> None:
    """Another writer holds the file for a while."""
    import time

    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with suppress(sa.exc.SQLAlchemyError), engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.exec_driver_sql("ROLLBACK")
