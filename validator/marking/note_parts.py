"""Comments of a sheet: the part with the texts, and the old drawing that shows them.

Both are made, or added to where the sheet has comments already: what a person wrote stays, ours
goes below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

from validator.marking.sheet_part import Note, reference
from validator.text import Lang

AUTHOR = "spgl"
#: What spreadsheet programs would take for an escaped character.
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_IDS = re.compile(rb"_x0000_s(\d+)")
_MAP = re.compile(rb'(<o:idmap\b[^>]*?\bdata=")([^"]*)(")')
#: Shapes are numbered in blocks of this size, one or more per drawing.
_BLOCK = 1024
_NAMES = (
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    ' xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_ROOT = (
    f'<xml {_NAMES}><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data=""/></o:shapelayout>'
    "</xml>"
).encode()
_TYPE = (
    '<v:shapetype {names} id="_x0000_t202" coordsize="21600,21600" o:spt="202"'
    ' path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_SHAPE = (
    '<v:shape {names} id="_x0000_s{id}" type="#_x0000_t202" style="position:absolute;'
    "margin-left:80pt;margin-top:2pt;width:280pt;height:130pt;z-index:{z};visibility:hidden"
    '" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>'
    '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
    '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
    '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
    "<x:Anchor>{left}, 15, {top}, 2, {right}, 15, {bottom}, 4</x:Anchor>"
    "<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column>"
    "</x:ClientData></v:shape>"
)


def comments(
    root: etree._Element | None, notes: Sequence[Note], namespace: str, lang: Lang
) -> tuple[bytes, tuple[Note, ...]]:
    """The part of the texts, and the notes whose cells had no comment before."""

    def tag(name: str) -> str:
        return f"{{{namespace}}}{name}"

    if root is None:
        root = etree.fromstring(f'<comments xmlns="{namespace}"/>')
    authors, listed = root.find("{*}authors"), root.find("{*}commentList")
    if authors is None:
        authors = etree.Element(tag("authors"))
        root.insert(0, authors)
    if listed is None:
        listed = etree.SubElement(root, tag("commentList"))
    etree.SubElement(authors, tag("author")).text = AUTHOR
    author, there = str(len(authors) - 1), {c.get("ref"): c for c in listed}
    fresh = []
    for note in notes:
        ref, said = reference(note.row, note.column), note.cell.comment(lang)
        comment = there.get(ref)
        if comment is None:
            comment = etree.SubElement(listed, tag("comment"), ref=ref, authorId=author)
            fresh.append(note)
        else:
            said = f"\n\n{AUTHOR}:\n{said}"
        text = comment.find("{*}text")
        if text is None:
            text = etree.SubElement(comment, tag("text"))
        run = etree.SubElement(text, tag("r"))
        words = etree.SubElement(run, tag("t"))
        words.set(_SPACE, "preserve")
        words.text = _ESCAPE.sub("_x005F_", said)
    part = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return part, tuple(fresh)


def last_shape(drawing: bytes) -> int:
    """The highest number of a shape in a drawing."""
    return max((int(number[-9:]) for number in _IDS.findall(drawing)), default=0)


def shapes(drawing: bytes | None, notes: Sequence[Note], last: int) -> tuple[bytes, int]:
    """The drawing with a box per note, numbered in blocks above the shape `last` of the workbook;
    and the last number used. What the drawing holds is passed through, for it need not be XML."""
    drawing = drawing or _ROOT
    first = (last // _BLOCK + 1) * _BLOCK + 1
    end = drawing.rfind(b"</xml>")
    if end < 0 or not notes:
        return drawing, last
    known = b'xmlns:v="' in drawing and b'xmlns:o="' in drawing and b'xmlns:x="' in drawing
    names = "" if known else _NAMES
    made = [] if b"_x0000_t202" in drawing else [_TYPE.format(names=names)]
    for number, note in enumerate(notes, first):
        made.append(_shape(note, number, names))
    last = first + len(notes) - 1
    blocks = ",".join(str(n) for n in range(first // _BLOCK, last // _BLOCK + 1)).encode()
    grown = drawing[:end] + "".join(made).encode() + drawing[end:]

    def with_blocks(found: re.Match[bytes]) -> bytes:
        before = found[2] + b"," if found[2] else b""
        return found[1] + before + blocks + found[3]

    return _MAP.sub(with_blocks, grown, count=1), last


def _shape(note: Note, number: int, names: str) -> str:
    row, column = note.row - 1, note.column
    return _SHAPE.format(
        names=names, id=number, z=number - number // _BLOCK * _BLOCK, row=row, column=column,
        left=column + 1, right=column + 6, top=max(row - 1, 0), bottom=max(row - 1, 0) + 9,
    )  # fmt: skip
