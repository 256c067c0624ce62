"""Answers of a target over HTTP: their published shape, and what each status means for delivery.

Every answer is checked. The functions here are the fast twin of `receipts.schema.json` (jsonschema
alone would cost more than the request); a test holds both together. This module does no network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeGuard

import orjson

from pusher.transport import (
    Answer,
    Batch,
    Expected,
    Failure,
    HeldRow,
    Looked,
    Receipt,
    TransportError,
    Verdict,
    VerdictPage,
)

#: `Retry-After` is never obeyed for longer, in seconds.
LONGEST_WAIT = 86_400.0
#: What a body code of our convention means; `HttpSettings.codes` adds the codes of a site.
CODES: Mapping[str, Failure] = {
    "parent-missing": Failure.PARENT,
    "in-progress": Failure.IN_DOUBT,
    "key-reused": Failure.CONFIGURATION,
    "duplicate": Failure.DUPLICATE,
    "too-large": Failure.TOO_LARGE,
}

_ANSWERS = {str(answer) for answer in Answer}
_PERSONAL = re.compile(r"(?<![0-9])(?:[0-9]{17}[0-9Xx]|1[3-9][0-9]{9})(?![0-9])")
_DETAIL_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete HTTP answer: status, headers by name in any case, body as received."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def document_of(reply: Reply) -> object:
    """The JSON document of an answer, or None when it has none."""
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None


def receipts_of(document: object, batch: Batch, code: str = "") -> tuple[Receipt, ...]:
    """One receipt for each parcel, in parcel order; `code` is that of the answer.

    Raises ValueError, with the reason, when the answer does not fit the schema or the batch: a
    receipt that is missing, unknown or contradicted proves nothing. The same receipt twice is one.
    """
    if not is_receipts(document):
        raise ValueError("the answer does not fit receipts.schema.json")
    if document["batch"] != batch.id:
        raise ValueError("the answer names another batch")
    found: dict[int, Receipt] = {}
    for entry in _entries(document["receipts"]):
        receipt = Receipt(
            int(_number(entry["index"])),
            Answer(str(entry["status"])),
            str(entry.get("lsh") or ""),
            str(entry.get("reason") or ""),
            code,
        )
        if found.setdefault(receipt.index, receipt) != receipt:
            raise ValueError(f"two different receipts for index {receipt.index}")
    indexes = {parcel.index for parcel in batch.parcels}
    if unknown := found.keys() - indexes:
        raise ValueError(f"receipt for unknown index {min(unknown)}")
    if missing := indexes - found.keys():
        raise ValueError(f"no receipt for {len(missing)} of {len(indexes)} records")
    return tuple(found[parcel.index] for parcel in batch.parcels)


def verdicts_of(document: object, standard: str) -> VerdictPage:
    """A page of the verdict stream. Raises ValueError when it does not fit the schema."""
    if not is_verdicts(document):
        raise ValueError("the answer does not fit receipts.schema.json")
    cursor = document["cursor"]
    return VerdictPage(
        verdicts=tuple(
            Verdict(
                standard,
                str(entry["table"]),
                str(entry["division"]),
                {name: str(value) for name, value in _mapping(entry["key"]).items()},
                Answer(str(entry["status"])),
                str(entry.get("lsh") or ""),
                str(entry.get("reason") or ""),
            )
            for entry in _entries(document["verdicts"])
        ),
        cursor=cursor if isinstance(cursor, str) else None,
        more=document["more"] is True,
    )


def looked_of(document: object, expected: Sequence[Expected]) -> tuple[Looked, ...]:
    """What the target holds of each expected record. Raises ValueError when the answer does not fit
    the schema or leaves one out."""
    if not is_held(document):
        raise ValueError("the answer does not fit receipts.schema.json")
    found: dict[int, tuple[HeldRow, ...]] = {}
    for entry in _entries(document["records"]):
        found[int(_number(entry["index"]))] = tuple(
            HeldRow(
                {name: str(value) for name, value in _mapping(row["fields"]).items()},
                row.get("valid") is not False,
                str(row.get("lsh") or ""),
            )
            for row in _entries(entry["rows"])
        )
    if found.keys() != set(range(len(expected))):
        raise ValueError(f"{len(found)} answers to {len(expected)} keys")
    return tuple(Looked(found[at], entry.fields, True) for at, entry in enumerate(expected))


def is_held(document: object) -> TypeGuard[dict[str, object]]:
    """Twin of `#/$defs/held`."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("records"), list)
        and all(
            isinstance(entry, dict)
            and _number(entry.get("index")) >= 0
            and isinstance(entry.get("rows"), list)
            and all(_is_row(row) for row in entry["rows"])
            for entry in document["records"]
        )
    )


