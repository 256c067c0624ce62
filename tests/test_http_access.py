"""Who we are over HTTP: signed requests, a token endpoint, client certificates."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from transport_values import STANDARD, projects

from pusher.sandbox.guard import Demands
from pusher.sandbox.script import Script
from pusher.sandbox.server import Sandbox, SandboxSettings
from pusher.transport import Failure, TransportError
from pusher.transports.http import HttpTransport
from pusher.transports.http_settings import HttpSettings
from pusher.transports.signature import canonical_request, signature

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SECRETS = {"H": "hmac-secret", "C": "client-secret", "WRONG": "another", "PW": "key-password"}


class Clock:
    """A clock both sides share; `ahead` moves it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return NOW.timestamp() + self.ahead

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)


@asynccontextmanager
async def target(
    settings: HttpSettings, clock: Clock, sandbox: SandboxSettings
) -> AsyncIterator[tuple[Sandbox, HttpTransport]]:
    async with Sandbox(sandbox, Script(), clock=clock.time) as running:
        url = settings.token_url and running.url + settings.token_url
        transport = HttpTransport(
            replace(settings, base_url=running.url, token_url=url),
            environment=SECRETS,
            clock=clock.moment,
        )
        await transport.open()
        try:
            yield running, transport
        finally:
            await transport.close()


# -- signatures ----------------------------------------------------------------------------------


def test_the_canonical_string_is_what_the_documentation_says() -> None:
    """Spelled out here once more, so that a change of the convention cannot pass unnoticed."""
    url = "https://target.invalid/api/v1/s/T/records?x=%E4%B8%AD"
    text = canonical_request("post", url, "1772366400", "n1", "key-1", b"{}")
    empty = hashlib.sha256(b"{}").hexdigest()
    assert text == f"POST\n/api/v1/s/T/records?x=%E4%B8%AD\n1772366400\nn1\nkey-1\n{empty}"
    assert signature("s", text) == hmac.new(b"s", text.encode(), "sha256").hexdigest()


SIGNED = SandboxSettings(demands=Demands(hmac=SECRETS["H"]))


@pytest.mark.asyncio
@pytest.mark.parametrize("gzip_above", [10, None])
async def test_every_request_is_signed_over_the_bytes_that_leave(gzip_above: int | None) -> None:
    settings = HttpSettings("", hmac_env="H", gzip_above=gzip_above)
    async with target(settings, Clock(), SIGNED) as (sandbox, transport):
        sent = projects(1)
        assert len(await transport.send(sent)) == 3
        assert await transport.settle(sent) is not None
        assert (await transport.verdicts(STANDARD, (), "0")).verdicts == ()
        assert len(sandbox.store.effects()) == 3


@pytest.mark.asyncio
async def test_a_wrong_secret_or_clock_stops_the_target_and_burns_nothing() -> None:
    for settings in (HttpSettings(""), HttpSettings("", hmac_env="WRONG")):
        async with target(settings, Clock(), SIGNED) as (sandbox, transport):
            with pytest.raises(TransportError) as caught:
                await transport.send(projects(1))
            assert caught.value.failure is Failure.CONFIGURATION
            assert caught.value.code == "HTTP 401 signature"
            assert sandbox.store.effects() == []
    late = Clock()
    async with target(HttpSettings("", hmac_env="H"), Clock(), SIGNED) as (sandbox, transport):
        sandbox.guard.clock = late.time
        late.ahead = 301
        with pytest.raises(TransportError, match="HTTP 401"):
            await transport.send(projects(1))


@pytest.mark.asyncio
async def test_a_signed_request_cannot_be_played_again() -> None:
    import aiohttp

    from pusher.transports.body import json_body
    from pusher.transports.signature import Signer

    async with target(HttpSettings("", hmac_env="H"), Clock(), SIGNED) as (sandbox, _):
        path = f"/api/v1/{STANDARD}/SPGL_XMJBXXB/records"
        body = json_body(projects(1))
        headers = Signer(SECRETS["H"], "spgl").headers(
            "POST", sandbox.url + path, "k", body, int(NOW.timestamp()), "once"
        )
        headers |= {"Idempotency-Key": "k", "Content-Type": "application/json"}
        async with aiohttp.ClientSession() as session:
            found = []
            for altered in (body, body, body.replace(b"P1-0", b"P9-0")):
                answer = await session.post(sandbox.url + path, data=altered, headers=headers)
                found.append(answer.status)
        assert found == [200, 401, 401]


# -- the token endpoint --------------------------------------------------------------------------

ISSUING = SandboxSettings(demands=Demands(client=("city", SECRETS["C"]), seconds=100.0))
ASKING = HttpSettings("", token_url="/api/v1/token", client_id="city", token_env="C")


@pytest.mark.asyncio
async def test_a_token_is_asked_for_once_and_again_when_it_runs_out() -> None:
    clock = Clock()
    async with target(ASKING, clock, ISSUING) as (sandbox, transport):
        await transport.send(projects(1))
        await transport.send(projects(2))
        assert sandbox.guard.issued == 1
        clock.ahead = 75  # it has 25 seconds left
        await transport.send(projects(3))
        assert sandbox.guard.issued == 2


@pytest.mark.asyncio
async def test_a_refused_token_is_renewed_once_however_many_requests_met_it() -> None:
    async with target(ASKING, Clock(), ISSUING) as (sandbox, transport):
        await transport.send(projects(1))
        sandbox.guard.revoke()
        await asyncio.gather(*(transport.send(projects(n)) for n in range(2, 8)))
        assert sandbox.guard.issued == 2
        assert len(sandbox.store.effects()) == 21


