"""`spgl ledger list | show | explain | adopt`; its other actions are `ledger_act`, `ledger_export`
and `ledger_verify`."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from spgl import came_back, checking, pushing, routing, selecting, serving
from spgl.cli import Call, Exit
from spgl.commands import ledger_act, ledger_export, ledger_verify
from spgl.config import ConfigError
from spgl.routing import Route
from spgl.serving import Served
from validator.text import Lang, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pusher.ledger.core import Ledger
    from pusher.ledger.inbound import Entry as Inbound
    from pusher.ledger.queries import Life


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help=Text("按条件列出", "list by selector")[lang])
    listing.add_argument("--limit", type=int, default=100, metavar="N")
    selecting.add(listing, lang)
    _of_one(actions, "show", Text("一条记录的全过程", "one record's whole life")[lang])
    reason = Text("一条记录为何还未到达目标", "why a record is not at the target yet")
    _of_one(actions, "explain", reason[lang])
    _add_adopt(actions, lang)
    ledger_verify.add(actions, lang)
    ledger_act.add(actions, lang)
    ledger_export.add(actions, lang)


def _of_one(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, title: str
) -> None:
    action = actions.add_parser(name, help=title)
    action.add_argument("key", nargs="+", metavar="FIELD=VALUE")
    action.add_argument("--table", metavar="TABLE")
    action.add_argument("--target", metavar="NAME")


def _add_adopt(actions: argparse._SubParsersAction[argparse.ArgumentParser], lang: Lang) -> None:
    adopt = actions.add_parser(
        "adopt",
        help=Text(
            "首次使用：登记国家系统已有的记录（SJSCZT 为 1 或 3），不投送",
            "first use: note what stands at the target already (SJSCZT 1 or 3), unsent",
        )[lang],
    )
    adopt.add_argument("paths", nargs="+", type=checking.path_or_address, metavar="PATH")
    adopt.add_argument("--target", metavar="NAME")
    checking.add(adopt, lang)


def run(call: Call) -> int:
    if call.args.action == "adopt":
        return _adopt(call)
    with pushing.open_ledger(call, must_exist=True) as ledger:
        if call.args.action == "show":
            return _show(call, ledger)
        if call.args.action == "explain":
            return _explain(call, ledger)
        if call.args.action == "list":
            return _list(call, ledger)
        if call.args.action == "verify":
            return ledger_verify.run(call, ledger)
        if call.args.action == "export":
            return ledger_export.run(call, ledger)
        return ledger_act.run(call, ledger)


def _adopt(call: Call) -> int:
    """Each target is told what of the export is its own."""
    from pusher.ledger import adopt

    routes = routing.routes_of(call, checking.packs_of(call), wait=0.0)
    with (
        pushing.open_ledger(call) as ledger,
        checking.check_paths(call, call.args.paths, known={}, keep=False) as made,
    ):

        def serve(route: Route) -> Served:
            every = route.records(made.checked, None)
            records = (r for r in every if pushing.at_target(made.packs, r))
            now = datetime.now().astimezone()
            done = adopt(ledger, records, route.target, made.run_id, now)
            counts = {n: f"{getattr(done, n):,}" for n in ("adopted", "known", "skipped")}
            print(_ADOPTED.fill(counts)[call.lang])
            return Served(Exit.FINE)

        return serving.each(call, routes, serve)


_ADOPTED = Text(
    "登记 {adopted} 条为已接收；台账已有 {known} 条，跳过 {skipped} 条",
    "{adopted} records noted as accepted; {known} were known, {skipped} skipped",
)


def _list(call: Call, ledger: Ledger) -> int:
    from pusher.ledger.queries import list_rows

    rows = list_rows(ledger, selecting.selected(call, ledger), limit=call.args.limit)
    for entry in rows:
        print(selecting.entry_line(entry, call.lang))
    if not rows:
        print(Text("没有符合条件的记录", "nothing matches")[call.lang])
    elif len(rows) == call.args.limit:
        print(
            Text("已到 --limit，可能还有更多", "stopped at --limit; there may be more")[call.lang]
        )
    return Exit.FINE


def _show(call: Call, ledger: Ledger) -> int:
    from pusher.ledger.queries import life

    key, found, came = _named(call, ledger)
    for target, table in found:
        told = life(ledger, target, table, key)
        if told is not None:
            print("\n".join(_life_lines(told, call.lang)))
    _show_inbound(call, came)
    return Exit.FINE


def _explain(call: Call, ledger: Ledger) -> int:
    from pusher.ledger.why import why
    from spgl.commands.ledger_explain import explained

    now = datetime.now().astimezone()
    key, found, came = _named(call, ledger)
    for target, table in found:
        because = why(ledger, target, table, key)
        if because is not None:
            print("\n".join(explained(because, now, call.lang)))
    _show_inbound(call, came)
    return Exit.FINE


def _show_inbound(call: Call, came: Sequence[Inbound]) -> None:
    """What targets wrote back on the case."""
    if came:
        print("\n".join(came_back.lines(came, checking.packs_of(call), call.lang)))


def _named(
    call: Call, ledger: Ledger
) -> tuple[Mapping[str, str], list[tuple[str, str]], Sequence[Inbound]]:
    """The key on the command line, each (target, table) that has it, and what came in for the case
    it names. Raises ConfigError where there is neither."""
    from pusher.ledger.queries import list_rows
    from pusher.ledger.selector import Selector

    key = selecting.key(call.args.key, call.lang)
    selector = Selector(target=call.args.target, table=call.args.table, key=key)
    found = dict.fromkeys((e.target, e.table) for e in list_rows(ledger, selector, limit=1000))
    came = came_back.of_key(ledger, call.args.target, key)
    if not found and not came:
        raise ConfigError(
            Text(
                f"台账中没有 {' '.join(call.args.key)}；请核对字段与值（主键须写全）",
                f"the ledger knows no {' '.join(call.args.key)}; give the whole natural key",
            )[call.lang]
        )
    return key, list(found), came


def _life_lines(told: Life, lang: Lang) -> list[str]:
    from pusher.notes import in_words

    key = " ".join(f"{k}={v}" for k, v in told.key.items())
    lines = [f"{told.target} · {told.table} · {key}"]
    for line in told.timeline:
        at = line.at.astimezone().isoformat(sep=" ", timespec="milliseconds")[:23]
        what = selecting.what(line.what, lang)
        said = in_words(line.detail)[lang]
        lines.append(f"  {at}  v{line.sequence} {line.operation:<10} {what}  {said}".rstrip())
    for version in told.versions:
        entry = version.entry
        state = selecting.what(entry.state, lang)
        lsh, note = entry.lsh and f"LSH={entry.lsh}", in_words(entry.note)[lang]
        lines.append(f"  → v{entry.sequence} {state} {lsh} {note}")
        lines += [f"      {Text('等待', 'waits for')[lang]} {link}" for link in version.waits_for]
    return lines
