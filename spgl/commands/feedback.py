"""`spgl feedback`: fetch the target's verdicts for delivered records; sends nothing.

What it refused is stored as a run, grouped by reason and held against our own rules.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import checking, mapping, pushing, refusals, targets
from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "--target", metavar="NAME", help=Text("目标名称", "name of the target")[lang]
    )
    parser.add_argument(
        "--propose",
        type=Path,
        metavar="FILE",
        help=Text(
            "把尚无对应规则的退回原因写成对应表（CSV），供填写",
            "write the reasons no rule is tied to as a mapping file to be filled in (CSV)",
        )[lang],
    )


def run(call: Call) -> int:
    from pusher.feedback import Feedback, collect
    from pusher.ledger.lock import run_lock
    from pusher.order import sending_order

    packs = checking.packs_of(call)
    target = pushing.target_of(call, wait=0.0)
    transport = targets.transport_of(call.settings.target(target.name)[1], packs)

    async def fetch() -> Feedback:
        try:
            return await collect(
                ledger, target, transport, sending_order(packs), pushing.world(call)
            )
        finally:
            await transport.close()

    with pushing.open_ledger(call, must_exist=True) as ledger, run_lock(ledger, target):
        began = datetime.now().astimezone()
        back = asyncio.run(fetch())
        print(_TOLD.fill({n: f"{getattr(back.applied, n):,}" for n in _COUNTS})[call.lang])
        run_id = f"{began:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        refusals.show(call, ledger, target, packs, run_id, began)
        if call.args.propose:
            _propose(call, ledger, target.name)
    if back.fault is not None:
        print(_CUT.fill({"fault": back.fault})[call.lang])
        return Exit.INCOMPLETE
    return Exit.REFUSED if back.applied.rejected else Exit.FINE


def _propose(call: Call, ledger: Ledger, target: str) -> None:
    """Raises ConfigError where the file cannot be written."""
    from pusher.ledger.refusals import reasons
    from pusher.reasons import grouped

    known = refusals.mapping_of(call)
    groups = [
        g for g in grouped(reasons(ledger, target)) if known.rule(g.example) is mapping.UNKNOWN
    ]
    try:
        call.args.propose.write_text(mapping.proposal(groups), encoding="utf-8-sig")
    except OSError as fault:
        raise ConfigError(f"--propose {call.args.propose}: {fault.strerror}") from fault


_COUNTS = ("accepted", "rejected", "unknown", "released")
_TOLD = Text(
    "取回结论：接收 {accepted}，退回 {rejected}，对不上的 {unknown}，解除等待 {released}",
    "verdicts: {accepted} accepted, {rejected} refused, {unknown} fit nothing, "
    "{released} children released",
)
_CUT = Text("取回未完，下次继续：{fault}", "cut short, the next call goes on: {fault}")
