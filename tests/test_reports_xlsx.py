"""Rows for spreadsheets (csv, xlsx): nothing computes, digits stay, everything is there."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import report_values as values
from openpyxl.utils.escape import unescape
from openpyxl.workbook import Workbook

from validator.reports import FORMATS, ReportOptions
from validator.reports.flat import COLUMNS, cell
from validator.reports.xlsx import ROWS, write_book
from validator.text import Lang, Text

SHEETS = {"zh": ["汇总", "问题明细"], "en": ["Summary", "Violations"]}


def written(name: str, made: values.Made, lang: Lang = "en") -> bytes:
    out = io.BytesIO()
    FORMATS[name].render(made, values.packs(), out, lang=lang, options=ReportOptions())
    return out.getvalue()


def book(made: values.Made, lang: Lang = "en") -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(written("xlsx", made, lang)))


def details(sheet: Any) -> list[dict[str, Any]]:
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def one(value: str, **more: Any) -> values.Made:
    def make() -> Any:
        yield values.violation("sample-empty", values.PROJECTS, ("XMMC",), value, 1, **more)

    return values.Made(values.head({}, values.rule_counts(make())), make)


# --- cells


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        " =1+1",
        "＝1+1",
        "－cmd",
        '=HYPERLINK("http://e.invalid")',
    ],
)
def test_what_would_start_a_formula_is_preceded_by_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-12.50", "+8", "2401-441802-04-01-100126", "1=1", "项目", ""])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


def test_unseen_characters_are_shown_and_long_texts_fit_a_cell() -> None:
    assert cell("\t=1+1") == "\\t=1+1"
    assert cell("a\r\nb\x00\u202e") == "a\\r\\nb\\x00\\u202e"
    assert len(cell("=" + "长" * 40_000)) < 32_767


# --- csv


def rows(made: values.Made, lang: Lang = "en") -> list[dict[str, str]]:
    text = written("csv", made, lang).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_bom_contract_headers_and_one_line_per_violation() -> None:
    raw = written("csv", values.mixed())
    assert raw.startswith(b"\xef\xbb\xbfseverity,stage,division,table,")
    assert raw.count(b"\r\n") == 14
    assert raw.count(b"\n") == 14
    assert list(rows(values.mixed())[0]) == [column.name for column in COLUMNS]
    assert written("csv", values.empty()).count(b"\r\n") == 1


def test_csv_rows_say_what_the_violations_say() -> None:
    found = rows(values.mixed(), "zh")
    for row, violation in zip(found, values.mixed().violations(), strict=True):
        assert row["message"] == violation.message.zh
        assert row["fingerprint"] == violation.fingerprint
        assert row["record"] == ("" if violation.record is None else str(violation.record))
    order = next(row for row in found if row["rule"] == "sample-wrong-order")
    assert order["fields"] == "NKGSJ; NJCSJ"
    assert order["field_titles"] == "拟开工时间; 拟建成时间"
    assert order["table_title"] == "项目基本信息表"
    assert order["key"] == "GCDM=2401-441802-04-01-100007"


def test_csv_is_safe_with_hostile_values() -> None:
    raw = written("csv", values.hostile())
    found = rows(values.hostile())
    assert len(found) == 2 * len(values.HOSTILE)
    assert raw.count(b"\r\n") == len(found) + 1
    formulas = [v for row in found for v in row.values() if v[:1] in tuple("=+@")]
    assert formulas == []


# --- xlsx


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("made", [values.mixed(), values.hostile(), values.empty()])
def test_xlsx_holds_every_violation_as_text(made: values.Made, lang: Lang) -> None:
    found = book(made, lang)
    assert found.sheetnames == SHEETS[lang]
    sheet = found[SHEETS[lang][1]]
    lines = details(sheet)
    violations = list(made.violations())
    assert len(lines) == len(violations)
    title = {column.name: column.title[lang] for column in COLUMNS}
    for line, violation in zip(lines, violations, strict=True):
        assert line[title["fingerprint"]] == violation.fingerprint
        assert line[title["message"]] == cell(violation.message[lang])
        assert line[title["line"]] == violation.line
    types = {c.data_type for sheet in found for row in sheet.iter_rows() for c in row}
    assert "f" not in types, "no cell is a formula"


def test_xlsx_keeps_long_numbers_and_leading_zeros() -> None:
    for value in ("440000199001011234", "91440000MA4WXYZ12X", "007", "1e5", "TRUE"):
        sheet = book(one(value))["Violations"]
        at = [c.value for c in sheet[1]].index("Value")
        found = sheet[2][at]
        assert (found.value, found.data_type, found.number_format) == (value, "s", "@")


def test_xlsx_shows_what_looks_like_an_escape_of_its_own() -> None:
    sheet = book(one("_x0041_"))["Violations"]
    assert "_x0041_" in [unescape(str(c.value)) for c in sheet[2]], "and not the letter A"


def test_xlsx_neutralises_formulas_everywhere() -> None:
    hostile = '=HYPERLINK("http://e.invalid","x")'
    made = one(hostile, message=Text(hostile, hostile), help=Text("+1", "@x"), file=hostile)
    made = values.Made(replace(made.run, inputs=(hostile,), id="-1+1"), made.make)
    texts = [c.value for sheet in book(made) for row in sheet.iter_rows() for c in row]
    assert f"'{hostile}" in texts
    assert not [t for t in texts if isinstance(t, str) and t[:1] in tuple("=@")]
    assert "'-1+1" in texts


def test_xlsx_is_coloured_filtered_and_frozen() -> None:
    sheet = book(values.mixed())["Violations"]
    fills = {row[0].value: row[0].fill.fgColor.rgb for row in sheet.iter_rows(min_row=2)}
    assert fills == {"error": "FFF8CBAD", "warning": "FFFFE699"}
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:U14"
    assert sheet.print_title_rows == "$1:$1"


def test_xlsx_summary_counts_exactly_and_shows_the_basis() -> None:
    note = Text("注", "the baseline hides 3 known violations.")
    made = values.mixed()
    sheet = book(values.Made(replace(made.run, notes=(note,)), made.make))["Summary"]
    lines = [tuple(v for v in row if v not in (None, "")) for row in sheet.values]
    assert ("Project", values.PROJECTS, 1200, 1190, 9, 10, 1, 0) in lines
    assert ("total", 1234, 1222, 11, 11, 1, 0) in [
        (line[0].lower(), *line[1:]) for line in lines if line and isinstance(line[0], str)
    ]
    assert ("Case records", "case-records", 1, 0, 0) in lines
    assert ("sample-unlisted-code", 5, 0, 0) in lines
    assert ("export/empty.csv", "The file is empty; export it again") in lines
    texts = [text for line in lines for text in line if isinstance(text, str)]
    assert sum("Reconstructed" in text for text in texts) == 2
    assert note.en in texts


def test_xlsx_goes_on_in_further_sheets() -> None:
    made, out = values.many(25), io.BytesIO()
    write_book(made, values.packs(), out, lang="zh", tool="spgl", rows=10)
    found = openpyxl.load_workbook(out)
    assert found.sheetnames == ["汇总", "问题明细", "问题明细 2", "问题明细 3"]
    lines = [details(found[name]) for name in found.sheetnames[1:]]
    assert [len(part) for part in lines] == [10, 10, 5]
    assert [line["值"] for part in lines for line in part] == [str(n) for n in range(25)]
    assert found["问题明细 3"].auto_filter.ref == "A1:U6"
    assert ROWS + 1 < 1_048_576


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_xlsx_opens_in_libreoffice(tmp_path: Path) -> None:
    (tmp_path / "r.xlsx").write_bytes(written("xlsx", values.hostile(), "zh"))
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    words = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    words += ["--convert-to", every_sheet, "--outdir", str(tmp_path), str(tmp_path / "r.xlsx")]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    with (tmp_path / "r-问题明细.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["指纹"] for row in found] == [v.fingerprint for v in values.hostile().violations()]
    assert '\'=HYPERLINK("http://example.invalid","x")' in {row["值"] for row in found}
    assert (tmp_path / "r-汇总.csv").read_text("utf-8").startswith("校验报告")


def test_xlsx_is_the_same_for_the_same_run() -> None:
    assert written("xlsx", values.mixed()) == written("xlsx", values.mixed())


def test_xlsx_and_csv_agree() -> None:
    made = values.many(300)
    sheet = book(made)["Violations"]
    at = [c.value for c in sheet[1]].index("Rule")
    in_book = Counter(row[at] for row in sheet.iter_rows(min_row=2, values_only=True))
    assert in_book == Counter(row["rule"] for row in rows(made))
