"""The process that the kill suite kills: it pushes one night and leaves, if it is let.

`zygote` keeps a warm interpreter from which each push is forked, so that a kill costs no start-up.
Commands come as JSON lines; each is answered with the pid of the child, and with its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import structlog

from pusher import crash
from pusher.delivery import deliver
from pusher.ledger import Ledger, LedgerError, enter, open_ledger
from pusher.retry import Schedule
from pusher.sandbox.script import script_of
from pusher.sandbox.server import Sandbox, SandboxSettings, serve
from pusher.target import Target
from pusher.transport import Batch, Receipt, Transport
from pusher.transports.dialects import connect
from pusher.transports.exchange_db import ExchangeSettings, ExchangeTransport
from pusher.transports.http import HttpTransport
from pusher.transports.http_settings import HttpSettings
from pusher.world import World
from validator.pack import Field, Key, Kind, Pack, Packs, Provenance, Reference, Role, Table
from validator.records import Link, Operation, Record, Standing
from validator.text import Text

STANDARD = "data-sharing-3.0"
PROJECTS, CASES = f"{STANDARD}/SPGL_XMJBXXB", f"{STANDARD}/SPGL_XMSPSXBLXXB"
COUNT, CASES_EACH = 24, 4
TARGET = Target(
    "sandbox",
    batch_records=8,
    concurrency=3,
    timeout=5,
    wait=20,
    retry=Schedule((0.01, 0.05, 0.1), attempts=200),
    breaker=50,
)


def packs() -> Packs:
    projects = _table("SPGL_XMJBXXB", ("GCDM", "XMMC", "SJGCDM"), 1, (("SJGCDM", "GCDM"),))
    cases = _table("SPGL_XMSPSXBLXXB", ("SPSXSLBM", "GCDM", "BLZT"), 2, (("GCDM", "GCDM"),))
    title = Text("数据共享", "data sharing")
    return Packs((Pack(STANDARD, "3.0", title, "reconstructed", (), (projects, cases), (), ()),))


def _table(
    name: str, columns: tuple[str, ...], order: int, refers: tuple[tuple[str, str], ...]
) -> Table:
    weak = Provenance.INFERRED
    exchange = ("LSH", "SJYXBS", "SJWXYY", "SJSCZT", "SBYY")
    numbers = ("LSH", "SJYXBS", "SJSCZT")
    fields = tuple(
        Field(
            n,
            Text(n, n),
            Kind.INTEGER if n in numbers else Kind.TEXT,
            weak,
            Role.EXCHANGE if n in exchange else Role.BUSINESS,
        )
        for n in (*columns, *exchange)
    )
    return Table(
        STANDARD,
        name,
        Text(name, name),
        fields,
        Key(columns[:1], weak),
        order,
        weak,
        references=tuple(Reference((f,), PROJECTS, (k,), weak) for f, k in refers),
        by_name={f.name: f for f in fields},
    )


def night(number: int, projects: int = COUNT, shift: int = 0) -> Iterator[Record]:
    """The export of a night: some projects change, some cases go, some come back, some are new.

    Children come before their parents, as an unlucky export has it. `shift` makes other records
    change and go.
    """
    for p in range(projects + 2 * number):
        for c in range(CASES_EACH):
            gone = (p + c + number + shift) % 11 == 0
            status = str((number // 2 + c + shift) % 3)  # A, A, B, B, C, C, A: contents return
            content = {"SPSXSLBM": f"C{p:03d}-{c}", "GCDM": f"P{p:03d}", "BLZT": status}
            yield _record(CASES, "SPSXSLBM", {**content}, "GCDM", gone=gone)
    for p in range(projects + 2 * number):
        content = {"GCDM": f"P{p:03d}", "XMMC": f"项目{p}第{(p + number + shift) // 5}版"}
        if p % 6:
            content["SJGCDM"] = f"P{p - p % 6:03d}"
        yield _record(PROJECTS, "GCDM", content, "SJGCDM")


def _record(
    table: str, key: str, content: dict[str, str], refers: str, *, gone: bool = False
) -> Record:
    parent = content.get(refers)
    return Record(
        table=table,
        division="441802",
        key={key: content[key]},
        operation=Operation.INVALIDATE if gone else Operation.UPSERT,
        content=content,
        reason="办件已撤销" if gone else "",
        standing=Standing.CONFORMING,
        blocked_by=(),
        parents=() if parent is None else (Link(PROJECTS, ("GCDM",), (parent,)),),
        handles=(Link(table, (key,), (content[key],)),),
        known={key: content[key]},
        file="export.csv",
        record=1,
        line=2,
    )


class Blind(ExchangeTransport):
    """What the deployed systems do: never look, write again. The oracle has to notice."""

    async def send(self, batch: Batch) -> Sequence[Receipt]:
        return await super().send(replace(batch, fresh=True))

    async def settle(self, batch: Batch) -> Sequence[Receipt] | None:
        return None


def transport(kind: str, address: str) -> Transport:
    if kind == "http":
        return HttpTransport(HttpSettings(address, notify_url=f"{address}/api/v1/notify"))
    exchange = Blind if kind == "blind" else ExchangeTransport
    return exchange(front_settings(address), packs())


def front_settings(url: str) -> ExchangeSettings:
    """Several connections where the database takes several writers."""
    secret = "SPGL_TEST_FRONT_PASSWORD"
    many = 1 if url.startswith("sqlite") else TARGET.concurrency
    return ExchangeSettings(
        url, password_env=secret if secret in os.environ else None, connections=many
    )


@dataclass(frozen=True, slots=True)
class Order:
    """One push: where, what, and what goes wrong by itself. `ahead`: seconds by which the clock is
    wrong from the beginning; `jump`: by which it is set after `jump_after` seconds. `timeout`:
    seconds an attempt has. `schema`: of a ledger that is no file."""

    ledger: str
    kind: str
    address: str
    night: int
    seed: int
    crash: str = ""
    projects: int = COUNT
    shift: int = 0
    ahead: float = 0.0
    jump: float = 0.0
    jump_after: float = 0.1
    timeout: float = TARGET.timeout
    schema: str = ""


async def push(order: Order) -> bool:
    """Enter one night and deliver; True when nothing is left to do. Raises LedgerError."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(50),
    )
    began = time.monotonic()

    def clock() -> datetime:
        jumped = order.jump if time.monotonic() - began > order.jump_after else 0.0
        return datetime.now(UTC) + timedelta(seconds=order.ahead + jumped)

    target = replace(TARGET, timeout=order.timeout)
    ledger = _ledger(order)
    try:
        run_id, records = f"night-{order.night}", night(order.night, order.projects, order.shift)
        books = enter(ledger, records, target, run_id, clock())
        assert books.balanced
        done = await deliver(
            ledger,
            target,
            transport(order.kind, order.address),
            packs(),
            run_id=run_id,
            world=World(clock, Random(order.seed), log),
        )
    finally:
        ledger.close()
    return not done.incomplete


