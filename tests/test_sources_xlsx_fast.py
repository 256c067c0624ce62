"""The columns of a plain sheet against the cell-by-cell reading of the same sheet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.load import load_packs
from validator.records import Batch, ChosenSource, SourceError
from validator.sources import SourceOptions, discover
from validator.sources.xlsx_plain import Odd

PACKS = load_packs(["data-sharing-3.0"])
NAMES = ["XZQHDM", "GCDM", "XMMC", "NKGSJ", "SBSJ", "ZTZE", "TDSFDSJFA", "NOPE"]
SHEET = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{rows}</sheetData></worksheet>"
)
STRINGS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{items}</sst>'
)
STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs>'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>'
)
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="SPGL_XMJBXXB" sheetId="1" r:id="r1"/></sheets></workbook>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}'
    "</Relationships>"
)
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def relation(name: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{name}" Type="{KIND}{kind}" Target="{target}"/>'


def book(folder: Path, rows: str, items: str = "", sheet: str = SHEET) -> Path:
    path = folder / "book.xlsx"
    inner = (
        relation("r1", "worksheet", "s.xml") + relation("r2", "sharedStrings", "t.xml")
        + relation("r3", "styles", "y.xml")
    )  # fmt: skip
    with zipfile.ZipFile(path, "w") as box:
        box.writestr("_rels/.rels", RELATIONS.format(relation("r", "officeDocument", "x/w.xml")))
        box.writestr("x/w.xml", BOOK)
        box.writestr("x/_rels/w.xml.rels", RELATIONS.format(inner))
        box.writestr("x/s.xml", sheet.replace("{rows}", rows))
        box.writestr("x/t.xml", STRINGS.replace("{items}", items))
        box.writestr("x/y.xml", STYLES)
    return path


def head() -> str:
    cells = "".join(
        f'<c r="{chr(65 + i)}1" t="inlineStr"><is><t>{n}</t></is></c>' for i, n in enumerate(NAMES)
    )
    return f'<row r="1">{cells}</row>'


Told = tuple[list[dict[str, str | None]], list[int], list[int], list[object], list[object]]


def told(path: Path, limit: int = 1 << 24) -> Told | str:
    """Everything a reading gives, or what it refuses."""
    try:
        found = discover([path], PACKS, SourceOptions(max_record=limit))
        if found.problems:
            return found.problems[0].text.en
        (source,) = found.sources
        batches: list[Batch] = list(source.batches(1000))
    except SourceError as fault:
        return fault.text.en
    rows: list[dict[str, str | None]] = []
    ordinals: list[int] = []
    lines: list[int] = []
    native: list[object] = []
    bad: list[object] = []
    for batch in batches:
        rows += batch.frame.to_dicts()
        ordinals += batch.ordinals.tolist()
        lines += batch.lines.tolist() if batch.lines is not None else []
        native += sorted((n, s.to_list()) for n, s in batch.native.items() if s.any())
        bad += batch.unreadable
    return rows, ordinals, lines, native, bad


def both(path: Path, limit: int = 1 << 24) -> Told | str:
    """The plain reading, the same as the parser's."""
    fast = told(path, limit)

    def never(*_: object) -> Iterator[object]:
        raise Odd

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("validator.sources.xlsx.plain_blocks", never)
        slow = told(path, limit)
    assert fast == slow
    if not isinstance(fast, str):
        picked_alone(path, limit)
    return fast


def picked_alone(path: Path, limit: int = 1 << 24) -> bool:
    """Whether records can be read without the rest; they are what the whole reading says."""
    (source,) = discover([path], PACKS, SourceOptions(max_record=limit)).sources
    assert isinstance(source, ChosenSource)
    assert source.chosen(np.array([1])) is None
    whole = by_record(source.batches(1000))
    for picked in (list(whole)[::2], list(whole)[1::3], list(whole)):
        if picked and (batches := source.chosen(np.array(picked))) is not None:
            assert by_record(batches) == {n: whole[n] for n in picked}
    return bool(whole) and source.chosen(np.array(list(whole))) is not None


