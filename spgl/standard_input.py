"""`spgl validate - --input-format csv --table NAME`: standard input, kept for the second pass.

It only writes what comes in to a private file named by the table; reading it is
`validator.sources`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spgl.cli import Call
from spgl.config import ConfigError
from validator.text import Text

if TYPE_CHECKING:
    from validator.sources import Address

STANDARD_INPUT = Path("-")
_NAME = re.compile(r"[\w.:-]{1,100}")


def with_standard_input(
    call: Call, paths: Sequence[Path | Address], spool: Path
) -> list[Path | Address]:
    """The paths, with `-` replaced by a file in `spool` that holds all of standard input.

    Raises ConfigError where format or table are missing, or `-` stands twice.
    """
    from validator.sources import formats

    asked = sum(path == STANDARD_INPUT for path in paths)
    if not asked:
        return list(paths)
    ending, table = f".{call.args.input_format}", call.args.input_table or ""
    known = [e.removeprefix(".") for e in sorted(formats())]
    if asked > 1 or ending not in formats() or not _NAME.fullmatch(table):
        raise ConfigError(_HOW.fill({"known": ", ".join(known)})[call.lang])
    folder = spool / "standard-input"
    folder.mkdir(mode=0o700)
    file = folder / f"{table}{ending}"
    try:
        with file.open("xb") as out:
            shutil.copyfileobj(sys.stdin.buffer, out)
    except OSError as fault:
        raise ConfigError(f"{folder}: {fault.strerror}") from fault
    return [file if path == STANDARD_INPUT else path for path in paths]


_HOW = Text(
    "从标准输入读取时只能写一个 -，并需 --input-format 格式 和 --table 表名；格式有 {known}",
    "standard input is one single -, with --input-format and --table NAME; formats: {known}",
)
