"""Rows that a target writes for us: read in pages, stored in the ledger, then marked there.

The mark goes out only after the ledger's commit. After a crash between the two the next run marks
what it finds stored: nothing is entered twice. A row is told by its own key at the target. What
becomes of it is decided here (`judge`); the case events it feeds are `spgl.case_events`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from pusher import crash
from pusher.ledger import inbound as stored
from pusher.ledger.core import Ledger
from pusher.target import Target
from pusher.transport import Failure, TransportError, within
from pusher.world import World
from validator.feedback import Feedback

if TYPE_CHECKING:
    from pusher.ledger.inbound import Kept


class Fate(StrEnum):
    """What becomes of a row that came in."""

    #: Taken over.
    CONSUMED = "consumed"
    #: We know nothing to do with it; the target is told why.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class InboundRow:
    """A waiting row: its key there, its non-null business fields, SJYXBS and SJWXYY."""

    key: str
    fields: Mapping[str, str]
    valid: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some waiting rows in order; `after` continues (None: that was the last page)."""

    rows: tuple[InboundRow, ...]
    after: tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Mark:
    """What a target is told of one of its rows; `reason` where it is refused."""

    key: str
    fate: Fate
    reason: str = ""


class Inbox(Protocol):
    """Where a target leaves rows for us. Every method raises TransportError."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Qualified names of the tables that come in, in order of reading."""
        ...

    @property
    def feedback(self) -> Mapping[str, Feedback]:
        """By standard, what its rows say of a case."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def page(self, table: str, after: tuple[object, ...] | None, limit: int) -> Page:
        """The next rows that wait for us."""
        ...

    async def mark(self, table: str, marks: Sequence[Mark]) -> None:
        """Tell the target what became of its rows; a row that no longer waits is left alone."""
        ...


@dataclass(frozen=True, slots=True)
class Inbound:
    """What came in: `read` = `new` + `known` (stored by an earlier run that could not mark them);
    `refused` are those of `read` that the target was told no to. `faults`: (table, why) of those
    that could not be read."""

    read: int = 0
    new: int = 0
    refused: int = 0
    faults: tuple[tuple[str, TransportError], ...] = ()

    @property
    def known(self) -> int:
        return self.read - self.new

    def __add__(self, other: Inbound) -> Inbound:
        return Inbound(
            self.read + other.read,
            self.new + other.new,
            self.refused + other.refused,
            self.faults + other.faults,
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what becomes of it; `note` is the reason of a refusal, or what stays open."""

    row: InboundRow
    case: str
    local_key: str
    fate: Fate
    note: str = ""


def judge(row: InboundRow, table: str, feedback: Feedback | None) -> Judged:
    """What becomes of a row of `table` (its bare name)."""
    if feedback is None:
        return Judged(row, "", "", Fate.CONSUMED)
    case = row.fields.get(feedback.case, "")
    local_key = row.fields.get(feedback.local_key, "")
    if not case:
        return Judged(row, "", local_key, Fate.REFUSED, f"缺少 {feedback.case}，无法对应办件")
    if not row.valid:
        return Judged(row, case, local_key, Fate.CONSUMED, "SJYXBS=0")
    if table == feedback.table:
        state = row.fields.get(feedback.state, "")
        if state not in feedback.states:
            said = f"{feedback.state}={state[:20]}" if state else f"缺少 {feedback.state}"
            return Judged(row, case, local_key, Fate.REFUSED, f"{said}，没有对应的办理状态")
    return Judged(row, case, local_key, Fate.CONSUMED)


async def receive(
    ledger: Ledger,
    target: Target,
    inbox: Inbox,
    world: World,
    stop: asyncio.Event | None = None,
) -> Inbound:
    """Take over every row that waits. A table that cannot be read does not keep the others from
    being read, a target that is away does. `stop` ends it after the page at hand. Raises
    LedgerError."""
    end = stop or asyncio.Event()
    total = Inbound()
    try:
        await within(target.timeout, inbox.open())
        for table in inbox.tables:
            try:
                total += await _table(ledger, target, inbox, table, world, end)
            except TransportError as fault:
                world.log.warning(
                    "inbound_failed",
                    table=table,
                    status=fault.code,
                    **{"class": str(fault.failure)},
                )
                total += Inbound(faults=((table, fault),))
                if fault.failure is not Failure.CONFIGURATION:
                    break
    except TransportError as fault:
        world.log.warning("inbound_failed", status=fault.code, **{"class": str(fault.failure)})
        total += Inbound(faults=(("*", fault),))
    finally:
        await inbox.close()
    return total


async def _table(
    ledger: Ledger, target: Target, inbox: Inbox, table: str, world: World, end: asyncio.Event
) -> Inbound:
    standard, _, name = table.partition("/")
    feedback = inbox.feedback.get(standard)
    total = Inbound()
    after: tuple[object, ...] | None = None
    left = stored.unmarked(ledger, target.name, table)
    if left:
        await _mark(ledger, target, inbox, table, left, world)
    while not end.is_set():
        page = await within(target.timeout, inbox.page(table, after, target.feedback_page))
        if page.rows:
            judged = [judge(row, name, feedback) for row in page.rows]
            total += await _page(ledger, target, inbox, table, judged, world)
        if page.after is None:
            break
        after = page.after
    return total


async def _page(
    ledger: Ledger,
    target: Target,
    inbox: Inbox,
    table: str,
    judged: Sequence[Judged],
    world: World,
) -> Inbound:
    """One page: stored and committed, marked, noted as marked."""
    now = world.clock()
    with ledger.transaction():
        kept = stored.store(ledger, target.name, table, judged, now)
    crash.at("inbound_stored")
    await _mark(ledger, target, inbox, table, kept, world)
    new = sum(k.new for k in kept)
    refused = sum(k.mark.fate is Fate.REFUSED for k in kept)
    world.log.info("inbound_stored", table=table, read=len(kept), new=new, refused=refused)
    return Inbound(len(kept), new, refused)


async def _mark(
    ledger: Ledger, target: Target, inbox: Inbox, table: str, kept: Sequence[Kept], world: World
) -> None:
    """Tell the target, then note that it was told; what it was told before changes nothing."""
    await within(target.timeout, inbox.mark(table, [k.mark for k in kept]))
    crash.at("inbound_marked")
    with ledger.transaction():
        stored.note_marked(ledger, [k.id for k in kept], world.clock())
