"""`spgl feedback`: fetch the target's verdicts for delivered records; sends nothing."""

from __future__ import annotations

import argparse
import asyncio

from spgl import checking, pushing, targets
from spgl.cli import Call, Exit
from validator.text import Lang, Text


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "--target", metavar="NAME", help=Text("目标名称", "name of the target")[lang]
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
        back = asyncio.run(fetch())
    print(_TOLD.fill({n: f"{getattr(back.applied, n):,}" for n in _COUNTS})[call.lang])
    if back.fault is not None:
        print(_CUT.fill({"fault": back.fault})[call.lang])
        return Exit.INCOMPLETE
    return Exit.REFUSED if back.applied.rejected else Exit.FINE


_COUNTS = ("accepted", "rejected", "unknown", "released")
_TOLD = Text(
    "取回结论：接收 {accepted}，退回 {rejected}，对不上的 {unknown}，解除等待 {released}",
    "verdicts: {accepted} accepted, {rejected} refused, {unknown} fit nothing, "
    "{released} children released",
)
_CUT = Text("取回未完，下次继续：{fault}", "cut short, the next call goes on: {fault}")
