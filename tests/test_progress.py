"""Progress: a live line on a real terminal, plain lines elsewhere, silence if asked; by the bytes
read also inside one file."""

from __future__ import annotations

import io
import os
import pty
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

import polars as pl
import pytest

from spgl.progress import shown
from validator.check import Options, check
from validator.load import load_packs
from validator.reading import Progress
from validator.sources import SourceOptions, discover, xlsx_plain, xml_records
from validator.sources.normalised import with_normalising
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


ROWS = 20_000
TABLE = "SPGL_XMBQXXB"


def records() -> pl.DataFrame:
    number = pl.int_range(ROWS, eager=True)
    return pl.DataFrame({"DFSJZJ": number.cast(pl.String), "BZ": "x" * 20})


def xml(frame: pl.DataFrame, path: Path) -> None:
    rows = (f"<r><DFSJZJ>{a}</DFSJZJ><BZ>{b}</BZ></r>" for a, b in frame.iter_rows())
    path.write_text(f"<{TABLE}>{''.join(rows)}</{TABLE}>", encoding="utf-8")


def xlsx(frame: pl.DataFrame, path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(TABLE)
    sheet.append(frame.columns)
    for row in frame.iter_rows():
        sheet.append(row)
    book.save(path)


WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    "csv": pl.DataFrame.write_csv,
    "jsonl": pl.DataFrame.write_ndjson,
    "json": pl.DataFrame.write_json,
    "parquet": pl.DataFrame.write_parquet,
    "xml": xml,
    "xlsx": xlsx,
}


def steps(path: Path, tell: Callable[[Progress], None], *, normalise: bool = False) -> None:
    """Check one file in batches of 1,000 records and blocks of 4 kB."""
    packs = load_packs(["data-sharing-3.0"])
    found = discover([path], packs, SourceOptions(block=4096)).sources
    sources = with_normalising(packs, found) if normalise else found
    options = Options(batch_rows=1000, on_progress=tell)
    now = datetime(2026, 3, 1).astimezone
    check(packs, sources, options, path.parent / "run", run_id="r", now=now)


@pytest.mark.parametrize("kind", WRITERS)
def test_bytes_tell_how_far_one_file_is(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_plain, "_READ", 1 << 14)
    monkeypatch.setattr(xml_records, "_WINDOW", 1 << 14)
    path = tmp_path / f"{TABLE}.{kind}"
    WRITERS[kind](records(), path)
    told: list[Progress] = []
    steps(path, told.append, normalise=kind == "csv")
    assert {p.total_bytes for p in told} == {path.stat().st_size}
    done = [p.done_bytes for p in told]
    assert done == sorted(done)
    assert done[-1] <= path.stat().st_size
    assert 0 < done[0] < path.stat().st_size / 3
    assert len(set(done)) >= 5
    assert told[-1].rows == ROWS


@pytest.mark.parametrize("live", [True, False])
def test_one_large_file_has_a_speed_and_an_end(tmp_path: Path, *, live: bool) -> None:
    path = tmp_path / f"{TABLE}.csv"
    records().write_csv(path)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return live

    out, seconds = Terminal(), count(0.0, 20.0)
    with shown("en", quiet=False, out=out, clock=lambda: next(seconds)) as tell:
        steps(path, tell)
    lines = re.split(r"\r\x1b\[2K" if live else r"\n", out.getvalue())
    told = [x for x in lines if x]
    assert len(told) == ROWS // 1000
    shape = rf"(\d+)% read · ([\d,]+) records · 50/s · about (\d+) s left · {TABLE}\.csv"
    found = [re.fullmatch(shape, line) for line in told]
    assert all(found)
    left = [int(m[3]) for m in found if m]
    assert left[0] > 40
    assert left[-1] == 0
