"""Violations of dataset rules, from the question to the store.

They are collected as columns of positions while rules are asked; in the end the records in question
are read again for their values. Which records go on is `validator.standing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from validator.compiled import Compiled
from validator.dataset import Index
from validator.duplicates import Place, Settled
from validator.finding import build, told_by
from validator.plan import RuleError
from validator.reading import Reader, TableRun
from validator.rereading import Again, again
from validator.rule import Need
from validator.standing import Family, held_back

Ints = npt.NDArray[np.int64]

#: `first`: position of the record that a repeated one comes after; `params`: places as JSON.
SCHEMA: dict[str, type[pl.DataType]] = {
    "use": pl.UInt32,
    "row": pl.Int64,
    "first": pl.Int64,
    "params": pl.String,
}


@dataclass(slots=True)
class Pending:
    """Dataset violations of one table until they are written."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(self, use: int, rows: pl.DataFrame) -> None:
        """`rows`: `row`, maybe `first`, and text columns that fill places of the message."""
        more = [n for n in rows.columns if n not in ("row", "first")]
        whole = rows.with_columns(
            pl.lit(use, dtype=pl.UInt32).alias("use"),
            (pl.struct(more).struct.json_encode() if more else pl.lit(None, dtype=pl.String)).alias(
                "params"
            ),
            pl.col("first") if "first" in rows.columns else pl.lit(None).alias("first"),
        )
        self.frames.append(whole.select(pl.col(n).cast(t) for n, t in SCHEMA.items()))

    def sorted(self) -> pl.DataFrame:
        """All of them, by row and use."""
        empty = pl.DataFrame(schema=SCHEMA)
        return pl.concat([empty, *self.frames]).sort("row", "use")

    def counts(self) -> dict[int, int]:
        """Violations by use."""
        return dict(self.sorted()["use"].value_counts().iter_rows())


def ask(
    compiled: Compiled, index: Index, pending: Mapping[str, Pending], undecided: frozenset[str]
) -> None:
    """Ask every dataset rule; one that needs a table that could not be read is not asked.

    A frame that several rules read is kept between them, any other only while it is read.
    """
    wanted = Counter(need for r, _, needs in compiled.dataset for need in needs[r.apart :])
    kept: dict[Need, pl.DataFrame] = {}
    for rule, number, needs in compiled.dataset:
        if rule.query is None or any(n.table in undecided for n in needs):
            continue
        use = compiled.uses[number]
        beside = needs[rule.apart :]
        frames = [kept[n] if n in kept else index.frame(n) for n in beside]
        kept.update((n, f) for n, f in zip(beside, frames, strict=True) if wanted[n] > 1)
        asked = ([part, *frames] for part in index.parts(needs[0])) if rule.apart else [frames]
        try:
            for given in asked:
                bad = rule.query(use, given).filter(pl.col("row") >= 0)
                if bad.height:
                    pending[use.table].add(number, bad.unique("row", keep="first"))
        except Exception as error:
            raise RuleError(rule.name, use.table, None) from error


def ask_keys(
    compiled: Compiled, settled: Mapping[str, Settled], pending: Mapping[str, Pending]
) -> None:
    """Repeated records and rivals of a key."""
    for name, of in settled.items():
        for place, rule in ((Place.REPEATED, "repeated-record"), (Place.RIVAL, "duplicate-key")):
            rows = np.flatnonzero(of.places == place).tolist()
            if rows:
                found = pl.DataFrame({"row": rows, "first": [of.first[r] for r in rows]})
                pending[name].add(compiled.numbers[rule, name], found)


def hold(compiled: Compiled, run: TableRun, pending: Pending) -> None:
    """Add the positions that these violations hold back."""
    found = pending.sorted()
    use = found["use"].cast(pl.Int64).to_numpy()
    holds = np.array(compiled.holds, dtype=np.bool_)[use]
    run.held.add(use[holds], found["row"].to_numpy()[holds])


def ask_parents(compiled: Compiled, family: Family, pending: Mapping[str, Pending]) -> None:
    """Records that hold back others."""
    for name, rows in held_back(family).items():
        number = compiled.numbers["parent-not-conforming", name]
        found = pl.DataFrame({"row": list(rows), "children": [str(n) for n in rows.values()]})
        pending[name].add(number, found)


def write(reader: Reader, run: TableRun, pending: Pending) -> None:
    """Read the records in question again for their values, and store their violations."""
    found = pending.sorted()
    if found.is_empty():
        return
    rows, use = found["row"].to_numpy(), found["use"].cast(pl.Int64).to_numpy()
    firsts = found["first"].drop_nulls().to_numpy().astype(np.int64)
    places: dict[int, str] = {}
    fields = None  # without a key, the content identifies a record
    if run.columns.key[rows].all():
        fields = told_by(run.table, [reader.uses[number] for number in np.unique(use)])
    for part in again(reader, run, np.unique(np.concatenate((rows, firsts))), fields):
        _note_places(part, firsts, places)
        low = np.searchsorted(rows, part.positions[0])
        high = np.searchsorted(rows, part.positions[-1], side="right")
        if low == high:
            continue
        at = np.searchsorted(part.positions, rows[low:high])
        said = _said(found[low:high], places)
        of = use[low:high]
        for frame in build(run.table, reader.uses, of, at, part.spot, reader.veil, said):
            reader.writer.add_dataset(part.segment.group, frame)


def _note_places(part: Again, firsts: Ints, places: dict[int, str]) -> None:
    """Where the first records of repeated ones stand; they come before what refers to them."""
    for i in np.flatnonzero(np.isin(part.positions, firsts)):
        said = {
            "first_file": part.segment.source.file,
            "first_record": int(part.spot.ordinals[i]),
        }
        places[int(part.positions[i])] = orjson.dumps(said).decode()


def _said(found: pl.DataFrame, places: Mapping[int, str]) -> Sequence[str | None]:
    """Places of messages as JSON; those of a repeated record name the first one."""
    pairs = zip(found["params"], found["first"], strict=True)
    return [p if f is None else places[f] for p, f in pairs]
