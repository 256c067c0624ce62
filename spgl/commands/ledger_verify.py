"""`spgl ledger verify`: what stands at a target against what it took over. Reads only.

It holds the lock of a push, so that nothing moves while it compares.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from spgl import checking, narrowing, routing, serving, targets
from spgl.cli import Call, Exit
from spgl.keys import key_text, shown_key
from spgl.routing import Route
from spgl.serving import Served
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.transport import Readable, TransportError
    from pusher.verify import Compared
    from validator.pack import Packs

#: Differences of one table that a screen shows; `--format json` has up to a thousand.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Told:
    """One target compared, or the fault that kept it from being compared."""

    target: str
    compared: tuple[Compared, ...] = ()
    fault: TransportError | None = None

    @property
    def code(self) -> int:
        from pusher.transport import Failure

        if self.fault is not None:
            wrong = self.fault.failure is Failure.CONFIGURATION
            return Exit.UNUSABLE if wrong else Exit.INCOMPLETE
        return Exit.REFUSED if any(one.drifted for one in self.compared) else Exit.FINE


def add(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], lang: Lang
) -> argparse.ArgumentParser:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    title = say(
        "核对目标现有内容与已接收内容是否一致（只读）",
        "compare what stands at the target with what it accepted; reads only",
    )
    parser = actions.add_parser("verify", help=title, description=title)
    parser.add_argument("--target", metavar="NAME", help=say("目标", "target"))
    parser.add_argument(
        "--tables", metavar="A,B", help=say("只核对这些表", "only these tables, comma-separated")
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--show-personal",
        action="store_true",
        help=say("不遮盖主键中的个人信息", "do not mask personal parts of keys"),
    )
    return parser


def run(call: Call, ledger: Ledger) -> int:
    """0 nothing drifted, 3 something did, 2 a target cannot be asked, 75 it does not answer."""
    packs = checking.packs_of(call)
    chosen = narrowing.chosen_tables(call, packs, call.args.tables)
    routes = routing.routes_of(call, packs, wait=0.0)
    if call.args.format == "json":
        told = [_verify(call, ledger, route, packs, chosen) for route in routes]
        sys.stdout.write(_json(told, packs, personal=call.args.show_personal))
        return max((one.code for one in told), key=_RANK.index, default=int(Exit.FINE))

    def serve(route: Route) -> Served:
        told = _verify(call, ledger, route, packs, chosen)
        print("\n".join(_lines(told, packs, call)))
        return Served(told.code)

    return serving.each(call, routes, serve, sends=False)


#: The gravest last.
_RANK = (int(Exit.FINE), int(Exit.REFUSED), int(Exit.INCOMPLETE), int(Exit.UNUSABLE))


def _verify(
    call: Call, ledger: Ledger, route: Route, packs: Packs, chosen: frozenset[str] | None
) -> _Told:
    from pusher.ledger.lock import run_lock
    from pusher.ledger.standing import tables
    from pusher.transport import TransportError
    from pusher.verify import verify

    own = route.packs(packs)
    known = {t.qualified for t in own.tables()}
    names = [
        name
        for name in tables(ledger, route.target.name)
        if name in known and (chosen is None or name in chosen)
    ]
    _, settings = call.settings.target(route.target.name)
    transport = targets.transport_of(settings, own)

    async def compared() -> tuple[Compared, ...]:
        try:
            read = cast("Readable", transport)
            return await verify(ledger, route.target, read, names, _progress(call))
        finally:
            await transport.close()

    with run_lock(ledger, route.target):
        try:
            return _Told(route.target.name, asyncio.run(compared()))
        except TransportError as fault:
            return _Told(route.target.name, fault=fault)


def _progress(call: Call) -> Callable[[str, int], None]:
    """A live line on a terminal."""
    live = sys.stderr.isatty() and not call.args.quiet
    last = [time.monotonic()]

    def on(table: str, checked: int) -> None:
        if live and time.monotonic() - last[0] > 0.2:
            last[0] = time.monotonic()
            words = {"table": table, "checked": f"{checked:,}"}
            sys.stderr.write("\r\x1b[2K" + _CHECKING.fill(words)[call.lang][:100] + "\r")
            sys.stderr.flush()

    return on


def _lines(told: _Told, packs: Packs, call: Call) -> Iterator[str]:
    from pusher.drift import TITLES
    from pusher.verify import totals

    if told.fault is not None:
        text = _NO_LOOK_UP if told.fault.code == "no look-up" else _FAILED
        yield text.fill({"name": told.target, "fault": told.fault})[call.lang]
        return
    for one in told.compared:
        yield _TABLE.fill(_counts(one))[call.lang]
        if one.drifted:
            yield "  " + ", ".join(f"{TITLES[d][call.lang]} {n:,}" for d, n in one.counts.items())
        for found in one.listed[:_SHOWN]:
            key = shown_key(packs, one.table, found.key, personal=call.args.show_personal)
            names = f" ({', '.join(found.fields)})" if found.fields else ""
            lsh = f"  LSH={found.lsh}" if found.lsh else ""
            yield f"  - {TITLES[found.drift][call.lang]}  {key_text(key)}{names}{lsh}"
        more = sum(one.counts.values()) - len(one.listed[:_SHOWN])
        if more:
            yield "  " + _MORE.fill({"n": f"{more:,}"})[call.lang]
    checked = sum(one.checked for one in told.compared)
    total = sum(totals(told.compared).values())
    words = {"name": told.target, "checked": f"{checked:,}", "n": f"{total:,}"}
    yield (_DRIFT if total else _SAME).fill(words)[call.lang]


def _counts(one: Compared) -> dict[str, object]:
    names = ("checked", "untold", "moving")
    return {"table": one.table, **{n: f"{getattr(one, n):,}" for n in names}}


def _json(told: Sequence[_Told], packs: Packs, *, personal: bool) -> str:
    shown = {
        "schema_version": 1,
        "targets": [
            {
                "target": one.target,
                "fault": None if one.fault is None else one.fault.code,
                "tables": [_table(c, packs, personal=personal) for c in one.compared],
            }
            for one in told
        ],
    }
    return json.dumps(shown, ensure_ascii=False, indent=2) + "\n"


def _table(one: Compared, packs: Packs, *, personal: bool) -> dict[str, object]:
    return {
        "table": one.table,
        "checked": one.checked,
        "untold": one.untold,
        "moving": one.moving,
        "counts": {str(drift): n for drift, n in one.counts.items()},
        "differences": [
            {
                "drift": str(found.drift),
                "key": dict(shown_key(packs, one.table, found.key, personal=personal)),
                "fields": list(found.fields),
                "lsh": found.lsh,
            }
            for found in one.listed
        ],
    }


_CHECKING = Text("核对 {table} · {checked} 条", "comparing {table} · {checked} records")
_TABLE = Text(
    "{table}：核对 {checked} 条（其中 {untold} 条内容已过保留期，只核对有无），"
    "在途或被退回未核对 {moving} 条",
    "{table}: {checked} records compared ({untold} by presence only, their content is past its "
    "keeping time), {moving} left out as on their way or refused",
)
_MORE = Text("另有 {n} 处", "and {n} more")
_SAME = Text(
    "目标 {name}：核对 {checked} 条，一致", "target {name}: {checked} records compared, no drift"
)
_DRIFT = Text(
    "目标 {name}：核对 {checked} 条，{n} 处不一致。先查明是谁改动了目标，再决定重送（spgl ledger "
    "retry）或请对方恢复",
    "target {name}: {checked} records compared, {n} differences; find out who changed the target "
    "before sending anything again",
)
_NO_LOOK_UP = Text(
    "目标 {name} 无法核对：它不提供按主键查询（{fault}）",
    "target {name} cannot be verified: it answers no look-up by key ({fault})",
)
_FAILED = Text("目标 {name} 核对未完：{fault}", "verifying target {name} was cut short: {fault}")
