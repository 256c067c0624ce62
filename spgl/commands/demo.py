"""`spgl demo`: two nights on a made-up city, end to end."""

from __future__ import annotations

import argparse
from pathlib import Path

from spgl.cli import Call
from validator.text import Lang, Text


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help=Text("演示目录（默认 demo-output）", "folder to play in (demo-output)")[lang],
    )


def run(call: Call) -> int:
    from spgl.demo import play

    return play(call.args.out.resolve(), call.lang)
