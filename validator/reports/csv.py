"""Every violation as one CSV row: UTF-8 with BOM, RFC 4180 quoting, CRLF, one line a row.

Headers are contract names; titles and texts are in the chosen language. Cells are made safe for
spreadsheets (`flat`), which open CSV files by double click and read long digits as numbers: to look
at the rows there, take the xlsx report. Holds no counts.
"""

from __future__ import annotations

import csv
from io import TextIOWrapper
from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions
from validator.reports.flat import COLUMNS, cell
from validator.reports.titles import titles
from validator.run import Result
from validator.text import Lang


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the header and one row per violation, streamed; an empty run writes the header."""
    names = titles(packs)
    stream = TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    try:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow([column.name for column in COLUMNS])
        for violation in result.violations():
            values = (column.value(violation, names, lang) for column in COLUMNS)
            writer.writerow(["" if value is None else cell(str(value)) for value in values])
    finally:
        stream.detach()