@pytest.mark.asyncio
async def test_a_token_refused_twice_stops_the_target() -> None:
    strict = SandboxSettings(token="fixed", demands=ISSUING.demands)
    async with target(ASKING, Clock(), strict) as (sandbox, transport):
        with pytest.raises(TransportError) as caught:
            await transport.send(projects(1))
        assert caught.value.failure is Failure.CONFIGURATION
        assert sandbox.guard.issued == 2


@pytest.mark.asyncio
async def test_an_endpoint_that_gives_no_token_has_its_class() -> None:
    cases = [
        (replace(ASKING, token_env="WRONG"), Failure.CONFIGURATION, "token HTTP 401"),
        (replace(ASKING, token_url="/nowhere"), Failure.CONFIGURATION, "token HTTP 404"),
        (replace(ASKING, token_member="id_token"), Failure.CONFIGURATION, "token answer"),
    ]
    for settings, expected, code in cases:
        async with target(settings, Clock(), ISSUING) as (_, transport):
            with pytest.raises(TransportError) as caught:
                await transport.send(projects(1))
            assert (caught.value.failure, caught.value.code) == (expected, code)
            assert SECRETS["C"] not in str(caught.value)
    away = HttpSettings(
        "http://127.0.0.1:9", token_url="http://127.0.0.1:9/t", client_id="city", token_env="C"
    )
    transport = HttpTransport(away, environment=SECRETS)
    await transport.open()
    with pytest.raises(TransportError) as caught:
        await transport.send(projects(1))
    assert caught.value.failure is Failure.UNREACHABLE
    await transport.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "settings",
    [
        HttpSettings("https://x.invalid", token_url="https://x.invalid/t", token_env="C"),
        HttpSettings("https://x.invalid", token_url="https://x.invalid/t", client_id="city"),
        HttpSettings(
            "https://x.invalid", token_url="ftp://x.invalid", client_id="c", token_env="C"
        ),
        HttpSettings("https://x.invalid", hmac_env="NOT_SET"),
        HttpSettings("https://x.invalid", client_cert=Path("no/such.pem")),
    ],
)
async def test_a_wrong_setting_is_found_when_opening(settings: HttpSettings) -> None:
    transport = HttpTransport(settings, environment=SECRETS)
    with pytest.raises(TransportError) as caught:
        await transport.open()
    assert caught.value.failure is Failure.CONFIGURATION
    await transport.close()


# -- client certificates -------------------------------------------------------------------------


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def certificates(folder: Path) -> Path:
    """`ca.pem`, `server.pem` (with key), `client.pem`, `client.key`, `locked.key`."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make certificates")
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    at = str(folder)
    openssl(*new, "-x509", "-days", "2", "-subj", "/CN=ca.invalid", "-keyout", f"{at}/ca.key",
            "-out", f"{at}/ca.pem")  # fmt: skip
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(*new, "-subj", f"/CN={name}.invalid", "-keyout", f"{at}/{name}.key",
                "-out", f"{at}/{name}.csr")  # fmt: skip
        openssl("x509", "-req", "-days", "2", "-in", f"{at}/{name}.csr", "-CA", f"{at}/ca.pem",
                "-CAkey", f"{at}/ca.key", "-CAcreateserial", "-extfile", f"{at}/san",
                "-out", f"{at}/{name}.pem")  # fmt: skip
    both = (folder / "server.key").read_bytes() + (folder / "server.pem").read_bytes()
    (folder / "server.pem").write_bytes(both)
    openssl("ec", "-in", f"{at}/client.key", "-aes256", "-passout", f"pass:{SECRETS['PW']}",
            "-out", f"{at}/locked.key")  # fmt: skip
    return folder


@pytest.mark.asyncio
@pytest.mark.parametrize("way", [HttpSettings(""), ASKING])
async def test_a_server_that_cannot_be_trusted_is_a_wrong_setting(
    tmp_path: Path, way: HttpSettings
) -> None:
    """Whether records or a token are asked for there: nothing was sent, and no waiting mends it."""
    at = certificates(tmp_path)
    demands = SandboxSettings(certificate=at / "server.pem", demands=ISSUING.demands)
    async with target(way, Clock(), demands) as (sandbox, transport):
        with pytest.raises(TransportError, match=r"certificate.*unable to get local") as caught:
            await transport.send(projects(1))
        assert caught.value.failure is Failure.CONFIGURATION
        assert "check ca_file" in caught.value.detail
        assert sandbox.store.effects() == []
    trusting = replace(way, ca_file=at / "ca.pem")
    if way is ASKING:
        async with target(trusting, Clock(), demands) as (_, transport):
            assert len(await transport.send(projects(1))) == 3


@pytest.mark.asyncio
async def test_a_client_certificate_is_shown_where_it_is_demanded(tmp_path: Path) -> None:
    at = certificates(tmp_path)
    strict = SandboxSettings(certificate=at / "server.pem", client_ca=at / "ca.pem")
    bare = HttpSettings("", ca_file=at / "ca.pem")
    plain = replace(bare, client_cert=at / "client.pem", client_key=at / "client.key")
    locked = replace(plain, client_key=at / "locked.key", client_key_env="PW")
    for settings in (plain, locked):
        async with target(settings, Clock(), strict) as (_, transport):
            assert len(await transport.send(projects(1))) == 3
    async with target(bare, Clock(), strict) as (sandbox, transport):
        with pytest.raises(TransportError) as caught:
            await transport.send(projects(1))
        assert caught.value.failure in (Failure.UNREACHABLE, Failure.IN_DOUBT)
        assert sandbox.store.effects() == []
    for wrong in (replace(locked, client_key_env=None), replace(locked, client_key_env="WRONG")):
        with pytest.raises(TransportError, match="password"):
            await HttpTransport(
                replace(wrong, base_url="https://x.invalid"), environment=SECRETS
            ).open()
