"""What the target holds already, from a ledger or from CSV files, as the engine takes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spgl.cli import Call
from spgl.config import ConfigError
from spgl.ledger_place import LedgerPlace, fault_of
from validator.pack import Packs

if TYPE_CHECKING:
    import polars as pl


def read_known(place: Path | LedgerPlace, packs: Packs) -> Mapping[str, pl.DataFrame]:
    """Known columns per qualified table. Raises ConfigError, LedgerError."""
    import polars as pl

    from validator.check import known_columns
    from validator.sources import SourceOptions, discover

    if isinstance(place, LedgerPlace):
        return known_of_ledger(place, None)
    path = place
    if not path.exists():
        raise ConfigError(f"--known-keys {path}: no such file or folder")
    if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3":
        return known_of_ledger(LedgerPlace(path), None)
    wanted = known_columns(packs)
    frames: dict[str, list[pl.DataFrame]] = {}
    found = discover([path], packs, SourceOptions())
    if found.problems:
        problem = found.problems[0]
        raise ConfigError(f"--known-keys {problem.file}: {problem.text.en}")
    for source in found.sources:
        for batch in source.batches(100_000):
            names = [n for n in wanted[source.table.qualified] if n in batch.frame.columns]
            frames.setdefault(source.table.qualified, []).append(batch.frame.select(names))
    return {name: pl.concat(parts, how="diagonal") for name, parts in frames.items()}


def known_place(call: Call) -> Path | LedgerPlace | None:
    """What --known-keys names: a file, a folder, or the address of a ledger on PostgreSQL, in the
    schema of `ledger.schema`. Raises ConfigError."""
    word: str | None = call.args.known_keys
    if word is None or "://" not in word:
        return None if word is None else Path(word)
    schema = call.settings.text("ledger.schema")
    fault = fault_of(word, schema)
    if fault is not None:
        raise ConfigError(f"--known-keys: {fault[call.lang]}")
    return LedgerPlace(Path(), word, schema)


def known_of_ledger(place: LedgerPlace, target: str | None) -> Mapping[str, pl.DataFrame]:
    """Known columns of a ledger; `target` None takes what any of its targets holds."""
    from pusher.ledger import known

    ledger = place.open()
    try:
        return known(ledger, target)
    finally:
        ledger.close()
