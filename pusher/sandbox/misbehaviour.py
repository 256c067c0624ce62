"""Answers of the sandbox: problems, and what a fault makes of a good answer.

Which fault strikes is decided by `script.Dice`; nothing here changes the store.
"""

from __future__ import annotations

import socket
import struct

import orjson
from aiohttp import web

from pusher.sandbox.script import Fault

JSON = "application/json"


def altered(answer: bytes, fault: str, status: int) -> bytes:
    """The answer with receipts or verdicts doubled, lost or invented."""
    if status != 200 or fault not in (Fault.DUPLICATE, Fault.MISSING, Fault.UNKNOWN):
        return answer
    document = orjson.loads(answer)
    entries = document.get("receipts", document.get("verdicts", []))
    if fault == Fault.DUPLICATE:
        entries.extend(list(entries))
    elif fault == Fault.MISSING:
        del entries[-1:]
    else:
        entries.append({"index": 1_000_000, "status": "accepted", "lsh": "0", "reason": ""})
    return orjson.dumps(document)


async def truncated(request: web.Request, answer: bytes) -> web.StreamResponse:
    """Half of the answer under the length of the whole, then the end of the connection."""
    response = web.StreamResponse(headers={"Content-Type": JSON})
    response.content_length = len(answer)
    await response.prepare(request)
    await response.write(answer[: len(answer) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def reset(request: web.Request) -> web.StreamResponse:
    """Drop the connection with a TCP reset instead of an answer."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


def problem_body(code: str, detail: str) -> bytes:
    """A problem in the shape of receipts.schema.json."""
    return orjson.dumps({"code": code, "detail": detail})


def problem(
    status: int, code: str, detail: str, *, retry_after: str | None = None
) -> web.StreamResponse:
    """A refusal of a whole request."""
    return web.Response(
        status=status,
        body=problem_body(code, detail),
        content_type=JSON,
        headers=None if retry_after is None else {"Retry-After": retry_after},
    )
