"""Values for the tests of the inspector: two nights of the sample city, checked, stored and pushed
to a target in memory, with one project whose texts try to become markup."""

from __future__ import annotations

import asyncio
import atexit
import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from ledger_values import Lines, Memory, Time, world

from pusher.circuit import Open
from pusher.delivery import deliver
from pusher.ledger import enter, open_ledger
from pusher.ledger.circuits import keep
from pusher.target import Target
from spgl.city.write import SEED, write_export
from spgl.config import load
from spgl.inspector.security import Gate
from spgl.inspector.serve import make_site
from spgl.inspector.server import make_app
from spgl.inspector.site import Rights, Site
from validator.check import Checked, Options, check
from validator.load import load_packs
from validator.pack import Packs
from validator.records import Record
from validator.sources import SourceOptions, discover

STANDARD = "data-sharing-3.0"
PROJECTS = f"{STANDARD}/SPGL_XMJBXXB"
CASES = f"{STANDARD}/SPGL_XMSPSXBLXXB"
EVENTS = f"{STANDARD}/SPGL_XMSPSXBLXXXXB"
PERMITS = f"{STANDARD}/SPGL_JSGCGHXKXXB"
DOCUMENTS = f"{STANDARD}/SPGL_XMSPSXPFWJXXB"
FIRST, SECOND = "20260301T220000-aaaaaa", "20260302T220000-bbbbbb"
NIGHTS = {FIRST: datetime(2026, 3, 1, 22, tzinfo=UTC), SECOND: datetime(2026, 3, 2, 22, tzinfo=UTC)}
WRITTEN = datetime(2026, 2, 1, tzinfo=UTC)
#: Big tables that nothing here looks at; no other table refers to them.
LEFT_OUT = (
    "XMSQCLJQTFJXXB",
    "SPSXCLMLXXB",
    "ZRZTXXB",
    "XMDTXXB",
    "KCSJRYXXB",
    "XMFJXXB",
    "ZQYJXXB",
)
#: Tables that go to the ledger: enough to have parents, children and refusals.
PUSHED = {PROJECTS, CASES, EVENTS, PERMITS}
REFUSED_REASON = "建设工程规划许可证编号<b>不存在</b>"
SCRIPT = '<script>alert("x")</script>'
IMAGE = '"><img src=x onerror=alert(1)>'
BOLD = "<b id=x>1</b>"
TURNED = "gnp.\u202egpj"
TARGET = Target("national", batch_records=200)


@dataclass(frozen=True, slots=True)
class Nights:
    """Both nights on disk. `hostile` is the works code of the project that tries to be markup,
    `refused` the case whose permit the target refused."""

    state: Path
    exports: Mapping[str, Path]
    hostile: str
    refused: str


