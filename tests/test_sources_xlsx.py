"""XLSX: sheets as people make them, and files that only pretend to be workbooks."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from source_values import Read, field, found, packs, read, table, write

from validator.pack import Field, Kind, Provenance
from validator.sources import SourceOptions, discover
from validator.text import Text

HEAD = ["XMDM", "XMMC", "TZE"]
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def book(path: Path, **sheets: list[list[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def only(path: Path) -> Read:
    opened = found(path)
    assert not opened.problems, opened.problems
    (source,) = opened.sources
    whole = read(source)
    assert read(source, 2) == whole
    return whole


def problem(path: Path) -> str:
    opened = found(path)
    if opened.problems:
        (one,) = opened.problems
        assert one.text.zh
        return one.text.en
    (source,) = opened.sources
    with pytest.raises(Exception, match=path.name) as caught:
        read(source)
    return str(caught.value)


def rezip(path: Path, changes: dict[str, bytes]) -> Path:
    """The workbook with parts replaced."""
    with zipfile.ZipFile(path) as box:
        parts = {name: box.read(name) for name in box.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in (parts | changes).items():
            box.writestr(name, data)
    return path


def sheet_of(rows: str) -> bytes:
    return f"<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>".encode()


def test_every_sheet_is_a_table(tmp_path: Path) -> None:
    path = book(
        tmp_path / "export.xlsx",
        SPGL_AXXB=[HEAD, ["p1", "甲", "1"], [], ["p2", None, ""]],
        spgl_bxxb=[["SLBM"], ["s1"]],
        说明=[["填写说明"]],
        Sheet3=[],
    )
    opened = found(path)
    assert [s.file for s in opened.sources] == ["export.xlsx#SPGL_AXXB", "export.xlsx#spgl_bxxb"]
    assert [(u.file, u.name) for u in opened.unknown] == [("export.xlsx#说明", "说明")]
    assert read(opened.sources[0]).rows == [
        (1, 2, {"XMDM": "p1", "XMMC": "甲", "TZE": "1"}),
        (2, 4, {"XMDM": "p2"}),
    ]


def test_a_workbook_of_one_sheet_may_be_named_by_its_file(tmp_path: Path) -> None:
    path = book(tmp_path / "SPGL_AXXB_370800.xlsx", Sheet1=[HEAD, ["p1", "x", 5]])
    assert only(path).rows == [(1, 2, {"XMDM": "p1", "XMMC": "x", "TZE": "5"})]


def test_titles_above_the_header(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "SPGL_AXXB"
    sheet.append(["项目信息汇总表"])
    sheet.merge_cells("A1:C1")
    sheet.append([])
    sheet.append(["项目代码", "项目名称", "说明"])
    sheet.append(["XMDM", "XMMC", "备注"])
    sheet.append(["p1", "甲", "x"])
    made.save(path)
    (source,) = found(path).sources
    assert [(c.header, c.field) for c in source.columns()] == [
        ("XMDM", "XMDM"),
        ("XMMC", "XMMC"),
        ("备注", None),
    ]
    assert read(source).rows == [(1, 5, {"XMDM": "p1", "XMMC": "甲"})]


def test_hidden_sheets_are_told_and_not_read(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", SPGL_AXXB=[HEAD, ["p1"]], SPGL_BXXB=[["SLBM"], ["s"]])
    made = openpyxl.load_workbook(path)
    made["SPGL_BXXB"].sheet_state = "veryHidden"
    made.save(path)
    opened = found(path)
    assert [s.file for s in opened.sources] == ["x.xlsx#SPGL_AXXB"]
    assert [n.en for n in opened.notes] == ["x.xlsx#SPGL_BXXB: a hidden sheet was not checked"]


KINDS = packs(
    table(
        "SPGL_AXXB",
        [
            field("XMDM", "项目代码"),
            *(
                Field(name, Text(name, name), kind, Provenance.DEPLOYED)
                for name, kind in (
                    ("RQ", Kind.DATE),
                    ("SJ", Kind.DATETIME),
                    ("ZS", Kind.INTEGER),
                    ("XS", Kind.DECIMAL),
                )
            ),
        ],
    )
)


def row_of(tmp_path: Path, *cells: object) -> tuple[dict[str, str], set[tuple[int, str]]]:
    path = book(tmp_path / "SPGL_AXXB.xlsx", S=[["XMDM", "RQ", "SJ", "ZS", "XS"], list(cells)])
    (source,) = discover([path], KINDS, SourceOptions()).sources
    got = read(source)
    return got.rows[0][2], got.native


def test_dates_are_written_by_the_field(tmp_path: Path) -> None:
    moment = datetime(2024, 3, 5, 9, 30, 15)
    row, native = row_of(tmp_path, "p", date(2024, 3, 5), moment, 3, 0.29)
    assert row == {
        "XMDM": "p", "RQ": "2024-03-05", "SJ": "2024-03-05 09:30:15", "ZS": "3", "XS": "0.29",
    }  # fmt: skip
    assert not native


def test_a_serial_without_format_is_a_day_and_other_numbers_stay(tmp_path: Path) -> None:
    assert row_of(tmp_path, "p", 45356, 45356.5)[0]["SJ"] == "2024-03-05 12:00:00"
    assert row_of(tmp_path, "p", 20240305, 2024)[0] == {
        "XMDM": "p", "RQ": "20240305", "SJ": "2024",
    }  # fmt: skip
    assert row_of(tmp_path, "p", "2024/3/5", "45356")[0]["SJ"] == "45356"


def test_numbers_stay_what_they_are(tmp_path: Path) -> None:
    row, native = row_of(tmp_path, 370800199001011000, None, None, 1e20, 12.50)
    assert row["XMDM"] == "370800199001011000"
    assert row["ZS"] == "100000000000000000000"
    assert row["XS"] == "12.5"
    assert native == {(1, "XMDM")}
    assert row_of(tmp_path, 370800, None, None, "01")[1] == set()
    assert row_of(tmp_path, True, None, None, None, "1") == (
        {"XMDM": "true", "XS": "1"},
        {(1, "XMDM")},
    )


def test_formulas_count_by_their_stored_value(tmp_path: Path) -> None:
    path = book(tmp_path / "SPGL_AXXB.xlsx", S=[HEAD])
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>XMDM</t></is></c>'
        '<c r="B1" t="inlineStr"><is><r><t>XM</t></r><r><t>MC</t></r><rPh><t>x</t></rPh></is></c>'
        "</row>"
        '<row r="7"><c r="A7" t="str"><f>CONCATENATE("p","1")</f><v>p1</v></c>'
        '<c r="B7" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        '<row r="9"><c r="A9"><f>cmd|calc!A1</f></c></row>'
        '<row><c t="str"><v>a_x000D_b</v></c></row>'
        '<row r="20"><c r="A20" s="1"/></row><row r="1048576"/>'
    )
    got = only(rezip(path, {"xl/worksheets/sheet1.xml": sheet_of(rows)}))
    assert got.rows == [(1, 7, {"XMDM": "p1", "XMMC": "#DIV/0!"}), (2, 10, {"XMDM": "a\rb"})]


def test_a_value_without_header_makes_its_row_unreadable(tmp_path: Path) -> None:
    got = only(book(tmp_path / "SPGL_AXXB.xlsx", S=[["XMDM"], ["p1"], ["p2", "x"], ["p3"]]))
    assert got.cells("XMDM") == ["p1", "p3"]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3)]
    assert [r for r, _, _ in got.rows] == [1, 3]


def test_a_far_cell_costs_nothing(tmp_path: Path) -> None:
    path = book(tmp_path / "SPGL_AXXB.xlsx", S=[HEAD])
    rows = (
        '<row r="1"><c r="A1" t="str"><v>XMDM</v></c></row>'
        '<row r="1048576"><c r="A1048576" t="str"><v>p</v></c><c r="XFD1048576"/></row>'
    )
    data = (
        f'<worksheet {NS}><dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData></worksheet>'
    )
    got = only(rezip(path, {"xl/worksheets/sheet1.xml": data.encode()}))
    assert got.rows == [(1, 1048576, {"XMDM": "p"})]


def test_wrong_files_are_one_clear_line(tmp_path: Path) -> None:
    assert "no workbook" in problem(write(tmp_path, "SPGL_AXXB.xlsx", "XMDM,XMMC\n"))
    assert "no workbook" in problem(write(tmp_path, "empty.xlsx", ""))
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000)
    assert "old .xls" in problem(write(tmp_path, "old.xlsx", ole))
    secret = ole + "EncryptedPackage".encode("utf-16-le")
    assert "encrypted" in problem(write(tmp_path, "secret.xlsx", secret))
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as made:
        made.writestr("word/document.xml", "<x/>")
    assert "no workbook" in problem(write(tmp_path, "word.xlsx", box.getvalue()))


def test_a_truncated_workbook(tmp_path: Path) -> None:
    path = book(tmp_path / "SPGL_AXXB.xlsx", S=[HEAD, ["p1"]])
    path.write_bytes(path.read_bytes()[:-200])
    assert "cut off" in problem(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('<row r="1"><c t="str"><v>XMDM</v></c></row><row>', "cannot be read"),
        ("<row><c t='str'><v>" + "x" * (11 << 20) + "</v></c></row>", "cannot be read"),
        ("", "the sheet is empty"),
        ('<row><c t="str"><v>foo</v></c></row>', "holds no field"),
    ],
)
def test_damaged_sheets(tmp_path: Path, rows: str, said: str) -> None:
    path = book(tmp_path / "SPGL_AXXB.xlsx", S=[HEAD])
    rezip(path, {"xl/worksheets/sheet1.xml": sheet_of(rows)})
    with zipfile.ZipFile(path) as box:
        assert box.testzip() is None
    assert said in problem(path) or "bomb" in problem(path)


def test_entities_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "SPGL_AXXB.xlsx", S=[HEAD])
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    data = laughs.encode() + sheet_of('<row r="1"><c t="str"><v>&b;</v></c></row>')
    assert "with a DTD" in problem(rezip(path, {"xl/worksheets/sheet1.xml": data}))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = book(tmp_path / "SPGL_AXXB.xlsx", S=[HEAD])
    rezip(path, {"xl/worksheets/sheet1.xml": sheet_of(" " * (40 << 20))})
    assert path.stat().st_size < 200_000
    assert "may be a bomb" in problem(path)


def test_dates_since_1904_and_long_sheets(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.xlsx"
    made = openpyxl.Workbook()
    made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    made.active.append(["XMDM", "RQ"])
    for number in range(4500):
        made.active.append([f"p{number}", date(2024, 3, 5)])
    made.save(path)
    (source,) = discover([path], KINDS, SourceOptions()).sources
    got = read(source)
    assert got.cells("XMDM") == [f"p{n}" for n in range(4500)]
    assert set(got.cells("RQ")) == {"2024-03-05"}
    assert got.rows[-1][:2] == (4500, 4501)


def test_shared_texts(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.xlsx"
    made = xlsxwriter.Workbook(path)
    sheet = made.add_worksheet()
    for line, row in enumerate((["XMDM", "XMMC"], ["p1", "同"], ["p2", "同"])):
        sheet.write_row(line, 0, row)
    made.close()
    assert only(path).cells("XMMC") == ["同", "同"]
