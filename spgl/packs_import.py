"""`spgl packs import-ddl | import-dictionary`: an official source beside the packs, and an overlay.

The source is only read. A password comes from the environment or a file, never from the command
line.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.text import Lang, Text

if TYPE_CHECKING:
    from validator.imports.official import Official
    from validator.pack import Packs


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser], lang: Lang) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    ddl = actions.add_parser(
        "import-ddl",
        help=say(
            "读前置库的表结构，比较并写扩展包", "read a front database, compare, write overlays"
        ),
    )
    ddl.add_argument(
        "url",
        metavar="URL",
        help=say(
            "数据库地址，不含口令：mysql://用户@主机/库", "without a password: mysql://user@host/db"
        ),
    )
    ddl.add_argument("--schema", metavar="NAME", help=say("模式名", "schema of the tables"))
    ddl.add_argument(
        "--password-env",
        metavar="NAME",
        help=say("存放口令的环境变量", "variable with the password"),
    )
    ddl.add_argument(
        "--password-file", type=Path, metavar="FILE", help=say("存放口令的文件", "file with it")
    )
    words = actions.add_parser(
        "import-dictionary",
        help=say(
            "读官方数据字典（xlsx），比较并写扩展包", "read a data dictionary (xlsx), the same"
        ),
    )
    words.add_argument("file", type=Path, metavar="FILE")
    for parser in (ddl, words):
        parser.add_argument(
            "--out",
            type=Path,
            metavar="DIR",
            help=say("写扩展包的目录，须为空", "empty folder for the overlays, one per pack"),
        )


def run(call: Call, packs: Packs) -> int:
    """Print the differences; with --out write the overlays and load them. Raises ConfigError,
    SourceError, PackError."""
    from validator.imports.differences import compare
    from validator.imports.told import difference_lines
    from validator.imports.write import write_overlays
    from validator.load import load_packs
    from validator.sources import SourceOptions

    out: Path | None = call.args.out
    if out is not None and out.exists() and any(out.iterdir()):
        raise ConfigError(
            f"{out}: " + Text("目录不为空，请另选", "not an empty folder; name another")[call.lang]
        )
    options = SourceOptions(
        prefixes=call.settings.texts("tables.prefixes"),
        suffixes=call.settings.texts("tables.suffixes"),
    )
    compared = compare(packs, _official(call, packs), options)
    print("\n".join(difference_lines(compared, call.lang)))
    if out is not None:
        for folder in write_overlays(packs, compared, out):
            pack = load_packs([folder]).pack(folder.name)
            official, fields = pack.official_fields
            words = Text("官方字段 {official} / {fields}", "official fields {official} of {fields}")
            counts = words.fill({"official": official, "fields": fields})
            print(f"{folder}  {counts[call.lang]}")
    return Exit.FINE


def _official(call: Call, packs: Packs) -> Official:
    if call.args.action == "import-dictionary":
        from validator.imports.dictionary import read_dictionary

        return read_dictionary(call.args.file, packs)
    from validator.imports.database import read_database

    return read_database(call.args.url, password=_password(call), schema=call.args.schema)


def _password(call: Call) -> str:
    name, file = call.args.password_env, call.args.password_file
    if name is not None:
        if name not in os.environ:
            raise ConfigError(
                f"--password-env {name}: "
                + Text("没有这个环境变量", "there is no such variable; set it first")[call.lang]
            )
        return os.environ[name]
    if file is not None:
        try:
            return str(file.read_text(encoding="utf-8")).strip("\r\n")
        except (OSError, UnicodeDecodeError) as fault:
            raise ConfigError(
                f"--password-file {file}: "
                + Text("无法读取", "cannot be read; check path and rights")[call.lang]
            ) from fault
    return ""
