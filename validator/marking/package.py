"""The container of a workbook: parts that change, how parts refer to each other, what is copied.

Parts are read under the guards of reading (`sources.archive`, no DTD, bounded size). Small parts
are changed as trees; sheets are written as streams. What is not named here is copied as it is.
"""

from __future__ import annotations

import posixpath
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lxml import etree

from validator.records import SourceError
from validator.sources.archive import DAMAGE, damaged
from validator.sources.source import MIB, Place

#: Bytes of a part that is changed as a tree.
LARGEST = 64 * MIB
_TYPES = "[Content_Types].xml"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"

#: Writes a part to the stream it is given.
Write = Callable[[IO[bytes]], None]


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part refers to: its id there, the last word of its kind, the member."""

    id: str
    kind: str
    member: str


@dataclass(slots=True)
class Package:
    """A workbook being rewritten. `box` is the opened original; nothing is written to it."""

    box: ZipFile
    place: Place
    _trees: dict[str, etree._Element] = field(default_factory=dict)
    _parts: dict[str, bytes] = field(default_factory=dict)
    _names: frozenset[str] = frozenset()

    def has(self, member: str) -> bool:
        if not self._names:
            self._names = frozenset(self.box.namelist())
        return member in self._names or member in self._parts or member in self._trees

    def read(self, member: str) -> bytes:
        """A part as it is now. Raises SourceError where it is missing, damaged or too large."""
        if member in self._parts:
            return self._parts[member]
        try:
            if self.box.getinfo(member).file_size > LARGEST:
                raise self.unreadable(member)
            return self.box.read(member)
        except KeyError as fault:
            raise self.unreadable(member) from fault
        except DAMAGE as fault:
            raise damaged(self.place, member) from fault

    def tree(self, member: str) -> etree._Element:
        """A part to be changed in place; it is written anew. Raises SourceError."""
        if member not in self._trees:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
            try:
                root = etree.fromstring(self.read(member), parser)
            except etree.XMLSyntaxError as fault:
                raise self.unreadable(member) from fault
            if root.getroottree().docinfo.internalDTD is not None:
                raise self.unreadable(member)
            self._trees[member] = root
        return self._trees[member]

    def put(self, member: str, part: bytes) -> None:
        """A part that is new, or takes the place of one."""
        self._parts[member] = part
        self._trees.pop(member, None)

    def free(self, pattern: str) -> str:
        """The first member name of this pattern (with one `{}`) that is not taken."""
        number = 1
        while self.has(pattern.format(number)):
            number += 1
        return pattern.format(number)

    def members(self) -> Iterator[str]:
        """Names of the original."""
        return iter(self.box.namelist())

    def relations(self, member: str) -> tuple[Relation, ...]:
        """What a part refers to, in order."""
        source = _relations_of(member)
        if not self.has(source):
            return ()
        folder = posixpath.dirname(member)
        return tuple(
            Relation(
                e.get("Id", ""),
                e.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, e.get("Target", ""))).lstrip("/"),
            )
            for e in self.tree(source).iterfind("{*}Relationship")
            if e.get("TargetMode") != "External"
        )

    def relate(self, member: str, kind: str, target: str, namespace: str) -> str:
        """Let a part refer to another; the id of the relation."""
        source = _relations_of(member)
        if not self.has(source):
            self.put(source, f'<Relationships xmlns="{_PACKAGE}/relationships"/>'.encode())
        root = self.tree(source)
        taken = {e.get("Id") for e in root}
        name = next(n for i in range(1, len(taken) + 2) if (n := f"rIdSpgl{i}") not in taken)
        etree.SubElement(
            root, f"{{{_PACKAGE}/relationships}}Relationship",
            Id=name, Type=f"{namespace}/{kind}", Target=f"/{target}",
        )  # fmt: skip
        return name

    def typed(self, member: str, content_type: str) -> None:
        """Say what a new part is."""
        etree.SubElement(
            self.tree(_TYPES), f"{{{_PACKAGE}/content-types}}Override",
            PartName=f"/{member}", ContentType=content_type,
        )  # fmt: skip

    def extension(self, ending: str, content_type: str) -> None:
        """Say what parts with this extension are, unless that is said."""
        root = self.tree(_TYPES)
        if not any(e.get("Extension", "").lower() == ending for e in root):
            root.insert(
                0,
                etree.Element(
                    f"{{{_PACKAGE}/content-types}}Default",
                    Extension=ending, ContentType=content_type,
                ),
            )  # fmt: skip

    def write(self, out: IO[bytes], streams: Mapping[str, Write]) -> None:
        """Write the container; `streams` write parts that are not held in memory. They run first,
        in order, for they may change other parts. Raises SourceError."""
        with ZipFile(out, "w", ZIP_DEFLATED) as box:
            for member, stream in streams.items():
                with _opened(box, member) as part:
                    stream(part)
            changed = {
                **self._parts,
                **{m: etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
                   for m, root in self._trees.items()},
            }  # fmt: skip
            for member in changed.keys() - streams.keys():
                with _opened(box, member) as part:
                    part.write(changed[member])
            done = {*streams, *changed}
            for info in self.box.infolist():
                if info.filename not in done and not info.is_dir():
                    done.add(info.filename)
                    self._copy(box, info)

    def open(self, member: str) -> IO[bytes]:
        """A part of the original as a stream. Raises SourceError."""
        try:
            return self.box.open(member)
        except (KeyError, *DAMAGE) as fault:
            raise damaged(self.place, member) from fault

    def unreadable(self, member: str) -> SourceError:
        return self.place.refuse(
            f"工作簿的 {member} 无法改写（缺失、损坏、过大或形式特殊）；"
            "请用 Excel 或 WPS 打开后另存为 .xlsx",
            f"the part {member} of the workbook cannot be rewritten (missing, damaged, too large"
            " or in an unusual form); open it in a spreadsheet program and save it as .xlsx again",
        )

    def _copy(self, box: ZipFile, info: ZipInfo) -> None:
        try:
            with self.box.open(info.filename) as source, _opened(box, info.filename) as part:
                shutil.copyfileobj(source, part, MIB)
        except DAMAGE as fault:
            raise damaged(self.place, info.filename) from fault


def relations_namespace(workbook: etree._Element) -> str:
    """The namespace of relations that a workbook of this kind uses, transitional or strict."""
    strict = (etree.QName(workbook).namespace or "").startswith("http://purl.oclc.org/")
    return _STRICT if strict else _TRANSITIONAL


def _relations_of(member: str) -> str:
    folder, name = posixpath.split(member)
    return posixpath.join(folder, "_rels", f"{name}.rels")


@contextmanager
def _opened(box: ZipFile, member: str) -> Iterator[IO[bytes]]:
    info = ZipInfo(member, date_time=time.localtime()[:6])
    info.compress_type = ZIP_DEFLATED
    with box.open(info, "w", force_zip64=True) as part:
        yield part
