"""The violations of a run on disk: Parquet chunks and run.json in a folder, files with mode 0600.

Chunks are written while the run goes on; run.json comes last, so that a folder with it is a
finished run. Reading back streams chunk by chunk; personal values were masked before.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson
import polars as pl

from validator.finding import SCHEMA
from validator.pack import Packs, Provenance
from validator.records import SourceError
from validator.rule import Use
from validator.rules import rules
from validator.run import FileProblem, PackLine, RuleCount, Run, TableCounts, Workbook
from validator.text import Text
from validator.violation import Severity, Violation

VERSION = 1
HEAD = "run.json"
#: Rows of a chunk before it is written.
CHUNK = 50_000

#: What of a stored violation makes a `Violation`: `finding.SCHEMA` and the division.
COLUMNS = (*SCHEMA, "division")
Row = tuple[int, int | None, int | None, str | None, str, str | None, str, str | None]


@dataclass(slots=True)
class Group:
    """The violations of one file, or of none: those of its records in reading order, and those that
    dataset rules found, sorted. `waiting` is not yet written."""

    table: str | None
    file: str | None
    headers: dict[str, str]
    records: list[str] = field(default_factory=list)
    dataset: list[str] = field(default_factory=list)
    waiting: list[pl.DataFrame] = field(default_factory=list)


class Writer:
    """Takes violation frames group by group and ends with `finish`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.groups: list[Group] = []
        self._number = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def group(self, table: str | None, file: str | None) -> int:
        """Open a group; groups are read back in the order they were opened."""
        self.groups.append(Group(table, file, {}))
        return len(self.groups) - 1

    def add(self, group: int, frame: pl.DataFrame) -> None:
        """Violations in reading order."""
        of = self.groups[group]
        if frame.height:
            of.waiting.append(frame)
        if sum(f.height for f in of.waiting) >= CHUNK:
            self.flush(group)

    def flush(self, group: int) -> None:
        of = self.groups[group]
        if of.waiting:
            of.records.append(self._chunk(pl.concat(of.waiting)))
            of.waiting.clear()

    def add_dataset(self, group: int, frame: pl.DataFrame) -> None:
        """Violations of dataset rules, sorted by record."""
        for part in frame.iter_slices(CHUNK):
            self.groups[group].dataset.append(self._chunk(part))

    def discard(self, group: int) -> None:
        """Forget the group: its file turned out to be unreadable."""
        of = self.groups[group]
        for name in (*of.records, *of.dataset):
            (self.folder / name).unlink()
        of.records.clear()
        of.dataset.clear()
        of.waiting.clear()

    def _chunk(self, frame: pl.DataFrame) -> str:
        name = f"{self._number:06d}.parquet"
        self._number += 1
        with _private(self.folder / name) as file:
            frame.write_parquet(file, compression="zstd")
        return name

    def finish(self, run: Run, packs: Packs, uses: Sequence[Use]) -> Stored:
        """Write run.json and open the run."""
        for number in range(len(self.groups)):
            self.flush(number)
        groups = [
            {"table": g.table, "file": g.file, "headers": g.headers, "records": g.records,
             "dataset": g.dataset}
            for g in self.groups if g.records or g.dataset
        ]  # fmt: skip
        head = {
            "version": VERSION,
            "run": asdict(run),
            "uses": [_use_line(packs, use) for use in uses],
            "groups": groups,
        }
        part = self.folder / f"{HEAD}.part"
        with _private(part) as file:
            file.write(orjson.dumps(head, option=orjson.OPT_INDENT_2))
        part.replace(self.folder / HEAD)
        return open_run(self.folder)


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _use_line(packs: Packs, use: Use) -> dict[str, object]:
    """What a stored violation needs of its use, texts included, whatever the rules become later."""
    rule = rules()[use.rule]
    table = packs.table(use.table) if use.table else None
    places: dict[str, str | int | float] = {
        k: v for k, v in use.params.items() if isinstance(v, str | int | float)
    }
    first = table.by_name.get(use.fields[0]) if table is not None and use.fields else None
    if first is not None:
        places = {"field": first.name, "title": first.title.zh, **places}
    return {
        "rule": use.rule,
        "severity": str(use.severity),
        "standard": table.standard if table else None,
        "table": table.name if table else None,
        "stage": table.stage if table else None,
        "fields": list(use.fields),
        "provenance": str(use.provenance),
        "reference": use.reference,
        "places": places,
        "message": {"zh": rule.message.zh, "en": rule.message.en},
        "help": {"zh": rule.help.zh, "en": rule.help.en},
    }


