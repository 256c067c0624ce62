"""The styles of a workbook with some more: a cell's own style on a red, yellow or blue ground.

Everything but the ground stays (number format, border, alignment); a light font turns black, since
it could not be read on a light ground. Styles of another workbook can be taken over behind these.
"""

from __future__ import annotations

import copy

from lxml import etree

from validator.violation import Severity

GROUND = {Severity.ERROR: "FFFF9C9C", Severity.WARNING: "FFFFEB70", Severity.INFO: "FFCFE2FF"}
#: Excel holds no more styles in one workbook.
STYLES = 64_000
#: Order of the sections (ECMA-376, CT_Stylesheet) as far as they are touched here.
_SECTIONS = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs")
#: Custom number formats begin here.
_CUSTOM = 164


class Styles:
    """A style sheet that grows. `root` is its `styleSheet` element."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self._space = etree.QName(root).namespace or ""
        self._made: dict[tuple[int, Severity], int] = {}
        self._fills: dict[Severity, int] = {}
        self._fonts: dict[int, int] = {}
        for name in _SECTIONS:
            for section in root.iterfind(f"{{*}}{name}"):
                # Optional, and wrong as soon as something is added.
                section.attrib.pop("count", "")
        if not len(self._section("cellXfs")):
            etree.SubElement(self._section("cellXfs"), self._tag("xf"))

    def on_ground(self, base: int, severity: Severity) -> int:
        """The number of the style `base` on the ground of `severity`; `base` itself where the
        workbook can hold no more styles."""
        known = self._made.get((base, severity))
        if known is not None:
            return known
        styles = self._section("cellXfs")
        if len(styles) >= STYLES:
            return base
        style = copy.deepcopy(styles[base if 0 <= base < len(styles) else 0])
        style.set("fillId", str(self._fill(severity)))
        style.set("applyFill", "1")
        font = int(style.get("fontId", "0"))
        dark = self._dark(font)
        if dark != font:
            style.set("fontId", str(dark))
            style.set("applyFont", "1")
        styles.append(style)
        self._made[base, severity] = len(styles) - 1
        return len(styles) - 1

    def take_over(self, other: etree._Element) -> int:
        """Append all cell styles of another style sheet; its style n is then n + the answer."""
        offsets = {name: len(self._section(name)) for name in ("fonts", "fills", "borders")}
        for name in offsets:
            for element in other.iterfind(f"{{*}}{name}/*"):
                self._section(name).append(self._renamed(element))
        formats = self._take_formats(other)
        styles = self._section("cellXfs")
        first = len(styles)
        for element in other.iterfind("{*}cellXfs/*"):
            style = self._renamed(element)
            for key, name in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
                style.set(key, str(int(style.get(key, "0")) + offsets[name]))
            style.set(
                "numFmtId", formats.get(style.get("numFmtId", "0"), style.get("numFmtId", "0"))
            )
            style.set("xfId", "0")
            styles.append(style)
        return first

    def _take_formats(self, other: etree._Element) -> dict[str, str]:
        """Number formats of another style sheet; the numbers they get here."""
        found = other.find("{*}numFmts")
        if found is None:
            return {}
        ours = self._section("numFmts")
        last = max((int(f.get("numFmtId", "0")) for f in ours), default=0)
        numbers = {}
        for number, element in enumerate(found, max(last + 1, _CUSTOM)):
            numbers[element.get("numFmtId", "")] = str(number)
            taken = self._renamed(element)
            taken.set("numFmtId", str(number))
            ours.append(taken)
        return numbers

    def _fill(self, severity: Severity) -> int:
        if severity not in self._fills:
            fills = self._section("fills")
            while len(fills) < 2:
                # Spreadsheet programs take the first two for "none" and "grey" whatever they say.
                kind = ("none", "gray125")[len(fills)]
                self._sub(self._sub(fills, "fill"), "patternFill", patternType=kind)
            pattern = self._sub(self._sub(fills, "fill"), "patternFill", patternType="solid")
            self._sub(pattern, "fgColor", rgb=GROUND[severity])
            self._sub(pattern, "bgColor", indexed="64")
            self._fills[severity] = len(fills) - 1
        return self._fills[severity]

    def _dark(self, number: int) -> int:
        """The font, or its black twin where it is light."""
        if number in self._fonts:
            return self._fonts[number]
        fonts = self._section("fonts")
        self._fonts[number] = number
        if number < len(fonts):
            color = fonts[number].find("{*}color")
            if color is not None and _light(color):
                twin = copy.deepcopy(fonts[number])
                black = twin[fonts[number].index(color)]
                black.attrib.clear()
                black.set("rgb", "FF000000")
                fonts.append(twin)
                self._fonts[number] = len(fonts) - 1
        return self._fonts[number]

    def _section(self, name: str) -> etree._Element:
        found = self.root.find(f"{{*}}{name}")
        if found is None:
            found = etree.Element(self._tag(name))
            before = _SECTIONS[: _SECTIONS.index(name)]
            at = sum(1 for child in self.root if etree.QName(child).localname in before)
            self.root.insert(at, found)
        return found

    def _sub(self, parent: etree._Element, name: str, **attributes: str) -> etree._Element:
        return etree.SubElement(parent, self._tag(name), attributes)

    def _tag(self, name: str) -> str:
        return f"{{{self._space}}}{name}"

    def _renamed(self, element: etree._Element) -> etree._Element:
        """A copy in the namespace of this style sheet."""
        twin = etree.Element(self._tag(etree.QName(element).localname))
        for key, value in element.items():
            twin.set(key, value)
        twin.extend([self._renamed(child) for child in element])
        return twin


def _light(color: etree._Element) -> bool:
    """Whether a font colour cannot be read on a light ground."""
    if color.get("theme") in ("0", "2"):
        return True
    if color.get("indexed") in ("1", "9"):
        return True
    rgb = color.get("rgb", "")[-6:]
    try:
        return sum(bytes.fromhex(rgb)) > 3 * 150 if rgb else False
    except ValueError:
        return False
