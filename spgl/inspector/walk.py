"""Addresses of records, cases and projects. A key with personal parts is never put into one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from validator.pack import Table
from validator.reports.tally import qualified
from validator.reports.titles import Titles
from validator.violation import Violation


def sayable(table: Table, key: Mapping[str, str]) -> bool:
    """True when the whole key is known and none of it is personal."""
    return all(f in key and table.by_name[f].personal is None for f in table.key.fields)


def key_url(run: str, table: Table, key: Mapping[str, str]) -> str:
    """The page of a record by its natural key."""
    pairs = [("run", run)] if run else []
    parts = [(f"k.{name}", key[name]) for name in table.key.fields]
    return "/record?" + urlencode([*pairs, ("table", table.qualified), *parts])


def place_url(run: str, table: str, file: str, record: int) -> str:
    """The page of a record by where it stood in a run."""
    pairs = [("run", run), ("table", table), ("file", file), ("record", str(record))]
    return "/record?" + urlencode(pairs)


def record_url(names: Titles, run: str, violation: Violation) -> str:
    """The page of the record a violation is about; empty for one of a file."""
    name = qualified(violation)
    table = names.tables.get(name or "")
    if table is None or violation.record is None or violation.file is None:
        return ""
    return place_url(run, table.qualified, violation.file, violation.record)


def case_url(run: str, case: str) -> str:
    """The timeline of a case."""
    return "/case?" + urlencode([*([("run", run)] if run else []), ("case", case)])


def project_url(run: str, project: str) -> str:
    """The board of a project."""
    return "/project?" + urlencode([*([("run", run)] if run else []), ("project", project)])


def version_url(version: int) -> str:
    """The page of a version of the ledger, where its key cannot stand in an address."""
    return f"/record?version={version}"
