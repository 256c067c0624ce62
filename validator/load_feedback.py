"""Do the names in `[feedback]` of a pack point to something? A fault is a `PackError`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from validator.feedback import Feedback
from validator.load_files import Document, did_you_mean
from validator.pack import Pack, Table


def check_feedback(pack: Pack, used: Sequence[Pack], document: Document) -> None:
    """Every table and field that `[feedback]` names is there. Raises PackError."""
    feedback = pack.feedback
    if feedback is None:
        return
    own = {table.name: table for table in pack.tables}
    every = {table.qualified: table for one in (pack, *used) for table in one.tables}
    table = _table(feedback.table, own, document, "table")
    application = _table(feedback.application, own, document, "application")
    events = _table(feedback.events, every, document, "events")
    for there, names, at in (
        (table, _read(feedback), "columns"),
        (application, (feedback.case, *feedback.application_columns.values()), "application"),
        (events, _written(feedback), "columns"),
    ):
        for name in names:
            if name not in there.by_name:
                what = f"table {there.name} has no field {name}"
                document.fail(["feedback", at], what, f"use {did_you_mean(name, there.by_name)}")


def _read(feedback: Feedback) -> Iterable[str]:
    further = (entry.field for entry in feedback.further)
    own = (feedback.case, feedback.local_key, feedback.state)
    return (*own, *feedback.columns.values(), *further)


def _written(feedback: Feedback) -> Iterable[str]:
    single = (feedback.state_column, feedback.id_column, feedback.division_column)
    maps = (*feedback.columns, *feedback.constants, *feedback.application_columns)
    return (*(name for name in single if name), *maps)


def _table(name: str, tables: dict[str, Table], document: Document, at: str) -> Table:
    if name not in tables:
        what = f"unknown table {name!r}"
        document.fail(["feedback", at], what, f"use {did_you_mean(name, tables)}")
    return tables[name]
