"""`spgl packs list | show | export | diff | import-ddl | import-dictionary`: what the packs hold,
for people and for other tools, and how a site raises them to official quality."""

from __future__ import annotations

import argparse
from pathlib import Path

from spgl import packs_diff, packs_import
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
    export = actions.add_parser(
        "export", help=Text("导出为其他格式", "export to other formats")[lang]
    )
    export.add_argument("--json-schema", type=Path, metavar="DIR", help="JSON Schema 2020-12")
    export.add_argument("--xsd", type=Path, metavar="DIR", help="XML Schema")
    packs_diff.add(actions, lang)
    packs_import.add(actions, lang)


def run(call: Call) -> int:
    from validator import describe
    from validator.load import load_packs

    if call.args.action == "diff":
        return packs_diff.run(call)
    packs = load_packs(call.settings.texts("packs.use"))
    if call.args.action == "list":
        print(describe.packs(packs, call.lang))
    elif call.args.action == "show":
        try:
            print(describe.table(packs, call.args.table, call.lang))
        except KeyError as fault:
            raise ConfigError(str(fault.args[0])) from fault
    elif call.args.action.startswith("import-"):
        return packs_import.run(call, packs)
    else:
        _export(call)
    return Exit.FINE


def _export(call: Call) -> None:
    from validator.json_schema import export_json_schema
    from validator.load import load_packs
    from validator.xsd import export_xsd

    packs = load_packs(call.settings.texts("packs.use"))
    chosen = [(call.args.json_schema, export_json_schema), (call.args.xsd, export_xsd)]
    if not any(folder for folder, _ in chosen):
        raise ConfigError(
            Text(
                "请指定导出格式：--json-schema DIR 或 --xsd DIR",
                "name what to export: --json-schema DIR or --xsd DIR",
            )[call.lang]
        )
    for folder, export in chosen:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            for path in export(packs, folder):
                print(path)
