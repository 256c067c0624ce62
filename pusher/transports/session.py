"""An HTTP session with one target: who we are to it, and one request with its whole answer.

Every failure leaves as a class of `pusher.transport`: what is certain (no connection) apart from
what is not (anything after the first byte without a complete answer). A refused token is renewed
once, where an endpoint issues them. It follows no redirect, keeps no cookie, trusts no proxy of the
environment. What a request means is the transport's.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp
from yarl import URL

from pusher.transport import Failure, TransportError
from pusher.transports.answer import Reply
from pusher.transports.credentials import Credentials, read_secret
from pusher.transports.http_settings import HttpSettings, check_address, trust, untrusted
from pusher.transports.notice import Notice, send_notice
from pusher.transports.signature import Signer
from pusher.transports.token import IssuedToken, TokenEndpoint


class Session:
    """An open session; made by `Session(settings, …)`, closed once."""

    def __init__(
        self,
        settings: HttpSettings,
        environment: Mapping[str, str] | None,
        clock: Callable[[], datetime],
    ) -> None:
        """Read the secrets, load the certificates. Sends nothing. Raises TransportError."""
        check_address(settings.base_url)
        secret = read_secret(
            env=settings.token_env, file=settings.token_file, environment=environment
        )
        signing = read_secret(
            env=settings.hmac_env, file=settings.hmac_file, environment=environment
        )
        self._settings = settings
        self._clock = clock
        self._secrets = [text for text in (secret, signing) if text]
        self._signer = Signer(signing, settings.hmac_id, settings.hmac_prefix) if signing else None
        self._issued = _issued(settings, secret, clock)
        self._fixed = "" if self._issued is not None else secret
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.connections, ssl=trust(settings, environment)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=settings.total_timeout,
                connect=settings.connect_timeout,
                sock_connect=settings.connect_timeout,
                sock_read=settings.read_timeout,
            ),
            headers={"Accept": "application/json", "User-Agent": "spgl", **settings.headers},
        )

    async def close(self) -> None:
        await self._http.close()

    def redact(self, text: str) -> str:
        """`text` without any secret of this session."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def exchange(
        self,
        method: str,
        url: URL,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request and its whole answer; a second one where a token was refused."""
        token = await self._token()
        reply = await self._once(method, url, body, headers or {}, token)
        if reply.status == 401 and self._issued is not None:  # surely without effect
            token = self._kept(await self._issued.renewed(self._http, token))
            reply = await self._once(method, url, body, headers or {}, token)
        return reply

    async def notify(self) -> None:
        """Knock at the notify address. Raises TransportError of the last try."""
        settings = self._settings
        if settings.notify_url:
            notice = Notice(settings.notify_url, settings.notify_timeout, settings.notify_waits)
            await send_notice(self._http, notice, Credentials(await self._token()))

    async def _token(self) -> str:
        if self._issued is None:
            return self._fixed
        return self._kept(await self._issued.current(self._http))

    def _kept(self, token: str) -> str:
        if token not in self._secrets:
            self._secrets.append(token)
        return token

    async def _once(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str], token: str
    ) -> Reply:
        """Only what is certain leaves the class IN_DOUBT."""
        settings = self._settings
        ours = Credentials(token, settings.token_header, settings.token_scheme).headers()
        if self._signer is not None:
            key, seconds = headers.get(settings.key_header, ""), int(self._clock().timestamp())
            ours |= self._signer.headers(
                method, str(url), key, body or b"", seconds, secrets.token_hex(16)
            )
        try:
            async with self._http.request(
                method,
                url,
                data=body,
                headers={**ours, **headers},
                allow_redirects=False,
            ) as response:
                return await _read(response, settings.answer_limit)
        except aiohttp.ClientConnectorCertificateError as fault:
            raise untrusted(fault.certificate_error) from fault
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as fault:
            raise TransportError(
                Failure.UNREACHABLE, type(fault).__name__, self.redact(str(fault))
            ) from fault
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as fault:
            raise TransportError(
                Failure.CONFIGURATION, "address", "not an address that HTTP can reach"
            ) from fault
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise TransportError(
                Failure.IN_DOUBT, type(fault).__name__, self.redact(str(fault)) or "no whole answer"
            ) from fault


def _issued(
    settings: HttpSettings, secret: str, clock: Callable[[], datetime]
) -> IssuedToken | None:
    if settings.token_url is None:
        return None
    check_address(settings.token_url)
    if not secret or not settings.client_id:
        raise TransportError(
            Failure.CONFIGURATION,
            "token",
            "token_url needs client_id, and its secret by token_env or token_file",
        )
    endpoint = TokenEndpoint(
        settings.token_url, settings.client_id, secret, settings.token_scope, settings.token_member
    )
    return IssuedToken(endpoint, clock)


async def _read(response: aiohttp.ClientResponse, limit: int) -> Reply:
    """The whole answer. A refusal (4xx, 3xx) is certain by its status, however its body ends."""
    body = bytearray()
    try:
        while chunk := await response.content.readany():
            body += chunk
            if len(body) > limit:
                raise aiohttp.ClientPayloadError(f"the answer is longer than {limit} bytes")
    except (aiohttp.ClientError, TimeoutError, OSError):
        if not 300 <= response.status < 500:
            raise
        body.clear()
    return Reply(response.status, response.headers, bytes(body))
