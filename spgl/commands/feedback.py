"""`spgl feedback`: fetch the target's verdicts for delivered records; sends nothing.

What it refused is stored as a run, grouped by reason and held against our own rules. Rows that it
wrote for us are taken over, and become case events with --events.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from spgl import checking, mapping, pushing, refusals, routing, serving, targets
from spgl.cli import Call, Exit, gravest
from spgl.config import ConfigError
from spgl.routing import Route
from spgl.serving import Served
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.feedback import Feedback
    from pusher.inbound import Inbound
    from pusher.ledger.core import Ledger
    from pusher.target import Target
    from validator.pack import Packs


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
    parser.add_argument(
        "--events",
        type=Path,
        metavar="DIR",
        help=Text(
            "把取回的审批过程写成办理环节（CSV），供下次 validate、push 读入",
            "write the process rows that came in as case events (CSV) for the next run to read",
        )[lang],
    )


def run(call: Call) -> int:
    """Ask each target in turn."""
    packs = checking.packs_of(call)
    routes = routing.routes_of(call, packs, wait=0.0)
    if call.args.propose and routes.several:
        raise ConfigError(_ONE[call.lang])
    with pushing.open_ledger(call, must_exist=True) as ledger:

        def serve(route: Route) -> Served:
            return Served(_one(call, ledger, route, packs, several=routes.several))

        return serving.each(call, routes, serve, sends=False)


def _one(call: Call, ledger: Ledger, route: Route, packs: Packs, *, several: bool) -> int:
    """What one target has to say: verdicts, then the rows it wrote for us."""
    from pusher.ledger.lock import run_lock

    target, own = route.target, route.packs(packs)
    _, settings = call.settings.target(target.name)
    with run_lock(ledger, target):
        began = datetime.now().astimezone()
        back, came = asyncio.run(_fetch(call, ledger, target, own))
        print(_TOLD.fill({n: f"{getattr(back.applied, n):,}" for n in _COUNTS})[call.lang])
        run_id = f"{began:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        named = f"{run_id}-{target.name}" if several else run_id
        refusals.show(call, ledger, target, own, named, began)
        if call.args.propose:
            _propose(call, ledger, target.name)
        if came is not None:
            print("\n".join(pushing.tell_inbound(came, call.lang)))
            if call.args.events:
                _write_events(call, ledger, target.name, settings, packs)
    if back.fault is not None:
        print(_CUT.fill({"fault": back.fault})[call.lang])
        return Exit.INCOMPLETE
    refused = Exit.REFUSED if back.applied.rejected else Exit.FINE
    return gravest(refused, Exit.FINE if came is None else pushing.inbound_code(came))


async def _fetch(
    call: Call, ledger: Ledger, target: Target, packs: Packs
) -> tuple[Feedback, Inbound | None]:
    from pusher.feedback import collect
    from pusher.inbound import receive
    from pusher.order import sending_order

    _, settings = call.settings.target(target.name)
    transport = targets.transport_of(settings, packs)
    inbox = targets.inbox_of(settings, packs)
    world = pushing.world(call)
    try:
        back = await collect(ledger, target, transport, sending_order(packs), world)
    finally:
        await transport.close()
    return back, None if inbox is None else await receive(ledger, target, inbox, world)


def _write_events(
    call: Call, ledger: Ledger, target: str, settings: Mapping[str, object], packs: Packs
) -> None:
    """Raises ConfigError."""
    from spgl import case_events

    columns = cast("Mapping[str, str]", settings["event_columns"])
    site = case_events.Site(str(settings["city_prefix"] or "").rstrip("_"), columns)
    now = datetime.now().astimezone()
    done = case_events.write(ledger, target, packs, site, call.args.events, now, call.lang)
    print("\n".join(case_events.tell(done, call.lang)))


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


_ONE = Text(
    "--propose 一次只写一个目标的对应表；请用 --target 指定",
    "--propose writes the file of one target; name it with --target",
)
_COUNTS = ("accepted", "rejected", "unknown", "released")
_TOLD = Text(
    "取回结论：接收 {accepted}，退回 {rejected}，对不上的 {unknown}，解除等待 {released}",
    "verdicts: {accepted} accepted, {rejected} refused, {unknown} fit nothing, "
    "{released} children released",
)
_CUT = Text("取回未完，下次继续：{fault}", "cut short, the next call goes on: {fault}")
