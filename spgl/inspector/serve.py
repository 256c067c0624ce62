"""Starting the inspector: settings → site, and the server on its address until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from spgl.config import Settings
from spgl.inspector.index import Indexes
from spgl.inspector.runs import Runs
from spgl.inspector.security import Gate
from spgl.inspector.server import make_app
from spgl.inspector.site import Refusal, Rights, Site
from spgl.inspector.snapshot import Snapshots
from validator.load import load_packs
from validator.reports.titles import titles
from validator.sources import SourceOptions


def make_site(
    settings: Settings, rights: Rights, *, csrf: str = "", baseline: Path | None = None
) -> Site:
    """The site of a state folder. Raises PackError."""
    packs = load_packs(settings.texts("packs.use"))
    state_dir = settings.state_dir
    runs = Runs(state_dir)
    names = {k: v.replace("/", ":") for k, v in settings.mapping("tables.names").items()}
    prefixes, suffixes = settings.texts("tables.prefixes"), settings.texts("tables.suffixes")
    reading = SourceOptions(tables=names, prefixes=prefixes, suffixes=suffixes)
    return Site(
        packs=packs,
        names=titles(packs),
        runs=runs,
        indexes=Indexes(state_dir, runs, packs, personal=rights.personal),
        snapshots=Snapshots(state_dir, runs, packs, reading),
        ledger=settings.ledger,
        baseline_path=baseline or state_dir / "baseline.json",
        reading=reading,
        rights=rights,
        lang=settings.lang,
        now=lambda: datetime.now().astimezone(),
        csrf=csrf,
    )


def _ahead(site: Site) -> None:
    """Open what the first page asks for, so that the first visitor need not wait."""
    with suppress(Refusal):
        run = site.runs.open("").run
        site.snapshots.ready(run.id)
        site.indexes.new(run.id, site.runs.before(run))


async def serve(
    site: Site,
    gate: Gate,
    log: FilteringBoundLogger,
    host: str,
    port: int,
    announce: Callable[[str], None],
) -> None:
    """Answer until SIGINT or SIGTERM. Raises OSError where the address cannot be used."""
    runner = web.AppRunner(make_app(site, gate, log), access_log=None)
    await runner.setup()
    try:
        place = web.TCPSite(runner, host, port)
        await place.start()
        shown = f"[{host}]" if ":" in host else host
        announce(f"http://{shown}:{runner.addresses[0][1]}/")
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: Ctrl-C ends the loop itself
                loop.add_signal_handler(sign, stop.set)
        await asyncio.to_thread(_ahead, site)
        await stop.wait()
    finally:
        await runner.cleanup()
