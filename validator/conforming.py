"""The conforming records of a run as JSON Lines, one file per table. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import orjson

from validator.records import Record, SourceError, Standing
from validator.text import Text


def write_conforming(records: Iterable[Record], folder: Path) -> dict[str, int]:
    """Write `TABLE.jsonl` per table with conforming records; counts by qualified table.

    Files appear whole or not at all. Raises SourceError when the folder cannot be written.
    """
    counts: dict[str, int] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            files: dict[str, IO[bytes]] = {}
            for record in records:
                if record.standing is not Standing.CONFORMING:
                    continue
                name = record.table
                if name not in files:
                    files[name] = stack.enter_context(_part(folder, name).open("wb"))
                files[name].write(orjson.dumps(dict(record.content)) + b"\n")
                counts[name] = counts.get(name, 0) + 1
        for name in counts:
            part = _part(folder, name)
            part.replace(part.with_suffix(""))
    except OSError as fault:
        raise SourceError(
            str(folder),
            Text(
                f"无法写入（{fault.strerror}）；请换一个目录",
                f"cannot be written ({fault.strerror}); name another folder",
            ),
        ) from fault
    return counts


def _part(folder: Path, qualified: str) -> Path:
    return folder / f"{qualified.partition('/')[2]}.jsonl.part"
