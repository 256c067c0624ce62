"""Writes the records as database clients export them: CSV in several encodings, JSON, XML.

Which table comes in which form is fixed here, so that the sample shows each kind of file once or
twice. Bytes depend on nothing but the records.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from spgl.city.table import Record

EXCHANGE = ("LSH", "SJYXBS", "SJWXYY", "SJSCZT", "SBYY")
LOCAL = ("ROWGUID", "SYNC", "OPERATEDATE")
#: Key of a record that shall be written so that it cannot be read; its value says how.
RAW = "*raw"


@dataclass(frozen=True, slots=True)
class Shape:
    """What the writer needs to know of a column: its title and whether JSON may hold a number."""

    title: str
    numeric: bool


Shapes = Mapping[str, Mapping[str, Shape]]


@dataclass(frozen=True, slots=True)
class Form:
    """How one file is written. Several tables share a file where the client exports them so."""

    path: str
    tables: tuple[str, ...]
    kind: str = "csv"
    encoding: str = "utf-8"
    newline: str = "\n"
    header: str = "field"
    exchange: bool = False
    local: tuple[str, ...] = ()
    quote_all: bool = False
    own_order: bool = True
    year: str = ""

    @property
    def codec(self) -> str:
        """The codec of every line; a byte order mark stands before the first only."""
        return "utf-8" if self.encoding == "utf-8-sig" else self.encoding


def _csv(name: str, path: str = "", **more: object) -> Form:
    table = f"SPGL_{name}"
    return Form(path or f"{table}.csv", (table,), **more)  # type: ignore[arg-type]


_CASES = "SPGL_XMSPSXBLXXXXB"
FORMS: tuple[Form, ...] = (
    Form("config/process.json", ("SPGL_SPLCXXB", "SPGL_SPJDXXB", "SPGL_SPLCJBLSXXXB"), "json"),
    _csv("SPSXJBXXB", "config/SPGL_SPSXJBXXB.csv", encoding="utf-8-sig", newline="\r\n"),
    _csv("SPSXKZXXB", "config/SPGL_SPSXKZXXB.csv", encoding="utf-8-sig", newline="\r\n"),
    _csv("SPSXCLMLXXB", "config/SPGL_SPSXCLMLXXB.csv", encoding="gb18030", quote_all=True),
    Form(
        "config/area.xml",
        ("SPGL_QYPGXXB", "SPGL_QYPGSXXXB", "SPGL_DFGHKZXXXB", "SPGL_GCSPXTJBXXB"),
        "mysqldump",
    ),
    _csv("XMJBXXB", exchange=True, local=LOCAL),
    _csv("XMYDHXJZXXB", encoding="gb18030", newline="\r\n"),
    _csv("XMQQYJXXB", encoding="utf-8-sig", header="title"),
    _csv("XMBQXXB", exchange=True),
    Form("SPGL_XMFJXXB.jsonl", ("SPGL_XMFJXXB",), "jsonl", exchange=True),
    _csv(
        "XMSPSXBLXXB",
        "case/SPGL_XMSPSXBLXXB_V3.csv",
        encoding="gb18030",
        newline="\r\n",
        exchange=True,
        local=("ROWGUID", "SYNC", "ROW_ID", "YEARFLAG"),
    ),
    _csv("XMSPSXBLXXXXB", f"case/2023/{_CASES}.csv", encoding="gb18030", year="2023"),
    _csv(
        "XMSPSXBLXXXXB",
        f"case/2024/{_CASES}.csv",
        encoding="utf-8-sig",
        newline="\r\n",
        year="2024",
    ),
    _csv("XMSPSXBLXXXXB", f"case/2025/{_CASES}.csv", newline="\r\n", year="2025"),
    Form("case/SPGL_XMSPSXZQYJXXB.jsonl", ("SPGL_XMSPSXZQYJXXB",), "jsonl"),
    Form("case/SPGL_XMSPSXBLTBCXXXB.xml", ("SPGL_XMSPSXBLTBCXXXB",), "xml"),
    _csv("XMSPSXPFWJXXB", "case/SPGL_XMSPSXPFWJXXB.csv", encoding="gb18030", header="title"),
    _csv("XMSQCLJQTFJXXB", "case/SPGL_XMSQCLJQTFJXXB.csv", exchange=True, quote_all=True),
    _csv("GZCNZBJJGXXB", header="title", newline="\r\n"),
    _csv("JSYDGHXKXXB", "stage/SPGL_JSYDGHXKXXB.csv", encoding="gb18030", newline="\r\n"),
    _csv("JSGCGHXKXXB", "stage/SPGL_JSGCGHXKXXB.csv", encoding="utf-8-sig"),
    _csv("JZGCSGXKXXB", "stage/SPGL_JZGCSGXKXXB.csv", encoding="gb18030", header="title"),
    _csv("SGTSJWJSCXXB", "stage/SPGL_SGTSJWJSCXXB.csv", local=("BELONGXIAQUCODE", "ROW_ID")),
    _csv("SGTSJWJSCXXXXB", "stage/SPGL_SGTSJWJSCXXXXB.csv", newline="\r\n"),
    _csv("KCSJRYXXB", "stage/SPGL_KCSJRYXXB.csv", encoding="gb18030"),
    _csv(
        "JSGCJGYSBAXXB",
        "stage/SPGL_JSGCJGYSBAXXB.csv",
        encoding="utf-8-sig",
        newline="\r\n",
        exchange=True,
    ),
    _csv("ZRZTXXB", "stage/spgl_zrztxxb.csv", header="lower", exchange=True, local=LOCAL),
    Form("stage/SPGL_XMDTXXB.jsonl", ("SPGL_XMDTXXB",), "jsonl"),
    _csv("SPFYSXKXXB", "stage/SPGL_SPFYSXKXXB.csv", encoding="utf-8-sig"),
    _csv("SPFXSBAXXB", "stage/SPGL_SPFXSBAXXB.csv", encoding="gb18030", newline="\r\n"),
    Form("fire/SPGL_JSGCXFSJSCXXB.xml", ("SPGL_JSGCXFSJSCXXB",), "dbeaver", exchange=True),
    Form("fire/SPGL_JSGCXFYSXXB.xml", ("SPGL_JSGCXFYSXXB",), "dbeaver"),
    _csv("JSGCXFYSBAXXB", "fire/SPGL_JSGCXFYSBAXXB.csv", encoding="gb18030", quote_all=True),
    Form("SPGL_ZJFWSXBLXXB.jsonl", ("SPGL_ZJFWSXBLXXB",), "jsonl"),
    Form("SPGL_ZJFWSXBLGCXXB.jsonl", ("SPGL_ZJFWSXBLGCXXB",), "jsonl", newline="\r\n"),
    _csv("XMJGXXB", "990100_SPGL_XMJGXXB.csv", encoding="gb18030"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record was written: file and 1-based ordinal in its file (or table of the file)."""

    file: str
    record: int