def _ledger(order: Order) -> Ledger:
    if order.schema:
        return open_ledger(order.ledger, schema=order.schema)
    return open_ledger(Path(order.ledger))


def serve_sandbox(store: str, port: int, script: dict[str, object]) -> None:
    """The stand-in in a process that can be killed; what it took is in its file."""
    settings = SandboxSettings(port=port, store=Path(store))
    asyncio.run(serve(Sandbox(settings, script_of(script)), announce=lambda url: None))


def child(order: dict[str, Any]) -> int:
    """What a fork does; its exit code: 0 complete, 75 something is left, 2 another push runs."""
    if "sandbox" in order:
        serve_sandbox(**order["sandbox"])
        return 0
    crash.arm(order.get("crash", ""))
    try:
        return 0 if asyncio.run(push(Order(**order))) else 75
    except LedgerError as fault:
        print(fault, file=sys.stderr)
        return 2


def zygote() -> None:
    """Fork a push per command line on standard input; say its pid, and later how it ended."""
    for url in ("sqlite://", "mysql+pymysql://u@127.0.0.1/d", "postgresql+psycopg://u@127.0.0.1/d"):
        connect(front_settings(url))[1].dispose()  # loads the drivers, connects to nothing
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.close(0)
            code = 1
            try:
                code = child(order)
            except BaseException:  # a defect: whoever ordered the push sees the code
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    zygote()
