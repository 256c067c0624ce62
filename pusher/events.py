"""The attempt event: one log line per batch attempt, with exactly the fields of the contract.

Record values are never among them; the detail of a failure stays in the ledger, since a target may
quote values in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from structlog.typing import FilteringBoundLogger

from pusher.ledger.frozen import Claim
from pusher.ledger.outcome import Attempt, number

#: Fields of an attempt event besides `event` itself and what the logger adds (level, time).
FIELDS = (
    "run_id",
    "standard",
    "table",
    "batch",
    "records",
    "attempt",
    "transport",
    "outcome",
    "class",
    "status",
    "duration_ms",
    "bytes",
    "next_due",
)


def attempt_fields(run_id: str, claim: Claim, attempt: Attempt) -> Mapping[str, object]:
    """The fields of an attempt; `class` is null where nothing failed, `status` where the transport
    has no code for an answer."""
    values = (
        run_id,
        claim.batch.standard,
        claim.batch.table,
        claim.batch.id,
        len(claim.versions),
        number(claim),
        attempt.transport,
        attempt.outcome,
        attempt.failure or None,
        attempt.code or None,
        round(attempt.ms, 1),
        claim.bytes,
        None if attempt.next_due is None else attempt.next_due.isoformat(),
    )
    return dict(zip(FIELDS, values, strict=True))


def log_attempt(log: FilteringBoundLogger, run_id: str, claim: Claim, attempt: Attempt) -> None:
    """`attempt_succeeded` at info, `attempt_failed` at warning."""
    fields = attempt_fields(run_id, claim, attempt)
    if attempt.failure:
        log.warning("attempt_failed", **fields)
    else:
        log.info("attempt_succeeded", **fields)