def write_city(
    tables: Mapping[str, Sequence[Record]], shapes: Shapes, out: Path
) -> dict[tuple[str, int], Place]:
    """Write every file below `out`; returns (table, index in its list) → where it stands."""
    places: dict[tuple[str, int], Place] = {}
    for form in FORMS:
        chosen = {t: _chosen(form, tables.get(t, ())) for t in form.tables}
        for table, records in chosen.items():
            file = form.path if len(form.tables) == 1 else f"{form.path}#{table}"
            places |= {(table, i): Place(file, n) for n, (i, _) in enumerate(records, 1)}
        filled = {
            t: [_filled(r, form, n) for n, (_, r) in enumerate(records, 1)]
            for t, records in chosen.items()
        }
        path = out / form.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_WRITERS[form.kind](form, filled, shapes))
    return places


def _chosen(form: Form, records: Sequence[Record]) -> list[tuple[int, Record]]:
    """The records of this file: all of the table, or those of one year of BLSJ."""
    last = max((f.year for f in FORMS if f.tables == form.tables), default="")
    return [
        (i, r)
        for i, r in enumerate(records)
        if not form.year
        or r.get("BLSJ", "")[:4] == form.year
        or (form.year == last and not r.get("BLSJ", "").startswith("20"))
    ]


def _filled(record: Record, form: Form, ordinal: int) -> Record:
    """The record with the exchange and local columns its client exports."""
    made = dict(record)
    if form.exchange:
        made = {"SJYXBS": "1", "SJSCZT": "0", **made}
    key = hashlib.sha256(record.get("DFSJZJ", str(ordinal)).encode()).hexdigest()
    local = {
        "ROWGUID": key[:32],
        "SYNC": "0",
        "OPERATEDATE": "2025-09-19 19:30:00",
        "ROW_ID": str(ordinal),
        "YEARFLAG": "2025",
        "BELONGXIAQUCODE": record.get("XZQHDM", ""),
    }
    return {**made, **{name: local[name] for name in form.local}}


def _columns(form: Form, table: str, shapes: Shapes, records: Sequence[Record]) -> list[str]:
    """Columns in the client's own order: every field of the table, even where all are empty."""
    names = [n for n in shapes[table] if n not in EXCHANGE]
    rest = names[2:]
    if form.own_order:
        Random(f"columns/{table}").shuffle(rest)
    exchange = [n for n in EXCHANGE if form.exchange and n in shapes[table]]
    known = {*shapes[table], *EXCHANGE, *form.local}
    more = sorted({n for r in records for n in r if n not in known and not n.startswith("*")})
    return [*names[:2], *rest, *more, *exchange, *form.local]


def _csv_bytes(form: Form, tables: Mapping[str, list[Record]], shapes: Shapes) -> bytes:
    ((table, records),) = tables.items()
    names = _columns(form, table, shapes, records)
    heads = [_head(form, n, shapes[table]) for n in names]
    lines = [_csv_line(form, heads)]
    for record in records:
        cells = [record.get(n, "") for n in names]
        lines.append(_broken(_csv_line(form, cells), record.get(RAW, ""), form.codec))
    head = b"\xef\xbb\xbf" if form.encoding == "utf-8-sig" else b""
    return head + b"".join(lines)


