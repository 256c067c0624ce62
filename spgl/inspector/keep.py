"""Snapshots on disk: an Arrow file per table and a head, made once per run, mode 0600.

They can be deleted at any time; only the newest few are kept.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import polars as pl

from validator.text import Text

if TYPE_CHECKING:
    from spgl.inspector.snapshot import Snapshot

_VERSION = 1
_HEAD = "records.json"
_KEPT = 4


def _place(folder: Path, run: str) -> Path:
    return folder / f"{run}.records.v{_VERSION}"


def save(folder: Path, snapshot: Snapshot) -> None:
    """Write a snapshot; a folder that cannot be written costs only time."""
    place = _place(folder, snapshot.run)
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number, frame in enumerate(snapshot.tables.values()):
            with os.fdopen(_private(place / f"{number:03d}.arrow"), "wb") as file:
                frame.write_ipc(file, compression="uncompressed")
        missing = {f: {"zh": t.zh, "en": t.en} for f, t in snapshot.missing.items()}
        head = {"tables": list(snapshot.tables), "missing": missing}
        part = place / f"{_HEAD}.part"
        with os.fdopen(_private(part), "wb") as file:
            file.write(orjson.dumps(head))
        part.replace(place / _HEAD)
        _prune(folder)
    except OSError:
        shutil.rmtree(place, ignore_errors=True)


def load(folder: Path, run: str) -> Snapshot | None:
    """The snapshot of a run; None when there is none."""
    from spgl.inspector.snapshot import Snapshot

    place = _place(folder, run)
    try:
        head = orjson.loads((place / _HEAD).read_bytes())
    except (OSError, ValueError):
        return None
    tables = {
        name: pl.read_ipc(place / f"{number:03d}.arrow")
        for number, name in enumerate(head["tables"])
    }
    return Snapshot(run, tables, {f: Text(**t) for f, t in head["missing"].items()})


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _prune(folder: Path) -> None:
    places = sorted(folder.glob(f"*/{_HEAD}"), key=lambda p: p.stat().st_mtime)
    for head in places[:-_KEPT]:
        shutil.rmtree(head.parent, ignore_errors=True)
