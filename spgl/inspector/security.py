"""Who may ask: host names, the token, forged requests; and the headers of every answer.

By default only this machine can connect, without a token. Whoever listens on another address has to
set one: it is given once in a form or as `Authorization: Bearer`, never in an address.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

COOKIE = "spgl_session"
#: Sessions remembered; the oldest goes first.
_SESSIONS = 200

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language",
}


def loopback(host: str) -> bool:
    """True when only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class Gate:
    """Decides about requests. `token` empty: whoever reaches the address may look.

    `names` are host names it answers to besides `localhost` and addresses in digits: a page of
    somebody else that points its own name at this machine (DNS rebinding) is refused.
    """

    token: str = ""
    names: frozenset[str] = frozenset()
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _sessions: dict[str, None] = field(default_factory=dict)

    def known_host(self, request: web.Request) -> bool:
        """The Host header is one of ours."""
        try:
            name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
            if name == "localhost" or name in self.names:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def admitted(self, request: web.Request) -> bool:
        """No token is set, or the visitor gave it."""
        if not self.token or request.cookies.get(COOKIE, "") in self._sessions:
            return True
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.right(given.strip())

    def right(self, token: str) -> bool:
        """Compares in constant time."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def session(self) -> str:
        """A new session for somebody who gave the token."""
        made = secrets.token_urlsafe(32)
        self._sessions[made] = None
        while len(self._sessions) > _SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        return made

    def own_form(self, request: web.Request, given: str) -> bool:
        """A form of our own pages: its token, and no foreign origin."""
        origin = request.headers.get("Origin")
        same = origin is None or urlsplit(origin).netloc == request.headers.get("Host", "")
        return same and hmac.compare_digest(given.encode(), self.csrf.encode())
