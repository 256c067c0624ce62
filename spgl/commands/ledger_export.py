"""`spgl ledger export FILE`: versions of the ledger as csv, jsonl or parquet, by the file's name.

States, keys, reasons, times; with --timeline everything that happened. Contents stay in the ledger.
Personal parts are masked unless asked for; what a spreadsheet would compute is made text in csv.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import checking, selecting
from spgl.cli import Call, Exit
from spgl.config import ConfigError
from spgl.keys import key_text, shown_key
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.ledger.queries import Entry
    from validator.pack import Packs

#: Columns of every format, in order; `timeline` only where asked for.
COLUMNS = (
    "target", "standard", "table", "key", "division", "operation", "sequence", "state", "reason",
    "lsh", "run", "entered", "changed", "attempts", "next_due",
)  # fmt: skip
_Row = Mapping[str, str | int | None]
#: Rows of a Parquet file that are written at once.
_GROUP = 50_000


class _Counting:
    """Rows as they pass, counted."""

    def __init__(self, rows: Iterable[_Row]) -> None:
        self._rows = rows
        self.n = 0

    def __iter__(self) -> Iterator[_Row]:
        for row in self._rows:
            self.n += 1
            yield row


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser], lang: Lang) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    title = say("导出为 .csv、.jsonl 或 .parquet", "write to a .csv, .jsonl or .parquet file")
    parser = actions.add_parser("export", help=title, description=title)
    parser.add_argument("file", type=Path, metavar="FILE")
    selecting.add(parser, lang)
    parser.add_argument(
        "--timeline", action="store_true", help=say("附全部经过", "with everything that happened")
    )
    parser.add_argument(
        "--show-personal",
        action="store_true",
        help=say("不遮盖个人信息", "do not mask personal values"),
    )


def run(call: Call, ledger: Ledger) -> int:
    """Raises ConfigError for a name of no format or a file that cannot be written."""
    path: Path = call.args.file
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        known = ", ".join(_FORMATS)
        raise ConfigError(f"{path}: " + _FORMAT.fill({"known": known})[call.lang])
    names = (*COLUMNS, "timeline") if call.args.timeline else COLUMNS
    try:
        count = _Counting(_rows(call, ledger, checking.packs_of(call)))
        write(path, names, count)
    except OSError as fault:
        raise ConfigError(f"{path}: {fault.strerror}") from fault
    print(_WRITTEN.fill({"n": f"{count.n:,}", "file": path})[call.lang], file=sys.stderr)
    return Exit.FINE


def _rows(call: Call, ledger: Ledger, packs: Packs) -> Iterator[_Row]:
    from pusher.ledger.queries import every

    personal = call.args.show_personal
    for entry in every(ledger, selecting.selected(call, ledger)):
        row = _row(entry, packs, personal=personal)
        if call.args.timeline:
            yield {**row, "timeline": _timeline(ledger, entry, personal=personal)}
        else:
            yield row


def _row(entry: Entry, packs: Packs, *, personal: bool) -> _Row:
    standard, _, table = entry.table.partition("/")
    return {
        "target": entry.target,
        "standard": standard,
        "table": table,
        "key": key_text(shown_key(packs, entry.table, entry.key, personal=personal)),
        "division": entry.division,
        "operation": str(entry.operation),
        "sequence": entry.sequence,
        "state": str(entry.state),
        "reason": _said(entry.note, personal=personal),
        "lsh": entry.lsh,
        "run": entry.run,
        "entered": entry.entered.isoformat(),
        "changed": entry.changed.isoformat(),
        "attempts": entry.attempts,
        "next_due": None if entry.due is None else entry.due.isoformat(),
    }


def _timeline(ledger: Ledger, entry: Entry, *, personal: bool) -> str:
    """Everything that happened, as a JSON array of [time, what, detail]."""
    from pusher.ledger.queries import happenings

    lines = [
        (h.at.isoformat(), h.what, _said(h.detail, personal=personal))
        for h in happenings(ledger, entry)
    ]
    return json.dumps(lines, ensure_ascii=False)


def _said(text: str, *, personal: bool) -> str:
    """A target's text; it may quote what it refuses."""
    from pusher.transports.answer import covered

    return text if personal else covered(text)


def _csv(path: Path, names: tuple[str, ...], rows: Iterable[_Row]) -> None:
    from validator.reports.flat import cell

    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(names)
        for row in rows:
            values = (row[name] for name in names)
            writer.writerow([cell(v) if isinstance(v, str) else v for v in values])


def _jsonl(path: Path, names: tuple[str, ...], rows: Iterable[_Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            shown: dict[str, object] = {name: row[name] for name in names}
            if "timeline" in shown:
                shown["timeline"] = json.loads(str(shown["timeline"]))
            out.write(json.dumps(shown, ensure_ascii=False) + "\n")


def _parquet(path: Path, names: tuple[str, ...], rows: Iterable[_Row]) -> None:
    import polars as pl

    numbers = ("sequence", "attempts")
    schema = {n: pl.Int64 if n in numbers else pl.String for n in names}
    frames: list[pl.DataFrame] = []
    page: list[_Row] = []
    for row in rows:
        page.append(row)
        if len(page) == _GROUP:
            frames.append(pl.DataFrame(page, schema=schema))
            page = []
    frames.append(pl.DataFrame(page, schema=schema))
    pl.concat(frames).write_parquet(path)


_FORMATS: Mapping[str, Callable[[Path, tuple[str, ...], Iterable[_Row]], None]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
_FORMAT = Text("文件名须以 {known} 之一结尾", "name the file with one of {known}")
_WRITTEN = Text("已导出 {n} 个版本：{file}", "{n} versions written to {file}")
