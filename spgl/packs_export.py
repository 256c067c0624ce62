"""`spgl packs export`: the packs in use in the formats other tools take; prints what it writes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.pack import Packs
from validator.text import Lang, Text

#: Names of `validator.exports.ddl.DIALECTS`, kept here so that help needs no import.
DDL = ("mysql", "postgresql", "oracle", "dameng")

Export = Callable[[], tuple[Path, ...]]


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser], lang: Lang) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    parser = actions.add_parser(
        "export",
        help=say("导出为其他格式，可同时选多种", "export to other formats, several at once"),
    )
    for name, word in (("--json-schema", "JSON Schema 2020-12"), ("--xsd", "XML Schema")):
        parser.add_argument(name, type=Path, metavar="DIR", help=word)
    parser.add_argument(
        "--ddl",
        nargs=2,
        action="append",
        metavar=("DIALECT", "DIR"),
        help=say("建表语句：", "SQL that creates the tables: ") + ", ".join(DDL),
    )
    parser.add_argument(
        "--data-package", type=Path, metavar="DIR", help="Frictionless Data Package, Table Schema"
    )
    parser.add_argument(
        "--dictionary",
        type=Path,
        metavar="FILE.xlsx",
        help=say("Excel 数据字典", "data dictionary in Excel"),
    )
    parser.add_argument(
        "--template",
        type=Path,
        metavar="FILE.xlsx",
        help=say("Excel 填报模板：下拉列表、批注", "workbook to fill in: drop-downs and notes"),
    )
    parser.add_argument(
        "--html",
        type=Path,
        metavar="DIR",
        help=say("可浏览的参考网页，离线可用", "reference to browse, works offline"),
    )


def run(call: Call, packs: Packs) -> int:
    """Write every format asked for. Raises ConfigError, PackError."""
    chosen = list(_chosen(call, packs))
    if not chosen:
        raise ConfigError(
            Text(
                "请指定导出格式，例如 --html DIR；全部格式见 --help",
                "name what to export, as in --html DIR; --help lists all",
            )[call.lang]
        )
    for folder, export in chosen:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            written = export()
        except OSError as fault:
            raise ConfigError(
                f"{folder}: {fault.strerror}; "
                + Text("请换一个位置", "name another place")[call.lang]
            ) from fault
        for path in written:
            print(path)
    return Exit.FINE


def _chosen(call: Call, packs: Packs) -> Iterator[tuple[Path, Export]]:
    """Folder and export of each format asked for; modules are imported when used."""
    args, lang = call.args, call.lang
    if args.json_schema:
        from validator.json_schema import export_json_schema

        yield args.json_schema, lambda: export_json_schema(packs, args.json_schema)
    if args.xsd:
        from validator.xsd import export_xsd

        yield args.xsd, lambda: export_xsd(packs, args.xsd)
    for name, folder in args.ddl or ():
        yield Path(folder), _ddl(packs, name, Path(folder), lang)
    if args.data_package:
        from validator.exports.data_package import export_data_package

        yield args.data_package, lambda: export_data_package(packs, args.data_package)
    if args.dictionary:
        from validator.exports.dictionary import export_dictionary

        yield args.dictionary.parent, lambda: export_dictionary(packs, args.dictionary, lang)
    if args.template:
        from validator.exports.template import export_template

        yield args.template.parent, lambda: export_template(packs, args.template, lang)
    if args.html:
        from validator.exports.html import export_html

        yield args.html, lambda: export_html(packs, args.html, lang)


def _ddl(packs: Packs, name: str, folder: Path, lang: Lang) -> Export:
    from validator.exports.ddl import DIALECTS, export_ddl

    if name not in DIALECTS:
        words = Text("没有这种数据库；可用 {known}", "no such dialect; use {known}")
        raise ConfigError(f"--ddl {name}: {words.fill({'known': ', '.join(DDL)})[lang]}")
    return lambda: export_ddl(packs, DIALECTS[name], folder)
