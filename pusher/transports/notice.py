"""The notice after a run that wrote rows: one GET, as the deployed systems do it.

It has its own short retry and its failure never fails a run: the caller logs what is raised. The
address may hold a token, so no message repeats more of it than the host.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from pusher.transport import Failure, TransportError
from pusher.transports.answer import failure_of_status
from pusher.transports.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Notice:
    """Where to knock, how long one try may take, and how long to wait before each next one, in
    seconds. `{token}` in the address stands for the secret."""

    url: str
    timeout: float = 10.0
    waits: tuple[float, ...] = (0.5, 2.0)


async def send_notice(
    session: aiohttp.ClientSession, notice: Notice, credentials: Credentials
) -> None:
    """Knock until one try is answered with 2xx. Raises TransportError of the last try."""
    failure = await _knock(session, notice, credentials)
    for wait in notice.waits:
        if failure is None or failure.failure is Failure.CONFIGURATION:
            break
        await asyncio.sleep(wait)
        failure = await _knock(session, notice, credentials)
    if failure is not None:
        raise failure


async def _knock(
    session: aiohttp.ClientSession, notice: Notice, credentials: Credentials
) -> TransportError | None:
    host = urlsplit(notice.url).hostname or "address"
    url = notice.url.replace("{token}", quote(credentials.secret, safe=""))
    try:
        async with session.get(
            URL(url, encoded=True),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=notice.timeout),
        ) as response:
            if 200 <= response.status < 300:
                return None
            failure = failure_of_status(response.status, honours_key=True) or Failure.ROLLED_BACK
            return TransportError(failure, f"HTTP {response.status}", f"notice to {host}")
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        return TransportError(Failure.CONFIGURATION, "address", "the notify address is no URL")
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        return TransportError(Failure.UNREACHABLE, type(fault).__name__, f"notice to {host}")
