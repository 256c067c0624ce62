"""A token from a token endpoint (client credentials, RFC 6749 section 4.4), asked for when needed.

It is asked for before the first request and again when it has run out or the target no longer takes
it: once per refusal, however many requests met it. What fails here surely sent no record. Tokens
are kept in memory only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
import orjson

from pusher.transport import Failure, TransportError
from pusher.transports.answer import failure_of_status
from pusher.transports.http_settings import untrusted

#: A token is renewed this long before it runs out, in seconds.
EARLY = 30.0
_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Where tokens come from; `member` of its JSON answer holds the token."""

    url: str
    client_id: str
    secret: str = field(repr=False)
    scope: str = ""
    member: str = "access_token"
    timeout: float = 15.0


@dataclass(slots=True)
class IssuedToken:
    """The present token of an endpoint; empty before the first."""

    endpoint: TokenEndpoint
    clock: Callable[[], datetime]
    token: str = field(default="", repr=False)
    _until: datetime | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self, session: aiohttp.ClientSession) -> str:
        """A token that has not run out. Raises TransportError."""
        if self.token and (self._until is None or self.clock() < self._until):
            return self.token
        return await self.renewed(session, self.token)

    async def renewed(self, session: aiohttp.ClientSession, refused: str) -> str:
        """Another token than the refused one; whoever comes second gets the first one's."""
        async with self._asking:
            if self.token == refused:
                self.token, self._until = await self._ask(session)
            return self.token

    async def _ask(self, session: aiohttp.ClientSession) -> tuple[str, datetime | None]:
        at = self.endpoint
        form = {
            "grant_type": "client_credentials",
            "client_id": at.client_id,
            "client_secret": at.secret,
            **({"scope": at.scope} if at.scope else {}),
        }
        try:
            async with session.post(
                at.url,
                data=form,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=at.timeout),
            ) as response:
                body = await response.content.read(_LIMIT)
                status = response.status
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as fault:
            raise _failed(Failure.CONFIGURATION, "address", "token_url is no URL") from fault
        except aiohttp.ClientConnectorCertificateError as fault:
            refused = untrusted(fault.certificate_error)
            raise _failed(refused.failure, refused.code, refused.detail) from fault
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise _failed(Failure.UNREACHABLE, type(fault).__name__, "no answer") from fault
        if status != 200:
            failure = failure_of_status(status, honours_key=True)
            kept = failure in (Failure.THROTTLED, Failure.ROLLED_BACK)
            raise _failed(
                Failure.UNREACHABLE if kept else Failure.CONFIGURATION,
                f"HTTP {status}",
                "it gave no token; check client_id and its secret",
            )
        return self._read(body)

    def _read(self, body: bytes) -> tuple[str, datetime | None]:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            document = None
        token = document.get(self.endpoint.member) if isinstance(document, dict) else None
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
            name = self.endpoint.member
            raise _failed(Failure.CONFIGURATION, "answer", f"its answer has no usable {name}")
        seconds = document.get("expires_in")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            return token, None
        return token, self.clock() + timedelta(seconds=max(seconds - EARLY, 1.0))


def _failed(failure: Failure, code: str, detail: str) -> TransportError:
    return TransportError(failure, f"token {code}", f"token endpoint: {detail}")
