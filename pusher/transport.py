"""The protocol every transport speaks, and the tree of what can go wrong on the way.

The worker decides nothing from exception types it does not know: a transport translates each
failure of its own world into one `Failure`. Transports live in `pusher.transports`.

    TransportError(failure)
      UNREACHABLE   surely not sent: DNS, refused, TLS, connect timeout  back off, burns nothing
      ROLLED_BACK   surely without effect: 408, 425, 5xx, deadlock       retry, burns nothing
      THROTTLED     429, 503, resource limits                            wait as told, burns nothing
      IN_DOUBT      reset or time-out after the first byte, cut answer   settle, then decide
      DUPLICATE     409, unique key                                      verify equality
      PARENT        parent missing at the target                         wait for the parent
      RECORD        400, 422, data errors                                bisect; burns an attempt
      TOO_LARGE     413, packet size                                     halve the batch
      CONFIGURATION 401, 403, 404, 405, 3xx, unknown column,             stop the target
                    a certificate that cannot be trusted

A `ROLLED_BACK` that strikes one batch while the target takes others is the batch's own fault: it
burns attempts, and the batch is cut to isolate what spoils it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from validator.records import Operation

_Answered = TypeVar("_Answered")


class Failure(StrEnum):
    """Class of a failed attempt; what each means is in the module's table."""

    #: Surely not sent.
    UNREACHABLE = "unreachable"
    #: Sent, surely without effect.
    ROLLED_BACK = "rolled_back"
    #: The target asks to slow down.
    THROTTLED = "throttled"
    #: May have had effect; the answer is lost.
    IN_DOUBT = "in_doubt"
    #: The target says it holds this already.
    DUPLICATE = "duplicate"
    #: The target misses the parent.
    PARENT = "parent"
    #: The content of a record is refused by the interface itself.
    RECORD = "record"
    #: The batch is too large.
    TOO_LARGE = "too_large"
    #: Nothing will go through until a person changes a setting.
    CONFIGURATION = "configuration"


class TransportError(Exception):
    """A failed attempt: its class, a code (`HTTP 503`, `MySQL 1205`), and how long to wait."""

    def __init__(
        self, failure: Failure, code: str, detail: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{failure}: {code}: {detail}")
        self.failure = failure
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


async def within(seconds: float, asking: Awaitable[_Answered]) -> _Answered:
    """What a question is answered that changes nothing at the target. Raises TransportError
    (UNREACHABLE) when there is no answer in time."""
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except TimeoutError:
        text = f"no answer within {seconds:g} s"
        raise TransportError(Failure.UNREACHABLE, "timeout", text) from None


class Answer(StrEnum):
    """The target's word on one record."""

    #: The target holds it; the verdict comes later.
    RECEIVED = "received"
    #: Accepted.
    ACCEPTED = "accepted"
    #: Refused, with a reason.
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record version in a batch. `key` and `fields` are canonical strings.

    For `invalidate`, `fields` is the content the target holds. `previous` is the content the target
    holds when an upsert replaces it (None for a new record): transports that cannot replace send
    the invalidating copy of it and the new row as one unit.
    """

    index: int
    operation: Operation
    reason: str
    key: Mapping[str, str]
    fields: Mapping[str, str]
    previous: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes out at once: one standard, table and division; membership and bytes never change.

    `idempotency_key` is the same on every attempt and never reused for other content. `table` is
    the bare name. `fresh` is true when surely no byte of this batch ever left: a transport without
    idempotency keys then need not look before it writes. It is no part of the bytes.
    """

    id: str
    idempotency_key: str
    standard: str
    table: str
    division: str
    parcels: tuple[Parcel, ...]
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one parcel, by its index; `code` is that of the answer it came in (`HTTP 200`),
    where the transport has such codes."""

    index: int
    answer: Answer
    lsh: str = ""
    reason: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A delivered record whose verdict is pending; `handle` is the ledger's own id for it.

    `fields` is its content where the ledger still has it: a look-up by key alone cannot tell a
    refused row from its corrected successor. `sole`: no other version of the record was ever
    entered, so there is neither.
    """

    handle: int
    standard: str
    table: str
    division: str
    key: Mapping[str, str]
    lsh: str
    operation: Operation = Operation.UPSERT
    fields: Mapping[str, str] | None = None
    sole: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A later word of the target on a delivered record. `final` is false when the target may still
    change it (SJSCZT 1): the record stays awaited."""

    standard: str
    table: str
    division: str
    key: Mapping[str, str]
    answer: Answer
    lsh: str = ""
    reason: str = ""
    final: bool = True


@dataclass(frozen=True, slots=True)
class VerdictPage:
    """Some verdicts; `cursor` continues the stream (None: the transport keeps no cursor), `more`
    says that another page waits now."""

    verdicts: tuple[Verdict, ...]
    cursor: str | None
    more: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """A record that a target took over: its key, content (None: past its keeping time) and the
    digest of that. `gone`: the last it took was a deletion."""

    key: Mapping[str, str]
    fields: Mapping[str, str] | None
    digest: bytes
    gone: bool = False


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row at a target: non-null business fields; `valid` when it stands and is not refused."""

    fields: Mapping[str, str]
    valid: bool
    lsh: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a target has of one record: every row of its key. `fields` is the expected content as
    the target keeps it (None: unknown), `faithful` when it keeps every value as given."""

    rows: tuple[HeldRow, ...]
    fields: Mapping[str, str] | None
    faithful: bool


class Transport(Protocol):
    """A way to a target. Every method raises TransportError and nothing else of its own world."""

    @property
    def name(self) -> str:
        """`http` or `exchange_db`; stands in the log."""
        ...

    @property
    def stream(self) -> bool:
        """True when `verdicts` is a cursor stream per standard; else it answers for `awaited`."""
        ...

    @property
    def certain(self) -> bool:
        """True when every failure but IN_DOUBT proves that nothing of a batch has effect or ever
        will, and so does None from `settle`. Else a gateway may have answered for a target that
        worked on, or a copy may still be on its way: what left once goes out unchanged until it is
        answered."""
        ...

    async def open(self) -> None:
        """Connect or prepare; a wrong setting is found here. Idempotent."""
        ...

    async def close(self) -> None: ...

    async def send(self, batch: Batch) -> Sequence[Receipt]:
        """Deliver. On return every parcel has a receipt. A lost answer is `Failure.IN_DOUBT`."""
        ...

    async def settle(self, batch: Batch) -> Sequence[Receipt] | None:
        """After doubt: the receipts if the target holds the batch, None if it surely does not."""
        ...

    async def verdicts(
        self, standard: str, awaited: Sequence[Awaited], cursor: str | None
    ) -> VerdictPage:
        """Later answers, from a cursor stream or by look-up of `awaited` (see `stream`)."""
        ...

    async def notify(self) -> None:
        """Tell the target that a run wrote rows; a GET. No-op where no address is configured."""
        ...


class Readable(Protocol):
    """A transport whose target can be asked what it holds; not every one can."""

    async def open(self) -> None:
        """See `Transport.open`."""
        ...

    async def look_up(self, table: str, expected: Sequence[Expected]) -> Sequence[Looked]:
        """What stands there of some records of a table (`standard/TABLE`), in their order.

        Changes nothing. Raises TransportError; CONFIGURATION with code `no look-up` where the
        target does not answer such questions.
        """
        ...
