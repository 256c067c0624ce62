"""Who may speak to the sandbox: a fixed token, tokens it issues itself, signed requests.

What it demands is set; nothing here looks at records. A signature is good once and for five
minutes.
"""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from pusher.sandbox.misbehaviour import JSON, problem
from pusher.transports.signature import verified

#: Seconds by which the clocks of both sides may differ.
SKEW = 300.0
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Demands:
    """`token`: a bearer token; `hmac`: the secret of signatures; `client`: (id, secret) of a token
    endpoint at `/api/v1/token`, whose tokens live for `seconds`."""

    token: str = field(default="", repr=False)
    hmac: str = field(default="", repr=False)
    client: tuple[str, str] = field(default=("", ""), repr=False)
    seconds: float = 3600.0


@dataclass(slots=True)
class Guard:
    """The demands, the tokens issued so far, the nonces seen. `issued` counts the tokens."""

    demands: Demands
    clock: Callable[[], float]
    issued: int = 0
    _tokens: dict[str, float] = field(default_factory=dict)
    _nonces: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def revoke(self) -> None:
        """Take no token issued so far."""
        self._tokens.clear()

    async def refusal(self, request: web.Request) -> web.StreamResponse | None:
        """The answer to a request that may not be made; None when it may."""
        demands = self.demands
        given = request.headers.get("Authorization", "")
        if demands.token and not _same(given, f"Bearer {demands.token}"):
            return problem(401, "unauthorized", "the token is missing or wrong")
        if demands.client[0]:
            until = self._tokens.get(given.removeprefix("Bearer "), 0.0)
            if self.clock() >= until:
                return problem(401, "unauthorized", "the token has run out")
        if demands.hmac and not self._signed(request, await request.read()):
            return problem(401, "signature", "the signature is missing, wrong, old or used")
        return None

    async def issue(self, request: web.Request) -> web.StreamResponse:
        """A token for the right client (RFC 6749 section 4.4)."""
        form = await request.post()
        wanted = self.demands.client
        fits = _same(str(form.get("client_secret", "")), wanted[1])
        if not wanted[0] or form.get("client_id") != wanted[0] or not fits:
            return problem(401, "invalid_client", "unknown client or wrong secret")
        if form.get("grant_type") != "client_credentials":
            return problem(400, "unsupported_grant_type", "client_credentials only")
        token, self.issued = secrets.token_hex(16), self.issued + 1
        self._tokens[token] = self.clock() + self.demands.seconds
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.demands.seconds}
        return web.Response(body=orjson.dumps(told), content_type=JSON)

    def _signed(self, request: web.Request, body: bytes) -> bool:
        nonce, timestamp = (
            request.headers.get("X-Nonce", ""),
            request.headers.get("X-Timestamp", ""),
        )
        if not nonce or nonce in self._nonces or not timestamp.isdigit():
            return False
        if abs(self.clock() - int(timestamp)) > SKEW:
            return False
        path = request.raw_path
        if not verified(request.headers, self.demands.hmac, request.method, path, body):
            return False
        self._nonces.append(nonce)
        return True


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
