"""The HTTP transport against the real sandbox on loopback: every failure class, and what must
never be seen or sent."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import orjson
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from transport_values import STANDARD, batch, parcel, projects

from pusher.sandbox.journal import repeats
from pusher.sandbox.script import Faults, Refusal, Script
from pusher.sandbox.server import Sandbox, SandboxSettings
from pusher.transport import Answer, Batch, Failure, TransportError
from pusher.transports import answer
from pusher.transports.body import gzipped, json_body, xml_body
from pusher.transports.http import HttpSettings, HttpTransport
from validator.records import Operation

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "docs" / "receipts.schema.json").read_text("utf-8"))
GENTLE, OPEN, PLAIN = Script(), SandboxSettings(), HttpSettings("")
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@asynccontextmanager
async def target(
    script: Script = GENTLE,
    sandbox: SandboxSettings = OPEN,
    settings: HttpSettings = PLAIN,
    environment: dict[str, str] | None = None,
) -> AsyncIterator[tuple[Sandbox, HttpTransport]]:
    async with Sandbox(sandbox, script) as running:
        transport = HttpTransport(
            replace(settings, base_url=running.url), environment=environment, clock=lambda: NOW
        )
        await transport.open()
        try:
            yield running, transport
        finally:
            await transport.close()


def stumbling(*steps: str, route: str = "send", **faults: object) -> Script:
    return Script(faults=Faults(steps={route: steps}, **faults))  # type: ignore[arg-type]


async def failure(transport: HttpTransport, sent: Batch) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await transport.send(sent)
    return caught.value


@pytest.mark.asyncio
async def test_a_batch_comes_back_as_receipts_in_parcel_order() -> None:
    async with target() as (sandbox, transport):
        receipts = await transport.send(projects(1))
        assert [r.index for r in receipts] == [0, 1, 2]
        assert {r.answer for r in receipts} == {Answer.ACCEPTED}
        assert all(r.lsh for r in receipts)
        assert [h.fields["GCDM"] for h in sandbox.store.held()] == ["P1-0", "P1-1", "P1-2"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("throttle", Failure.THROTTLED),
        ("unavailable", Failure.THROTTLED),
        ("408", Failure.ROLLED_BACK),
        ("425", Failure.ROLLED_BACK),
        ("500", Failure.ROLLED_BACK),
        ("502", Failure.ROLLED_BACK),
        ("504", Failure.ROLLED_BACK),
        ("gateway-after", Failure.ROLLED_BACK),
        ("409", Failure.DUPLICATE),
        ("413", Failure.TOO_LARGE),
        ("400", Failure.RECORD),
        ("422", Failure.RECORD),
        ("401", Failure.CONFIGURATION),
        ("403", Failure.CONFIGURATION),
        ("404", Failure.CONFIGURATION),
        ("405", Failure.CONFIGURATION),
        ("301", Failure.CONFIGURATION),
        ("307", Failure.CONFIGURATION),
        ("204", Failure.IN_DOUBT),
        ("reset-before", Failure.IN_DOUBT),
        ("reset-after", Failure.IN_DOUBT),
        ("truncate", Failure.IN_DOUBT),
        ("html", Failure.IN_DOUBT),
        ("missing", Failure.IN_DOUBT),
        ("unknown", Failure.IN_DOUBT),
    ],
)
async def test_each_misbehaviour_has_its_class_and_the_same_key_heals_it(
    step: str, expected: Failure
) -> None:
    async with target(stumbling(step)) as (sandbox, transport):
        sent = projects(1)
        assert (await failure(transport, sent)).failure is expected
        receipts = await transport.send(sent)
        assert [r.answer for r in receipts] == [Answer.ACCEPTED] * 3
        assert len(sandbox.store.effects()) == 3
        assert repeats(sandbox.store.effects()) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("step", ["408", "425", "500", "502", "504", "gateway-after"])
async def test_a_server_fault_is_doubt_where_the_key_is_not_honoured(step: str) -> None:
    settings = HttpSettings("", honours_key=False)
    async with target(stumbling(step), settings=settings) as (_, transport):
        assert (await failure(transport, projects(1))).failure is Failure.IN_DOUBT


@pytest.mark.asyncio
async def test_a_doubled_receipt_is_one_receipt() -> None:
    async with target(stumbling("duplicate")) as (_, transport):
        assert len(await transport.send(projects(1))) == 3


@pytest.mark.asyncio
async def test_no_connection_means_surely_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid"):
        transport = HttpTransport(HttpSettings(url))
        await transport.open()
        try:
            assert (await failure(transport, projects(1))).failure is Failure.UNREACHABLE
        finally:
            await transport.close()


@pytest.mark.asyncio
async def test_silence_after_the_first_byte_is_doubt() -> None:
    settings = HttpSettings("", read_timeout=0.1)
    script = stumbling("slow-after", slow_seconds=0.5)
    async with target(script, settings=settings) as (_, transport):
        assert (await failure(transport, projects(1))).failure is Failure.IN_DOUBT
        settled = await transport.settle(projects(1))
        assert settled is not None
        assert len(settled) == 3


@pytest.mark.asyncio
async def test_a_key_still_being_worked_on_is_doubt() -> None:
    settings = HttpSettings("", read_timeout=0.1)
    script = stumbling("slow", "ok", slow_seconds=0.4)
    async with target(script, settings=settings) as (sandbox, transport):
        sent = projects(1)
        assert (await failure(transport, sent)).failure is Failure.IN_DOUBT
        again = await failure(transport, sent)
        assert (again.failure, again.code) == (Failure.IN_DOUBT, "HTTP 409 in-progress")
        with pytest.raises(TransportError) as doubt:
            await transport.settle(sent)
        assert (doubt.value.failure, doubt.value.retry_after) == (Failure.IN_DOUBT, 1.0)
        settled = None
        while settled is None:
            await asyncio.sleep(0.02)
            with suppress(TransportError):
                settled = await transport.settle(sent)
        assert await transport.send(sent) == settled
        assert len(sandbox.store.effects()) == 3


@pytest.mark.asyncio
async def test_a_lost_acknowledgement_is_settled_by_asking() -> None:
    async with target(stumbling("reset-after", "reset-before")) as (_, transport):
        held, lost = projects(1), projects(2)
        for sent in (held, lost):
            assert (await failure(transport, sent)).failure is Failure.IN_DOUBT
        receipts = await transport.settle(held)
        assert receipts is not None
        assert [r.answer for r in receipts] == [Answer.ACCEPTED] * 3
        assert await transport.settle(lost) is None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("404", Failure.IN_DOUBT),
        ("500", Failure.IN_DOUBT),
        ("html", Failure.IN_DOUBT),
        ("truncate", Failure.IN_DOUBT),
        ("throttle", Failure.THROTTLED),
        ("401", Failure.CONFIGURATION),
    ],
)
async def test_doubt_remains_unless_the_target_says_otherwise(step: str, expected: Failure) -> None:
    async with target(stumbling(step, route="settle")) as (_, transport):
        await transport.send(projects(1))
        with pytest.raises(TransportError) as caught:
            await transport.settle(projects(1))
        assert caught.value.failure is expected


@pytest.mark.asyncio
async def test_without_a_look_up_doubt_is_settled_by_the_same_key() -> None:
    settings = HttpSettings("", batch_path="")
    async with target(stumbling("reset-after"), settings=settings) as (sandbox, transport):
        await failure(transport, projects(1))
        settled = await transport.settle(projects(1))
        assert settled is not None
        assert sandbox.store.counts()["replays"] == 1
    settings = HttpSettings("", batch_path="", honours_key=False)
    async with target(settings=settings) as (_, transport):
        with pytest.raises(TransportError) as caught:
            await transport.settle(projects(1))
        assert caught.value.failure is Failure.IN_DOUBT


@pytest.mark.asyncio
async def test_the_same_key_with_other_content_stops_the_target() -> None:
    async with target() as (sandbox, transport):
        await transport.send(projects(1))
        other = replace(projects(2), id="batch-1", idempotency_key="key-1")
        assert (await failure(transport, other)).failure is Failure.CONFIGURATION
        assert len(sandbox.store.effects()) == 3


@pytest.mark.asyncio
async def test_a_scripted_refusal_comes_back_with_its_reason() -> None:
    script = Script(refusals=(Refusal("项目代码不存在", where={"GCDM": "*-1"}),))
    async with target(script) as (_, transport):
        receipts = await transport.send(projects(1))
        assert [r.answer for r in receipts] == ["accepted", "rejected", "accepted"]
        assert receipts[1].reason == "项目代码不存在"


@pytest.mark.asyncio
@pytest.mark.parametrize("as_date", [False, True])
async def test_retry_after_is_read_as_seconds_and_as_a_date(as_date: bool) -> None:
    script = stumbling("throttle", retry_after=7.0, retry_after_date=as_date)
    async with target(script) as (_, transport):
        wait = (await failure(transport, projects(1))).retry_after
        assert wait is not None
        assert 5.9 <= wait <= 7.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120.0),
        ("1.5", 1.5),
        ("999999", 86_400.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 99 Mar 2026 11:00:00 GMT", None),
    ],
)
def test_retry_after_forms(text: str, expected: float | None) -> None:
    assert answer.retry_after({"retry-after": text}, NOW) == expected


@pytest.mark.asyncio
async def test_gzip_is_used_above_its_threshold_and_bytes_are_equal_on_every_attempt() -> None:
    seen: list[tuple[str, bytes]] = []

    async def record(request: web.Request) -> web.Response:
        seen.append((request.headers.get("Content-Encoding", ""), await request.read()))
        return web.Response(status=500)

    async with plain_server(record) as url:
        for threshold in (1_000_000, 10):
            transport = HttpTransport(HttpSettings(url, gzip_above=threshold))
            await transport.open()
            await failure(transport, projects(1))
            await failure(transport, projects(1))
            await transport.close()
    assert [encoding for encoding, _ in seen] == ["", "", "gzip", "gzip"]
    assert {body for _, body in seen} == {json_body(projects(1))}
    assert gzip.decompress(gzipped(seen[0][1])) == seen[0][1]


@pytest.mark.asyncio
async def test_an_xml_body_carries_the_same_records() -> None:
    tricky = batch(1, parcel(0, {"GCDM": "<P&1>", "XMMC": "引号\"'; 换\r\n行 😀"}))
    settings = HttpSettings("", format="xml", gzip_above=10)
    async with target(settings=settings) as (sandbox, transport):
        await transport.send(tricky)
        assert sandbox.store.held()[0].fields == tricky.parcels[0].fields


def test_text_that_a_form_cannot_carry_is_a_fault_of_the_record() -> None:
    with pytest.raises(TransportError) as caught:
        xml_body(batch(1, parcel(0, {"GCDM": "P", "XMMC": "\x00"})))
    assert caught.value.failure is Failure.RECORD
    with pytest.raises(TransportError) as caught:
        json_body(batch(1, parcel(0, {"GCDM": "P", "XMMC": "\ud800"})))
    assert caught.value.failure is Failure.RECORD


@pytest.mark.asyncio
async def test_late_verdicts_come_page_by_page() -> None:
    script = Script(
        refusals=(Refusal("资料不全", where={"GCDM": "*-3"}),), verdict_delay=0.0, page=2
    )
    async with target(script) as (_, transport):
        receipts = await transport.send(projects(1, 5))
        assert {r.answer for r in receipts} == {Answer.RECEIVED}
        assert [r.reason for r in receipts] == [""] * 5
        cursor, pages, verdicts = None, 0, []
        while True:
            page = await transport.verdicts(STANDARD, (), cursor)
            verdicts.extend(page.verdicts)
            cursor, pages = page.cursor, pages + 1
            if not page.more:
                break
        assert pages == 3
        assert {v.key["GCDM"] for v in verdicts} == {f"P1-{i}" for i in range(5)}
        refused = [v for v in verdicts if v.answer is Answer.REJECTED]
        assert [(v.key["GCDM"], v.reason) for v in refused] == [("P1-3", "资料不全")]
        assert (await transport.verdicts(STANDARD, (), cursor)).verdicts == ()


@pytest.mark.asyncio
async def test_a_broken_verdict_page_loses_nothing_and_is_asked_again() -> None:
    script = Script(
        faults=Faults(steps={"verdicts": ("reset-after", "truncate", "html", "500")}),
        verdict_delay=0.0,
    )
    async with target(script) as (_, transport):
        await transport.send(projects(1))
        failures = []
        while True:
            try:
                page = await transport.verdicts(STANDARD, (), None)
            except TransportError as caught:
                failures.append(caught.failure)
            else:
                break
        assert set(failures) == {Failure.ROLLED_BACK}
        assert len(failures) >= 3  # a GET on a reused connection is repeated once by the client
        assert len(page.verdicts) == 3


@pytest.mark.asyncio
async def test_the_token_is_sent_and_seen_nowhere(tmp_path: Path) -> None:
    secret = "s3cret-token-value"
    (tmp_path / "token").write_text(secret + "\n", "utf-8")
    protected = SandboxSettings(token=secret)
    assert secret not in repr(protected)
    async with target(
        sandbox=protected,
        settings=HttpSettings("", token_env="CITY_TOKEN"),
        environment={"CITY_TOKEN": secret},
    ) as (_, transport):
        assert len(await transport.send(projects(1))) == 3
    async with target(
        sandbox=protected, settings=HttpSettings("", token_file=tmp_path / "token")
    ) as (_, transport):
        assert len(await transport.send(projects(1))) == 3
    async with target(
        sandbox=protected,
        settings=HttpSettings("", token_env="CITY_TOKEN"),
        environment={"CITY_TOKEN": "another"},
    ) as (_, transport):
        assert (await failure(transport, projects(1))).code == "HTTP 401 unauthorized"


@pytest.mark.asyncio
async def test_a_token_that_the_target_repeats_is_taken_out() -> None:
    async def echo(request: web.Request) -> web.Response:
        told = {
            "code": "no " + request.headers["Authorization"],
            "detail": f"电话 13800000000 {request.headers['Authorization']}",
        }
        return web.json_response(told, status=403)

    async with plain_server(echo) as url:
        transport = HttpTransport(
            HttpSettings(url, token_env="T", notify_url=url + "/notify/{token}", notify_waits=()),
            environment={"T": "tok-123"},
        )
        await transport.open()
        caught = await failure(transport, projects(1))
        assert "tok-123" not in str(caught)
        assert "13800000000" not in str(caught)
        with pytest.raises(TransportError) as notice:
            await transport.notify()
        assert "tok-123" not in str(notice.value)
        await transport.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "settings",
    [
        HttpSettings("ftp://example.invalid"),
        HttpSettings("https://"),
        HttpSettings("https://user:pw@example.invalid"),
        HttpSettings("https://example.invalid", token_env="NOT_SET"),
        HttpSettings("https://example.invalid", token_file=Path("no/such/file")),
        HttpSettings("https://example.invalid", ca_file=Path("no/such/file")),
    ],
)
async def test_a_wrong_setting_is_found_when_opening(settings: HttpSettings) -> None:
    transport = HttpTransport(settings, environment={})
    with pytest.raises(TransportError) as caught:
        await transport.open()
    assert caught.value.failure is Failure.CONFIGURATION
    assert "pw" not in str(caught.value)


@pytest.mark.asyncio
async def test_tls_is_verified_and_an_own_authority_may_be_named(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    protected = SandboxSettings(certificate=certificate)
    async with target(sandbox=protected) as (_, transport):
        caught = await failure(transport, projects(1))
        assert caught.failure is Failure.CONFIGURATION
        assert caught.code == "certificate"
    async with target(sandbox=protected, settings=HttpSettings("", ca_file=certificate)) as (
        _,
        transport,
    ):
        assert len(await transport.send(projects(1))) == 3


@pytest.mark.asyncio
async def test_redirects_are_not_followed() -> None:
    hits: list[str] = []

    async def move(request: web.Request) -> web.Response:
        hits.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with plain_server(move) as url:
        transport = HttpTransport(HttpSettings(url))
        await transport.open()
        assert (await failure(transport, projects(1))).failure is Failure.CONFIGURATION
        await transport.close()
    assert len(hits) == 1


@pytest.mark.asyncio
async def test_an_answer_longer_than_its_limit_is_doubt() -> None:
    settings = HttpSettings("", answer_limit=50)
    async with target(settings=settings) as (_, transport):
        caught = await failure(transport, projects(1))
        assert caught.failure is Failure.IN_DOUBT
        assert "longer" in caught.detail


@pytest.mark.asyncio
async def test_a_failing_body_under_status_200_is_a_failure_by_setting() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"result": "E7", "detail": "格式错误"})

    async with plain_server(refuse) as url:
        transport = HttpTransport(
            HttpSettings(url, code_member="result", codes={"E7": Failure.RECORD})
        )
        await transport.open()
        caught = await failure(transport, projects(1))
        assert (caught.failure, caught.detail) == (Failure.RECORD, "格式错误")
        await transport.close()


@pytest.mark.asyncio
async def test_connections_are_reused() -> None:
    peers: set[object] = set()

    async def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(status=500)

    async with plain_server(note) as url:
        transport = HttpTransport(HttpSettings(url))
        await transport.open()
        for number in range(5):
            await failure(transport, projects(number))
        await transport.close()
    assert len(peers) == 1


@pytest.mark.asyncio
async def test_the_notice_tries_again_and_tells_when_it_gives_up() -> None:
    script = stumbling("503", "ok", *["500"] * 3, route="notify")
    async with target(script) as (sandbox, _):
        transport = HttpTransport(
            HttpSettings(
                sandbox.url, notify_url=sandbox.url + "/api/v1/notify", notify_waits=(0.0, 0.0)
            )
        )
        await transport.open()
        await transport.notify()
        assert sandbox.store.counts()["notices"] == 1
        with pytest.raises(TransportError):
            await transport.notify()
        assert sandbox.store.counts()["notices"] == 1
        await transport.close()
    silent = HttpTransport(HttpSettings("http://127.0.0.1:1"))
    await silent.open()
    await silent.notify()
    await silent.close()


@pytest.mark.asyncio
async def test_an_invalidation_travels_with_its_reason() -> None:
    async with target() as (sandbox, transport):
        await transport.send(projects(1, 1))
        gone = replace(projects(1, 1).parcels[0], operation=Operation.INVALIDATE, reason="项目撤销")
        await transport.send(batch(2, gone))
        assert sandbox.store.held() == []
        assert [e.operation for e in sandbox.store.effects()] == ["upsert", "invalidate"]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats(-2, 2)
    | st.text(max_size=3)
    | st.sampled_from(["accepted", "received"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)


def loose(**members: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Objects of these members, each sometimes absent and sometimes anything."""
    return st.fixed_dictionaries(
        {}, optional={name: value | JSON_VALUES for name, value in members.items()}
    )


