"""JSON Lines: lexemes and native values, unreadable lines, and that the fast way reads exactly."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_values import PROJECT, Read, found, read, read_alike, write

from validator.records import SourceError
from validator.sources import SourceOptions
from validator.sources.columns import Keys
from validator.sources.json_exact import Cells, exact
from validator.sources.json_keys import numbered
from validator.sources.source import Place


def reading(folder: Path, data: bytes | str, **options: object) -> Read:
    path = write(folder, "SPGL_AXXB.jsonl", data)
    return read_alike(path, SourceOptions(**options))  # type: ignore[arg-type]


def test_text_null_and_empty(tmp_path: Path) -> None:
    got = reading(
        tmp_path,
        '{"XMDM": "001", "XMMC": " 甲 ", "TZE": null}\n{"XMDM":"","XMMC":"\\u4e59\\n\\t"}\n{}\n',
    )
    assert got.rows == [
        (1, 1, {"XMDM": "001", "XMMC": " 甲 "}),
        (2, 2, {"XMMC": "乙\n\t"}),
        (3, 3, {}),
    ]
    assert not got.native
    assert not got.bad


def test_native_values_keep_their_lexeme(tmp_path: Path) -> None:
    lexemes = ["1.50", "0", "-0", "1e5", "12345678901234567890123", "0.1e-7", "true", "false"]
    lines = [f'{{"XMDM":"{i}","TZE":{lexeme},"XMMC":"x"}}' for i, lexeme in enumerate(lexemes)]
    got = reading(tmp_path, "\n".join(lines))
    assert got.cells("TZE") == lexemes
    assert got.native == {(i + 1, "TZE") for i in range(len(lexemes))}


def test_native_and_text_in_one_column(tmp_path: Path) -> None:
    got = reading(tmp_path, '{"TZE":"1"}\n{"TZE": 1 }\n{"TZE":null}\n{"TZE":\t2\t,"XMDM":3}\n')
    assert got.cells("TZE") == ["1", "1", None, "2"]
    assert got.native == {(2, "TZE"), (4, "TZE"), (4, "XMDM")}


def test_nested_values_keep_their_text_and_are_native(tmp_path: Path) -> None:
    got = reading(tmp_path, '{"XMDM":{"a":[1.50,"甲",null]},"XMMC":"x"}\n{"XMDM":[]}\n')
    assert got.cells("XMDM") == ['{"a": [1.50, "甲", null]}', "[]"]
    assert got.native == {(1, "XMDM"), (2, "XMDM")}


def test_escapes(tmp_path: Path) -> None:
    got = reading(
        tmp_path,
        r'{"XMDM":"a\"b","XMMC":"c\\"}' + "\n" + r'{"XMDM":"\ud842\udfb7","XMMC":"\/"}' + "\n"
        r'{"XMDM":"x","XMMC":"\u4e2d"}' + "\n" + r'{"\u0058MDM":"key","XMMC":"\\\""}' + "\n",
    )
    assert got.cells("XMDM") == ['a"b', "𠮷", "x", "key"]
    assert got.cells("XMMC") == ["c\\", "/", "中", '\\"']


def test_values_that_look_like_structure(tmp_path: Path) -> None:
    got = reading(tmp_path, '{"XMDM":":1,","XMMC":"},{","TZE":"{\'}"}\n{"XMDM":" : ","TZE":1}\n')
    assert got.rows[0][2] == {"XMDM": ":1,", "XMMC": "},{", "TZE": "{'}"}
    assert got.rows[1][2] == {"XMDM": " : ", "TZE": "1"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"XMDM":"a"', "no complete JSON"),
        ('{"XMDM":"a', "no complete JSON"),
        ('{"XMDM":"a"} x', "no complete JSON"),
        ('{"XMDM":"a"}{"XMDM":"b"}', "no complete JSON"),
        ('{"XMDM":"a",}', "no complete JSON"),
        ('{"XMDM" "a"}', "no complete JSON"),
        ("{'XMDM':'a'}", "no complete JSON"),
        ('{"XMDM":01}', "no complete JSON"),
        ('{"XMDM":1.}', "no complete JSON"),
        ('{"XMDM":tru}', "no complete JSON"),
        ('{"XMDM":"a\tb"}', "no complete JSON"),
        ('{"XMDM":"\\q"}', "no complete JSON"),
        ('{"XMDM":NaN}', "NaN"),
        ('{"XMDM":"a","XMDM":"b"}', "twice"),
        ('{"XMDM":"a","xmdm":"b"}', "twice"),
        ('{"XMDM":"a","项目代码":"b"}', "twice"),
        ('{"other":"a","other":"b"}', "twice"),
        ("[1]", "no JSON object"),
        ("5", "no JSON object"),
        ("null", "no JSON object"),
        ('{"XMDM":"\\ud800"}', "decoded"),
        ('{"XMDM":"\\u0000"}', "NUL"),
        ('{"XMDM":"' + "x" * 3000 + '"}', "max_record"),
        ('{"XMDM":' + "[" * 2500, "nested too deeply"),
    ],
)
def test_a_line_that_cannot_be_read_costs_one_record(
    tmp_path: Path, line: str, reason: str
) -> None:
    good = '{"XMDM":"g","TZE":2}\n'
    got = reading(tmp_path, good + line + "\n" + good, max_record=2900)
    assert [(r, n) for r, n, _ in got.rows] == [(1, 1), (3, 3)]
    assert got.native == {(1, "TZE"), (3, "TZE")}
    assert [(r, n) for r, n, _ in got.bad] == [(2, 2)]
    assert reason in got.bad[0][2]


def test_undecodable_bytes(tmp_path: Path) -> None:
    good = '{"XMDM":"甲乙丙"}\n'.encode()
    got = reading(tmp_path, good + b'{"XMDM":"\xff"}\n' + good + b'{"\xff":"x"}\n' + good)
    assert [r for r, _, _ in got.rows] == [1, 3, 5]
    assert [r for r, _, _ in got.bad] == [2, 4]
    assert all("decoded" in reason for _, _, reason in got.bad)


def test_a_nul_byte(tmp_path: Path) -> None:
    got = reading(tmp_path, b'{"XMDM":"a"}\n{"XMDM":"a\0"}\n{"XMDM":"c"}\n')
    assert [r for r, _, _ in got.bad] == [2]


def test_blank_lines_crlf_and_byte_order_mark(tmp_path: Path) -> None:
    got = reading(tmp_path, '\ufeff{"XMDM":"a"}\r\n\r\n  \n{"XMDM":1}\r\n\n{"XMDM":"b"}')
    assert got.rows == [(1, 1, {"XMDM": "a"}), (2, 4, {"XMDM": "1"}), (3, 6, {"XMDM": "b"})]


def test_gb18030(tmp_path: Path) -> None:
    got = reading(tmp_path, '{"XMDM":"甲","项目名称":"乙𠮷"}\n'.encode("gb18030"))
    assert got.rows == [(1, 1, {"XMDM": "甲", "XMMC": "乙𠮷"})]


def test_columns_are_known_once_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "SPGL_AXXB.jsonl",
        '{"xmdm":"a"}\n{"项目代码":"b","local":1}\n{"XMDM":"c","NEW":{"x":"]"}}\n',
    )
    (source,) = found(path).sources
    assert source.columns() == ()
    assert read(source).cells("XMDM") == ["a", "b", "c"]
    assert [(c.header, c.field) for c in source.columns()] == [
        ("xmdm", "XMDM"),
        ("项目代码", "XMDM"),
        ("local", None),
        ("XMDM", "XMDM"),
        ("NEW", None),
    ]


def test_an_ambiguous_title_is_refused(tmp_path: Path) -> None:
    (source,) = found(write(tmp_path, "SPGL_AXXB.jsonl", '{"时间":"2024-01-01"}\n')).sources
    with pytest.raises(SourceError, match="KSSJ, JSSJ"):
        list(source.batches(10))


@pytest.mark.parametrize("data", ["", "\n", " \n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, data: str) -> None:
    (source,) = found(write(tmp_path, "SPGL_AXXB.jsonl", data)).sources
    with pytest.raises(SourceError, match="empty"):
        list(source.batches(10))


def test_a_huge_line_stays_one_record(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.jsonl"
    with path.open("wb") as out:
        out.write(b'{"XMDM":"a"}\n{"XMDM":"')
        for _ in range(40):
            out.write(b"x" * 100_000)
        out.write(b'"}\n{"XMDM":"b"}\n')
    (source,) = found(path, SourceOptions(max_record=200_000, block=150_000)).sources
    got = read(source)
    assert [(r, line) for r, line, _ in got.rows] == [(1, 1), (3, 3)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 2)]


def test_keys_are_numbered_byte_for_byte() -> None:
    keys = [b"A", b"ABCDEFGH", b"ABCDEFGHI", b"", "项目代码".encode(), b"ABCDEFGHJ"]
    chosen = [keys[i * 7 % 6] for i in range(2000)] + [b"LATE"]
    data = b"".join(chosen)
    stop = np.cumsum([len(key) for key in chosen])
    start = stop - [len(key) for key in chosen]
    number, distinct = numbered(np.frombuffer(data + bytes(8), np.uint8), start, stop)
    assert [distinct[i] for i in number.tolist()] == chosen
    assert list(distinct) == list(dict.fromkeys(chosen))


@pytest.mark.parametrize("odd", [None, b"ABCDEFGHZ", b"ABCDEFGH", b"B", b""])
def test_records_of_the_same_keys_are_numbered_alike(odd: bytes | None) -> None:
    rows = [[b"A", b"ABCDEFGHI", "项目代码".encode()] for _ in range(50)]
    if odd is not None:
        rows[31][1] = odd
    keys = [key for row in rows for key in row]
    data = b"".join(keys)
    stop = np.cumsum([len(key) for key in keys])
    start = stop - [len(key) for key in keys]
    codes, count = np.frombuffer(data + bytes(8), np.uint8), np.full(50, 3)
    number, distinct = numbered(codes, start, stop, count)
    assert [distinct[i] for i in number.tolist()] == keys
    assert list(distinct) == list(dict.fromkeys(keys))


@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize("fault", [None, 3_000])
def test_files_of_many_windows(tmp_path: Path, as_array: bool, fault: int | None) -> None:
    lines, wanted, native = [], [], set()
    for i in range(6_000):
        cells: dict[str, object] = {"XMDM": str(i), "XMMC": "甲 ]}," * 50}
        if i % 3 == 0:
            cells["TZE"] = i
            native.add((i + 1, "TZE"))
        if i > 5_000:
            cells["late"] = "x"
        wanted.append((i + 1, i + 1, {k: str(v) for k, v in cells.items() if k != "late"}))
        lines.append(json.dumps(cells, ensure_ascii=False))
    if fault is not None:
        lines[fault] = lines[fault][:-1] + ' "x"}'
        wanted.pop(fault)
        native.discard((fault + 1, "TZE"))
    text = "[" + ",\n".join(lines) + "]" if as_array else "\n".join(lines)
    path = write(tmp_path, f"SPGL_AXXB.{'json' if as_array else 'jsonl'}", text)
    for block in (100_000, 8 << 20):
        (source,) = found(path, SourceOptions(block=block)).sources
        got = read(source, 700)
        assert got.rows == wanted
        assert got.native == native
        assert [(record, at) for record, at, _ in got.bad] == (
            [] if fault is None else [(fault + 1, fault + 1)]
        )
        assert source.columns()[-1].header == "late"


TEXT = st.text(st.sampled_from('ab"\\:,{}[] \n甲𠮷1\u0001/'), max_size=5)
VALUE = st.one_of(
    TEXT,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(TEXT, max_size=2),
)
KEY = st.sampled_from(["XMDM", "XMMC", "TZE", "xmdm", "项目代码", "local", "l"])
LINE = st.one_of(
    st.builds(
        lambda value, ascii_only, spaced: json.dumps(
            value, ensure_ascii=ascii_only, separators=(", ", " : ") if spaced else (",", ":")
        ).encode(),
        st.dictionaries(KEY, VALUE, max_size=4),
        st.booleans(),
        st.booleans(),
    ),
    st.lists(
        st.sampled_from(
            [b"{", b"}", b'"XMDM"', b":", b",", b"1", b"-", b'"', b"\\", b"null", b" ", b"\r"]
        ),
        max_size=9,
    ).map(b"".join),
)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINE, max_size=8))
def test_lines_read_as_the_exact_reading_says(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        got = reading(Path(folder), b'{"XMDM":"first"}\n' + b"\n".join(lines))
    keys = Keys(PROJECT, Place(Path("x"), "x"))
    rows: list[tuple[int, int | None, dict[str, str]]] = []
    bad, native, record = [], set(), 0
    for number, line in enumerate([b'{"XMDM":"first"}', *lines], 1):
        if not line.strip(b" \t\r"):
            continue
        record += 1
        cells = exact(line.removesuffix(b"\r"), keys.match, 1 << 20)
        if isinstance(cells, Cells):
            rows.append((record, number, dict(cells.texts)))
            native.update((record, name) for name in cells.native)
        else:
            bad.append((record, number, cells.en))
    assert got.rows == rows
    assert got.native == native
    assert got.bad == bad
