"""`spgl packs list | show | export | diff | import-ddl | import-dictionary`: what the packs hold,
for people and for other tools, and how a site raises them to official quality."""

from __future__ import annotations

import argparse

from spgl import packs_diff, packs_export, packs_import
from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.text import Lang, Text


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help=Text("列出标准包", "list the packs")[lang])
    show = actions.add_parser(
        "show",
        help=Text(
            "一个表的字段、依据、规则和各值的出处",
            "fields, evidence, rules of a table, and where values come from",
        )[lang],
    )
    show.add_argument("table", metavar="TABLE")
    packs_export.add(actions, lang)
    packs_diff.add(actions, lang)
    packs_import.add(actions, lang)


def run(call: Call) -> int:
    from validator import describe
    from validator.load import load_packs

    if call.args.action == "diff":
        return packs_diff.run(call)
    packs = load_packs(call.settings.texts("packs.use"))
    if call.args.action == "export":
        return packs_export.run(call, packs)
    if call.args.action.startswith("import-"):
        return packs_import.run(call, packs)
    if call.args.action == "list":
        print(describe.packs(packs, call.lang))
        return Exit.FINE
    try:
        print(describe.table(packs, call.args.table, call.lang))
    except KeyError as fault:
        raise ConfigError(str(fault.args[0])) from fault
    return Exit.FINE
