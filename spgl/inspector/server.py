"""The web server: addresses → pages, each with its JSON twin; languages, assets, downloads, acts.

Building a page reads files and the ledger, so it runs in a thread. What a page shows is decided in
`pages`, who may ask in `security`.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from spgl import __version__
from spgl.inspector import render
from spgl.inspector.pages import PAGES, act, violations
from spgl.inspector.pages import login as sign_in
from spgl.inspector.security import COOKIE, HEADERS, Gate
from spgl.inspector.site import Ask, Page, Refusal, Site
from validator.counting import pack_line
from validator.reports import FORMATS, ReportOptions
from validator.text import Lang, Text

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LANG = "spgl_lang"
_YEAR = 365 * 24 * 3600
#: Names in paths: run ids, rules, tables, stages; never a dot, so that `.json` stays apart.
_NAME = "[A-Za-z0-9_-]+"
_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def make_app(site: Site, gate: Gate, log: FilteringBoundLogger) -> web.Application:
    """The application; `site.csrf` must be the gate's."""
    lines = {pack.name: pack_line(pack) for pack in site.packs}
    frame = render.Frame(site, tuple(p for p in PAGES if p.menu), f"spgl {__version__}", lines)
    app = web.Application(
        middlewares=[_headers, _refusals(frame, log), _guard(frame, gate, log)],
        client_max_size=1 << 20,
    )
    for page in PAGES:
        path = page.path.replace("}", f":{_NAME}}}")
        app.router.add_get(path, _page(frame, page))
        app.router.add_get(("/overview" if path == "/" else path) + ".json", _twin(frame, page))
    app.router.add_get(f"/violations/download/{{format:{_NAME}}}", _download(frame))
    app.router.add_get("/monitoring/month.xlsx", _month(frame))
    app.router.add_get("/assets/{name}", _asset)
    app.router.add_post("/login", _login(frame, gate, log))
    app.router.add_post("/act", _act(frame, gate, log))
    return app


def _lang(frame: render.Frame, request: web.Request) -> Lang:
    """`?lang=`, else the remembered choice, else the setting."""
    for value in (request.query.get("lang"), request.cookies.get(_LANG)):
        if value in ("zh", "en"):
            return cast(Lang, value)
    return frame.site.lang


def asked(frame: render.Frame, request: web.Request) -> Ask:
    """The question of a request."""
    names = dict.fromkeys(request.query)
    query = {n: tuple(request.query.getall(n)) for n in names if n != "lang"}
    return Ask(_lang(frame, request), query, dict(request.match_info))


def _page(frame: render.Frame, page: Page) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        ask, started = asked(frame, request), time.perf_counter()

        def make() -> str:
            return render.html(frame, page, ask, page.build(frame.site, ask), request.path)

        response = web.Response(text=await asyncio.to_thread(make), content_type="text/html")
        _timed(response, started)
        if request.query.get("lang") in ("zh", "en"):
            response.set_cookie(_LANG, ask.lang, max_age=_YEAR, httponly=True, samesite="Strict")
        return response

    return answer


def _twin(frame: render.Frame, page: Page) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        ask, started = asked(frame, request), time.perf_counter()
        body = await asyncio.to_thread(lambda: render.json(page.build(frame.site, ask)))
        response = web.Response(body=body, content_type="application/json")
        _timed(response, started)
        return response

    return answer


def _timed(response: web.Response, started: float) -> None:
    response.headers["Server-Timing"] = f"page;dur={(time.perf_counter() - started) * 1000:.1f}"


