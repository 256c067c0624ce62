"""Plain readings of a whole file, every cell as text, nothing checked: what validation is held
against. Each gives the number of rows."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks import wide_table

RECORD = "record"


def eager(path: Path) -> int:
    """In one call; XML through lxml element by element, a workbook through calamine."""
    if path.suffix == ".xml":
        return _lxml(path)
    if path.suffix == ".xlsx":
        from python_calamine import CalamineWorkbook

        _, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows()
        return pl.DataFrame(rows, orient="row").height
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema=False).height
    return (pl.read_ndjson(path) if path.suffix == ".jsonl" else pl.read_parquet(path)).height


def streaming(path: Path) -> int:
    """Through the streaming engine; XML through xml2arrow."""
    if path.suffix == ".xml":
        return _xml2arrow(path)
    if path.suffix == ".csv":
        scan = pl.scan_csv(path, infer_schema=False)
    else:
        scan = pl.scan_ndjson(path) if path.suffix == ".jsonl" else pl.scan_parquet(path)
    return scan.collect(engine="streaming").height


def possible(form: str) -> tuple[str, ...]:
    """The names of the readings of a form that can be measured here."""
    arrow = importlib.util.find_spec("xml2arrow") is not None
    alone = form == "xlsx" or (form == "xml" and not arrow)
    return ("read, eager",) if alone else ("read, eager", "read, streaming")


def _lxml(path: Path) -> int:
    """The texts of 10,000 records at a time as columns."""
    from lxml import etree

    columns: dict[str, list[str | None]] = {}
    rows = 0
    for _, record in etree.iterparse(path, tag=RECORD, resolve_entities=False):
        for child in record:
            columns.setdefault(child.tag, []).append(child.text)
        rows += 1
        if rows % 10_000 == 0:
            pl.DataFrame(columns)
            columns = {}
        record.clear()
        while record.getprevious() is not None:
            del record.getparent()[0]
    pl.DataFrame(columns)
    return rows


def _xml2arrow(path: Path) -> int:
    from xml2arrow import XmlToArrowParser

    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "fields.yaml"
        settings.write_text("\n".join(_settings(path)), "utf-8")
        batches = XmlToArrowParser(str(settings)).parse(str(path))
    return sum(int(batch.num_rows) for batch in batches.values())


def _settings(path: Path) -> Iterator[str]:
    table = f"/{wide_table.TABLE}"
    yield f"tables:\n  - name: t\n    xml_path: {table}\n    levels: []\n    fields:"
    for name in wide_table.columns():
        yield f"      - name: {name}\n        xml_path: {table}/{RECORD}/{name}"
        yield "        data_type: Utf8\n        nullable: true"
