"""Which tables an XML file holds and where each begins.

A table is an element named like one, or `table_data name="…"` of `mysqldump --xml`; a root of
another name is the table of the file's name unless elements inside it are tables. Records are
skipped over where that is safe, and never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from validator.pack import Table
from validator.sources.source import Place
from validator.sources.xml_feed import (
    ANYWHERE,
    Cursor,
    fed,
    local_name,
    parser,
    refuse_dtd,
    written_name,
)

#: Elements that only hold tables, and those that hold no records.
_HOLDERS = frozenset({"mysqldump", "database"})
_NO_RECORDS = frozenset({"table_structure", "options", "events", "routines", "triggers"})
#: What a search for marks finds of an end tag.
_LESS = b"<"
_CLOSED_BY = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


@dataclass(frozen=True, slots=True)
class Found:
    """A table element. `name` is what names it, `table` None when no pack knows it; `offset` and
    `line` say where it starts; `root`: it is the whole document; `spaces`: prefixes declared."""

    tag: str
    name: str
    table: Table | None
    offset: int
    line: int
    root: bool
    spaces: dict[str | None, str]


@dataclass(slots=True)
class _Walk:
    """Where the parser stands, and the tables so far."""

    named: Callable[[str], Table | None]
    stem: Table | None
    depth: int = 0
    skipped_lines: int = 0
    found: list[Found] = field(default_factory=list)


def outline(
    cursor: Cursor, place: Place, named: Callable[[str], Table | None], stem: Table | None
) -> list[Found]:
    """The tables of a file in order. Raises SourceError: not well-formed, entities, external DTD.

    `named` finds a table by name; `stem` is the table of the file's name.
    """
    reader, walk = parser(), _Walk(named, stem)
    while True:
        offset, line = cursor.offset, cursor.line
        piece = cursor.piece(ANYWHERE)
        happened = list(fed(reader, piece, place, walk.skipped_lines))
        if not piece:
            return walk.found
        for action, element in happened:
            if action == "end":
                walk.depth -= 1
                continue
            walk.depth += 1
            if walk.depth == 1:
                refuse_dtd(element, place)
            if not _notice(walk, element, offset, line):
                continue
            if walk.found and walk.found[-1].root:
                return walk.found
            if len(happened) == 1:
                _skip(walk, cursor, element)


def _notice(walk: _Walk, element: etree._Element, offset: int, line: int) -> bool:
    """Note a table that starts here; True when the content of the element is not looked at."""
    name = local_name(element)
    if name in _HOLDERS or name in _NO_RECORDS:
        return name in _NO_RECORDS
    title = (element.get("name") if name == "table_data" else None) or name
    table, root = walk.named(title), element.getroottree().getroot()
    if walk.depth == 1:
        if table is not None:
            walk.found.append(Found(element.tag, title, table, 0, 1, True, dict(element.nsmap)))
        return table is not None
    if table is None and not walk.found and walk.stem is not None and title == name:
        spaces, title = dict(root.nsmap), local_name(root)
        walk.found.append(Found(root.tag, title, walk.stem, 0, 1, True, spaces))
        return True
    spaces = dict(element.nsmap)
    walk.found.append(Found(element.tag, title, table, offset, line, False, spaces))
    return True


def _skip(walk: _Walk, cursor: Cursor, element: etree._Element) -> None:
    """Move to the end tag of the element. In well-formed content only comments, CDATA, processing
    instructions and an element of the same name could be mistaken for it or hide it."""
    line, depth, name = cursor.line, 0, re.escape(written_name(element))
    mark = re.compile(rb"<(?:!--|!\[CDATA\[|\?|%b(?:\s[^>]*)?>|(?=/%b[\s>]))" % (name, name))
    while (found := cursor.skip_past(mark, stay=_LESS)) is not None:
        if found == _LESS:
            if not depth:
                break
            cursor.skip_past(re.compile(rb"</"))
            depth -= 1
        elif found in _CLOSED_BY:
            cursor.skip_past(re.compile(re.escape(_CLOSED_BY[found])))
        elif not found.endswith(b"/>"):
            depth += 1
    walk.skipped_lines += cursor.line - line
