"""One record: its fields with titles and code labels, what is wrong with which cell, its family,
and its whole life. It says where the values come from, and why where they cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from spgl.inspector import words
from spgl.inspector.cases import valid
from spgl.inspector.family import Children, Parent, children, code_title, label, parents
from spgl.inspector.index import Index
from spgl.inspector.ledger import opened
from spgl.inspector.lives import Came, Told, came_back, identity, told
from spgl.inspector.pages import act
from spgl.inspector.pages.packs import table_url
from spgl.inspector.site import Ask, Page, Refusal, Site
from spgl.inspector.snapshot import Snapshot, Whole
from spgl.inspector.walk import case_url, project_url
from validator.lexical import canonical, is_blank, matches
from validator.pack import Table
from validator.text import Text
from validator.violation import Violation

_VIOLATIONS = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the record; `value` is masked where personal, None where blank."""

    name: str
    title: Text
    value: str | None
    label: Text | None
    key: bool
    personal: bool
    exchange: bool
    marks: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class RecordPage:
    """The page. `source` tells where the values were read, `missing` why there are none."""

    run: str
    table: str
    title: Text
    label: Text
    table_url: str
    stage: str | None
    key: Mapping[str, str]
    file: str
    record: int | None
    line: int | None
    source: Text
    missing: Text | None
    cells: tuple[Cell, ...]
    others: tuple[Violation, ...]
    parents: tuple[Parent, ...]
    children: tuple[Children, ...]
    lives: tuple[Told, ...]
    came: tuple[Came, ...]
    ledger: bool
    case_url: str
    project_url: str
    back: str
    actions: bool
    csrf: str
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Found:
    """A record as far as it was found: canonical cells to look others up by, cells to show."""

    table: Table
    key: Mapping[str, str]
    file: str = ""
    record: int | None = None
    whole: Whole | None = None
    missing: Text | None = None
    kept: Mapping[str, str] | None = None


def build(site: Site, ask: Ask) -> RecordPage:
    found, run = _find(site, ask)
    index = site.indexes.open(run) if run else None
    marks = _violations(index, found) if index is not None else ()
    lives: tuple[Told, ...] = ()
    with opened(site.ledger) as ledger:
        there = ledger is not None
        if ledger is not None and all(f in found.key for f in found.table.key.fields):
            lives = told(ledger, found.table.qualified, found.key)
        came = () if ledger is None else came_back(ledger, site.packs, found.key)
    cells, source = _values(site, found, lives)
    snapshot = site.snapshots.open(run) if run else None
    looked = {**(found.kept or {}), **_canonical(found.table, cells)}
    project, case = looked.get("XMDM") or looked.get("GCDM", ""), looked.get("SPSXSLBM", "")
    return RecordPage(
        run=run,
        table=found.table.qualified,
        title=found.table.title,
        label=label(site, found.table, _open(found.table, looked)),
        table_url=table_url(site, found.table.qualified),
        stage=found.table.stage,
        key=site.masked(found.table, found.key),
        file=found.file,
        record=found.record,
        line=found.whole.line if found.whole else None,
        source=source,
        missing=None if cells else found.missing or _NOWHERE,
        cells=_cells(site, found.table, cells, marks),
        others=tuple(v for v in marks if not cells or not v.fields),
        parents=parents(site, snapshot, found.table, looked) if snapshot is not None else (),
        children=children(site, snapshot, found.table, looked) if snapshot is not None else (),
        lives=tuple(_veiled(site, found.table, t) for t in lives),
        came=came,
        ledger=there,
        case_url=case_url(ask.one("run"), case) if case else "",
        project_url=project_url(ask.one("run"), project) if project else "",
        back=_back(ask),
        actions=site.rights.actions,
        csrf=site.csrf,
        known=act.known(site, marks),
    )


def _find(site: Site, ask: Ask) -> tuple[_Found, str]:
    """The record an address means, and the run that is looked at (empty before the first)."""
    runs = site.runs.ids()
    run = site.runs.open(ask.one("run")).run.id if runs else ""
    snapshot = site.snapshots.open(run) if run else None
    version = ask.number("version")
    if version is not None:
        with opened(site.ledger) as ledger:
            if ledger is None:
                raise Refusal(404, _NO_LEDGER)
            name, key = identity(ledger, version)
        return _by_key(site, snapshot, run, _table(site, name), key), run
    table = _table(site, ask.one("table"))
    file, record = ask.one("file"), ask.number("record")
    if file and record is not None:
        return _by_place(site, snapshot, run, table, file, record), run
    key = {f: ask.one(f"k.{f}") for f in table.key.fields}
    if not all(key.values()):
        raise Refusal(400, _NO_KEY.fill({"key": ", ".join(table.key.fields)}))
    return _by_key(site, snapshot, run, table, key), run


def _table(site: Site, name: str) -> Table:
    found = site.names.tables.get(name)
    if found is None:
        raise Refusal(404, _NO_TABLE.fill({"name": name}))
    return found


