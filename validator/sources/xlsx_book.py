"""The parts of a workbook around its sheets: names, shared texts, which styles are dates.

Office Open XML, transitional or strict, read as a stream with bounded memory; no entity, no DTD, no
formula is evaluated. Cells are `xlsx_cells`.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from validator.sources.archive import DAMAGE, damaged
from validator.sources.source import MIB, Place

#: Bytes of XML that one row or one shared text may take.
WIDEST = 16 * MIB
_CHUNK = 64 * 1024
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
#: Built-in number formats that are dates; 27 to 36 and 50 to 58 are the Chinese ones.
_DATES = frozenset(map(str, (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))))
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.I)
_DATE_CODE = re.compile(r"[ymdhs年月日]", re.I)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet by its name in the workbook and the member that holds it."""

    name: str
    member: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Book:
    """What cells need: shared texts, the styles that show dates, and the calendar."""

    sheets: tuple[Sheet, ...]
    since_1904: bool
    strings_member: str | None
    styles_member: str | None


def elements(
    box: zipfile.ZipFile, member: str, tags: tuple[str, ...], place: Place
) -> Iterator[etree._Element]:
    """The elements of a part with these local names, each complete, then forgotten.

    Raises SourceError for a part that is missing, damaged, no XML, carries a DTD or holds one
    element larger than `WIDEST`.
    """
    parser = etree.XMLPullParser(
        ("end",), tag=[f"{{*}}{tag}" for tag in tags],
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
    )  # fmt: skip
    waiting = 0
    try:
        total = box.getinfo(member).file_size
        with box.open(member) as part:
            while chunk := part.read(_CHUNK):
                place.meter.at(part.tell(), total)
                parser.feed(chunk)
                waiting += len(chunk)
                for _, element in parser.read_events():
                    if not isinstance(element, etree._Element):
                        continue
                    waiting = 0
                    if element.getroottree().docinfo.internalDTD is not None:
                        raise unreadable(place, member)
                    yield element
                    _forget(element)
                if waiting > WIDEST:
                    raise unreadable(place, member)
        parser.close()
    except (etree.XMLSyntaxError, KeyError) as fault:
        raise unreadable(place, member) from fault
    except DAMAGE as fault:
        raise damaged(place, member) from fault


def read_book(box: zipfile.ZipFile, place: Place) -> Book:
    """Sheets in order, hidden ones marked. Raises SourceError where this is no workbook."""
    root = next(
        (
            target for kind, target, _ in _relations(box, "", place)
            if kind.endswith("/officeDocument")
        ),
        None,
    )  # fmt: skip
    if root is None or root not in box.namelist():
        raise no_workbook(place)
    relations = {name: (kind, target) for kind, target, name in _relations(box, root, place)}
    sheets, since_1904 = list[Sheet](), False
    for element in elements(box, root, ("sheet", "workbookPr"), place):
        if element.tag.endswith("}workbookPr"):
            since_1904 = element.get("date1904") in ("1", "true")
            continue
        ids = [value for key, value in element.attrib.items() if str(key).endswith("}id")]
        kind, target = relations.get(str(ids[0]) if ids else "", ("", ""))
        if kind.endswith("/worksheet"):
            hidden = element.get("state", "visible") != "visible"
            sheets.append(Sheet(element.get("name", ""), target, hidden))

    def one(ending: str) -> str | None:
        return next((t for k, t in relations.values() if k.endswith(ending)), None)

    return Book(tuple(sheets), since_1904, one("/sharedStrings"), one("/styles"))


def date_styles(box: zipfile.ZipFile, book: Book, place: Place) -> frozenset[str]:
    """Numbers of the cell styles that show a date or a time."""
    if book.styles_member is None or book.styles_member not in box.namelist():
        return frozenset()
    dates, found = set(_DATES), set[str]()
    for element in elements(box, book.styles_member, ("numFmt", "cellXfs"), place):
        if element.tag.endswith("}numFmt"):
            code = _LITERAL.sub("", element.get("formatCode", "")).split(";")[0]
            if _DATE_CODE.search(code):
                dates.add(element.get("numFmtId", ""))
        else:
            styles = element.findall("{*}xf")
            found = {str(i) for i, xf in enumerate(styles) if xf.get("numFmtId") in dates}
    return frozenset(found)


def text_of(element: etree._Element) -> str:
    """The text of a shared or inline string: its runs, without phonetic hints."""
    runs = [
        t.text or ""
        for t in element.iter("{*}t")
        if (parent := t.getparent()) is not None and not str(parent.tag).endswith("}rPh")
    ]
    return unescaped("".join(runs))


def unescaped(text: str) -> str:
    """`_x000D_` and its like as the characters they stand for; half a character stays as it is."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    code = int(found.group(1), 16)
    return found.group() if 0xD800 <= code <= 0xDFFF else chr(code)


def no_workbook(place: Place) -> Exception:
    """The SourceError of a file that has the name of a workbook and is none."""
    return place.refuse(
        "不是 Excel 工作簿（扩展名与内容不符）；请用 Excel 或 WPS 另存为 .xlsx",
        "this is no workbook, the extension does not fit the content; save it as .xlsx",
    )


def _relations(box: zipfile.ZipFile, member: str, place: Place) -> list[tuple[str, str, str]]:
    """(kind, member, id) of what a part refers to inside the container."""
    folder, name = posixpath.split(member)
    source = posixpath.join(folder, "_rels", f"{name}.rels")
    if source not in box.namelist():
        return []
    found = []
    for element in elements(box, source, ("Relationship",), place):
        target = element.get("Target", "")
        path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        found.append((element.get("Type", ""), path, element.get("Id", "")))
    return found


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def unreadable(place: Place, member: str) -> Exception:
    """The SourceError of a part that is damaged, too large or carries a DTD."""
    return place.refuse(
        f"工作簿的 {member} 无法读取（损坏、过大或含 DTD）；请用 Excel 或 WPS 打开后另存为 .xlsx",
        f"the part {member} of the workbook cannot be read (damaged, too large or with a DTD);"
        " open it in a spreadsheet program and save it as .xlsx again",
    )
