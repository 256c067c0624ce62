"""The user's own workbook back, marked: what is coloured, what is said, and that the rest stays."""

from __future__ import annotations

import io
import shutil
import subprocess
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from spgl.cli import main
from validator.marking.sheet_part import UnusualPartError, column_of, reference, unselected

TABLE = "SPGL_XMJBXXB"
HEADS = ["XZQHDM", "GCDM", "项目名称", "XMTZLY", "TDSFDSJFA", "NKGSJ", "LXRSJH", "备注列"]
ROWS: list[list[Any]] = [
    ["440100", "2401-440100-04-01-100001", '=CONCATENATE("项","目")', "1", "0", "2024-01-05"],
    ["440100", "2401-440100-04-01-100002", "_x0041_", "9", "7", "20240105"],
    ["440100", "2401-440100-04-01-100003", "项目丙", "1", None, "2024-13-45"],
]
RED, YELLOW = "FFFF9C9C", "FFFFEB70"


def made(path: Path) -> Path:
    """A workbook as people have them: titles, formats, a chart, a hidden sheet, a note."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = TABLE
    sheet.merge_cells("A1:F1")
    sheet["A1"] = "某市工程项目"
    for at, head in enumerate(HEADS, 1):
        cell = sheet.cell(2, at, head)
        cell.font, cell.fill = Font(color="FFFFFF"), PatternFill("solid", fgColor="1F3864")
    for number, row in enumerate(ROWS, 3):
        for at, value in enumerate(row, 1):
            sheet.cell(number, at, value)
    sheet["E4"].comment = Comment("人工批注", "某人")
    sheet["A3"].comment = Comment("另一条", "某人")
    sheet["D4"].number_format = "0.00"
    sheet["D4"].font = Font(bold=True, italic=True)
    sheet.column_dimensions["C"].width = 41
    sheet.freeze_panes = "A3"
    sheet.conditional_formatting.add("D3:D5", CellIsRule(operator="equal", formula=["1"]))
    valid = DataValidation(type="list", formula1='"0,1"')
    sheet.add_data_validation(valid)
    valid.add("E3:E9")
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=4, min_row=2, max_row=5), titles_from_data=True)
    sheet.add_chart(chart, "K3")
    notes = book.create_sheet("Summary")
    notes["A1"], notes["B2"] = "user's own", f"={TABLE}!D3*2"
    notes.print_title_rows = "1:1"
    book.create_sheet("秘密").sheet_state = "hidden"
    book.save(path)
    return path


def marked(
    folder: Path, source: Path, lang: str = "zh", name: str = "out.xlsx", *more: str
) -> Path:
    out = folder / name
    words = ["validate", str(source), "--report", f"xlsx={out}", "--lang", lang, "-q", *more]
    assert main([*words, "--state-dir", str(folder / "state"), "--format", "jsonl"]) == 1
    return out


def opened(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return openpyxl.load_workbook(path)


def fills(sheet: Any) -> dict[str, str]:
    return {
        cell.coordinate: cell.fill.fgColor.rgb
        for row in sheet.iter_rows() for cell in row if cell.fill.fgColor.rgb in (RED, YELLOW)
    }  # fmt: skip


def test_cells_of_violations_are_coloured_by_the_gravest(tmp_path: Path) -> None:
    sheet = opened(marked(tmp_path, made(tmp_path / "book.xlsx")))[TABLE]
    found = fills(sheet)
    assert found["E4"] == RED, "a code that is in no list"
    assert found["D4"] == YELLOW
    assert found["F5"] == RED
    assert found["H2"] != "", "an unknown column is marked at its header"
    assert "C5" not in found, "a good cell stays as it was"
    assert sheet["H2"].font.color.rgb == "FF000000", "a light font would not be seen"
    assert (sheet["D4"].number_format, sheet["D4"].font.b, sheet["D4"].font.i) == (
        "0.00",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("lang", "word", "help"),
    [("zh", "错误 · code-not-in-list", "→ 请"), ("en", "error · code", "→ Use")],
)
def test_comments_say_rule_message_and_help(
    tmp_path: Path, lang: str, word: str, help: str
) -> None:
    sheet = opened(marked(tmp_path, made(tmp_path / "book.xlsx"), lang))[TABLE]
    said = sheet["E4"].comment.text
    assert said.startswith("人工批注"), "what a person wrote stays above"
    assert word in said
    assert help in said
    assert sheet["A3"].comment.text == "另一条"
    heads = sheet["A2"].comment.text
    assert heads.count("missing-value") > 1, "several violations of one cell in one comment"


def test_everything_else_stays(tmp_path: Path) -> None:
    source = made(tmp_path / "book.xlsx")
    before, after = opened(source), opened(marked(tmp_path, source, "en"))
    assert after.sheetnames == ["Summary 2", "Violations", TABLE, "Summary", "秘密"]
    assert [s.sheet_state for s in after][2:] == ["visible", "visible", "hidden"]
    assert [bool(s.sheet_view.tabSelected) for s in after] == [True, False, False, False, False]
    for name in before.sheetnames:
        old, new = before[name], after[name]
        values = [[c.value for c in row] for row in old.iter_rows()]
        assert [[c.value for c in row] for row in new.iter_rows()][: len(values)] == values
        assert old.merged_cells.ranges == new.merged_cells.ranges
        assert len(old._charts) == len(new._charts)
        assert old.freeze_panes == new.freeze_panes
        assert old.print_title_rows == new.print_title_rows
    assert after[TABLE].column_dimensions["C"].width == 41
    assert len(after[TABLE].conditional_formatting) == 1
    assert after[TABLE].data_validations.dataValidation[0].sqref == "E3:E9"
    assert after["Violations"].print_title_rows == "$1:$1"


def test_the_report_in_front_holds_every_violation(tmp_path: Path, capsys: Any) -> None:
    book = opened(marked(tmp_path, made(tmp_path / "book.xlsx"), "en"))
    lines = capsys.readouterr().out.splitlines()
    assert book["Violations"].max_row == len(lines) + 1
    assert book["Violations"]["A2"].fill.fgColor.rgb in ("FFF8CBAD", "FFFFE699")
    texts = [c.value for row in book["Summary 2"].iter_rows() for c in row if c.value]
    assert any(str(text).startswith("Marked copy: red") for text in texts)


def parts(path: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(path) as box:
        assert box.testzip() is None
        assert len(set(box.namelist())) == len(box.namelist())
        return {name: box.read(name) for name in box.namelist()}


def test_the_package_holds_together(tmp_path: Path) -> None:
    """What a strict reader asks for: every relation leads somewhere, every part has a type, every
    style exists, references are unique and in order, elements stand where the schema wants them."""
    found = parts(marked(tmp_path, made(tmp_path / "book.xlsx")))
    types = etree.fromstring(found["[Content_Types].xml"])
    defaults = {e.get("Extension") for e in types.iterfind("{*}Default")}
    overrides = [e.get("PartName") for e in types.iterfind("{*}Override")]
    assert len(overrides) == len(set(overrides))
    assert {name.lstrip("/") for name in overrides} <= found.keys()
    for name in found.keys() - {"[Content_Types].xml"}:
        assert f"/{name}" in overrides or name.rpartition(".")[2] in defaults, name
    for name in (n for n in found if n.endswith(".rels")):
        for relation in etree.fromstring(found[name]):
            target = relation.get("Target")
            if target.startswith("/"):
                assert target[1:] in found
    styles = len(etree.fromstring(found["xl/styles.xml"]).find("{*}cellXfs"))
    for name in (n for n in found if n.startswith("xl/worksheets/") and n.endswith(".xml")):
        _sheet_holds_together(etree.fromstring(found[name]), styles)


#: As far as the workbooks of this page have them (ECMA-376, CT_Worksheet).
ORDER = [
    "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "autoFilter",
    "mergeCells", "conditionalFormatting", "dataValidations", "printOptions", "pageMargins",
    "pageSetup", "headerFooter", "drawing", "legacyDrawing", "tableParts", "extLst",
]  # fmt: skip


def _sheet_holds_together(root: Any, styles: int) -> None:
    order = [ORDER.index(etree.QName(child).localname) for child in root]
    assert order == sorted(order)
    for row in root.iterfind("{*}sheetData/{*}row"):
        columns = [column_of(cell.get("r").encode()) for cell in row]
        assert columns == sorted(set(columns))
        assert all(int(cell.get("s", 0)) < styles for cell in row)


def test_an_empty_cell_that_should_be_filled_is_there_and_red(tmp_path: Path) -> None:
    source = tmp_path / "book.xlsx"
    made(source)
    found = etree.fromstring(parts(marked(tmp_path, source))["xl/worksheets/sheet1.xml"])
    (cell,) = found.iterfind(".//{*}c[@r='E5']")
    assert cell.get("s") is not None
    assert len(cell) == 0


def test_macros_stay_where_their_extension_is_kept(tmp_path: Path) -> None:
    plain, source = made(tmp_path / "plain.xlsx"), tmp_path / "book.xlsm"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(source, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "[Content_Types].xml":
                part = part.replace(b"openxmlformats-officedocument.spreadsheetml.sheet.main",
                                    b"ms-excel.sheet.macroEnabled.main")  # fmt: skip
            new.writestr(name, part)
        new.writestr("xl/vbaProject.bin", b"macro")
    plain.unlink()
    out = marked(tmp_path, source)
    assert opened(out).sheetnames == ["汇总", "问题明细"]
    assert parts(tmp_path / "out-marked" / "book.xlsm")["xl/vbaProject.bin"] == b"macro"
    joined = parts(marked(tmp_path, source, "zh", "out.xlsm"))
    assert joined["xl/vbaProject.bin"] == b"macro"
    assert b"macroEnabled" in joined["[Content_Types].xml"]


def test_several_workbooks_come_back_beside_the_report(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "export"
    (folder / "b").mkdir(parents=True)
    made(folder / "a.xlsx")
    made(folder / "b" / "a.xlsx")
    out = marked(tmp_path, folder, "en")
    assert opened(out).sheetnames == ["Summary", "Violations"]
    for copy in ("a.xlsx", "b/a.xlsx"):
        book = opened(tmp_path / "out-marked" / copy)
        assert book.sheetnames == [TABLE, "Summary", "秘密"]
        assert fills(book[TABLE])["E4"] == RED
        assert (
            f"marked copy: {tmp_path}/out-marked/{copy}" in capsys.readouterr().err
            or copy != "a.xlsx"
        )


def test_an_input_is_never_written_over(tmp_path: Path, capsys: Any) -> None:
    source = made(tmp_path / "book.xlsx")
    before = source.read_bytes()
    state = ["--state-dir", str(tmp_path / "state"), "--lang", "en"]
    assert main(["validate", str(source), "--report", f"xlsx={source}", *state]) == 2
    assert "never written over" in capsys.readouterr().err
    assert main(["validate", str(tmp_path), "--report", f"xlsx={source}", *state]) == 2
    assert source.read_bytes() == before


def test_a_stored_run_marks_only_what_is_unchanged(tmp_path: Path, capsys: Any) -> None:
    source = made(tmp_path / "book.xlsx")
    marked(tmp_path, source, "en")
    state = ["--state-dir", str(tmp_path / "state"), "--lang", "en"]
    again = tmp_path / "again.xlsx"
    assert main(["report", "--report", f"xlsx={again}", *state]) == 0
    assert fills(opened(again)[TABLE]) == fills(opened(tmp_path / "out.xlsx")[TABLE])
    assert main(["report", "--report", f"xlsx={source}", *state]) == 2
    with source.open("ab") as file:
        file.write(b"more")
    capsys.readouterr()
    assert main(["report", "--report", f"xlsx={again}", *state]) == 0
    assert "book.xlsx: changed since it was checked" in capsys.readouterr().err
    source.unlink()
    assert main(["report", "--report", f"xlsx={again}", *state]) == 0
    assert "book.xlsx: no longer there" in capsys.readouterr().err
    assert opened(again).sheetnames == ["Summary", "Violations"]


def test_personal_values_are_masked_in_comments(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "SPGL_XMSPSXBLXXB"
    for row in (["GCDM", "SPSXSLBM", "LXRSJH"], ["2401-440100-04-01-100001", "1", "13812345678x"]):
        book.active.append(row)
    book.save(tmp_path / "book.xlsx")
    out = marked(tmp_path, tmp_path / "book.xlsx")
    comment = opened(out)["SPGL_XMSPSXBLXXB"]["C2"].comment.text
    assert "138" in comment
    assert sum(part.count(b"13812345678x") for part in parts(out).values()) == 1, "the cell itself"


def test_an_unusual_part_is_refused_in_one_line(tmp_path: Path, capsys: Any) -> None:
    plain, source = made(tmp_path / "plain.xlsx"), tmp_path / "book.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(source, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                part = part.replace(b"<sheetData>", b"<sheetData><!-- rows -->")
            new.writestr(name, part)
    out = marked(tmp_path, source, "en")
    assert "sheet1.xml of the workbook cannot be rewritten" in capsys.readouterr().err
    assert opened(out).sheetnames == ["Summary", "Violations"]


def packed(path: Path, *members: tuple[str, Path]) -> Path:
    with zipfile.ZipFile(path, "w") as box:
        for name, member in members:
            box.write(member, name)
    return path


def test_a_workbook_inside_a_zip_joins_the_report(tmp_path: Path, capsys: Any) -> None:
    source = made(tmp_path / "book.xlsx")
    box = packed(tmp_path / "export.zip", ("报送/book.xlsx", source))
    inside = opened(marked(tmp_path, box, "en"))
    assert inside.sheetnames == ["Summary 2", "Violations", TABLE, "Summary", "秘密"]
    capsys.readouterr()
    again, state = tmp_path / "again.xlsx", ["--state-dir", str(tmp_path / "state")]
    assert main(["report", "--report", f"xlsx={again}", "--lang", "en", *state]) == 0
    said = capsys.readouterr().err
    assert "export.zip/报送/book.xlsx: no longer there" in said
    assert "check it again with --report xlsx=FILE" in said
    assert opened(again).sheetnames == ["Summary", "Violations"]
    alone = opened(marked(tmp_path, source, "en", "alone.xlsx"))
    assert fills(inside[TABLE]) == fills(alone[TABLE])
    assert inside[TABLE]["E4"].comment.text == alone[TABLE]["E4"].comment.text


def test_several_workbooks_inside_containers_come_back_beside(tmp_path: Path) -> None:
    source = made(tmp_path / "book.xlsx")
    inner = packed(tmp_path / "inner.zip", ("c.xlsx", source))
    box = packed(tmp_path / "export.zip", ("a.xlsx", source), ("b/inner.zip", inner))
    marked(tmp_path, box)
    copies = tmp_path / "out-marked" / "export.zip"
    for copy in (copies / "a.xlsx", copies / "b" / "inner.zip" / "c.xlsx"):
        assert fills(opened(copy)[TABLE])["E4"] == RED


def test_a_workbook_from_standard_input_is_marked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = made(tmp_path / "book.xlsx").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    words = ("--input-format", "xlsx", "--table", TABLE)
    out = marked(tmp_path, Path("-"), "zh", "out.xlsx", *words)
    assert fills(opened(out)[TABLE])["E4"] == RED


#: Texts a spreadsheet program would run, and numbers it would round, were they typed in.
HOSTILE = (
    "=1+1", '=HYPERLINK("http://e.invalid","x")', "+1+1", "-1+1", "@SUM(1,1)", "\t=1+1", "\r=1+1",
    "440000199001011234", "00123456789012345678", "1e5",
)  # fmt: skip


def hostile(path: Path) -> Path:
    """Hostile texts in every row of a marked column, of an unknown one, and in its header."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = TABLE
    for row in (["XZQHDM", "GCDM", "TDSFDSJFA", "=cmd"],
                *(["440100", f"2401-440100-04-01-{100000 + n}", text, text]
                  for n, text in enumerate(HOSTILE))):  # fmt: skip
        sheet.append(row)
    for row in sheet.iter_rows():
        for cell in row:
            cell.data_type = "s"
    sheet["E2"] = "=1+1"  # a formula of the user's own
    book.save(path)
    return path