WORD = {
    "status": st.sampled_from(["received", "accepted", "rejected"]),
    "lsh": st.none() | st.text(max_size=2),
    "reason": st.none() | st.text(max_size=2),
}
DOCUMENTS = (
    loose(
        batch=st.text(max_size=2),
        held=st.just(False),
        receipts=st.lists(loose(index=st.integers(0, 2), **WORD), max_size=2),
    )
    | loose(
        cursor=st.none() | st.text(max_size=2),
        more=st.booleans(),
        verdicts=st.lists(
            loose(
                table=st.just("T"),
                division=st.just("D"),
                key=st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
                **WORD,
            ),
            max_size=2,
        ),
    )
    | loose(
        records=st.lists(
            loose(
                index=st.integers(0, 2),
                rows=st.lists(
                    loose(
                        fields=st.dictionaries(st.text(max_size=2), st.text(max_size=2)),
                        valid=st.booleans(),
                        lsh=st.none() | st.text(max_size=2),
                    ),
                    max_size=2,
                ),
            ),
            max_size=2,
        )
    )
    | JSON_VALUES
)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_the_quick_check_and_the_published_schema_agree(document: object) -> None:
    twins: dict[str, Callable[[object], bool]] = {
        "receipts": answer.is_receipts,
        "notHeld": answer.is_not_held,
        "verdicts": answer.is_verdicts,
        "held": answer.is_held,
    }
    for name, twin in twins.items():
        reference = jsonschema.Draft202012Validator(
            {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
        )
        assert twin(document) == reference.is_valid(document), name


def test_both_copies_of_the_schema_are_the_same() -> None:
    packaged = ROOT / "pusher" / "transports" / "receipts.schema.json"
    assert json.loads(packaged.read_text("utf-8")) == SCHEMA
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.asyncio
async def test_every_answer_of_the_sandbox_fits_the_published_schema() -> None:
    reference = jsonschema.Draft202012Validator(SCHEMA)
    async with target(Script(verdict_delay=0.0)) as (sandbox, transport):
        await transport.send(projects(1))
        stored = sandbox.store.answer_of("batch-1")
        assert stored is not None
        reference.validate(orjson.loads(stored))
        page, cursor, more = sandbox.store.verdict_page(STANDARD, 0, 2, 1e12)
        reference.validate({"verdicts": page, "cursor": str(cursor), "more": more})


@asynccontextmanager
async def plain_server(
    handler: Callable[[web.Request], object],
) -> AsyncIterator[str]:
    """A server that answers everything with `handler`, for what the sandbox does not do."""
    runner = web.ServerRunner(web.Server(handler))  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def self_signed(folder: Path) -> Path:
    """A PEM file with a key and a certificate for 127.0.0.1, made for this test only."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    key, certificate, both = (folder / name for name in ("k.pem", "c.pem", "both.pem"))
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2"),
            *("-subj", "/CN=sandbox.invalid", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both
