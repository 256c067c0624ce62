"""One workbook marked: its sheets rewritten, its styles grown, comments added; all else copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from lxml import etree

from validator.marking.front import put_before
from validator.marking.marks import Marks, Places
from validator.marking.note_parts import comments, last_shape, shapes
from validator.marking.package import Package, Write, relations_namespace
from validator.marking.sheet_part import Drawing, Pencil, UnusualPartError, rewrite, unselected
from validator.marking.style_part import Styles
from validator.pack import Packs
from validator.records import SourceError
from validator.sources.archive import opened
from validator.sources.source import Place, SourceOptions
from validator.sources.xlsx import XlsxSource
from validator.sources.xlsx_book import Sheet, read_book
from validator.text import Lang

_STYLES = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_COMMENTS = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_VML = "application/vnd.openxmlformats-officedocument.vmlDrawing"


@dataclass(frozen=True, slots=True)
class Look:
    """How a copy is marked: language of comments, cells of a sheet that get one, and a report
    workbook whose sheets stand before the others (None: there is none)."""

    lang: Lang
    comments: int
    front: Path | None


def sheet_names(place: Place) -> tuple[str, ...]:
    """Names of all sheets of a workbook, as written. Raises SourceError."""
    with opened(place) as box:
        package = Package(box, place)
        return tuple(
            sheet.get("name", "")
            for sheet in package.tree(_main(package)).iterfind("{*}sheets/{*}sheet")
        )


def mark(place: Place, out: IO[bytes], marks: Marks, packs: Packs, look: Look) -> None:
    """Write a marked copy of the workbook to `out`. Raises SourceError where it cannot be."""
    with opened(place) as box:
        package = Package(box, place)
        main = _main(package)
        copy = _Copy(package, main, _styles(package, main), marks, packs, look)
        streams: dict[str, Write] = {}
        if look.front is not None:
            streams.update(put_before(package, main, copy.styles, look.front))
        streams.update(copy.sheets())
        package.write(out, streams)


def _main(package: Package) -> str:
    found = [r.member for r in package.relations("") if r.kind == "officeDocument"]
    if not found:
        raise package.unreadable("_rels/.rels")
    return found[0]


def _styles(package: Package, main: str) -> Styles:
    """The style part of the workbook, made where it has none."""
    for relation in package.relations(main):
        if relation.kind == "styles":
            return Styles(package.tree(relation.member))
    root = package.tree(main)
    space, relations = etree.QName(root).namespace, relations_namespace(root)
    member = package.free("xl/styles{}.xml")
    package.put(member, f'<styleSheet xmlns="{space}"/>'.encode())
    package.typed(member, _STYLES)
    package.relate(main, "styles", member, relations)
    return Styles(package.tree(member))


class _Copy:
    """The sheets of one copy. Parts of comments are made when a sheet has been written."""

    def __init__(
        self, package: Package, main: str, styles: Styles, marks: Marks, packs: Packs, look: Look
    ) -> None:
        self.package, self.main, self.styles = package, main, styles
        self.marks, self.packs, self.look = marks, packs, look
        root = package.tree(main)
        self.space, self.relations = etree.QName(root).namespace or "", relations_namespace(root)
        drawings = (m for m in package.members() if m.lower().endswith(".vml"))
        self.last_shape = max((last_shape(package.read(m)) for m in drawings), default=0)

    def sheets(self) -> Iterator[tuple[str, Write]]:
        """What rewrites each sheet that changes, by its member."""
        marked = {sheet.name: sheet.table for sheet in self.marks.sheets()}
        for sheet in read_book(self.package.box, self.package.place).sheets:
            if sheet.name in marked:
                places = self._places(sheet, marked[sheet.name])
                yield sheet.member, self._marked(sheet, places)
            elif self.look.front is not None:
                yield sheet.member, self._plain(sheet.member)
        if self.look.front is not None:
            for relation in self.package.relations(self.main):
                if relation.kind in ("chartsheet", "dialogsheet"):
                    yield relation.member, self._plain(relation.member)

    def _plain(self, member: str) -> Write:
        def write(out: IO[bytes]) -> None:
            with self.package.open(member) as source:
                unselected(source, out)

        return write

    def _marked(self, sheet: Sheet, places: Places) -> Write:
        def write(out: IO[bytes]) -> None:
            pencil = Pencil(self.styles.on_ground, self.look.comments)

            def needed(has: str | None) -> str | None:
                return self._commented(sheet.member, pencil, has)

            try:
                with self.package.open(sheet.member) as source:
                    rewrite(
                        source, out, self.marks.rows(sheet.name, places), pencil,
                        Drawing(needed, self.relations), first=self.look.front is None,
                    )  # fmt: skip
            except UnusualPartError as fault:
                raise self.package.unreadable(sheet.member) from fault

        return write

    def _places(self, sheet: Sheet, qualified: str | None) -> Places:
        """Where the sheet has its columns; only its first cell is known of a sheet whose header
        cannot be read."""
        box: ZipFile = self.package.box
        if qualified is not None and qualified in {t.qualified for t in self.packs.tables()}:
            table = self.packs.table(qualified)
            source = XlsxSource(table, self.package.place, sheet, SourceOptions())
            try:
                header = source.header(box)
            except SourceError:
                return Places(1, {}, (0,), (0,))
            columns = {c.header: at for at, c in header.columns.items()}
            columns |= {c.field: at for at, c in header.columns.items() if c.field is not None}
            heads = tuple(sorted(header.columns))
            key = tuple(columns[name] for name in table.key.fields if name in columns)
            return Places(header.line, columns, heads, key or heads[:1])
        return Places(1, {}, (0,), (0,))

    def _commented(self, member: str, pencil: Pencil, has: str | None) -> str | None:
        """Write the comments of a sheet; the id of the drawing that shows them."""
        if not pencil.notes:
            return None
        package, relations = self.package, package_relations(self.package, member)
        texts = relations.get("comments")
        root = package.tree(texts) if texts else None
        part, fresh = comments(root, pencil.notes, self.space, self.look.lang)
        if texts is None:
            texts = package.free("xl/commentsSpgl{}.xml")
            package.typed(texts, _COMMENTS)
            package.relate(member, "comments", texts, self.relations)
        package.put(texts, part)
        by_id = {r.id: r.member for r in package.relations(member)}
        drawing = by_id.get(has) if has else None
        shown = package.read(drawing) if drawing else None
        grown, self.last_shape = shapes(shown, fresh, self.last_shape)
        if drawing is not None:
            package.put(drawing, grown)
            return has
        drawing = package.free("xl/drawings/vmlSpgl{}.vml")
        package.put(drawing, grown)
        package.extension("vml", _VML)
        return package.relate(member, "vmlDrawing", drawing, self.relations)


def package_relations(package: Package, member: str) -> dict[str, str]:
    """Members by the kind of their relation to a part."""
    return {r.kind: r.member for r in package.relations(member)}
