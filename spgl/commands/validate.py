"""`spgl validate PATH…`: read exports, judge every record, report every violation."""

from __future__ import annotations

import argparse
from pathlib import Path

from spgl import checking, outputs
from spgl.cli import Call
from validator.text import Lang, Text


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        type=checking.path_or_address,
        metavar="PATH",
        help=Text("导出文件、目录、数据库地址，或 -", "export file, folder, database URL or -")[
            lang
        ],
    )
    outputs.add(parser, lang)
    checking.add(parser, lang)
    parser.add_argument(
        "--no-store",
        action="store_true",
        help=Text("不保存本次运行", "do not keep this run")[lang],
    )
    parser.add_argument(
        "--conforming",
        type=Path,
        metavar="DIR",
        help=Text(
            "把合格记录写到此目录（每表一个 JSON Lines 文件）",
            "write the conforming records to DIR, a JSON Lines file per table",
        )[lang],
    )


def run(call: Call) -> int:
    files, known = outputs.asked(call), outputs.known(call)
    with checking.check_paths(call, call.args.paths, keep=not call.args.no_store) as made:
        if call.args.conforming:
            _write_conforming(made, call.args.conforming)
        result = outputs.without_known(call, made.result(), known)
        outputs.show(call, result, made.packs, files)
        return outputs.exit_code(result, call.args.fail_on)


def _write_conforming(made: checking.Checking, folder: Path) -> None:
    from validator.conforming import write_conforming

    write_conforming(made.view.records(made.checked.records(made.chosen)), folder)