@dataclass(frozen=True, slots=True)
class StoredUse:
    """A use as it stood when the run was made."""

    rule: str
    severity: Severity
    standard: str | None
    table: str | None
    stage: str | None
    fields: tuple[str, ...]
    provenance: Provenance
    reference: str
    places: Mapping[str, object]
    message: Text
    help: Text


@dataclass(frozen=True, slots=True)
class Stored:
    """A finished run in its folder; a `run.Result`."""

    run: Run
    folder: Path
    uses: tuple[StoredUse, ...]
    groups: tuple[Group, ...]

    def violations(self) -> Iterator[Violation]:
        """Every violation, in order of table, file, record; one chunk in memory at a time."""
        for group in self.groups:
            rows = heapq.merge(self._rows(group.records), self._rows(group.dataset), key=_record)
            for row in rows:
                yield self.violation(group, row)

    def frames(self, columns: Sequence[str]) -> Iterator[tuple[Group, pl.DataFrame]]:
        """These columns of every stored violation, in frames of one group each."""
        for group in self.groups:
            for name in (*group.records, *group.dataset):
                yield group, pl.read_parquet(self.folder / name, columns=list(columns))

    def _rows(self, names: Sequence[str]) -> Iterator[Row]:
        for name in names:
            frame = pl.read_parquet(self.folder / name)
            if "division" not in frame.columns:
                # Stored before violations told whose record they are about.
                frame = frame.with_columns(division=pl.lit(None, pl.String))
            yield from frame.select(*COLUMNS).iter_rows()

    def violation(self, group: Group, row: Row) -> Violation:
        """The violation of a stored row, texts filled in."""
        number, record, line, value, key, params, fingerprint, division = row
        use = self.uses[number]
        more = orjson.loads(params) if params is not None else {}
        header = group.headers.get(use.fields[0]) if use.fields else None
        if use.rule == "unknown-field":
            header = value
        pointer = more.get("pointer")
        places = {**use.places, "value": value if value is not None else "", **more}
        return Violation(
            use.rule,
            use.severity,
            use.standard,
            use.table,
            use.fields,
            group.file,
            record,
            line,
            header,
            orjson.loads(key),
            value,
            use.message.fill(places),
            use.help.fill(places),
            use.stage,
            use.provenance,
            use.reference,
            fingerprint,
            pointer,
            division,
        )


def open_run(path: Path) -> Stored:
    """The run in a folder, or of a run.json. Raises SourceError where it is none."""
    folder = path.parent if path.name == HEAD else path
    try:
        head = orjson.loads((folder / HEAD).read_bytes())
    except (OSError, ValueError) as error:
        text = Text(
            "不是完整的运行记录；请给出含 run.json 的文件夹",
            "not a finished run; give a folder with run.json",
        )
        raise SourceError(str(path), text) from error
    if head.get("version") != VERSION:
        text = Text(
            "运行记录由不同版本的 spgl 写成；请重新运行",
            "written by another version of spgl; run again",
        )
        raise SourceError(str(path), text)
    uses = tuple(
        StoredUse(
            u["rule"],
            Severity(u["severity"]),
            u["standard"],
            u["table"],
            u["stage"],
            tuple(u["fields"]),
            Provenance(u["provenance"]),
            u["reference"],
            u["places"],
            Text(**u["message"]),
            Text(**u["help"]),
        )
        for u in head["uses"]
    )
    groups = tuple(
        Group(g["table"], g["file"], g["headers"], g["records"], g["dataset"])
        for g in head["groups"]
    )
    return Stored(_run(head["run"]), folder, uses, groups)


def _record(row: Row) -> int:
    return row[1] or 0


def _run(data: dict[str, Any]) -> Run:
    """A run head from its JSON, as `asdict` wrote it."""
    tables = {n: TableCounts(**_titled(t)) for n, t in data["tables"].items()}
    made = {
        "inputs": tuple(data["inputs"]),
        "packs": tuple(PackLine(**_titled(p)) for p in data["packs"]),
        "tables": tables,
        "counts": tuple(RuleCount(**c) for c in data["counts"]),
        "problems": tuple(FileProblem(p["file"], Text(**p["text"])) for p in data["problems"]),
        "notes": tuple(Text(**n) for n in data["notes"]),
        "workbooks": {n: Workbook(**w) for n, w in data.get("workbooks", {}).items()},
    }
    return Run(**{**data, **made})


def _titled(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "title": Text(**data["title"])}
