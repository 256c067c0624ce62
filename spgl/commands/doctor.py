"""`spgl doctor`: every setting with its value and origin, and whether ledger, targets, packs work.

It writes nothing and sends no record; a target is only connected to.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import __version__, checking, routing, targets
from spgl.cli import Call, Exit
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.transports.exchange_columns import Difference


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is fine, and what to do if not."""

    what: Text
    fine: bool
    detail: str = ""


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "--target", metavar="NAME", help=Text("只检查此目标", "check only this target")[lang]
    )


def run(call: Call) -> int:
    print(f"spgl {__version__} · Python {platform.python_version()} · {platform.system()}")
    _settings(call)
    findings = [f for check in (_modules, _packs, _state, _ledger, _targets) for f in check(call)]
    print()
    for finding in findings:
        mark = Text("正常", "ok")[call.lang] if finding.fine else Text("有误", "FAULT")[call.lang]
        detail = f" · {finding.detail}" if finding.detail else ""
        print(f"  [{mark}] {finding.what[call.lang]}{detail}")
    return Exit.FINE if all(f.fine for f in findings) else Exit.UNUSABLE


def _settings(call: Call) -> None:
    settings = call.settings
    print()
    for name, value in settings.values.items():
        print(f"  {name} = {value}  ({settings.origins[name]})")
    for target, values in settings.targets.items():
        for name, value in values.items():
            if value not in (None, "", {}, []):
                print(f"  target.{target}.{name} = {value}")


def _modules(call: Call) -> Iterator[Finding]:
    """Other projects use our module names; a mixture would fail in strange ways later."""
    ours = Path(__file__).parents[2]
    for name in ("standards", "validator", "pusher"):
        found = Path(str(importlib.import_module(name).__file__)).parents[1]
        yield Finding(
            Text(f"模块 {name} 来自本程序", f"module {name} is ours"),
            found == ours,
            "" if found == ours else f"{found}: give spgl an environment of its own",
        )


def _packs(call: Call) -> Iterator[Finding]:
    from validator.pack import PackError

    try:
        packs = checking.packs_of(call)
    except PackError as fault:
        yield Finding(Text("标准包", "packs"), fine=False, detail=str(fault))
        return
    for pack in packs:
        official, fields = pack.official_fields
        yield Finding(
            Text(f"标准包 {pack.name}", f"pack {pack.name}"), fine=True,
            detail=f"{len(pack.tables)} tables, official fields {official} of {fields}",
        )  # fmt: skip


def _state(call: Call) -> Iterator[Finding]:
    folder = call.settings.state_dir
    there = folder if folder.exists() else folder.absolute().parent
    yield Finding(
        Text(f"目录 {folder} 可写", f"folder {folder} is writable"), os.access(there, os.W_OK)
    )


def _ledger(call: Call) -> Iterator[Finding]:
    from pusher.ledger.database import LedgerError

    place = call.settings.ledger
    what = Text(f"台账 {place}", f"ledger {place}")
    if not place.exists():
        yield Finding(what, fine=True, detail="not made yet")
        return
    try:
        ledger = place.open()
    except LedgerError as fault:
        yield Finding(what, fine=False, detail=fault.text[call.lang])
        return
    try:
        ledger.balance()
        yield Finding(what, fine=True, detail=f"{ledger.last_id('version'):,} versions")
    except LedgerError as fault:
        yield Finding(what, fine=False, detail=fault.text[call.lang])
    finally:
        ledger.close()


def _targets(call: Call) -> Iterator[Finding]:
    for name, settings in call.settings.targets.items():
        if call.args.target in (None, name):
            yield from _target(call, name, settings)


def _target(call: Call, name: str, settings: Mapping[str, object]) -> Iterator[Finding]:
    """Reach the target; of an exchange database also compare its real columns with the packs."""
    from pusher.transport import TransportError

    what = Text(f"目标 {name}", f"target {name}")
    try:
        differences, note = asyncio.run(_look(call, name, settings))
    except (TransportError, TimeoutError) as fault:
        yield Finding(what, fine=False, detail=str(fault) or "no answer in 60 s")
        return
    yield Finding(what, fine=True, detail=" · ".join(filter(None, (str(settings["url"]), note))))
    for difference, fine in differences:
        table = Text(f"前置库表 {difference.table}", f"table {difference.table} of {name}")
        yield Finding(table, fine, str(difference))


async def _look(
    call: Call, name: str, settings: Mapping[str, object]
) -> tuple[list[tuple[Difference, bool]], str]:
    """Open the target, write nothing: how the tables of its standards differ, each with whether it
    can be used so, and a note on its kind. Of a table that comes in, columns may be missing."""
    from pusher.transports.dialects import DIALECTS, backend
    from pusher.transports.exchange_db import ExchangeTransport
    from pusher.transports.exchange_inbox import inbound_tables
    from validator.pack import Direction

    packs = routing.route_of(call, name, settings, wait=0.0).packs(checking.packs_of(call))
    transport = targets.transport_of(settings, packs)
    found: list[tuple[Difference, bool]] = []
    note = ""
    try:
        async with asyncio.timeout(60):
            await transport.open()
            if isinstance(transport, ExchangeTransport):
                out = [t for t in packs.tables() if t.direction is Direction.OUT]
                found += [(d, not d.stops) for d in await transport.compare(out)]
                back = await transport.compare(inbound_tables(packs))
                found += [(d, not (d.absent or d.cased)) for d in back]
                kind = DIALECTS[backend(str(settings["url"]))]
                note = "" if kind.tried else _UNTRIED[call.lang]
    finally:
        await transport.close()
    return found, note


_UNTRIED = Text(
    "此类数据库只编译过 SQL，从未在服务器上运行过",
    "for this kind of database the SQL was compiled, never run on a server",
)
