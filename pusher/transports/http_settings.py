"""Settings of the HTTP transport and the checks made on them before anything is sent.

They arrive as plain values; reading a configuration file is not done here.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pusher.transport import Failure, TransportError
from pusher.transports.credentials import read_secret


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where and how to speak to a target. Times in seconds, sizes in bytes.

    `batch_path = ""` says that the target cannot be asked for a batch: doubt is then settled by
    sending the same bytes under the same key, if it honours the key; `lookup_path = ""` that it
    cannot be asked what it holds. `codes` maps body codes of a
    site (member `code_member`) to failures, for interfaces that answer 200 with a failing body.
    `notify_url` may hold `{token}`; `notify_waits` is how long to wait before each further try.

    Who we are: a fixed token (`token_env`, `token_file`); with `token_url` that secret belongs to
    `client_id`, and tokens come from the endpoint. `hmac_env` or `hmac_file` signs every request
    under the name `hmac_id` (`signature`). `client_cert` is a PEM file with certificate and, unless
    `client_key` names it, the key; `client_key_env` holds the key's password.
    """

    base_url: str
    format: Literal["json", "xml"] = "json"
    token_env: str | None = None
    token_file: Path | None = None
    token_url: str | None = None
    client_id: str = ""
    token_scope: str = ""
    token_member: str = "access_token"  # noqa: S105
    hmac_env: str | None = None
    hmac_file: Path | None = None
    hmac_id: str = "spgl"
    hmac_prefix: str = "X-"
    client_cert: Path | None = None
    client_key: Path | None = None
    client_key_env: str | None = None
    ca_file: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 180.0
    connections: int = 16
    gzip_above: int | None = 16_384
    answer_limit: int = 16 * 1024 * 1024
    honours_key: bool = True
    send_path: str = "/api/v1/{standard}/{table}/records"
    batch_path: str = "/api/v1/batches/{batch}"
    verdicts_path: str = "/api/v1/{standard}/verdicts"
    lookup_path: str = "/api/v1/{standard}/{table}/lookup"
    notify_url: str | None = None
    notify_timeout: float = 10.0
    notify_waits: tuple[float, ...] = (0.5, 2.0)
    key_header: str = "Idempotency-Key"
    token_header: str = "Authorization"  # noqa: S105
    token_scheme: str = "Bearer"  # noqa: S105
    headers: Mapping[str, str] = field(default_factory=dict)
    code_member: str = "code"
    codes: Mapping[str, Failure] = field(default_factory=dict)


def trust(settings: HttpSettings, environment: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """The authorities to verify a server by (those of the system, or of `ca_file` alone), and our
    own certificate where one is set. Raises TransportError(CONFIGURATION)."""
    file = settings.ca_file
    try:
        context = ssl.create_default_context(cafile=None if file is None else str(file))
    except (OSError, ssl.SSLError) as fault:
        raise TransportError(
            Failure.CONFIGURATION, "certificate", f"{file} is no readable PEM file"
        ) from fault
    if settings.client_cert is not None:
        word = read_secret(env=settings.client_key_env, file=None, environment=environment)
        try:  # an empty password is wrong for an encrypted key, but never asks on the terminal
            context.load_cert_chain(settings.client_cert, settings.client_key, lambda: word)
        except (OSError, ssl.SSLError, ValueError) as fault:
            raise TransportError(
                Failure.CONFIGURATION,
                "certificate",
                f"{settings.client_cert} and its key cannot be used: check files and password",
            ) from fault
    return context


def untrusted(fault: Exception) -> TransportError:
    """A server whose certificate cannot be trusted. The connection ended before a request began,
    and no waiting mends it: a wrong authority, another host, a time that is over."""
    said = getattr(fault, "verify_message", "") or str(fault)
    return TransportError(
        Failure.CONFIGURATION,
        "certificate",
        f"the server's certificate cannot be trusted ({said.rstrip('.')}), nothing was sent; check "
        "ca_file and the name in the address, or have the server's certificate replaced",
    )


def check_address(url: str) -> None:
    """Refuse what is no http(s) address, or carries a password that would end up in logs."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TransportError(
            Failure.CONFIGURATION, "address", "write it as https://host[:port][/path]"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise TransportError(
            Failure.CONFIGURATION,
            "address",
            "leave out user, password, query and fragment; a token comes from token_env or "
            "token_file",
        )
