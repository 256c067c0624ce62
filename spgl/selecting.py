"""Which versions of the ledger are meant: the selectors that `spgl ledger list`, `export` and the
acts share, and how a version is told in one line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spgl import refusals
from spgl.cli import Call
from spgl.config import ConfigError
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.ledger.queries import Entry
    from pusher.ledger.selector import Selector

#: Fields by which records name the project or case they belong to, and links followed from there.
_PROJECT = ("XMDM", "GCDM")
_CASE = "SPSXSLBM"
_ROUNDS = 3
#: Different reasons that one `--rule` may stand for: more than a database takes as parameters.
_REASONS = 10_000


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    parser.add_argument("--target", metavar="NAME", help=say("目标", "target"))
    parser.add_argument("--table", metavar="TABLE", help=say("表", "table"))
    parser.add_argument(
        "--state", action="append", metavar="STATE", help=say("状态，可重复", "state; repeatable")
    )
    parser.add_argument("--run", metavar="ID", help=say("进入台账的运行", "run that entered it"))
    parser.add_argument(
        "--project",
        metavar="CODE",
        help=say(
            "项目代码或工程代码（XMDM、GCDM），连同其办件与办理环节",
            "project or works code (XMDM, GCDM), with its cases and their events",
        ),
    )
    parser.add_argument(
        "--rule",
        metavar="NAME",
        help=say(
            "因此规则未放行，或退回原因对应此规则（feedback.mapping）",
            "held by the gate for this rule, or refused for a reason tied to it (feedback.mapping)",
        ),
    )
    parser.add_argument(
        "--reason", metavar="TEXT", help=say("原因中包含", "part of the reason or rule name")
    )
    parser.add_argument("--division", metavar="CODE", help=say("行政区划", "division"))
    parser.add_argument(
        "--key", action="append", metavar="FIELD=VALUE", help=say("主键", "natural key")
    )


def selected(call: Call, ledger: Ledger) -> Selector:
    """The selector of the options. Raises ConfigError for a word that means nothing."""
    from dataclasses import replace

    from pusher.ledger.selector import Selector
    from pusher.states import State

    args = call.args
    states = []
    for word in args.state or ():
        if word not in list(State):
            known = ", ".join(State)
            raise ConfigError(f"--state {word}: " + _STATES.fill({"known": known})[call.lang])
        states.append(State(word))
    made = Selector(
        target=args.target,
        table=args.table,
        states=tuple(states),
        run=args.run,
        reason=args.reason,
        division=args.division,
        key=key(args.key, call.lang) if args.key else None,
        rule=args.rule,
        notes=_notes(call, ledger) if args.rule else (),
    )
    if args.project is None:
        return made
    return replace(made, linked=_linked(ledger, args.target, args.project))


def _notes(call: Call, ledger: Ledger) -> tuple[str, ...]:
    """The reasons of refused records that the mapping file ties to --rule. Raises ConfigError."""
    from pusher.ledger.refusals import reasons
    from validator.rules import rules

    name = call.args.rule
    if name != "parent" and name.rpartition(".")[2] not in rules():
        raise ConfigError(f"--rule {name}: " + _RULES[call.lang])
    known = refusals.mapping_of(call)
    texts = {r.text for r in reasons(ledger, call.args.target) if known.rule(r.text) == name}
    return tuple(sorted(texts))[:_REASONS]


def _linked(ledger: Ledger, target: str | None, project: str) -> tuple[tuple[str, str], ...]:
    """What names a project: its codes, those of its works and of its cases."""
    from pusher.ledger.queries import list_rows
    from pusher.ledger.selector import Selector

    known = {(name, project) for name in _PROJECT}
    fresh = set(known)
    for _ in range(_ROUNDS):
        selector = Selector(target=target, linked=tuple(sorted(fresh)))
        found = {
            (name, entry.key[name])
            for entry in list_rows(ledger, selector, limit=1_000_000)
            for name in (*_PROJECT, _CASE)
            if name in entry.key
        }
        fresh = {(n, v) for n, v in found - known if n != "XMDM" or v == project}
        known |= fresh
        if not fresh:
            break
    return tuple(sorted(known))


def key(words: list[str], lang: Lang) -> Mapping[str, str]:
    """`FIELD=VALUE` words as a key. Raises ConfigError."""
    pairs = [word.partition("=") for word in words]
    if any(not sign or not value for _, sign, value in pairs):
        raise ConfigError(Text("主键写作 字段=值", "write a key as FIELD=VALUE")[lang])
    return {name.upper(): value for name, _, value in pairs}


def what(word: str, lang: Lang) -> str:
    """A state, `entered` or `attempt` in words."""
    from pusher.states import TITLES, State

    if word in list(State):
        return TITLES[State(word)][lang]
    names = {"entered": Text("进入台账", "entered"), "attempt": Text("投送", "attempt")}
    return names[word][lang] if word in names else word


def entry_line(entry: Entry, lang: Lang) -> str:
    """One version in one line."""
    from pusher.notes import in_words

    key = " ".join(f"{k}={v}" for k, v in entry.key.items())
    table = entry.table.partition("/")[2]
    note = f"  {in_words(entry.note)[lang]}" if entry.note else ""
    return f"{entry.target}  {table}  {key}  v{entry.sequence} {what(entry.state, lang)}{note}"


_STATES = Text("没有这个状态；可用：{known}", "no such state; known: {known}")
_RULES = Text("没有这条规则；docs/rules.md 列出全部规则", "no such rule; docs/rules.md lists them")
