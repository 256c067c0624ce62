"""import-dictionary: the layouts bureaus use, read as what they say and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from spgl.cli import main
from validator.imports.dictionary import read_dictionary
from validator.imports.differences import Topic, compare
from validator.imports.headers import required, written_codes, written_type
from validator.imports.write import write_overlays
from validator.load import load_packs
from validator.pack import Kind, Provenance
from validator.sources import SourceOptions

PACKS = load_packs()
Sheet = Sequence[Sequence[object]]
HEADER = ["序号", "字段名", "中文名", "类型", "长度", "必填", "代码"]
PROJECT = [
    [1, "XMDM", "项目代码", "字符型", 24, "是", ""],
    [2, "XMMC", "项目名称", "VARCHAR(200)", "", "必填", ""],
    [3, "ZTZE", "总投资额（万元）", "N(18,6)", "", "否", ""],
    [4, "NKGSJ", "拟开工时间", "日期型", "", "", ""],
    [5, "LXLX", "立项类型", "C1", "", "M", "立项类型代码表"],
    [6, "XMWQBJSJ", "项目办完时间", "DATETIME", "", "O", ""],
    [7, "SFXXGC", "是否线性工程", "整数型", 1, "", "0-否；1-是"],
]


def book(path: Path, sheets: dict[str, Sheet], merged: str = "") -> Path:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if merged:
        made.worksheets[0].merge_cells(merged)
    made.save(path)
    return path


CODES: Sheet = [["代码", "名称"], ["1", "审批"], ["2", "核准"], ["3", "备案"], ["4", "其他"]]
LAYOUTS: dict[str, dict[str, Sheet]] = {
    "a sheet per table": {"SPGL_XMJBXXB": [HEADER, *PROJECT], "立项类型": CODES},
    "named by title": {"项目基本信息表": [HEADER, *PROJECT], "A.3 立项类型代码": CODES},
    "a title above the header": {
        "表结构": [["2.9 项目基本信息表（SPGL_XMJBXXB）"], [], HEADER, *PROJECT],
        "附录": [["立项类型"], *CODES],
    },
    "blocks on one sheet": {
        "全部": [
            ["表名：SPGL_QYPGXXB 区域评估信息表"],
            HEADER,
            [1, "QYPGDYBM", "区域评估单元编码", "字符型", 50, "是", ""],
            [],
            ["表名：SPGL_XMJBXXB 项目基本信息表"],
            HEADER,
            *PROJECT,
        ],
        "代码": [["代码表名称", *CODES[0]], *[["立项类型", *row] for row in CODES[1:]]],
    },
    "one long list": {
        "字段": [
            ["表名", "表中文名", *HEADER[1:]],
            ["SPGL_XMJBXXB", "项目基本信息表", *PROJECT[0][1:]],
            *[["", "", *row[1:]] for row in PROJECT[1:]],
        ],
        "字典": [["字典名称", *CODES[0]], ["立项类型", *CODES[1]], *[["", *r] for r in CODES[2:]]],
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(layout: str, tmp_path: Path) -> None:
    official = read_dictionary(book(tmp_path / "d.xlsx", LAYOUTS[layout]), PACKS)
    (table,) = [t for t in official.tables if t.name == "SPGL_XMJBXXB"]
    fields = {f.name: f for f in table.fields}
    assert list(fields) == [str(row[1]) for row in PROJECT]
    assert (fields["XMDM"].kinds, fields["XMDM"].length) == ((Kind.TEXT,), 24)
    assert (fields["XMMC"].length, fields["XMMC"].required) == (200, True)
    assert (fields["ZTZE"].precision, fields["ZTZE"].required) == ((18, 6), False)
    assert fields["NKGSJ"].kinds == (Kind.DATE, Kind.DATETIME)
    assert fields["NKGSJ"].required is None
    assert fields["LXLX"].codes == (("1", "审批"), ("2", "核准"), ("3", "备案"), ("4", "其他"))
    assert fields["SFXXGC"].codes == (("0", "否"), ("1", "是"))
    assert official.others == ()


def test_differences_and_overlay_of_a_dictionary(tmp_path: Path) -> None:
    path = book(tmp_path / "d.xlsx", LAYOUTS["a sheet per table"])
    found = compare(PACKS, read_dictionary(path, PACKS), SourceOptions())
    here = [d for d in found.differences if d.field and d.topic is not Topic.MISSING_FIELD]
    assert {(d.topic, d.field, d.ours, d.theirs) for d in here} >= {
        (Topic.LENGTH, "XMDM", "?", "24"),
        (Topic.LENGTH, "XMMC", "?", "200"),
        (Topic.LENGTH, "ZTZE", "?", "(18,6)"),
        (Topic.TYPE, "LXLX", "integer", "C1"),
        (Topic.TITLE, "XMWQBJSJ", "项目完全办结时间", "项目办完时间"),
        (Topic.NULL, "XMMC", "NULL", "NOT NULL"),
    }
    assert not [d for d in here if d.field == "SFXXGC" and d.topic is Topic.CODES]
    packs = load_packs(write_overlays(PACKS, found, tmp_path / "out"))
    (table,) = packs.named("SPGL_XMJBXXB")
    assert table.by_name["XMWQBJSJ"].title.zh == "项目办完时间"
    assert table.by_name["XMDM"].length is not None
    assert table.by_name["XMDM"].length.provenance is Provenance.OFFICIAL
    use = table.by_name["LXLX"].codes
    assert use is not None
    assert use.list == "initiation-type"
    assert packs.code_list(table, use.list).closed
    kept = {f.name for f in table.fields}
    assert {"GCDM", "SPLCBM"} <= kept, "what keys and references need stays"


def test_a_row_that_is_not_understood_is_counted(tmp_path: Path) -> None:
    rows = [HEADER, *PROJECT, [8, "中文字段", "无英文名", "字符型", 5, "是", "说明"]]
    official = read_dictionary(book(tmp_path / "d.xlsx", {"SPGL_XMJBXXB": rows}), PACKS)
    assert official.others == ("SPGL_XMJBXXB: 1",)


def test_merged_table_names_and_a_numeric_code_keep_their_meaning(tmp_path: Path) -> None:
    sheets = dict(LAYOUTS["one long list"])
    sheets["字典"] = [["字典名称", "代码", "名称"], ["立项类型", 1, "审批"], ["", 2, "核准"]]
    path = book(tmp_path / "d.xlsx", sheets, f"A2:A{len(PROJECT) + 1}")
    (table,) = read_dictionary(path, PACKS).tables
    fields = {f.name: f for f in table.fields}
    assert fields["LXLX"].codes == (("1", "审批"), ("2", "核准"))


@pytest.mark.parametrize(
    ("text", "beside", "kinds", "length", "precision"),
    [
        ("C..200", "", (Kind.TEXT,), 200, None),
        ("an..18", "", (Kind.TEXT,), 18, None),
        ("NVARCHAR2(50)", "", (Kind.TEXT,), 50, None),
        ("字符型", "50", (Kind.TEXT,), 50, None),
        ("数值型", "18,2", (Kind.DECIMAL,), None, (18, 2)),
        ("数值型", "", (Kind.DECIMAL, Kind.INTEGER), None, None),
        ("NUMBER（10）", "", (Kind.INTEGER, Kind.DECIMAL), 10, (10, 0)),
        ("INT", "", (Kind.INTEGER,), None, None),
        ("D8", "", (Kind.DATE, Kind.DATETIME), None, None),
        ("yyyy-MM-dd HH:mm:ss", "", (Kind.DATETIME,), None, None),
        ("YYYY-MM-DD", "", (Kind.DATE,), None, None),
        ("BLOB", "", (Kind.BINARY,), None, None),
        ("几何", "", (), None, None),
    ],
)
def test_types_as_people_write_them(
    text: str, beside: str, kinds: object, length: object, precision: object
) -> None:
    assert written_type(text, beside) == (kinds, length, precision)


def test_required_under_either_header() -> None:
    assert [required(w, may_be_empty=False) for w in ("是", "N", "M", "C", "", "可空")] == [
        True, False, True, None, None, False
    ]  # fmt: skip
    assert [required(w, may_be_empty=True) for w in ("是", "N", "非空", "", "允许空")] == [
        False, True, True, None, False
    ]  # fmt: skip


def test_codes_in_a_cell() -> None:
    assert written_codes("1 政府投资；2 企业投资") == (("1", "政府投资"), ("2", "企业投资"))
    assert written_codes("01:是,02:否") == (("01", "是"), ("02", "否"))
    assert written_codes("见附录 A.14") is None
    assert written_codes("GB/T 2260") is None


def test_the_command_reads_a_workbook_and_refuses_what_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = book(tmp_path / "d.xlsx", LAYOUTS["blocks on one sheet"])
    out = tmp_path / "out"
    assert main(["packs", "import-dictionary", str(path), "--out", str(out), "--lang", "zh"]) == 0
    told = capsys.readouterr().out
    assert "SPGL_XMJBXXB.XMMC  ? → 200" in told
    assert "d.xlsx：与标准包共有 2 张表、8 个字段" in told
    (tmp_path / "bad.xlsx").write_bytes(b"no workbook")
    empty = book(tmp_path / "empty.xlsx", {"a": [["x"]]})
    for file, words in ((tmp_path / "bad.xlsx", "save it as xlsx"), (empty, "no list of fields")):
        assert main(["packs", "import-dictionary", str(file), "--lang", "en"]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert len(said.splitlines()) == 1
