"""Feedback of a target as case events of the national records: files that the next run takes in.

`spgl feedback --events DIR` writes DIR/TARGET-FIRST-LAST/SPGL_XMSPSXBLXXXXB.csv with the rows that
came in since. Which column comes from where is the word of the pack (`[feedback]`) and, for columns
it is silent about, of the settings (`event_columns`); everything else stays empty. A row goes into
one file once: the ledger names the file first, then it is written as a whole.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from pusher import crash
from pusher.ledger import inbound
from spgl.config import ConfigError
from validator.pack import Attests, Packs, Role, Table
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.ledger.inbound import Entry
    from validator.feedback import Feedback

#: Names our own keys of event rows, so that a row has the same on every writing.
_IDS = UUID("a5d1f3c2-0f5e-5b53-8f3d-2b1c9d7e6a10")


@dataclass(frozen=True, slots=True)
class Site:
    """What the site says: `division` is the city of its prefix (empty: none is set), `columns` the
    values of columns that no mapping fills."""

    division: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: feedback rows, event rows, files; `empty`: demanded columns without a
    value → event rows; `unknown`: cases whose application the ledger does not know."""

    rows: int = 0
    events: int = 0
    files: tuple[Path, ...] = ()
    empty: tuple[tuple[str, int], ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Course:
    """From one feedback table to the events of one pack."""

    standard: str
    feedback: Feedback
    application: Table
    events: Table


def write(
    ledger: Ledger,
    target: str,
    packs: Packs,
    site: Site,
    folder: Path,
    now: datetime,
    lang: Lang,
) -> Written:
    """Write the events of every row that is not out yet. `packs`: all that are loaded. Raises
    ConfigError where the folder cannot be written or a column of the site is unknown."""
    total = Written()
    for course in _courses(packs):
        table = f"{course.standard}/{course.feedback.table}"
        entries = inbound.unwritten(ledger, target, table)
        if not entries:
            continue
        _check(course, site, target, lang)
        groups = _assigned(ledger, target, entries, course, folder)
        crash.at("events_assigned")
        for path, group in groups.items():
            total = _together(total, _write(ledger, target, course, site, path, group))
            crash.at("events_placed")
            with ledger.transaction():
                inbound.note_written(ledger, [e.id for e in group], now)
    return total


def _courses(packs: Packs) -> Iterator[_Course]:
    for pack in packs:
        if pack.feedback is None:
            continue
        application = packs.table(f"{pack.name}/{pack.feedback.application}")
        yield _Course(pack.name, pack.feedback, application, packs.table(pack.feedback.events))


def _check(course: _Course, site: Site, target: str, lang: Lang) -> None:
    for name in site.columns:
        if name not in course.events.by_name:
            words = {"target": target, "name": name, "table": course.events.name}
            raise ConfigError(_NO_COLUMN.fill(words)[lang])


def _assigned(
    ledger: Ledger, target: str, entries: Iterable[Entry], course: _Course, folder: Path
) -> dict[Path, list[Entry]]:
    """Rows by file: those an earlier run had named a file for keep it, the others get one."""
    groups: dict[Path, list[Entry]] = {}
    fresh: list[Entry] = []
    for entry in entries:
        if entry.file is None:
            fresh.append(entry)
        else:
            groups.setdefault(Path(entry.file), []).append(entry)
    if fresh:
        name = f"{target}-{fresh[0].id:08d}-{fresh[-1].id:08d}"
        path = folder.resolve() / name / f"{course.events.name}.csv"
        groups[path] = fresh
        with ledger.transaction():
            inbound.assign(ledger, [e.id for e in fresh], str(path))
    return groups


def _write(
    ledger: Ledger, target: str, course: _Course, site: Site, path: Path, group: list[Entry]
) -> Written:
    """One file, whole or not at all; only its owner may read it."""
    names = [f.name for f in course.events.fields if f.role is Role.BUSINESS]
    demanded = _demanded(course.events)
    empty: Counter[str] = Counter()
    unknown: dict[str, None] = {}
    rows: list[dict[str, str]] = []
    for entry in group:
        application = _application(ledger, target, course, entry)
        if application is None:
            unknown[entry.case] = None
        for row in event_rows(entry, course.feedback, application or {}, site):
            empty.update(name for name in demanded if not row.get(name))
            rows.append(row)
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    _place(path, out.getvalue())
    return Written(len(group), len(rows), (path,), tuple(empty.items()), tuple(unknown))


def event_rows(
    entry: Entry, feedback: Feedback, application: Mapping[str, str], site: Site
) -> Iterator[dict[str, str]]:
    """The event rows of one feedback row: one for each state it stands for. What no mapping fills
    is absent."""
    fields = entry.fields
    code = fields.get(feedback.state, "")
    states = list(feedback.states.get(code, ()))
    for further in feedback.further:
        if further.state == code and fields.get(further.field, "") == further.value:
            states += further.states
    made = {**site.columns, **feedback.constants}
    made |= {to: application.get(name, "") for to, name in feedback.application_columns.items()}
    made |= {to: fields.get(name, "") for to, name in feedback.columns.items()}
    if feedback.division_column:
        made[feedback.division_column] = site.division
    for state in states:
        own = {feedback.state_column: state}
        if feedback.id_column:
            word = f"{entry.target}/{entry.table}/{entry.key}/{state}"
            own[feedback.id_column] = str(uuid5(_IDS, word))
        yield {name: value for name, value in {**made, **own}.items() if value}


def _demanded(events: Table) -> list[str]:
    """The columns whose absence a target was seen to refuse."""
    return [
        field.name
        for field in events.fields
        if field.role is Role.BUSINESS
        and any(mark.attests is Attests.REFUSAL and mark.when is None for mark in field.required)
    ]


def _application(
    ledger: Ledger, target: str, course: _Course, entry: Entry
) -> Mapping[str, str] | None:
    feedback, table = course.feedback, course.application
    if table.key.fields != (feedback.case,):
        return None
    return inbound.application(ledger, target, table.qualified, {feedback.case: entry.case})


def _place(path: Path, text: str) -> None:
    """Raises ConfigError."""
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError as fault:
        raise ConfigError(f"--events {path}: {fault.strerror}") from fault


def _together(one: Written, other: Written) -> Written:
    empty = Counter(dict(one.empty)) + Counter(dict(other.empty))
    return Written(
        one.rows + other.rows,
        one.events + other.events,
        one.files + other.files,
        tuple(empty.items()),
        tuple(dict.fromkeys((*one.unknown, *other.unknown))),
    )


def tell(written: Written, lang: Lang) -> list[str]:
    """What was written and what of it stays open, a line each."""
    counts = {"rows": f"{written.rows:,}", "events": f"{written.events:,}"}
    made = [_TOLD.fill({**counts, "files": ", ".join(map(str, written.files)) or "-"})[lang]]
    if written.empty:
        columns = ", ".join(f"{name} × {n:,}" for name, n in written.empty)
        made.append(_EMPTY.fill({"columns": columns})[lang])
    if written.unknown:
        some = ", ".join(written.unknown[:5])
        words = {"count": f"{len(written.unknown):,}", "some": some}
        made.append(_UNKNOWN.fill(words)[lang])
    return made


_NO_COLUMN = Text(
    "[target.{target}] event_columns：表 {table} 没有字段 {name}",
    "[target.{target}] event_columns: table {table} has no field {name}",
)
_TOLD = Text(
    "办理环节：{rows} 条反馈写成 {events} 条，文件：{files}",
    "case events: {rows} feedback rows became {events}, written to: {files}",
)
_EMPTY = Text(
    "以下必填字段没有来源，留空：{columns}；请在文件中补填，或写入该目标的 event_columns",
    "demanded columns without a source were left empty: {columns}; fill them in, or set "
    "event_columns of the target",
)
_UNKNOWN = Text(
    "台账中没有以下 {count} 个办件的申报，取自申报的字段留空：{some}",
    "the ledger knows no application of {count} cases, columns taken from it were left empty: "
    "{some}",
)