@cache
def nights() -> Nights:
    """Both nights, made once for all tests that only look."""
    folder = tempfile.mkdtemp(prefix="spgl-inspector-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_nights(Path(folder))


def copy_of(nights: Nights, folder: Path) -> Nights:
    """The nights with a state folder of their own, for tests that act."""
    shutil.copytree(nights.state, folder / "state")
    return replace(nights, state=folder / "state")


def make_nights(folder: Path) -> Nights:
    """Write, check, store and push both nights."""
    exports = {FIRST: folder / "night1", SECOND: folder / "night2"}
    write_export(SEED, exports[FIRST], clean=False, night=1)
    write_export(SEED, exports[SECOND], clean=False, night=2)
    hostile = _poison(exports[FIRST] / "SPGL_XMJBXXB.csv")
    _poison(exports[SECOND] / "SPGL_XMJBXXB.csv")
    for path in [p for e in exports.values() for p in e.rglob("*") if p.is_file()]:
        if any(name in path.name.upper() for name in LEFT_OUT):
            path.unlink()
            continue
        os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    state = folder / "state"
    refused = ""
    for run, export in exports.items():
        checked = checked_run(state, run, export)
        records = [r for r in checked.records() if r.table in PUSHED]
        permits = [r for r in records if r.table == PERMITS and r.standing == "conforming"]
        refused = refused or permits[0].key["SPSXSLBM"]
        _push(state / "ledger.db", checked.packs, records, run, refused)
    return Nights(state, exports, hostile, refused)


def _poison(path: Path) -> str:
    """Give the first project hostile texts and a hostile code; its works code."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    valid = next(r for r in rows if r["SJYXBS"] in ("", "1") and r["SJSCZT"] in ("", "0"))
    for row in rows:
        row["GCHYFL"] = "99"  # an open list: a warning each, which holds nobody back
    valid |= {"XMMC": SCRIPT, "JSDD": IMAGE, "JSGMJNR": TURNED, "XMTZLY": BOLD}
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return valid["GCDM"]


def checked_run(state: Path, run: str, export: Path, *, options: Options | None = None) -> Checked:
    """Check an export and store the run."""
    packs = load_packs()
    found = discover([export], packs, SourceOptions())
    return check(
        packs,
        found.sources,
        options or Options(fingerprint_key=b"k"),
        state / "runs" / run,
        run_id=run,
        now=lambda: NIGHTS[run],
        inputs=[str(export)],
        unknown=[(u.file, u.name) for u in found.unknown],
        problems=found.problems,
    )


def _push(path: Path, packs: Packs, records: list[Record], run: str, refused: str) -> None:
    def refuse(key: Mapping[str, str]) -> str:
        permit = key.get("SPSXSLBM") == refused and len(key) == 3 and "XZQHDM" in key
        return REFUSED_REASON if permit else ""

    ledger = open_ledger(path)
    clock = Time(NIGHTS[run] + timedelta(minutes=5))
    enter(ledger, records, TARGET, run, clock())
    memory = Memory(refuse=refuse)
    done = deliver(ledger, TARGET, memory, packs, run_id=run, world=world(clock))
    asyncio.run(done)
    ledger.close()


def left_alone(made: Nights, *, seconds: float, openings: int, target: str = "national") -> None:
    """A target that has not answered since an hour before the time of the site, with `seconds` left
    until it is asked again."""
    now = site_of(made).now()
    since, until = now - timedelta(hours=1), now + timedelta(seconds=seconds)
    ledger = open_ledger(made.state / "ledger.db")
    with ledger.transaction():
        keep(ledger, target, Open(since, until, openings, "unreachable ConnectionRefusedError"))
    ledger.close()


def site_of(nights: Nights, *, actions: bool = False, personal: bool = False) -> Site:
    """A site over the nights, as `spgl inspect` makes it."""
    settings = load(None, {"state_dir": str(nights.state), "lang": "zh"}, {})
    rights = Rights(actions, personal, "审核员")
    made = make_site(settings, rights, csrf="csrf-token-of-this-test", baseline=None)
    return replace(made, now=lambda: datetime(2026, 3, 3, 9, tzinfo=UTC))


def app_of(site: Site, gate: Gate | None = None, lines: Lines | None = None) -> Application:
    """The application of a site; its log goes to `lines`."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(),
        processors=[lines or Lines()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    return make_app(site, gate or Gate(csrf=site.csrf), log)


Client = TestClient[Request, Application]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks pages one by one; every call runs its own loop."""

    loop: asyncio.AbstractEventLoop
    client: Client

    def get(self, path: str, status: int = 200, **more: Any) -> str:
        """The text of an answer, which must have this status."""
        return self.answer("GET", path, status, **more)[0]

    def answer(
        self, method: str, path: str, status: int, **more: Any
    ) -> tuple[str, Mapping[str, str]]:
        async def ask() -> tuple[str, Mapping[str, str]]:
            response = await self.client.request(method, path, allow_redirects=False, **more)
            body = await response.read()
            assert response.status == status, f"{path}: {response.status} {body[:2000]!r}"
            return body.decode("utf-8", "replace"), response.headers

        return self.loop.run_until_complete(ask())

    def json(self, path: str, **more: Any) -> Any:
        return json.loads(self.get(path, **more))

    def raw(self, path: str) -> bytes:
        async def ask() -> bytes:
            response = await self.client.get(path)
            assert response.status == 200
            return await response.read()

        return self.loop.run_until_complete(ask())


@contextmanager
def visiting(app: Application) -> Iterator[Visitor]:
    loop = asyncio.new_event_loop()
    try:
        client: Client = loop.run_until_complete(_started(app))
        yield Visitor(loop, client)
        loop.run_until_complete(client.close())
    finally:
        loop.close()


async def _started(app: Application) -> Client:
    client = TestClient(TestServer(app), cookie_jar=DummyCookieJar())
    await client.start_server()
    return client
