"""JSON files: arrays, single objects, tables by key; streamed, with exact lines and ordinals."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_values import WAYS, Read, found, read, read_alike, write

from validator.records import SourceError
from validator.sources import SourceOptions


def reading(folder: Path, data: bytes | str, **options: object) -> Read:
    path = write(folder, "SPGL_AXXB.json", data)
    return read_alike(path, SourceOptions(**options))  # type: ignore[arg-type]


def test_an_array_on_one_line(tmp_path: Path) -> None:
    got = reading(tmp_path, '[{"XMDM":"a","TZE":1.50}, {"XMDM":"甲,]}"},{"XMDM":null}]')
    assert got.rows == [
        (1, 1, {"XMDM": "a", "TZE": "1.50"}),
        (2, 1, {"XMDM": "甲,]}"}),
        (3, 1, {}),
    ]
    assert got.native == {(1, "TZE")}
    assert not got.bad


def test_an_indented_array_has_the_lines_of_its_records(tmp_path: Path) -> None:
    records = [{"XMDM": "a", "TZE": 1}, {"XMDM": 'b\n"\\', "XMMC": None}, {"XMDM": "c"}]
    got = reading(tmp_path, "\n\n" + json.dumps(records, indent=2).replace("\n", "\r\n"))
    assert [(r, line) for r, line, _ in got.rows] == [(1, 4), (2, 8), (3, 12)]
    assert got.cells("XMDM") == ["a", 'b\n"\\', "c"]
    assert got.native == {(1, "TZE")}


def test_a_bad_element_costs_one_record(tmp_path: Path) -> None:
    elements = [
        '{"XMDM":"a"}',
        '{"XMDM" "b"}',
        "7",
        '{"XMDM":"c","XMDM":"d"}',
        '{"XMDM":"e\nf"}',
        "",
        '{"XMDM":{"x":[1,{"y":2}]}}',
    ]
    got = reading(tmp_path, "[" + ",\n".join(elements) + "\n]\n")
    assert [(r, line) for r, line, _ in got.rows] == [(1, 1), (7, 8)]
    assert got.cells("XMDM") == ["a", '{"x": [1, {"y": 2}]}']
    assert [r for r, _, _ in got.bad] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("data", ["[]", " [ \n ] ", '{"SPGL_AXXB": [ ]}'])
def test_an_empty_array_is_no_record(tmp_path: Path, data: str) -> None:
    got = reading(tmp_path, data)
    assert not got.rows
    assert not got.bad


def test_one_object_is_one_record(tmp_path: Path) -> None:
    got = reading(tmp_path, '\n{"XMDM": "a",\n "XMMC": ["x"]}\n')
    assert got.rows == [(1, 2, {"XMDM": "a", "XMMC": '["x"]'})]
    assert got.native == {(1, "XMMC")}
    assert reading(tmp_path, "{}").rows == [(1, 1, {})]


def test_a_client_wrapper_is_its_array(tmp_path: Path) -> None:
    got = reading(tmp_path, '{\n"RECORDS": [\n{"XMDM": "a"},\n{"XMDM": "b"}], "count": 2}')
    assert got.rows == [(1, 3, {"XMDM": "a"}), (2, 4, {"XMDM": "b"})]


def test_tables_by_key(tmp_path: Path) -> None:
    text = """{"meta": {"SPGL_AXXB": []}, "spgl_bxxb_V3": [
        {"SLBM": "s1"}, {"SLBM": "s2"} ],
      "other" : [{"a": "]"}], "SPGL_AXXB": {"XMDM": "a"}, "n": 1 }"""
    path = write(tmp_path, "export.json", text)
    for block, rows in WAYS:
        opened = found(path, SourceOptions(block=block))
        assert [s.file for s in opened.sources] == [
            "export.json#spgl_bxxb_V3",
            "export.json#SPGL_AXXB",
        ]
        assert [(u.file, u.name) for u in opened.unknown] == [
            ("export.json", "meta"),
            ("export.json", "other"),
            ("export.json", "n"),
        ]
        cases, projects = (read(s, rows) for s in opened.sources)
        assert cases.rows == [(1, 2, {"SLBM": "s1"}), (2, 2, {"SLBM": "s2"})]
        assert projects.rows == [(1, 3, {"XMDM": "a"})]


def test_unknown_names(tmp_path: Path) -> None:
    for name, text, unknown in [
        ("x.json", "[]", ["x"]),
        ("x.json", '{"A": [], "B": []}', ["A", "B"]),
        ("x.json", '{"a": 1}', ["x"]),
    ]:
        opened = found(write(tmp_path, name, text))
        assert not opened.sources
        assert [u.name for u in opened.unknown] == unknown


def test_json_lines_under_the_name_of_json(tmp_path: Path) -> None:
    got = reading(tmp_path, '{"XMDM":"a"}\n{"XMDM":"b"}\n{"XMDM":\n')
    assert [(r, line) for r, line, _ in got.rows] == [(1, 1), (2, 2)]
    assert [(r, line) for r, line, _ in got.bad] == [(3, 3)]


def test_gb18030(tmp_path: Path) -> None:
    got = reading(tmp_path, '[{"XMDM":"甲𠮷"},{"项目名称":"乙"}]'.encode("gb18030"))
    assert got.rows == [(1, 1, {"XMDM": "甲𠮷"}), (2, 1, {"XMMC": "乙"})]


def test_undecodable_bytes(tmp_path: Path) -> None:
    text = '[{"XMDM":"甲乙丙"},{"XMDM":"'.encode() + b"\xff" + '"},{"XMDM":"丁"}]'.encode()
    got = reading(tmp_path, text)
    assert got.cells("XMDM") == ["甲乙丙", "丁"]
    assert [r for r, _, _ in got.bad] == [2]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ('"text"', "neither"),
        ("12", "neither"),
        ('{"XMDM": "a"', "cut short"),
        ('{"XMDM": "a', "cut short"),
        ('{"XMDM": "a"} x', "cut short"),
        ("{XMDM: 1}", "cut short"),
        ('{"SPGL_AXXB": [{}, {}', "cut short"),
    ],
)
def test_files_that_are_no_json_become_a_problem(tmp_path: Path, data: str, part: str) -> None:
    for block, _ in WAYS:
        opened = found(write(tmp_path, "SPGL_AXXB.json", data), SourceOptions(block=block))
        assert not opened.sources
        assert part in opened.problems[0].text.en


@pytest.mark.parametrize(
    ("data", "part"),
    [('[{"XMDM":"a"},{"XMDM":"b"', "ends inside"), ("[{}]]", "follows"), ("[{}],", "follows")],
)
def test_an_array_that_is_cut_short_or_goes_on(tmp_path: Path, data: str, part: str) -> None:
    for block, rows in WAYS:
        path = write(tmp_path, "SPGL_AXXB.json", data)
        (source,) = found(path, SourceOptions(block=block)).sources
        with pytest.raises(SourceError, match=part):
            list(source.batches(rows))


def test_what_stands_before_the_break_is_read(tmp_path: Path) -> None:
    records = ",".join(f'{{"XMDM":"{i}"}}' for i in range(40))
    path = write(tmp_path, "SPGL_AXXB.json", f"[{records}")
    for block, rows in WAYS:
        (source,) = found(path, SourceOptions(block=block)).sources
        batches, count = source.batches(rows), 0
        with pytest.raises(SourceError):  # noqa: PT012
            while True:
                count += next(batches).frame.height
        assert count == 39


def test_a_huge_element_stays_one_record(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.json"
    with path.open("wb") as out:
        out.write(b'[{"XMDM":"a"},\n{"XMDM":"')
        for _ in range(40):
            out.write(b"x" * 100_000)
        out.write(b'"},\n{"XMDM":"b"}]')
    (source,) = found(path, SourceOptions(max_record=200_000, block=150_000)).sources
    got = read(source)
    assert [(r, line) for r, line, _ in got.rows] == [(1, 1), (3, 3)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 2)]


def test_an_element_over_the_limit(tmp_path: Path) -> None:
    got = reading(
        tmp_path,
        f'[{{"XMDM":"a"}},\n {{"XMDM":\n"{"x" * 100}"}}  ,\n{{"XMDM":"b"}}]',
        max_record=60,
    )
    assert [(r, line) for r, line, _ in got.rows] == [(1, 1), (3, 4)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 2)]


TEXT = st.text(st.sampled_from('ab"\\:,{}[] \n甲'), max_size=5)
VALUE = st.one_of(TEXT, st.none(), st.integers(), st.lists(st.dictionaries(TEXT, TEXT), max_size=2))


@settings(max_examples=50, deadline=None)
@given(
    records=st.lists(st.dictionaries(st.sampled_from(["XMDM", "TZE", "x"]), VALUE), max_size=6),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_arrays_read_like_the_json_module(
    records: list[dict[str, object]], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=ascii_only)
    with tempfile.TemporaryDirectory() as folder:
        got = reading(Path(folder), text)
    assert not got.bad
    for name in ("XMDM", "TZE"):
        for cell, record in zip(got.cells(name), records, strict=True):
            value = record.get(name)
            if cell is None:
                assert value in (None, "")
            else:
                assert cell == value or json.loads(cell) == value