async def _asset(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in render.ASSETS:
        raise web.HTTPNotFound
    kind = render.ASSETS[name][2]
    response = web.Response(body=render.asset(name), content_type=kind, charset="utf-8")
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


def _download(frame: render.Frame) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        name = request.match_info["format"]
        if name not in violations.DOWNLOADS:
            raise Refusal(404, _NO_FORMAT)
        ask = asked(frame, request)
        index, filter_, chosen, _ = await asyncio.to_thread(violations.select, frame.site, ask)
        selection = violations.Selection(index, chosen, filter_)

        def write(path: Path) -> None:
            options = ReportOptions(tool=frame.tool)
            with path.open("wb") as out:
                FORMATS[name].render(
                    selection, frame.site.packs, out, lang=ask.lang, options=options
                )

        return await _sent(request, f"spgl-{index.stored.run.id}.{name}", _TYPES[name], write)

    return answer


def _month(frame: render.Frame) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        from spgl.inspector.pages import monitoring
        from spgl.inspector.sheets import write_month

        ask = asked(frame, request)
        value = await asyncio.to_thread(monitoring.build, frame.site, ask)

        def write(path: Path) -> None:
            with path.open("wb") as out:
                write_month(value, out, lang=ask.lang, tool=frame.tool)

        return await _sent(request, f"spgl-{value.month}.xlsx", _TYPES["xlsx"], write)

    return answer


async def _sent(
    request: web.Request, name: str, kind: str, write: Callable[[Path], None]
) -> web.StreamResponse:
    """Write a file in a thread and send it; nothing of it stays on disk."""
    with tempfile.TemporaryDirectory(prefix="spgl-") as folder:
        path = Path(folder, "download")
        await asyncio.to_thread(write, path)
        response = web.StreamResponse()
        response.content_type = kind
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers.update(HEADERS)
        await response.prepare(request)
        file = await asyncio.to_thread(path.open, "rb")
        try:
            while chunk := await asyncio.to_thread(file.read, 1 << 18):
                await response.write(chunk)
        finally:
            file.close()
        await response.write_eof()
        return response


def _login(frame: render.Frame, gate: Gate, log: FilteringBoundLogger) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if not gate.own_form(request, str(form.get("csrf", ""))):
            raise Refusal(403, _FORGED)
        if not gate.right(str(form.get("token", ""))):
            log.warning("inspector_token_refused", address=request.remote)
            await asyncio.sleep(0.5)
            raise Refusal(403, _WRONG_TOKEN)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(COOKIE, gate.session(), httponly=True, samesite="Strict")
        return response

    return answer


def _act(frame: render.Frame, gate: Gate, log: FilteringBoundLogger) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if not frame.site.rights.actions:
            raise Refusal(403, _NO_ACTIONS)
        if not gate.own_form(request, str(form.get("csrf", ""))):
            raise Refusal(403, _FORGED)
        given = {name: str(value) for name, value in form.items() if isinstance(value, str)}
        made = await asyncio.to_thread(act.act, frame.site, given)
        log.info("inspector_acted", act=made.act, subject=made.subject, by=frame.site.rights.who)
        return web.Response(status=303, headers={"Location": made.back})

    return answer


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Security headers on every answer, also on refusals."""
    response = await handler(request)
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


def _guard(
    frame: render.Frame, gate: Gate, log: FilteringBoundLogger
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Lets in who may ask; where personal data are shown, writes down who was answered what."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not gate.known_host(request):
            raise Refusal(421, _FOREIGN_HOST)
        open_ = request.path == "/login" or request.path.startswith("/assets/")
        if open_ or gate.admitted(request):
            if frame.site.rights.personal and not open_:
                who = frame.site.rights.who
                log.info("personal_data_served", path=request.path, address=request.remote, by=who)
            return await handler(request)
        if request.path.endswith(".json") or request.method != "GET":
            raise Refusal(401, _TOKEN)
        page = Page("/login", "login.html", sign_in.TITLE, sign_in.build)
        ask = asked(frame, request)
        text = render.html(frame, page, ask, sign_in.build(frame.site, ask), "/login")
        return web.Response(text=text, status=401, content_type="text/html")

    return guard


def _refusals(
    frame: render.Frame, log: FilteringBoundLogger
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """What cannot be answered becomes one line in both forms; no traceback reaches people."""

    @web.middleware
    async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            status, text = refusal.status, refusal.text
        except web.HTTPException as fault:
            if fault.status < 400:
                raise
            status, text = fault.status, _STATUS.get(fault.status, _FAILED)
        except Exception:
            log.exception("inspector_failed", path=request.path)
            status, text = 500, _FAILED
        if request.path.endswith(".json"):
            body = render.json({"status": status, "message": text})
            return web.Response(body=body, status=status, content_type="application/json")
        page = Page(request.path, "refusal.html", text, lambda _site, _ask: None)
        html = render.html(frame, page, asked(frame, request), {"status": status, "text": text}, "")
        return web.Response(text=html, status=status, content_type="text/html")

    return refusals


_NO_FORMAT = Text("没有这种下载格式", "no such download format")
_FORGED = Text(
    "请求不是从本页面发出，或页面已过期；请刷新后重试",
    "this request did not come from a page of ours, or the page is old; reload it and try again",
)
_WRONG_TOKEN = Text("令牌不正确", "the token is not right")
_TOKEN = Text("需要令牌：Authorization: Bearer …", "a token is needed: Authorization: Bearer …")
_NO_ACTIONS = Text(
    "此核查台只供查看；需要处置时请以 --allow-actions 启动",
    "this inspector only shows; start it with --allow-actions to act",
)
_FOREIGN_HOST = Text(
    "不认识的主机名；请用 IP 地址或 localhost 访问，或以 --allow-host 指定",
    "unknown host name; use the IP address or localhost, or name it with --allow-host",
)
_FAILED = Text("内部错误，已写入日志", "internal failure, see the log")
_STATUS = {
    404: Text("没有这个页面", "no such page"),
    405: Text("不支持这种请求方式", "this method is not supported here"),
    413: Text("提交的内容过大", "too much was sent"),
}
