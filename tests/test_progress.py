"""Progress: a live line on a real terminal, plain lines elsewhere, silence if asked."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Iterator, Sequence

import pytest

from spgl.progress import shown
from validator.reading import Progress
from validator.text import Lang

STEPS = [Progress("a.csv", rows, rows * 10, 40_000) for rows in (1000, 2000, 3000)]


def ticking(seconds: Sequence[float]) -> Iterator[float]:
    yield from seconds


def on_terminal(lang: Lang, *, quiet: bool = False) -> str:
    """What a terminal is sent while three steps pass at 0.5, 2 and 3 seconds."""
    here, there = pty.openpty()
    clock = ticking([0.0, 0.5, 2.0, 3.0])
    with os.fdopen(there, "w", encoding="utf-8") as terminal:
        with shown(lang, quiet=quiet, out=terminal, clock=lambda: next(clock)) as tell:
            for step in STEPS:
                tell(step)
        # What tells that nothing more comes.
        terminal.write("#")
        terminal.flush()
        said = b""
        while not said.endswith(b"#"):
            said += os.read(here, 1000)
    os.close(here)
    return said.decode()


@pytest.mark.parametrize(
    ("lang", "line"),
    [("en", "50% read · 2,000 records · 1,000/s · about 2 s left · a.csv"),
     ("zh", "已读 50% · 2,000 条 · 每秒 1,000 条 · 约剩 2 秒 · a.csv")],
)  # fmt: skip
def test_a_terminal_shows_rows_speed_and_time_left(lang: Lang, line: str) -> None:
    said = on_terminal(lang)
    assert said.startswith(f"\r\x1b[2K{line}"), "nothing in the first second"
    assert said.count("\r\x1b[2K") == 3, "two lines, and the last is wiped"
    assert said.endswith("\r\x1b[2K#")


def test_quiet_says_nothing() -> None:
    assert on_terminal("en", quiet=True) == "#"


def test_elsewhere_plain_lines_now_and_then() -> None:
    out = io.StringIO()
    clock = ticking([0.0, 2.0, 3.0, 20.0])
    with shown("en", quiet=False, out=out, clock=lambda: next(clock)) as tell:
        for step in STEPS:
            tell(step)
    lines = out.getvalue().splitlines()
    assert [line.partition(" · ")[0] for line in lines] == ["25% read", "75% read"]
    assert "\x1b" not in out.getvalue()
