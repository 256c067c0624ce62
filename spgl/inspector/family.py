"""Parents and children of a record by the references of the pack, with a line to recognise each by.

It looks into the records of one run; what only the target holds is named, not followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from spgl.inspector.cases import valid
from spgl.inspector.site import Site
from spgl.inspector.snapshot import Snapshot
from spgl.inspector.walk import place_url
from validator.pack import Reference, Table
from validator.text import Text

#: Fields that tell people which record it is, in the order they are tried.
LABELS = (
    "XMMC", "SPSXMC", "PFWH", "DTMC", "DWMC", "CLMC", "FJMC", "BLDWMC", "TBCXMC", "SPBMMC",
    "SPSXBM",
)  # fmt: skip
_CHILDREN = 12
#: Fields whose code and time say what happened.
_STATES = (("BLZT", "BLSJ"), ("TBCX", "TBCXKSSJ"))


@dataclass(frozen=True, slots=True)
class Relative:
    """A record to walk to. `url` is empty where it is not in the run."""

    table: str
    title: Text
    label: Text
    key: Mapping[str, str]
    url: str


@dataclass(frozen=True, slots=True)
class Parent:
    """What a reference points to: `found` is None where nothing of this run matches."""

    reference: Reference
    title: Text
    values: Mapping[str, str]
    found: Relative | None


@dataclass(frozen=True, slots=True)
class Children:
    """Records of one table that refer to this one; `more` are not listed."""

    table: str
    title: Text
    count: int
    shown: tuple[Relative, ...]

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


def parents(
    site: Site, snapshot: Snapshot, table: Table, cells: Mapping[str, str]
) -> tuple[Parent, ...]:
    """Where each filled reference of a record leads, the project first."""
    made: list[Parent] = []
    for reference in table.references:
        target = site.names.tables.get(reference.table)
        values = [cells.get(name, "") for name in reference.fields]
        if target is None or not all(values):
            continue
        field = table.by_name[reference.fields[0]]
        groups = [values]
        if field.separator is not None and len(values) == 1:
            groups = [[part] for part in values[0].split(field.separator) if part.strip()]
        for group in groups:
            asked = dict(zip(reference.target_fields, group, strict=True))
            rows = valid(snapshot.find(reference.table, asked))
            found = relative(site, snapshot, target, rows.row(0, named=True)) if len(rows) else None
            made.append(Parent(reference, target.title, asked, found))
    return tuple(made)


def children(
    site: Site, snapshot: Snapshot, table: Table, cells: Mapping[str, str]
) -> tuple[Children, ...]:
    """Records that refer to this one, by table in the order of sending."""
    made: list[Children] = []
    for other in site.packs.tables():
        found = _referring(snapshot, other, table, cells)
        if found is None or not found.height:
            continue
        order = [name for name in ("BLSJ", "TBCXKSSJ", "PFRQ") if name in found.columns]
        rows = found.sort(order[0]) if order else found
        shown = rows.head(_CHILDREN).to_dicts()
        made.append(
            Children(
                other.qualified,
                other.title,
                found.height,
                tuple(relative(site, snapshot, other, row) for row in shown),
            )
        )
    return tuple(made)


def _referring(
    snapshot: Snapshot, other: Table, table: Table, cells: Mapping[str, str]
) -> pl.DataFrame | None:
    """Rows of `other` whose references point to a record; a row that points twice counts once."""
    frames: list[pl.DataFrame] = []
    for reference in other.references:
        values = [cells.get(name, "") for name in reference.target_fields]
        if reference.table == table.qualified and all(values):
            asked = dict(zip(reference.fields, values, strict=True))
            frames.append(valid(snapshot.find(other.qualified, asked)))
    filled = [f for f in frames if f.width]
    return pl.concat(filled).unique(["file", "record"]) if filled else None


def relative(site: Site, snapshot: Snapshot, table: Table, row: Mapping[str, object]) -> Relative:
    """A row of a snapshot as something to walk to."""
    texts = {n: str(v) for n, v in row.items() if v is not None}
    key = {n: texts[n] for n in table.key.fields if n in texts}
    url = place_url(snapshot.run, table.qualified, texts["file"], int(texts["record"]))
    return Relative(table.qualified, table.title, label(site, table, texts), key, url)


def label(site: Site, table: Table, texts: Mapping[str, str]) -> Text:
    """What people recognise a record by: its state and time, else its name."""
    for code, time in _STATES:
        if code in texts and code in table.by_name:
            title = code_title(site, table, code, texts[code])
            at = texts.get(time, "")
            return Text(f"{title.zh} {at}".strip(), f"{title.en} {at}".strip())
    for name in LABELS:
        if texts.get(name):
            return Text(texts[name], texts[name])
    return Text("", "")


def code_title(site: Site, table: Table, name: str, value: str) -> Text:
    """The label of a code beside it; the code alone where the label was never seen."""
    field = table.by_name[name]
    if field.codes is None:
        return Text(value, value)
    try:
        codes = site.packs.code_list(table, field.codes.list)
    except KeyError:
        return Text(value, value)
    found: Sequence[Text] = [
        codes.by_code[part].title
        for part in (value.split(field.separator) if field.separator else [value])
        if part in codes.by_code and codes.by_code[part].title.zh
    ]
    if not found:
        return Text(value, value)
    return Text("、".join(t.zh for t in found), ", ".join(t.en or t.zh for t in found))