def by_record(batches: Iterable[Batch]) -> dict[int, object]:
    """Row of the sheet, cells and native fields by ordinal."""
    found: dict[int, object] = {}
    for batch in batches:
        assert batch.lines is not None
        for i, row in enumerate(batch.frame.to_dicts()):
            native = {name for name, flags in batch.native.items() if flags[i]}
            found[int(batch.ordinals[i])] = (int(batch.lines[i]), row, native)
    return found


TEXTS = [
    "x",
    " ",
    "",
    "a&b<c>",
    "\"q\" 'r'",
    "_x000D_",
    "汉字",
    "1",
    "=1+1",
    "  s  ",
    "_x0041_b",
    "_xD800_",
]
VALUES = [
    "1", "0", "-5", "45000", "20240105", "45000.5", "1e3", "1E+22", "123456789012345678", "0.1",
    "nan", "abc", "2958466", "-0", "007", "100000", "9999", "",
]  # fmt: skip
SHARED = [f"<si><t>{escape(t)}</t></si>" for t in TEXTS] + [
    "<si><r><t>ri</t></r><r><rPr><b/></rPr><t xml:space=\"preserve\"> ch</t></r></si>",
    "<si><t>p</t><rPh sb=\"0\" eb=\"1\"><t>hint</t></rPh></si>",
    "<si> <t>spaced</t> </si>",
]  # fmt: skip


