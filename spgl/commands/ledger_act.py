"""`spgl ledger retry | withdraw | hold`: shown first, by groups; done with --yes, or after a person
has typed how many. Originals stay: every act is an event in the life of a version."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from spgl import selecting
from spgl.cli import Call, Exit
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.actions import Act
    from pusher.ledger.core import Ledger
    from pusher.ledger.queries import Entry

#: Versions of one group that are shown.
_SAMPLE = 3
_ACTS = {
    "retry": Text(
        "重新投送被退回、已放弃、暂停的记录", "send refused, given-up and held ones again"
    ),
    "withdraw": Text("撤回，不再投送", "never send these"),
    "hold": Text("暂停投送，直到 retry", "keep back until retried"),
}


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser], lang: Lang) -> None:
    for name, title in _ACTS.items():
        act = actions.add_parser(name, help=title[lang])
        selecting.add(act, lang)
        act.add_argument(
            "--yes",
            action="store_true",
            help=Text(
                "确认执行；不加只列出将处理的记录，终端上可输入数量确认",
                "do it; without it only show what it would touch (a terminal asks)",
            )[lang],
        )


def run(call: Call, ledger: Ledger) -> int:
    from pusher.ledger import actions

    selector = selecting.selected(call, ledger)
    if not call.args.yes:
        meant = actions.chosen(ledger, selector, call.args.action)
        print("\n".join(_preview(meant, call.lang)))
        if not meant or not _confirmed(len(meant), call.lang):
            return Exit.FINE
    act = getattr(actions, call.args.action)
    done: Act = act(ledger, selector, getpass.getuser(), datetime.now().astimezone())
    print(_DONE.fill({"n": f"{len(done.moved):,}"})[call.lang])
    for entry, why in done.left:
        print(f"  {selecting.entry_line(entry, call.lang)}  ({why[call.lang]})")
    return Exit.FINE


def _preview(meant: Sequence[Entry], lang: Lang) -> Iterator[str]:
    """Groups of target, table, state and reason, the largest first, each with a sample."""
    from pusher.reasons import pattern_of

    if not meant:
        yield _NONE[lang]
        return
    groups: dict[tuple[str, str, str, str], list[Entry]] = {}
    for entry in meant:
        reason = pattern_of(entry.note) if entry.note else ""
        group = entry.target, entry.table, selecting.what(entry.state, lang), reason
        groups.setdefault(group, []).append(entry)
    for group, entries in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])):
        yield f"{len(entries):>9,}  " + "  ".join(part for part in group if part)
        for entry in entries[:_SAMPLE]:
            yield "           " + selecting.entry_line(entry, lang)
        if len(entries) > _SAMPLE:
            yield "           …"
    yield _MATCH.fill({"n": f"{len(meant):,}"})[lang]


def _confirmed(count: int, lang: Lang) -> bool:
    """On a terminal: whether the person types the count. Elsewhere --yes is named."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(_ADD_YES[lang])
        return False
    try:
        typed = input(_TYPE.fill({"n": count})[lang])
    except EOFError:
        typed = ""
    if typed.strip() == str(count):
        return True
    print(_NOTHING[lang])
    return False


_NONE = Text("没有符合条件的记录", "nothing matches")
_MATCH = Text("以上共 {n} 个版本符合条件", "{n} versions match")
_ADD_YES = Text("加 --yes 执行", "add --yes to do it")
_TYPE = Text("输入数量 {n} 确认执行：", "type {n} to do it: ")
_NOTHING = Text("未执行", "nothing was done")
_DONE = Text("已处理 {n} 个版本", "{n} versions done")