def _by_place(
    site: Site, snapshot: Snapshot | None, run: str, table: Table, file: str, record: int
) -> _Found:
    whole = site.snapshots.whole(run, table.qualified, file, record)
    frame = snapshot.tables.get(table.qualified) if snapshot is not None else None
    kept: dict[str, str] = {}
    if frame is not None:
        row = frame.filter(pl.col("file") == file, pl.col("record") == record)
        if row.height:
            kept = {n: str(v) for n, v in row.row(0, named=True).items() if v is not None}
    if isinstance(whole, Text):
        key = {f: kept[f] for f in table.key.fields if f in kept} or _key_of(
            site.indexes.open(run), table, file, record
        )
        return _Found(table, key, file, record, None, whole, kept)
    cells = _canonical(table, whole.cells)
    key = {f: cells[f] for f in table.key.fields if f in cells}
    return _Found(table, key, file, record, whole, None, kept)


def _by_key(
    site: Site, snapshot: Snapshot | None, run: str, table: Table, key: Mapping[str, str]
) -> _Found:
    """The valid row of a key; parts that are personal are not kept, so they cannot be looked up."""
    open_ = {n: v for n, v in key.items() if table.by_name[n].personal is None}
    if snapshot is not None and len(open_) == len(key):
        rows = snapshot.find(table.qualified, open_)
        good = valid(rows) if rows.width else rows
        rows = good if good.height else rows
        if rows.height:
            row = rows.row(0, named=True)
            return replace(
                _by_place(site, snapshot, run, table, str(row["file"]), int(row["record"])),
                key=key,
            )
    return _Found(table, key)


def _key_of(index: Index, table: Table, file: str, record: int) -> dict[str, str]:
    """The key as a violation at the place tells it (personal parts are masked there)."""
    rows = _rows(index, table, file, record)
    for violation in index.violations(rows[:1]):
        return dict(violation.key)
    return {}


def _rows(index: Index, table: Table, file: str, record: int) -> list[int]:
    groups = [
        number
        for number, group in enumerate(index.stored.groups)
        if group.file == file and group.table in (table.qualified, table.name)
    ]
    at = index.frame.select(
        pl.arg_where(pl.col("group").is_in(groups) & (pl.col("record") == record))
    )
    return [int(n) for n in at.to_series().to_list()]


def _violations(index: Index, found: _Found) -> tuple[Violation, ...]:
    if found.record is None:
        return ()
    rows = _rows(index, found.table, found.file, found.record)
    return index.violations(rows[:_VIOLATIONS])


def _values(site: Site, found: _Found, lives: Sequence[Told]) -> tuple[Mapping[str, str], Text]:
    """Cells to show and where they come from: the file, else what the ledger keeps."""
    if found.whole is not None:
        where = {"file": found.file, "record": f"{found.record:,}"}
        return found.whole.cells, _FROM_FILE.fill(where)
    for one in lives:
        if one.content is not None:
            at = one.life.versions[-1].entry.entered.astimezone()
            return one.content, _FROM_LEDGER.fill({"at": at.strftime("%Y-%m-%d %H:%M")})
    return {}, found.missing or _NOWHERE


def _canonical(table: Table, cells: Mapping[str, str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for name, value in cells.items():
        field = table.by_name.get(name)
        if field is not None and not is_blank(value):
            made[name] = canonical(field.kind, value) if matches(field.kind, value) else value
    return made


def _cells(
    site: Site, table: Table, cells: Mapping[str, str], marks: Sequence[Violation]
) -> tuple[Cell, ...]:
    if not cells:
        return ()
    shown = site.masked(table, {n: v for n, v in cells.items() if n in table.by_name})
    made = []
    for field in table.fields:
        value = shown.get(field.name)
        label = None
        if value and field.codes is not None and field.personal is None:
            title = code_title(site, table, field.name, value)
            label = title if title.zh != value else None
        made.append(
            Cell(
                name=field.name,
                title=field.title,
                value=value or None,
                label=label,
                key=field.name in table.key.fields,
                personal=field.personal is not None,
                exchange=str(field.role) == "exchange",
                marks=tuple(v for v in marks if field.name in v.fields),
            )
        )
    return tuple(made)


def _open(table: Table, values: Mapping[str, str]) -> dict[str, str]:
    """The values that are not personal."""
    fields = table.by_name
    return {n: v for n, v in values.items() if n in fields and fields[n].personal is None}


def _veiled(site: Site, table: Table, one: Told) -> Told:
    """The life with personal parts of the key masked; the content was shown as cells."""
    key = site.masked(table, one.life.key)
    versions = tuple(replace(v, entry=replace(v.entry, key=key)) for v in one.life.versions)
    return replace(one, life=replace(one.life, key=key, versions=versions), content=None)


def _back(ask: Ask) -> str:
    """The address of this page, to come back to after an act."""
    from urllib.parse import urlencode

    return "/record?" + urlencode([(n, v) for n, vs in ask.query.items() for v in vs])


_FROM_FILE = Text("取自文件 {file} 第 {record} 条", "read from {file}, record {record}")
_FROM_LEDGER = Text(
    "文件中已读不到，取自台账 {at} 入账的内容",
    "not readable from its file any more; this is what entered the ledger at {at}",
)
_NOWHERE = Text(
    "这次运行的文件和台账中都没有这条记录的内容",
    "neither the files of this run nor the ledger hold the content of this record",
)
_NO_LEDGER = Text("还没有台账", "there is no ledger yet")
_NO_TABLE = Text("标准包中没有表 {name}", "no pack has the table {name}")
_NO_KEY = Text("请给出主键 {key}，或文件和记录序号", "give the key {key}, or file and record")

PAGES = (Page("/record", "record.html", words.RECORD, build),)