def is_receipts(document: object) -> TypeGuard[dict[str, object]]:
    """Twin of `#/$defs/receipts`."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("batch"), str)
        and isinstance(document.get("receipts"), list)
        and all(
            isinstance(entry, dict) and _number(entry.get("index")) >= 0 and _is_word(entry)
            for entry in document["receipts"]
        )
    )


def is_not_held(document: object) -> TypeGuard[dict[str, object]]:
    """Twin of `#/$defs/notHeld`."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("batch"), str)
        and document.get("held") is False
    )


def is_verdicts(document: object) -> TypeGuard[dict[str, object]]:
    """Twin of `#/$defs/verdicts`."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("verdicts"), list)
        and "cursor" in document
        and isinstance(document["cursor"], str | None)
        and isinstance(document.get("more"), bool)
        and all(_is_verdict(entry) for entry in document["verdicts"])
    )


def failure_of(
    reply: Reply,
    document: object,
    *,
    codes: Mapping[str, Failure],
    honours_key: bool,
    code_member: str,
    now: datetime,
) -> TransportError | None:
    """The failure an answer and its document stand for, None for a success still to be read.

    A body code that is known wins over the status: deployed interfaces answer 200 with a failing
    body.
    """
    body_code, detail = "", ""
    if isinstance(document, dict):
        body_code = str(document.get(code_member, ""))
        detail = str(document.get("detail", ""))
    failure = codes.get(body_code) if body_code else None
    if failure is None:
        failure = failure_of_status(reply.status, honours_key=honours_key)
    if failure is None:
        return None
    code = f"HTTP {reply.status}" + (f" {body_code[:40]}" if body_code else "")
    return TransportError(
        failure,
        code,
        mask(detail) or f"{len(reply.body)} bytes of {media_type(reply)}",
        retry_after=retry_after(reply.headers, now),
    )


def failure_of_status(status: int, *, honours_key: bool) -> Failure | None:
    """The class of a status, whole answer read; None for 200, 201 and 207."""
    if status in (200, 201, 207):
        return None
    if status in (429, 503):
        return Failure.THROTTLED
    if status in (408, 425) or (status >= 500 and status not in (501, 505)):
        return Failure.ROLLED_BACK if honours_key else Failure.IN_DOUBT
    if status == 409:
        return Failure.DUPLICATE
    if status == 413:
        return Failure.TOO_LARGE
    if status in (400, 422):
        return Failure.RECORD
    if 200 <= status < 300:
        return Failure.IN_DOUBT
    return Failure.CONFIGURATION


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by `Retry-After` (RFC 9110 §10.2.3), at most a day; None when not told.

    A date is read against the answer's own `Date`, so that clocks need not agree.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", text):
        return min(float(text), LONGEST_WAIT)
    due = _http_date(text)
    if due is None:
        return None
    sent = _http_date(headers.get("date", "")) or now
    return min(max((due - sent).total_seconds(), 0.0), LONGEST_WAIT)


def media_type(reply: Reply) -> str:
    """The media type of an answer, without parameters, short enough for a message."""
    return reply.headers.get("content-type", "no content type").split(";")[0].strip()[:60]


def mask(text: str) -> str:
    """`covered`, cut to a message's length."""
    return covered(text)[:_DETAIL_LIMIT]


def covered(text: str) -> str:
    """`text` with the identity and mobile numbers in it covered."""
    return _PERSONAL.sub("***", text)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_verdict(entry: object) -> bool:
    if not isinstance(entry, dict) or not _is_word(entry):
        return False
    key = entry.get("key")
    return (
        isinstance(entry.get("table"), str)
        and isinstance(entry.get("division"), str)
        and isinstance(key, dict)
        and all(isinstance(value, str) for value in key.values())
    )


def _is_row(row: object) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("fields"), dict):
        return False
    return (
        all(isinstance(value, str) for value in row["fields"].values())
        and isinstance(row.get("valid", True), bool)
        and isinstance(row.get("lsh"), str | None)
    )


def _is_word(entry: Mapping[str, object]) -> bool:
    status = entry.get("status")
    return (
        isinstance(status, str)
        and status in _ANSWERS
        and isinstance(entry.get("lsh"), str | None)
        and isinstance(entry.get("reason"), str | None)
    )


def _number(value: object) -> float:
    """A JSON integer as JSON Schema sees it (1.0 is one), else -1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return -1
    return value if value == int(value) else -1


def _entries(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
