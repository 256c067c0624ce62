"""Our own sheets put before the sheets of a workbook: the summary and the violations.

They come from a finished report workbook whose cells hold their own texts, so that only styles and
names have to be fitted to the workbook they move into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from lxml import etree

from validator.marking.package import Package, Write, relations_namespace
from validator.marking.style_part import Styles
from validator.sources.source import MIB

_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STYLE = re.compile(rb'(<c r="[A-Z]+[0-9]+" s=")([0-9]+)(")')


def put_before(package: Package, book: str, styles: Styles, report: Path) -> Mapping[str, Write]:
    """Announce the sheets of `report` in the workbook part `book`; their streams by member."""
    root = package.tree(book)
    space = etree.QName(root).namespace or ""
    relations = relations_namespace(root)
    with ZipFile(report) as box:
        first = styles.take_over(_part(box, "xl/styles.xml"))
        ours = _part(box, "xl/workbook.xml")
    names = [sheet.get("name", "") for sheet in ours.iterfind("{*}sheets/{*}sheet")]
    sheets = root.find("{*}sheets")
    if sheets is None:
        raise package.unreadable(book)
    free = max((int(s.get("sheetId", "0")) for s in sheets), default=0) + 1
    streams = {}
    for at, name in enumerate(names):
        member = package.free("xl/worksheets/spgl{}.xml")
        package.put(member, b"")
        package.typed(member, _SHEET)
        sheet = etree.Element(f"{{{space}}}sheet", name=name, sheetId=str(free + at))
        sheet.set(f"{{{relations}}}id", package.relate(book, "worksheet", member, relations))
        sheets.insert(at, sheet)
        streams[member] = _stream(report, at + 1, first, space.encode())
    _name(root, ours, space, len(names))
    return streams


def _part(box: ZipFile, member: str) -> etree._Element:
    return etree.fromstring(box.read(member))


def _stream(report: Path, number: int, first: int, space: bytes) -> Write:
    """Copies a sheet of the report, its styles counted from `first`."""

    def shifted(found: re.Match[bytes]) -> bytes:
        return found[1] + b"%d" % (int(found[2]) + first) + found[3]

    def write(out: IO[bytes]) -> None:
        with ZipFile(report) as box, box.open(f"xl/worksheets/sheet{number}.xml") as part:
            for lot in _whole_tags(part):
                lot = _STYLE.sub(shifted, lot)  # noqa: PLW2901
                out.write(lot.replace(_MAIN, space) if space != _MAIN else lot)

    return write


def _whole_tags(part: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a part, never cut inside a tag."""
    left = b""
    while chunk := part.read(MIB):
        left += chunk
        end = left.rfind(b"<")
        yield left[:end]
        left = left[end:]
    yield left


def _name(root: etree._Element, ours: etree._Element, space: str, count: int) -> None:
    """Names that belong to a sheet: theirs stand `count` sheets later, ours join them; the summary
    is shown first."""
    names = root.find("{*}definedNames")
    taken = ours.find("{*}definedNames")
    if names is None and taken is not None:
        names = etree.Element(f"{{{space}}}definedNames")
        sheets = root.find("{*}sheets")
        after = [e for e in root if etree.QName(e).localname in ("functionGroups",
                                                                 "externalReferences")]  # fmt: skip
        last = after[-1] if after else sheets
        if last is not None:
            last.addnext(names)
    for name in names if names is not None else ():
        if name.get("localSheetId"):
            name.set("localSheetId", str(int(name.get("localSheetId", "0")) + count))
    if taken is not None and names is not None:
        for name in taken:
            twin = etree.SubElement(names, f"{{{space}}}definedName")
            twin.text = name.text
            for key, value in name.items():
                twin.set(key, value)
    for view in root.iterfind("{*}bookViews/{*}workbookView"):
        view.set("activeTab", "0")
        view.set("firstSheet", "0")
