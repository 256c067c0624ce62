"""`spgl ledger list | show | explain | retry | withdraw | hold | adopt`: read and act on it."""

from __future__ import annotations

import argparse
import getpass
from datetime import datetime
from typing import TYPE_CHECKING

from spgl import came_back, checking, pushing, routing, serving
from spgl.cli import Call, Exit
from spgl.commands import ledger_verify
from spgl.config import ConfigError
from spgl.routing import Route
from spgl.serving import Served
from validator.text import Lang, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pusher.ledger.actions import Act
    from pusher.ledger.core import Ledger
    from pusher.ledger.inbound import Entry as Inbound
    from pusher.ledger.queries import Entry, Life, Selector

_ACTS = {
    "retry": Text(
        "重新投送被退回、已放弃、暂停的记录", "send refused, given-up and held ones again"
    ),
    "withdraw": Text("撤回，不再投送", "never send these"),
    "hold": Text("暂停投送，直到 retry", "keep back until retried"),
}


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help=Text("按条件列出", "list by selector")[lang])
    listing.add_argument("--limit", type=int, default=100, metavar="N")
    _selector(listing, lang)
    _of_one(actions, "show", Text("一条记录的全过程", "one record's whole life")[lang])
    reason = Text("一条记录为何还未到达目标", "why a record is not at the target yet")
    _of_one(actions, "explain", reason[lang])
    _add_adopt(actions, lang)
    ledger_verify.add(actions, lang)
    for name, title in _ACTS.items():
        act = actions.add_parser(name, help=title[lang])
        _selector(act, lang)
        act.add_argument(
            "--yes",
            action="store_true",
            help=Text(
                "确认执行；不加只列出将处理的记录",
                "do it; without it only show what it would touch",
            )[lang],
        )


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


def _selector(parser: argparse.ArgumentParser, lang: Lang) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    parser.add_argument("--target", metavar="NAME", help=say("目标", "target"))
    parser.add_argument("--table", metavar="TABLE", help=say("表", "table"))
    parser.add_argument(
        "--state", action="append", metavar="STATE", help=say("状态，可重复", "state; repeatable")
    )
    parser.add_argument("--run", metavar="ID", help=say("进入台账的运行", "run that entered it"))
    parser.add_argument(
        "--reason", metavar="TEXT", help=say("原因中包含", "part of the reason or rule name")
    )
    parser.add_argument(
        "--key", action="append", metavar="FIELD=VALUE", help=say("主键", "natural key")
    )


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
        return _act(call, ledger)


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

    rows = list_rows(ledger, _selected(call), limit=call.args.limit)
    for entry in rows:
        print(_entry_line(entry, call.lang))
    if not rows:
        print(Text("没有符合条件的记录", "nothing matches")[call.lang])
    elif len(rows) == call.args.limit:
        print(
            Text("已到 --limit，可能还有更多", "stopped at --limit; there may be more")[call.lang]
        )
    return Exit.FINE


def _act(call: Call, ledger: Ledger) -> int:
    """What `retry`, `withdraw` or `hold` would touch is shown first; --yes does it."""
    from pusher.ledger import actions
    from pusher.ledger.queries import list_rows

    selector = _selected(call)
    if not call.args.yes:
        for entry in list_rows(ledger, selector, limit=100):
            print(_entry_line(entry, call.lang))
        print(
            Text("以上为符合条件的记录；加 --yes 执行", "these match; add --yes to do it")[
                call.lang
            ]
        )
        return Exit.FINE
    act = getattr(actions, call.args.action)
    done: Act = act(ledger, selector, getpass.getuser(), datetime.now().astimezone())
    print(
        Text(f"已处理 {len(done.moved):,} 个版本", f"{len(done.moved):,} versions done")[call.lang]
    )
    for entry, why in done.left:
        print(f"  {_entry_line(entry, call.lang)}  ({why})")
    return Exit.FINE


def _selected(call: Call) -> Selector:
    from pusher.ledger.queries import Selector
    from pusher.states import State

    args = call.args
    states = []
    for word in args.state or ():
        if word not in list(State):
            known = ", ".join(State)
            raise ConfigError(f"--state {word}: " + _STATES.fill({"known": known})[call.lang])
        states.append(State(word))
    return Selector(
        target=args.target,
        table=args.table,
        states=tuple(states),
        run=args.run,
        reason=args.reason,
        key=_key(args.key, call.lang) if args.key else None,
    )


_STATES = Text("没有这个状态；可用：{known}", "no such state; known: {known}")


def _key(words: list[str], lang: Lang) -> Mapping[str, str]:
    """`FIELD=VALUE` words as a key. Raises ConfigError."""
    pairs = [word.partition("=") for word in words]
    if any(not sign or not value for _, sign, value in pairs):
        raise ConfigError(Text("主键写作 字段=值", "write a key as FIELD=VALUE")[lang])
    return {name.upper(): value for name, _, value in pairs}


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
    from pusher.ledger.queries import Selector, list_rows

    key = _key(call.args.key, call.lang)
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
    key = " ".join(f"{k}={v}" for k, v in told.key.items())
    lines = [f"{told.target} · {told.table} · {key}"]
    for line in told.timeline:
        at = line.at.astimezone().isoformat(sep=" ", timespec="milliseconds")[:23]
        what = _what(line.what, lang)
        lines.append(
            f"  {at}  v{line.sequence} {line.operation:<10} {what}  {line.detail}".rstrip()
        )
    for version in told.versions:
        entry = version.entry
        state = _what(entry.state, lang)
        lines.append(
            f"  → v{entry.sequence} {state} {entry.lsh and f'LSH={entry.lsh}'} {entry.note}"
        )
        lines += [f"      {Text('等待', 'waits for')[lang]} {link}" for link in version.waits_for]
    return lines


def _what(word: str, lang: Lang) -> str:
    from pusher.states import TITLES, State

    if word in list(State):
        return TITLES[State(word)][lang]
    names = {"entered": Text("进入台账", "entered"), "attempt": Text("投送", "attempt")}
    return names[word][lang] if word in names else word


def _entry_line(entry: Entry, lang: Lang) -> str:
    key = " ".join(f"{k}={v}" for k, v in entry.key.items())
    table = entry.table.partition("/")[2]
    note = f"  {entry.note}" if entry.note else ""
    return f"{entry.target}  {table}  {key}  v{entry.sequence} {_what(entry.state, lang)}{note}"
