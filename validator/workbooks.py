"""Which workbooks a run reads, and how they stood then, so that they can be given back marked."""

from __future__ import annotations

from collections.abc import Sequence

from validator.records import TableSource
from validator.run import Workbook

_ENDINGS = (".xlsx", ".xlsm")


def workbooks(sources: Sequence[TableSource]) -> dict[str, Workbook]:
    """The workbooks behind sources by the name people see. One that was unpacked or read from
    standard input stands in the private folder of the run and is gone after it."""
    if not any(s.file.partition("#")[0].lower().endswith(_ENDINGS) for s in sources):
        return {}
    from validator.sources.xlsx import XlsxSource

    return {
        s.place.file: Workbook(str(s.place.path.resolve()), s.stamp())
        for s in sources
        if isinstance(s, XlsxSource)
    }
