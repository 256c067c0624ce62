"""How far a long run is: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from validator.text import Lang, Text

if TYPE_CHECKING:
    from validator.reading import Progress

#: Seconds before the first word, and between two plain lines.
_PATIENCE = 1.0
_PLAIN_EVERY = 15.0
_LIVE_EVERY = 0.2

_LINE = Text(
    "已读 {percent}% · {rows} 条 · 每秒 {rate} 条 · 约剩 {left} 秒 · {file}",
    "{percent}% read · {rows} records · {rate}/s · about {left} s left · {file}",
)


@contextmanager
def shown(
    lang: Lang,
    *,
    quiet: bool,
    out: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[Progress], None]]:
    """A callback for `check`: shows rows, rows/s and time left on `out` (default stderr). `clock`
    tells seconds."""
    stream = out or sys.stderr
    live = stream.isatty()
    began = clock()
    state = {"said": began + _PATIENCE - _PLAIN_EVERY if not live else began, "wrote": 0.0}
    rows: dict[str, int] = {}

    def on(progress: Progress) -> None:
        rows[progress.file] = progress.rows
        now = clock()
        due = _LIVE_EVERY if live else _PLAIN_EVERY
        if quiet or now - began < _PATIENCE or now - state["said"] < due:
            return
        state["said"], state["wrote"] = now, 1.0
        line = _line(lang, progress, sum(rows.values()), now - began)
        stream.write(f"\r\x1b[2K{line[:100]}" if live else f"{line}\n")
        stream.flush()

    try:
        yield on
    finally:
        if live and state["wrote"]:
            stream.write("\r\x1b[2K")
            stream.flush()


def _line(lang: Lang, progress: Progress, rows: int, seconds: float) -> str:
    share = progress.done_bytes / progress.total_bytes if progress.total_bytes else 0.0
    left = f"{seconds / share - seconds:.0f}" if share > 0.01 else "?"
    return _LINE.fill(
        {
            "percent": f"{share * 100:.0f}",
            "rows": f"{rows:,}",
            "rate": f"{rows / seconds:,.0f}",
            "left": left,
            "file": progress.file,
        }
    )[lang]
