"""The stand-in national system over HTTP: the convention of interface.md, with scripted faults.

`python -m pusher.sandbox` serves it alone; tests run it in their own loop. It holds up the same
rules whatever it misbehaves in: one transaction per batch, one result per idempotency key.
"""

from __future__ import annotations

import asyncio
import hashlib
import signal
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import orjson
from aiohttp import web

from pusher.sandbox.guard import Demands, Guard
from pusher.sandbox.journal import identity_of
from pusher.sandbox.misbehaviour import JSON, altered, problem, problem_body, reset, truncated
from pusher.sandbox.request import BODY_LIMIT, SentBatch, keys_of, plain, read_json, read_xml
from pusher.sandbox.script import Dice, Fault, Script, ScriptError
from pusher.sandbox.store import ParentMissingError, Store
from validator.pack import Packs
from validator.text import Text


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Where it listens and what it remembers. Port 0 takes a free one; loopback unless told.

    `store` None forgets at the end. `demands` says who may speak to it (`token` is short for a
    fixed bearer token). With `certificate` (PEM: certificate and key) it speaks TLS, with
    `client_ca` only to holders of a certificate of that authority.
    """

    host: str = "127.0.0.1"
    port: int = 0
    store: Path | None = None
    token: str = field(default="", repr=False)
    certificate: Path | None = None
    client_ca: Path | None = None
    demands: Demands = field(default_factory=Demands)


class Sandbox:
    """A running stand-in. `script` may be replaced at any time; `store` answers what happened."""

    def __init__(
        self,
        settings: SandboxSettings,
        script: Script,
        *,
        packs: Packs | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises ScriptError for a script that needs packs, OSError for a store that cannot be
        opened."""
        self._settings = settings
        self._packs = packs
        self._clock = clock
        self._running: dict[str, str] = {}
        self._runner: web.AppRunner | None = None
        self.play(script)
        self.store = Store(settings.store, packs)
        demands = replace(settings.demands, token=settings.token or settings.demands.token)
        self.guard = Guard(demands, clock)
        self.url = ""

    def play(self, script: Script) -> None:
        """Go on by another script, its faults from the start."""
        if script.parents != "off" and self._packs is None:
            raise ScriptError(
                Text(
                    "检查上级记录需要标准包：请使用 spgl sandbox",
                    "checking parents needs packs: use spgl sandbox",
                )
            )
        self.script = script
        self.dice = Dice(script.faults)

    async def start(self) -> None:
        """Listen; afterwards `url` is the base address."""
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_post("/api/v1/{standard}/{table}/records", self._guarded(self._send))
        application.router.add_post("/api/v1/{standard}/{table}/lookup", self._guarded(self._look))
        application.router.add_get("/api/v1/batches/{id}", self._guarded(self._settle))
        application.router.add_get("/api/v1/{standard}/verdicts", self._guarded(self._verdicts))
        application.router.add_get("/api/v1/notify", self._guarded(self._notify))
        application.router.add_post("/api/v1/token", self.guard.issue)
        application.router.add_get("/sandbox/{what}", self._guarded(self._inspect))
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=1.0, auto_decompress=False
        )
        await self._runner.setup()
        settings = self._settings
        site = web.TCPSite(self._runner, settings.host, settings.port, ssl_context=_tls(settings))
        await site.start()
        port = self._runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.url = f"{'https' if settings.certificate else 'http'}://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening; the store stays readable until `close`."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def close(self) -> None:
        self.store.close()

    async def __aenter__(self) -> Sandbox:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            refused = await self.guard.refusal(request)
            return await handler(request) if refused is None else refused

        return guarded

    async def _send(self, request: web.Request) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return problem(400, "key-missing", "Idempotency-Key is missing")
        if key in self._running:
            return problem(409, "in-progress", "the same key is being worked on")
        fault = self.dice.draw("send")
        refused = await self._before(request, fault)
        if refused is not None:
            return refused
        try:
            body = plain(await request.read(), request.headers.get("Content-Encoding", ""))
            sent = read_xml(body) if "xml" in request.content_type else read_json(body)
        except ValueError as wrong:
            return problem(400, "unreadable", str(wrong))
        if (request.match_info["standard"], request.match_info["table"]) != (
            sent.standard,
            sent.table,
        ):
            return problem(400, "unreadable", "address and body name different tables")
        self._running[key] = sent.id
        try:
            if fault == Fault.SLOW:
                await asyncio.sleep(self.script.faults.slow_seconds)
            status, answer = self._take(key, hashlib.sha256(body).digest(), sent)
        finally:
            del self._running[key]
        return await self._after(request, fault, status, answer)

    def _take(self, key: str, digest: bytes, sent: SentBatch) -> tuple[int, bytes]:
        """The batch's one result: the stored one for a known key, else judged and applied now."""
        stored = self.store.find(key)
        if stored is not None:
            if stored.digest != digest:
                return 422, problem_body("key-reused", "the same key came with other content")
            self.store.replay(key)
            return 200, stored.answer
        if not self.store.knows(f"{sent.standard}/{sent.table}"):
            return 404, problem_body("unknown-table", "no such table here")
        if len(sent.records) > self.script.max_records:
            return 413, problem_body("too-large", f"at most {self.script.max_records} records")
        try:
            return 200, self.store.take(key, digest, sent, self.script, self._clock())
        except ParentMissingError as missing:
            return 422, problem_body("parent-missing", str(missing))

    async def _settle(self, request: web.Request) -> web.StreamResponse:
        fault = self.dice.draw("settle")
        refused = await self._before(request, fault)
        if refused is not None:
            return refused
        batch = request.match_info["id"]
        answer = self.store.answer_of(batch)
        if answer is not None:
            return await self._after(request, fault, 200, answer)
        if batch in self._running.values():
            return problem(202, "in-progress", "the batch is being worked on", retry_after="1")
        return web.json_response({"batch": batch, "held": False}, status=404)

    async def _verdicts(self, request: web.Request) -> web.StreamResponse:
        fault = self.dice.draw("verdicts")
        refused = await self._before(request, fault)
        if refused is not None:
            return refused
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            return problem(400, "cursor", "the cursor is not one of ours")
        page, cursor, more = self.store.verdict_page(
            request.match_info["standard"], int(after), self.script.page, self._clock()
        )
        answer = orjson.dumps({"verdicts": page, "cursor": str(cursor), "more": more})
        return await self._after(request, fault, 200, answer)

    async def _look(self, request: web.Request) -> web.StreamResponse:
        """What is held of each key asked for; changes nothing."""
        standard, table = request.match_info["standard"], request.match_info["table"]
        try:
            keys = keys_of(await request.read())
        except ValueError as wrong:
            return problem(400, "unreadable", str(wrong))
        records = [
            {"index": index, "rows": self.store.rows_of((standard, table, identity_of(key)))}
            for index, key in enumerate(keys)
        ]
        return web.Response(body=orjson.dumps({"records": records}), content_type=JSON)

    async def _notify(self, request: web.Request) -> web.StreamResponse:
        fault = self.dice.draw("notify")
        refused = await self._before(request, fault)
        if refused is not None:
            return refused
        self.store.note_notice(self._clock())
        return await self._after(request, fault, 200, b'{"code": "ok"}')

    async def _inspect(self, request: web.Request) -> web.StreamResponse:
        what = request.match_info["what"]
        views: dict[str, Callable[[], object]] = {
            "counts": self.store.counts,
            "effects": lambda: [asdict(effect) for effect in self.store.effects()],
            "held": lambda: [asdict(held) for held in self.store.held()],
        }
        if what not in views:
            return problem(404, "unknown", f"one of {', '.join(views)}")
        return web.Response(body=orjson.dumps(views[what]()), content_type=JSON)

    async def _before(self, request: web.Request, fault: str) -> web.StreamResponse | None:
        """The answer of a fault that has no effect; None when the request goes on."""
        if fault == Fault.RESET_BEFORE:
            return reset(request)
        if fault in (Fault.THROTTLE, Fault.UNAVAILABLE):
            status = 429 if fault == Fault.THROTTLE else 503
            return problem(status, "busy", "come back later", retry_after=self._retry_after())
        if fault.isdigit() and int(fault) >= 300:
            headers = {"Location": "/elsewhere"} if fault.startswith("3") else None
            return web.Response(status=int(fault), text="scripted", headers=headers)
        return None

    async def _after(
        self, request: web.Request, fault: str, status: int, answer: bytes
    ) -> web.StreamResponse:
        """The answer, or what a fault makes of it once the effect is there."""
        if fault == Fault.RESET_AFTER:
            return reset(request)
        if fault == Fault.SLOW_AFTER or (fault == Fault.SLOW and request.method == "GET"):
            await asyncio.sleep(self.script.faults.slow_seconds)
        elif fault == Fault.GATEWAY_AFTER:
            return web.Response(status=502, text="bad gateway")
        elif fault == Fault.HTML:
            return web.Response(text="<html><body>请登录</body></html>", content_type="text/html")
        elif fault == Fault.TRUNCATE:
            return await truncated(request, answer)
        elif fault.isdigit():
            return web.Response(status=int(fault))
        return web.Response(status=status, body=altered(answer, fault, status), content_type=JSON)

    def _retry_after(self) -> str:
        seconds = self.script.faults.retry_after
        if self.script.faults.retry_after_date:
            return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        return f"{seconds:g}"


async def serve(
    sandbox: Sandbox, *, announce: Callable[[str], None], stop: asyncio.Event | None = None
) -> None:
    """Serve until SIGTERM or SIGINT (or `stop`); `announce` gets the base address once."""
    end = asyncio.Event() if stop is None else stop
    loop = asyncio.get_running_loop()
    handled = []
    with suppress(NotImplementedError):  # Windows: Ctrl-C still ends it
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end.set)
            handled.append(number)
    try:
        async with sandbox:
            announce(sandbox.url)
            await end.wait()
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
        sandbox.close()


def _tls(settings: SandboxSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate)
    if settings.client_ca is not None:
        context.load_verify_locations(settings.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