def test_a_text_that_looks_like_a_formula_or_a_number_stays_a_text(tmp_path: Path) -> None:
    source = hostile(tmp_path / "book.xlsx")
    out = marked(tmp_path, source, "en")
    before, after = opened(source)[TABLE], opened(out)
    for row in before.iter_rows(max_col=4):
        for cell in row:
            twin = after[TABLE][cell.coordinate]
            assert (twin.value, twin.data_type) == (cell.value, "s"), cell.coordinate
    marks = fills(after[TABLE])
    assert {f"C{n}" for n in range(2, len(HOSTILE) + 2)} <= marks.keys()
    for n, text in enumerate(HOSTILE, 2):
        assert text.strip() in after[TABLE][f"C{n}"].comment.text
    told = {c.value for row in after["Violations"].iter_rows() for c in row}
    for text in HOSTILE:
        assert any(str(v).removeprefix("'").strip() == text.strip() for v in told), text
    formulas = [c.coordinate for s in after for row in s.iter_rows() for c in row
                if c.data_type == "f"]  # fmt: skip
    assert formulas == ["E2"], "the user's own, and none of ours"
    found = parts(out)
    assert sum(part.count(b"<f>") + part.count(b"<f ") for part in found.values()) == 1
    assert not any("externalLink" in name or "connections" in name for name in found)
    assert not any(b"<hyperlink" in part for name, part in found.items() if "worksheets" in name)


