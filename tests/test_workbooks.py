"""The data dictionary and the template: openpyxl reopens them, and they come back as they went."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from validator.exports.dictionary import export_dictionary
from validator.exports.template import ROWS, export_template, headers
from validator.imports.dictionary import read_dictionary
from validator.imports.differences import Topic, compare
from validator.imports.write import write_overlays
from validator.load import load_packs
from validator.pack import Direction
from validator.sources import SourceOptions, discover
from validator.text import Lang

PACKS = load_packs()
LANGS: tuple[Lang, ...] = ("zh", "en")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    export_template(PACKS, path, "zh")
    return openpyxl.load_workbook(path)


@pytest.mark.parametrize("lang", LANGS)
def test_a_dictionary_holds_every_field_and_code_and_reads_back_without_a_difference(
    tmp_path: Path, lang: Lang
) -> None:
    path = tmp_path / "dictionary.xlsx"
    assert export_dictionary(PACKS, path, lang) == (path,)
    book = openpyxl.load_workbook(path)
    assert len(book.sheetnames) == 41
    for table in PACKS.tables():
        cells = [c.value for c in book[table.name]["B"]]
        assert cells[2:] == [f.name for f in table.fields]
    codes = sum(len(c.codes) for p in PACKS for c in p.code_lists)
    assert book["代码表"].max_row == codes + 1
    cells = [c for row in book["代码表"].iter_rows() for c in row if c.value]
    assert {c.number_format for c in cells} == {"@"}
    official = read_dictionary(path, PACKS)
    found = compare(PACKS, official, SourceOptions())
    assert found.differences == ()
    assert official.others == ()
    raised = load_packs(write_overlays(PACKS, found, tmp_path / "out"))
    assert [p.official_fields for p in raised] == [
        (p.official_fields[1], p.official_fields[1]) for p in PACKS
    ]


def test_a_change_in_the_dictionary_is_found(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.xlsx"
    export_dictionary(PACKS, path, "zh")
    book = openpyxl.load_workbook(path)
    sheet = book["SPGL_XMJBXXB"]
    row = next(r for r in range(3, sheet.max_row + 1) if sheet.cell(r, 2).value == "XMMC")
    sheet.cell(row, 6).value = 200
    sheet.cell(row, 7).value = "是"
    book.save(path)
    found = compare(PACKS, read_dictionary(path, PACKS), SourceOptions())
    assert [(d.topic, d.field, d.theirs) for d in found.differences] == [
        (Topic.LENGTH, "XMMC", "200"),
        (Topic.NULL, "XMMC", "NOT NULL"),
    ]


def test_a_template_has_a_sheet_per_sent_table_with_text_cells(template: Workbook) -> None:
    sent = [t for t in PACKS.tables() if t.direction is Direction.OUT]
    assert template.sheetnames == ["说明", *(t.name for t in sent), "代码"]
    for table in sent:
        sheet = template[table.name]
        heads = headers(table)
        assert [c.value for c in sheet[1]] == list(heads.values())
        assert len(set(heads.values())) == len(heads)
        for cell, name in zip(sheet[1], heads, strict=True):
            assert cell.comment is not None
            assert cell.comment.text.startswith(f"{name}  ")
        spans = sheet.column_dimensions.values()
        assert {s.number_format for s in spans} == {"@"}
        assert sum(s.max - s.min + 1 for s in spans) == len(heads)
        assert not {"LSH", "SJSCZT"} & set(heads)


def test_lists_drop_down_and_closed_ones_refuse(template: Workbook) -> None:
    (table,) = PACKS.named("SPGL_XMJBXXB")
    sheet = template[table.name]
    letters = {
        name: cell.column_letter for name, cell in zip(headers(table), sheet[1], strict=True)
    }
    rules = {str(v.sqref): v for v in sheet.data_validations.dataValidation}
    closed = rules[f"{letters['SFXXGC']}2:{letters['SFXXGC']}{ROWS + 1}"]
    listed = rules[f"{letters['JSXZ']}2:{letters['JSXZ']}{ROWS + 1}"]
    assert (closed.type, closed.errorStyle) == ("list", None), "stop is Excel's default"
    assert listed.errorStyle == "warning"
    codes = template["代码"]
    for rule, wanted in ((closed, "是否"), (listed, "建设性质")):
        place = str(rule.formula1).partition("!")[2].replace("$", "")
        cells = [row[0].value for row in codes[place]]
        head = codes[f"{place.partition(':')[0].rstrip('0123456789')}1"].value
        assert head == wanted
        use = next(c for p in PACKS for c in p.code_lists if c.title.zh == wanted)
        assert cells == [c.code for c in use.codes]
    assert f"{letters['QJDGCDM']}2:{letters['QJDGCDM']}{ROWS + 1}" not in rules


def test_the_same_packs_give_the_same_bytes(tmp_path: Path) -> None:
    for export in (export_dictionary, export_template):
        one, two = tmp_path / "1.xlsx", tmp_path / "2.xlsx"
        export(PACKS, one, "zh")
        export(PACKS, two, "zh")
        assert one.read_bytes() == two.read_bytes()


def test_an_official_length_limits_the_cell(tmp_path: Path) -> None:
    head = (
        'name = "o"\nversion = "1"\ntitle = "o"\ntitle_en = "o"\n'
        'extends = "data-sharing-3.0"\nprovenance = "official"\n'
    )
    table = "[fields]\nXMMC = { length = { max = 200 } }\n"
    folder = tmp_path / "o"
    (folder / "tables").mkdir(parents=True)
    (folder / "pack.toml").write_text(head, encoding="utf-8")
    (folder / "tables/SPGL_XMJBXXB.toml").write_text(table, encoding="utf-8")
    path = tmp_path / "t.xlsx"
    export_template(load_packs([folder]), path, "en")
    sheet = openpyxl.load_workbook(path)["SPGL_XMJBXXB"]
    (rule,) = [v for v in sheet.data_validations.dataValidation if v.type == "textLength"]
    assert (rule.operator, rule.formula1) == ("lessThanOrEqual", "200")


def test_a_table_name_of_two_packs_gets_sheets_that_read_back(tmp_path: Path) -> None:
    both = load_packs(["fire-application"])
    path, dictionary = tmp_path / "template.xlsx", tmp_path / "dictionary.xlsx"
    export_template(both, path, "zh")
    export_dictionary(both, dictionary, "zh")
    names = {"SPGL_XMJBXXB", "fire-application SPGL_XMJBXXB"}
    assert names <= set(openpyxl.load_workbook(dictionary).sheetnames)
    book = openpyxl.load_workbook(path)
    for name in set(book.sheetnames) - names - {"代码"}:
        del book[name]
    book["fire-application SPGL_XMJBXXB"]["B2"] = "A1"
    book.save(path)
    mapped = SourceOptions(tables={"SPGL_XMJBXXB": "data-sharing-3.0:SPGL_XMJBXXB"})
    found = {s.table.qualified for s in discover([path], both, mapped).sources}
    assert found == {"data-sharing-3.0/SPGL_XMJBXXB", "fire-application/SPGL_XMJBXXB"}
