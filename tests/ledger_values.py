"""Values for the tests of ledger and delivery: records, packs, a clock, and a target in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import structlog

from pusher.transport import (
    Answer,
    Awaited,
    Batch,
    Failure,
    Receipt,
    TransportError,
    Verdict,
    VerdictPage,
)
from pusher.world import World
from validator.pack import Field, Key, Kind, Pack, Packs, Provenance, Reference, Table
from validator.records import Link, Operation, Record, Standing
from validator.text import Text

STANDARD = "data-sharing-3.0"
PROJECTS = f"{STANDARD}/SPGL_XMJBXXB"
CASES = f"{STANDARD}/SPGL_XMSPSXBLXXB"
START = datetime(2026, 3, 1, 22, tzinfo=UTC)


def record(
    key: str,
    *,
    table: str = PROJECTS,
    standing: Standing = Standing.CONFORMING,
    operation: Operation = Operation.UPSERT,
    parent: str | None = None,
    blocked_by: tuple[str, ...] = (),
    division: str = "441802",
    **fields: str,
) -> Record:
    """A project (`GCDM`) or a case (`SPSXSLBM`) that refers to a project (`parent`)."""
    name = "GCDM" if table == PROJECTS else "SPSXSLBM"
    content = {name: key, **fields}
    if parent is not None:
        content["SJGCDM" if table == PROJECTS else "GCDM"] = parent
    return Record(
        table=table,
        division=division,
        key={name: key},
        operation=operation,
        content=content,
        reason="deleted" if operation is Operation.INVALIDATE else "",
        standing=standing,
        blocked_by=blocked_by or (("required",) if standing is Standing.BLOCKED else ()),
        parents=() if parent is None else (Link(PROJECTS, ("GCDM",), (parent,)),),
        handles=(Link(table, (name,), (key,)),),
        known={name: key},
        file="export.csv",
        record=1,
        line=2,
    )


def packs() -> Packs:
    """Cases listed before the projects they refer to."""
    cases = _table("SPGL_XMSPSXBLXXB", "SPSXSLBM", 1, (("GCDM", PROJECTS, "GCDM"),))
    projects = _table("SPGL_XMJBXXB", "GCDM", 2, (("SJGCDM", PROJECTS, "GCDM"),))
    title = Text("数据共享", "data sharing")
    pack = Pack(STANDARD, "3.0", title, "reconstructed", (), (cases, projects), (), ())
    return Packs((pack,))


def _table(name: str, key: str, order: int, refers: tuple[tuple[str, str, str], ...]) -> Table:
    deployed = Provenance.DEPLOYED
    names = [key, *(f for f, _, _ in refers)]
    return Table(
        STANDARD,
        name,
        Text(name, name),
        tuple(Field(n, Text(n, n), Kind.TEXT, deployed) for n in names),
        Key((key,), deployed),
        order,
        deployed,
        references=tuple(Reference((f,), t, (k,), deployed) for f, t, k in refers),
    )


@dataclass(slots=True)
class Time:
    """A clock that only moves when somebody sleeps."""

    now: datetime = START
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return self.now.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass(slots=True)
class Lines:
    """Log lines as they were written."""

    lines: list[dict[str, object]] = field(default_factory=list)

    def __call__(self, _: object, name: str, event: dict[str, object]) -> dict[str, object]:
        self.lines.append(dict(event))
        raise structlog.DropEvent

    def events(self, name: str) -> list[dict[str, object]]:
        return [line for line in self.lines if line["event"] == name]


def world(time: Time | None = None, lines: Lines | None = None, seed: int = 7) -> World:
    clock = time or Time()
    log = structlog.wrap_logger(
        structlog.PrintLogger(),
        processors=[lines or Lines()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    return World(clock, Random(seed), log, clock.sleep, clock.ticks)


Fault = Callable[[Batch], TransportError | None]


@dataclass(slots=True)
class Memory:
    """A target in memory that keeps what it takes; `before` and `after` may fail an attempt.

    `before` fails it without effect, `after` loses the answer. `refuse` gives a reason text;
    the first `short` answers lack a receipt.
    """

    before: Fault = lambda batch: None
    after: Fault = lambda batch: None
    refuse: Callable[[Mapping[str, str]], str] = lambda key: ""
    asked: Fault = lambda batch: None
    answer: Answer = Answer.ACCEPTED
    delay: float = 0.0
    stream: bool = True
    certain: bool = False
    name: str = "memory"
    batches: dict[str, tuple[Batch, tuple[Receipt, ...]]] = field(default_factory=dict)
    rows: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    effects: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    sent: list[Batch] = field(default_factory=list)
    settled: int = 0
    notified: int = 0
    says: list[Verdict] = field(default_factory=list)
    short: int = 0
    flying: int = 0
    most: int = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def send(self, batch: Batch) -> Sequence[Receipt]:
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await asyncio.sleep(self.delay)
            receipts = self._take(batch)
            self.short -= 1
            return receipts[:-1] if self.short >= 0 else receipts
        finally:
            self.flying -= 1

    def _take(self, batch: Batch) -> Sequence[Receipt]:
        self.sent.append(batch)
        fault = self.before(batch)
        if fault is not None:
            raise fault
        if batch.idempotency_key not in self.batches:
            receipts = tuple(self._row(batch, index) for index in range(len(batch.parcels)))
            self.batches[batch.idempotency_key] = batch, receipts
        held, receipts = self.batches[batch.idempotency_key]
        assert held.parcels == batch.parcels, "one key for two contents"
        fault = self.after(batch)
        if fault is not None:
            raise fault
        return receipts

    def _row(self, batch: Batch, index: int) -> Receipt:
        parcel = batch.parcels[index]
        reason = self.refuse(parcel.key)
        if reason:
            return Receipt(index, Answer.REJECTED, "", reason)
        key = next(iter(parcel.key.values()))
        self.effects.append((str(parcel.operation), key, parcel.fields))
        if parcel.operation is Operation.UPSERT:
            self.rows[batch.table, key] = parcel.fields
        else:
            self.rows.pop((batch.table, key), None)
        return Receipt(index, self.answer, f"L{len(self.effects)}")

    async def settle(self, batch: Batch) -> Sequence[Receipt] | None:
        self.settled += 1
        fault = self.asked(batch)
        if fault is not None:
            raise fault
        held = self.batches.get(batch.idempotency_key)
        return None if held is None else held[1]

    async def verdicts(
        self, standard: str, awaited: Sequence[Awaited], cursor: str | None
    ) -> VerdictPage:
        if not self.stream:
            keys = {(a.table, *a.key.values()) for a in awaited}
            found = [v for v in self.says if (v.table, *v.key.values()) in keys]
            return VerdictPage(tuple(found), None, False)
        start = int(cursor or 0)
        page = tuple(self.says[start : start + 2])
        return VerdictPage(page, str(start + len(page)), start + len(page) < len(self.says))

    async def notify(self) -> None:
        self.notified += 1


def fails(failure: Failure, times: int, code: str = "HTTP 503", **more: float) -> Fault:
    """Fail the first `times` attempts."""
    left = [times]

    def fault(batch: Batch) -> TransportError | None:
        left[0] -= 1
        return TransportError(failure, code, "as scripted", **more) if left[0] >= 0 else None

    return fault


def spoilt(failure: Failure, *keys: str) -> Fault:
    """Fail every batch that holds one of these keys."""

    def fault(batch: Batch) -> TransportError | None:
        held = {value for parcel in batch.parcels for value in parcel.key.values()}
        return TransportError(failure, "HTTP 422", "bad record") if held & set(keys) else None

    return fault