def _head(form: Form, name: str, shapes: Mapping[str, Shape]) -> str:
    if form.header == "title" and name in shapes:
        return shapes[name].title
    return name.lower() if form.header == "lower" else name


def _csv_line(form: Form, cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if form.quote_all else csv.QUOTE_MINIMAL
    csv.writer(out, quoting=quoting, lineterminator=form.newline).writerow(cells)
    return out.getvalue().encode(form.codec)


def _broken(line: bytes, how: str, codec: str) -> bytes:
    """The line as a faulty export would leave it: a cell too many, or bytes of no character."""
    if how == "ragged":
        end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
        return line.removesuffix(end) + b"," + "补录".encode(codec) + end
    if how == "bytes":
        wound = "样川".encode(codec)
        return line.replace(wound, b"\xff\xfe" + wound, 1)
    return line


def _json_value(name: str, value: str, shapes: Mapping[str, Shape]) -> object:
    """A native number where the field is numeric and the text is one, or where `#` asks for it."""
    if value.startswith("#"):
        return int(value[1:])
    if name in shapes and shapes[name].numeric:
        try:
            return float(value) if "." in value else int(value)
        except ValueError:
            return value
    return value


def _objects(form: Form, table: str, records: list[Record], shapes: Shapes) -> Iterator[str]:
    names = _columns(form, table, shapes, records)
    for record in records:
        row = {n: _json_value(n, record[n], shapes[table]) if n in record else None for n in names}
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        yield text[:-25] if record.get(RAW) == "broken" else text


def _jsonl_bytes(form: Form, tables: Mapping[str, list[Record]], shapes: Shapes) -> bytes:
    ((table, records),) = tables.items()
    return "".join(o + form.newline for o in _objects(form, table, records, shapes)).encode()


def _json_bytes(form: Form, tables: Mapping[str, list[Record]], shapes: Shapes) -> bytes:
    blocks = [
        f'  "{table}": [\n    ' + ",\n    ".join(_objects(form, table, records, shapes)) + "\n  ]"
        for table, records in tables.items()
    ]
    return ("{\n" + ",\n".join(blocks) + "\n}\n").encode()


def _xml_bytes(form: Form, tables: Mapping[str, list[Record]], shapes: Shapes) -> bytes:
    ((table, records),) = tables.items()
    names = _columns(form, table, shapes, records)
    out = ['<?xml version="1.0" encoding="UTF-8"?>', f"<{table}>"]
    for record in records:
        cells = "".join(f"<{n}>{escape(record[n])}</{n}>" for n in names if n in record)
        out.append(f"  <record>{cells}</record>")
    return "\n".join([*out, f"</{table}>", ""]).encode()


def _dbeaver_bytes(form: Form, tables: Mapping[str, list[Record]], shapes: Shapes) -> bytes:
    ((table, records),) = tables.items()
    names = _columns(form, table, shapes, records)
    declared = ",".join(f"{n}?" for n in names)
    out = [
        '<?xml version="1.0" ?>',
        f"<!DOCTYPE {table} [",
        f"  <!ELEMENT {table} (DATA_RECORD*)>",
        f"  <!ELEMENT DATA_RECORD ({declared})+>",
        *(f"  <!ELEMENT {n} (#PCDATA)>" for n in names),
        "]>",
        f"<{table}>",
    ]
    for record in records:
        out.append("  <DATA_RECORD>")
        out += [f"    <{n}>{escape(record.get(n, ''))}</{n}>" for n in names]
        out.append("  </DATA_RECORD>")
    return "\n".join([*out, f"</{table}>", ""]).encode()


def _mysqldump_bytes(form: Form, tables: Mapping[str, list[Record]], shapes: Shapes) -> bytes:
    out = [
        '<?xml version="1.0"?>',
        '<mysqldump xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
        '<database name="gcjs_ysxt">',
    ]
    for table, records in tables.items():
        names = _columns(form, table, shapes, records)
        out.append(f"\t<table_data name={quoteattr(table)}>")
        for record in records:
            out.append("\t<row>")
            out += [
                f"\t\t<field name={quoteattr(n)}>{escape(record[n])}</field>"
                if n in record
                else f'\t\t<field name={quoteattr(n)} xsi:nil="true" />'
                for n in names
            ]
            out.append("\t</row>")
        out.append("\t</table_data>")
    return "\n".join([*out, "</database>", "</mysqldump>", ""]).encode()


_WRITERS = {
    "csv": _csv_bytes,
    "jsonl": _jsonl_bytes,
    "json": _json_bytes,
    "xml": _xml_bytes,
    "dbeaver": _dbeaver_bytes,
    "mysqldump": _mysqldump_bytes,
}
