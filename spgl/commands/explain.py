"""`spgl explain NAME`: a rule, a table, a field (`TABLE.FIELD`), a code list or a format."""

from __future__ import annotations

import argparse

from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.text import Lang, Text


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        help=Text(
            "规则、表、字段（表.字段）、代码表或格式的名称",
            "name of a rule, table, field (TABLE.FIELD), code list or format",
        )[lang],
    )


def run(call: Call) -> int:
    from validator import describe
    from validator.load import load_packs

    packs = load_packs(call.settings.texts("packs.use"))
    try:
        print(describe.explain(packs, call.args.name, call.lang))
    except KeyError as fault:
        raise ConfigError(str(fault.args[0])) from fault
    return Exit.FINE