def converted(folder: Path, path: Path) -> Any:
    """The workbook as LibreOffice writes it again."""
    words = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    words += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "again")]
    subprocess.run([*words, str(path)], check=True, capture_output=True, timeout=120)
    return openpyxl.load_workbook(folder / "again" / path.name)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_it_opens_in_libreoffice(tmp_path: Path) -> None:
    out = marked(tmp_path, made(tmp_path / "book.xlsx"))
    ours, theirs = opened(out)[TABLE], converted(tmp_path, out)[TABLE]
    assert fills(theirs) == fills(ours)
    assert "code-not-in-list" in theirs["E4"].comment.text
    assert theirs["C3"].value == '=CONCATENATE("项","目")'


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_runs_no_text(tmp_path: Path) -> None:
    out = marked(tmp_path, hostile(tmp_path / "book.xlsx"))
    again = converted(tmp_path, out)
    cells = [c for sheet in again for row in sheet.iter_rows() for c in row]
    assert [c.coordinate for c in cells if c.data_type == "f"] == ["E2"]
    for n, text in enumerate(HOSTILE, 2):
        cell = again[TABLE][f"C{n}"]
        assert cell.data_type == "s"
        assert cell.value.strip() == text.strip()


def test_names_of_cells() -> None:
    for row, column, name in ((1, 0, "A1"), (7, 25, "Z7"), (12, 26, "AA12"), (3, 16383, "XFD3")):
        assert reference(row, column) == name
        assert column_of(name.encode()) == column


def test_only_the_front_stays_selected() -> None:
    part = b'<worksheet><sheetViews><sheetView tabSelected="1" workbookViewId="0"/>'
    out = io.BytesIO()
    unselected(io.BytesIO(part), out)
    assert out.getvalue() == b'<worksheet><sheetViews><sheetView workbookViewId="0"/>'
    assert issubclass(UnusualPartError, Exception)