@st.composite
def cell(draw: st.DrawFn) -> str:
    """What stands inside a `c` behind its reference."""
    style = draw(st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="9"']))
    shape = draw(st.sampled_from(["n", "n", "s", "str", "b", "d", "e", "inlineStr", "none", "odd"]))
    formula = draw(st.sampled_from(["", "", "<f>A1+1</f>", '<f t="shared" si="1"/>']))
    if shape == "none":
        return f"{style}/>"
    if shape == "inlineStr":
        text = escape(draw(st.sampled_from(TEXTS)))
        return f'{style} t="inlineStr"><is><t>{text}</t></is></c>'
    if shape == "odd":
        return draw(st.sampled_from([
            f'{style}><!-- c --><v>1</v></c>', f"{style}><v>&#49;</v></c>",
            f'{style} t="str"><v><![CDATA[x]]></v></c>', f'{style} cm="1"><v>1</v></c>',
            f'{style} t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>',
        ]))  # fmt: skip
    if shape == "s":
        return f'{style} t="s"><v>{draw(st.integers(0, len(SHARED) + 1))}</v></c>'
    value = draw(st.sampled_from(VALUES))
    value = {"b": "1", "d": "2024-01-05T10:00:00Z", "str": "t&amp;x", "e": "#N/A"}.get(shape, value)
    kind = "" if shape == "n" else f' t="{shape}"'
    return f"{style}{kind}>{formula}<v>{value}</v></c>"


@st.composite
def rows(draw: st.DrawFn) -> str:
    found, line = head(), 1
    for _ in range(draw(st.integers(0, 6))):
        line += draw(st.sampled_from([1, 1, 1, 3]))
        columns = draw(st.lists(st.integers(0, 9), unique=True, max_size=5).map(sorted))
        inside = "".join(f'<c r="{chr(65 + at)}{line}"{draw(cell())}' for at in columns)
        mark = draw(st.sampled_from(["", ' spans="1:8"', ' x="1"']))
        if not inside and draw(st.booleans()):
            found += f'<row r="{line}"{mark}/>'
        else:
            found += f'<row r="{line}"{mark}>{inside}</row>' + draw(st.sampled_from(["", "\n "]))
    return found


@settings(deadline=None, max_examples=200)
@given(rows(), st.sampled_from([1 << 24, 3]))
def test_plain_sheets_read_as_a_parser_reads_them(text: str, limit: int) -> None:
    with TemporaryDirectory() as folder:
        both(book(Path(folder), text, "".join(SHARED)), limit)


@pytest.mark.parametrize(
    "inside",
    [
        '<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>',
        '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>',
        "<row><c><v>1</v></c></row><row><c><v>2</v></c></row>",
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c r="A3"><v>1</v></row>',
        '<row r="2"><c r="A2"><v>\x01</v></c></row>',
        '<row r="2"><c r="A2"><v>&nope;</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="3"',
        '<row r="2"><c r="A2" t="str"><v>a]]>b</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>a\r\nb</v></c></row>',
        '<row r="2"><c r="ZZZZ2"><v>1</v></c></row>',
        '<row r="2"><c r="XFD2"><v>1</v></c></row>',
        '<row r="99999999999"><c r="A2"><v>1</v></c></row>',
        '<row r="2" s="1" s="1"><c r="A2"><v>1</v></c></row>',
        '<row r="2" x14ac:dyDescent="1"><c r="A2"><v>1</v></c></row>',
        '<row r="2" junk><c r="A2"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c><row r="3"><c r="A3"><v>1</v></c></row></row>',
        '<row r="2"><c r="A2"><f t="x" t="y"/><v>1</v></c></row>',
    ],
)
def test_odd_sheets_read_as_a_parser_reads_them(inside: str, tmp_path: Path) -> None:
    both(book(tmp_path, head() + inside))


@pytest.mark.parametrize(
    "sheet",
    [
        SHEET.replace("</worksheet>", ""),
        SHEET.replace("</sheetData></worksheet>", ""),
        SHEET.replace("<worksheet", '<!DOCTYPE w [<!ENTITY a "b">]><worksheet'),
        SHEET.replace("<worksheet", "<!-- c --><worksheet"),
        SHEET.replace('encoding="UTF-8"', 'encoding="GBK"'),
        SHEET.replace("<sheetData>", '<cols><col min="1"/></cols><sheetData>'),
        SHEET.replace("<sheetData>", "<cols><sheetData>"),
        SHEET.replace("<sheetData>{rows}</sheetData>", "<sheetData/>"),
        SHEET.replace(' xmlns="', ' xmlns:a="').replace("sheetData", "a:sheetData"),
        SHEET.replace("UTF-8", "utf-8").replace(' standalone="yes"', ""),
    ],
)
def test_odd_parts_are_read_or_refused_alike(sheet: str, tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2" t="s"><v>0</v></c></row>'
    both(book(tmp_path, head() + row, "<si><t>370800</t></si>", sheet))


@pytest.mark.parametrize(
    "items", ["<si/><si><t>x</t></si>", "<si><t>x</si>", "<si><t>&#65;</t></si>", "x<si><t/></si>"]
)
def test_odd_shared_texts(items: str, tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c></row>'
    both(book(tmp_path, head() + row, items))


def test_a_long_sheet_in_several_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validator.sources.xlsx_plain._READ", 3000)
    lines = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>{n % 9}</v></c><c r="D{n}" s="1"><v>{n + 40000}</v></c>'
        f'<c r="F{n}"><v>{n}.5</v></c></row>'
        for n in range(2, 500)
    )
    odd = (
        '<row r="500"><c r="A500"><v>&#49;</v></c></row><row r="501"><c r="A501"><v>2</v></c></row>'
    )
    result = both(book(tmp_path, head() + lines + odd, "".join(SHARED)))
    assert not isinstance(result, str)
    assert result[2] == list(range(2, 502))
    assert not picked_alone(tmp_path / "book.xlsx")
    monkeypatch.setattr("validator.sources.xlsx_fast._PICKED", 1000)
    assert picked_alone(book(tmp_path, head() + lines, "".join(SHARED)))


def test_a_workbook_that_changed_is_refused(tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2"><v>1</v></c></row>'
    more = '<row r="3"><c r="A3"><v>2</v></c></row>'
    (source,) = discover([book(tmp_path, head() + row + more)], PACKS, SourceOptions()).sources
    assert len(list(source.batches(1000))) == 1
    assert isinstance(source, ChosenSource)
    for rows in (row, row + more.replace('r="3"', 'r="4"'), row + more.replace("<c", '<c x="1"')):
        book(tmp_path, head() + rows)
        batches = source.chosen(np.array([1, 2]))
        assert batches is not None
        with pytest.raises(SourceError, match="changed"):
            list(batches)
