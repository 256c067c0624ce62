"""Reads the target's later verdicts back into the ledger: a stream per standard, or by look-up.

A stream continues at its cursor, which is kept in the transaction that applies its page. By look-up
every table is walked in pages of keys, oldest first, so that rows without an answer starve nobody.
A failing target ends feedback for this run and fails nothing: the next run continues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from pusher import crash
from pusher.ledger.core import Ledger
from pusher.ledger.verdicts import Applied, apply, awaited, cursor, keep_cursor
from pusher.target import Target
from pusher.transport import Transport, TransportError, within
from pusher.world import World


@dataclass(frozen=True, slots=True)
class Feedback:
    """What came back: counts over all pages; `fault` ended it early (None: it did not)."""

    applied: Applied = field(default_factory=Applied)
    pages: int = 0
    fault: TransportError | None = None

    def __add__(self, other: Feedback) -> Feedback:
        pages, fault = self.pages + other.pages, other.fault or self.fault
        return Feedback(_sum(self.applied, other.applied), pages, fault)


async def collect(
    ledger: Ledger, target: Target, transport: Transport, tables: Sequence[str], world: World
) -> Feedback:
    """Fetch what the target has to say about these tables (qualified names). Raises LedgerError."""
    total, pages = Applied(), 0
    try:
        await within(target.timeout, transport.open())
        if transport.stream:
            for standard in dict.fromkeys(t.partition("/")[0] for t in tables):
                applied, count = await _stream(ledger, target, transport, standard, world)
                total, pages = _sum(total, applied), pages + count
        else:
            for table in tables:
                applied, count = await _look_up(ledger, target, transport, table, world)
                total, pages = _sum(total, applied), pages + count
    except TransportError as fault:
        world.log.warning("feedback_failed", **{"class": str(fault.failure)}, status=fault.code)
        return Feedback(total, pages, fault)
    return Feedback(total, pages)


async def _stream(
    ledger: Ledger, target: Target, transport: Transport, standard: str, world: World
) -> tuple[Applied, int]:
    total, pages, more = Applied(), 0, True
    while more:
        position = cursor(ledger, target, standard)
        page = await within(target.timeout, transport.verdicts(standard, (), position))
        crash.at("verdicts_read")
        with ledger.transaction():
            applied = apply(ledger, target, page.verdicts, world.clock())
            if page.cursor is not None:
                keep_cursor(ledger, target, standard, page.cursor)
        crash.at("verdicts")
        total, pages = _sum(total, applied), pages + 1
        # a stream that does not move on would never end
        more = page.more and page.cursor is not None and page.cursor != position
        _log(world, standard, None, applied)
    return total, pages


async def _look_up(
    ledger: Ledger, target: Target, transport: Transport, table: str, world: World
) -> tuple[Applied, int]:
    total, pages, after = Applied(), 0, 0
    standard, _, name = table.partition("/")
    while rows := awaited(ledger, target, table, after, target.feedback_page):
        page = await within(target.timeout, transport.verdicts(standard, rows, None))
        crash.at("verdicts_read")
        with ledger.transaction():
            applied = apply(ledger, target, page.verdicts, world.clock())
        crash.at("verdicts")
        total, pages, after = _sum(total, applied), pages + 1, rows[-1].handle
        _log(world, standard, name, applied)
    return total, pages


def _log(world: World, standard: str, table: str | None, applied: Applied) -> None:
    counts = {f.name: getattr(applied, f.name) for f in fields(applied)}
    world.log.info("verdicts_applied", standard=standard, table=table, **counts)


def _sum(one: Applied, other: Applied) -> Applied:
    return Applied(*(getattr(one, f.name) + getattr(other, f.name) for f in fields(Applied)))
