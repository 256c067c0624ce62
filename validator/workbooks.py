"""Which workbooks a run reads, and how they stood then, so that they can be given back marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from validator.records import TableSource
from validator.run import Workbook

_ENDINGS = (".xlsx", ".xlsm")


def workbooks(sources: Sequence[TableSource], beneath: Path) -> dict[str, Workbook]:
    """The workbooks behind sources by the name people see; not those that were unpacked `beneath` a
    folder, for they are gone after the run."""
    if not any(s.file.partition("#")[0].lower().endswith(_ENDINGS) for s in sources):
        return {}
    from validator.sources.xlsx import XlsxSource

    return {
        s.place.file: Workbook(str(s.place.path.resolve()), s.stamp())
        for s in sources
        if isinstance(s, XlsxSource) and not s.place.path.is_relative_to(beneath)
    }
