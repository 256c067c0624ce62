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

from spgl import __version__, checking, targets
from spgl.cli import Call, Exit
from validator.text import Lang, Text


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
    from pusher.ledger import open_ledger
    from pusher.ledger.database import LedgerError

    path = call.settings.ledger_path
    what = Text(f"台账 {path}", f"ledger {path}")
    if not path.exists():
        yield Finding(what, fine=True, detail="not made yet")
        return
    try:
        ledger = open_ledger(path)
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
            yield _target(call, name, settings)


def _target(call: Call, name: str, settings: Mapping[str, object]) -> Finding:
    from pusher.transport import TransportError

    what = Text(f"目标 {name}", f"target {name}")

    async def connect() -> None:
        transport = targets.transport_of(settings, checking.packs_of(call))
        try:
            async with asyncio.timeout(15):
                await transport.open()
        finally:
            await transport.close()

    try:
        asyncio.run(connect())
    except (TransportError, TimeoutError) as fault:
        return Finding(what, fine=False, detail=str(fault) or "no answer in 15 s")
    return Finding(what, fine=True, detail=str(settings["url"]))
