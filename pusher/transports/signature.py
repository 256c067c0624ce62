"""HMAC-signed requests: the canonical string, and the headers that carry its signature.

The string has six lines, joined by a single line feed, in UTF-8:

    POST                                  method, upper case
    /api/v1/data-sharing-3.0/T/records    path and query exactly as sent, percent-encoded
    1772375400                            time in seconds since 1970, as in X-Timestamp
    9f86d081884c7d659a2feaa0c55ad015      X-Nonce
    mfrggzdfmy…                           Idempotency-Key, empty where there is none
    e3b0c44298fc1c149afbf4c8996fb924…     SHA-256 of the body as sent (compressed), hexadecimal

The signature is HMAC-SHA-256 of it, hexadecimal, in X-Signature; X-Key-Id names the secret. This
convention is ours: no public specification exists. Pure; secrets are read elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Signer:
    """A secret and its name; `prefix` begins the four headers."""

    secret: str = field(repr=False)
    key_id: str
    prefix: str = "X-"

    def headers(
        self, method: str, url: str, idempotency_key: str, body: bytes, seconds: int, nonce: str
    ) -> dict[str, str]:
        """The headers of one request; every attempt has its own time and nonce."""
        text = canonical_request(method, url, str(seconds), nonce, idempotency_key, body)
        return {
            f"{self.prefix}Key-Id": self.key_id,
            f"{self.prefix}Timestamp": str(seconds),
            f"{self.prefix}Nonce": nonce,
            f"{self.prefix}Signature": signature(self.secret, text),
        }


def canonical_request(
    method: str, url: str, timestamp: str, nonce: str, idempotency_key: str, body: bytes
) -> str:
    """The string that is signed; of `url` only path and query."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join((method.upper(), path, timestamp, nonce, idempotency_key, digest))


def signature(secret: str, text: str) -> str:
    """HMAC-SHA-256, hexadecimal, lower case."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def verified(
    headers: Mapping[str, str],
    secret: str,
    method: str,
    url: str,
    body: bytes,
    *,
    key_header: str = "Idempotency-Key",
    prefix: str = "X-",
) -> bool:
    """Whether a request carries the signature of `secret`; the receiving side of `Signer`."""
    given = {name.lower(): value for name, value in headers.items()}

    def get(name: str) -> str:
        return given.get(name.lower(), "")

    text = canonical_request(
        method, url, get(f"{prefix}Timestamp"), get(f"{prefix}Nonce"), get(key_header), body
    )
    return hmac.compare_digest(signature(secret, text), get(f"{prefix}Signature"))
