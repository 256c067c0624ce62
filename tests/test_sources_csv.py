"""CSV: what is a record, what cannot be read, and that blocks never change the answer."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_values import PROJECT, Read, found, read, read_alike, write

from validator.records import SourceError
from validator.sources import SourceOptions, csv_proof

HEAD = "XMDM,XMMC,TZE\n"


def reading(folder: Path, data: bytes | str, **options: object) -> Read:
    path = write(folder, "SPGL_AXXB.csv", data)
    return read_alike(path, SourceOptions(**options))  # type: ignore[arg-type]


def refused(folder: Path, data: bytes | str, name: str = "SPGL_AXXB.csv") -> SourceError:
    (source,) = found(write(folder, name, data)).sources
    with pytest.raises(SourceError) as failure:
        source.columns()
    with pytest.raises(SourceError) as again:
        list(source.batches(10))
    assert failure.value.text == again.value.text
    assert failure.value.file == name
    return failure.value


def test_cells_are_text_as_written_and_empty_cells_are_null(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + '001, 甲 ,1.50\n,"",\n')
    assert got.rows == [
        (1, 2, {"XMDM": "001", "XMMC": " 甲 ", "TZE": "1.50"}),
        (2, 3, {}),
    ]
    assert not got.bad


@pytest.mark.parametrize("before", [0, 1_000])
def test_an_empty_quoted_cell_is_null_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """Among few and among many quotes, which are proved in different ways."""
    monkeypatch.setattr(csv_proof, "_SPARSE", 4_000)
    for number, row in enumerate(('"","b","1"', '"a","","1"', '"a","b",""', '"","",""')):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = write(folder, "SPGL_AXXB.csv", HEAD + '"x","y","z"\n' * before + row + "\n")
        (source,) = found(path).sources
        cells = zip(("XMDM", "XMMC", "TZE"), row.replace('"', "").split(","), strict=True)
        assert read(source).rows[-1] == (
            before + 1, before + 2, {name: cell for name, cell in cells if cell}
        )  # fmt: skip


def test_quoted_newlines_keep_the_physical_lines(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + 'a,"x\ny, ""z""\r\n",1\nb,c,2\n')
    assert got.rows == [
        (1, 2, {"XMDM": "a", "XMMC": 'x\ny, "z"\r\n', "TZE": "1"}),
        (2, 5, {"XMDM": "b", "XMMC": "c", "TZE": "2"}),
    ]


@pytest.mark.parametrize("data", ["a,b,1\r\nc,d,2\r\n", "a,b,1\r\nc,d,2\n", "a,b,1\nc,d,2"])
def test_line_ends_may_differ(tmp_path: Path, data: str) -> None:
    got = reading(tmp_path, HEAD + data)
    assert got.rows == [
        (1, 2, {"XMDM": "a", "XMMC": "b", "TZE": "1"}),
        (2, 3, {"XMDM": "c", "XMMC": "d", "TZE": "2"}),
    ]


def test_a_lone_carriage_return_is_a_value_only_inside_quotes(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + '"a\rb",c,1\nd\re,f,2\ng,h,3\r\r\ni,"j"\r,4\nk,l,5\n')
    assert [(r, row["XMDM"]) for r, _, row in got.rows] == [(1, "a\rb"), (5, "k")]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3), (3, 4), (4, 5)]


def test_blank_lines_are_no_records(tmp_path: Path) -> None:
    got = reading(tmp_path, "\n\r\n" + HEAD + "\na,b,1\n\r\nc,d,2\n\n")
    assert [(record, line) for record, line, _ in got.rows] == [(1, 5), (2, 7)]


def test_short_and_long_rows_are_unreadable_even_when_they_balance(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + "a,b,1\nshort,2\nlong,c,3,4\nd,e,5\n")
    assert [(r, line, row["XMDM"]) for r, line, row in got.rows] == [(1, 2, "a"), (4, 5, "d")]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3), (3, 4)]
    assert "2 columns, the header 3" in got.bad[0][2]
    assert got.values == ["short,2", "long,c,3,4"]


def test_a_blank_line_and_a_long_row_balance(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + "a,b,1\n\nlong,c,3,4,5\nd,e,5\n")
    assert [(r, line) for r, line, _ in got.rows] == [(1, 2), (3, 5)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 4)]


def test_balancing_rows_in_quoted_blocks(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + '"a","b,","1"\n"s","2"\n"l","c","3","4"\n"d","e\n","5"\nf,g,6\n')
    assert [(r, line) for r, line, _ in got.rows] == [(1, 2), (4, 5), (5, 7)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3), (3, 4)]


@pytest.mark.parametrize(
    "row", ['5" pipe,b,1', 'a,b"c,1', '"a"b,c,1', 'a, "b",1', '"a""b,c,1', 'a,""b"",1']
)
def test_a_stray_quote_costs_one_record(tmp_path: Path, row: str) -> None:
    got = reading(tmp_path, f'{HEAD}x,"y",0\n{row}\n"c",d,2\ne,f,3\n')
    assert [(r, row["XMDM"]) for r, _, row in got.rows] == [(1, "x"), (3, "c"), (4, "e")]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3)]
    assert "quote" in got.bad[0][2]


def test_an_unclosed_quote_costs_one_line(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + 'a,b,1\nc,"d,2\ne,f,3\ng,h,4\n')
    assert [(r, row["XMDM"]) for r, _, row in got.rows] == [(1, "a"), (3, "e"), (4, "g")]
    assert got.bad == [(2, 3, "a quote is never closed; add the closing quote")]


def test_a_nul_byte_makes_a_record_unreadable(tmp_path: Path) -> None:
    got = reading(tmp_path, (HEAD + "a,b\0,1\nc,d,2\n").encode())
    assert [(r, line) for r, line, _ in got.bad] == [(1, 2)]
    assert [row["XMDM"] for _, _, row in got.rows] == ["c"]


def test_undecodable_bytes_in_utf8(tmp_path: Path) -> None:
    good = "项目,名称,1\n".encode()
    got = reading(tmp_path, HEAD.encode() + good + b"\xff,x,2\n" + good)
    assert [(r, line) for r, line, _ in got.rows] == [(1, 2), (3, 4)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3)]
    assert "decoded" in got.bad[0][2]


def test_undecodable_bytes_in_an_unknown_column(tmp_path: Path) -> None:
    data = "XMDM,其他\n项目,好\n".encode() + b"a,\xff\n"
    got = reading(tmp_path, data)
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3)]


def test_gb18030_with_four_byte_characters(tmp_path: Path) -> None:
    text = HEAD + '甲,"乙\n𠮷㐀",1\n丙,丁,2\n'
    got = reading(tmp_path, text.encode("gb18030"))
    assert got.cells("XMMC") == ["乙\n𠮷㐀", "丁"]
    assert [line for _, line, _ in got.rows] == [2, 4]


def test_undecodable_bytes_in_gb18030(tmp_path: Path) -> None:
    text = (HEAD + "项目甲,名称乙,1\n").encode("gb18030")
    got = reading(tmp_path, text + b"\x81,x,2\n" + "丙,丁,3\n".encode("gb18030"))
    assert got.cells("XMDM") == ["项目甲", "丙"]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3)]


def test_chinese_appears_only_after_a_long_ascii_part(tmp_path: Path) -> None:
    rows = "".join(f"{i},x,1\n" for i in range(50))
    got = reading(tmp_path, (HEAD + rows + "丙,丁,2\n").encode("gb18030"))
    assert got.rows[-1] == (51, 52, {"XMDM": "丙", "XMMC": "丁", "TZE": "2"})


def test_a_byte_order_mark_before_a_quoted_header(tmp_path: Path) -> None:
    got = reading(tmp_path, b"\xef\xbb\xbf" + b'"XMDM","XMMC"\n"a","b"\n')
    assert got.rows == [(1, 2, {"XMDM": "a", "XMMC": "b"})]


def test_a_byte_order_mark_inside_the_file_is_a_value(tmp_path: Path) -> None:
    got = reading(tmp_path, HEAD + "a,b,1\n\ufeffc,d,2\n")
    assert got.cells("XMDM") == ["a", "\ufeffc"]


def test_encoding_option_wins(tmp_path: Path) -> None:
    assert reading(tmp_path, (HEAD + "甲,b,1\n").encode("big5"), encoding="big5").rows
    got = reading(tmp_path, (HEAD + "甲,b,1\n").encode("utf-16"), encoding="utf-16")
    assert got.cells("XMDM") == ["甲"]


def test_unknown_encoding_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "SPGL_AXXB.csv", HEAD)
    (source,) = found(path, SourceOptions(encoding="klingon")).sources
    with pytest.raises(SourceError, match="unknown encoding klingon"):
        source.columns()


def test_utf16_is_refused_with_the_remedy(tmp_path: Path) -> None:
    assert "UTF-16" in refused(tmp_path, (HEAD + "a,b,1\n").encode("utf-16")).text.en
    assert "UTF-16" in refused(tmp_path, (HEAD + "a,b,1\n").encode("utf-16-le")).text.zh


def test_a_record_over_the_limit_is_unreadable_and_reading_goes_on(tmp_path: Path) -> None:
    long, tall = "x" * 500, "z\n" * 300
    data = f'{HEAD}a,{long},1\nb,c,2\n"open\n{long}",3,4\nd,"{tall}",5\ne,f,6\n'
    got = reading(tmp_path, data, max_record=200)
    assert [row["XMDM"] for _, _, row in got.rows] == ["b", "e"]
    assert got.bad[0][:2] == (1, 2)
    assert "max_record" in got.bad[0][2]
    assert got.rows[0][:2] == (2, 3)


def test_records_at_the_limit(tmp_path: Path) -> None:
    for end in ("\n", "\r\n"):
        fits = "a,b," + "1" * 16
        got = reading(tmp_path, f'{HEAD}{fits}{end}"a",b,{"1" * 14}{end}', max_record=20)
        assert len(got.rows) == 2
        got = reading(tmp_path, f"{HEAD}{fits}1{end}", max_record=20)
        assert [record for record, _, _ in got.bad] == [1]


def test_a_huge_line_stays_one_record(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.csv"
    with path.open("wb") as out:
        out.write(HEAD.encode() + b"a,b,1\n")
        for _ in range(40):
            out.write(b"x" * 100_000)
        out.write(b"\nc,d,2\n")
    (source,) = found(path, SourceOptions(max_record=200_000, block=150_000)).sources
    got = read(source)
    assert [(r, line) for r, line, _ in got.rows] == [(1, 2), (3, 4)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 3)]
    assert len(got.values[0]) <= 80


def test_header_by_title_and_in_any_case(tmp_path: Path) -> None:
    path = write(tmp_path, "SPGL_AXXB.csv", " xmdm ,项目名称,本地列\na,b,c\n")
    (source,) = found(path).sources
    assert [(c.header, c.field) for c in source.columns()] == [
        (" xmdm ", "XMDM"),
        ("项目名称", "XMMC"),
        ("本地列", None),
    ]
    assert read(source).rows == [(1, 2, {"XMDM": "a", "XMMC": "b"})]


def test_the_delimiter_is_the_one_the_header_speaks(tmp_path: Path) -> None:
    for delimiter in ("\t", ";"):
        got = reading(tmp_path, f"XMDM{delimiter}XMMC\na,b{delimiter}c")
        assert got.rows == [(1, 2, {"XMDM": "a,b", "XMMC": "c"})]
    path = write(tmp_path, "SPGL_AXXB.tsv", "XMDM\tXMMC\na,b\tc\n")
    assert read_alike(path).rows == [(1, 2, {"XMDM": "a,b", "XMMC": "c"})]


def test_a_single_column(tmp_path: Path) -> None:
    got = reading(tmp_path, 'XMDM\na\n\n"b\nc"\nd,e\n')
    assert got.rows == [(1, 2, {"XMDM": "a"}), (2, 4, {"XMDM": "b\nc"})]
    assert [(r, line) for r, line, _ in got.bad] == [(3, 6)]


@pytest.mark.parametrize("data", [HEAD, HEAD.strip(), HEAD + "\n\n"])
def test_header_only_is_no_record(tmp_path: Path, data: str) -> None:
    got = reading(tmp_path, data)
    assert not got.rows
    assert not got.bad


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("1,2,3\n4,5,6\n", "no header"),
        ("XMDM,xmdm\n", "duplicate column"),
        ("XMDM,项目代码\n", "duplicate column"),
        ("XMDM,甲,甲\n", "duplicate column"),
        ("XMDM,,XMMC\n", "column 2 of the header has no name"),
        ("XMDM,XMMC,\n", "column 3 of the header has no name"),
        ("XMDM,时间\n", "KSSJ, JSSJ"),
        ('XMDM,"XMMC\n', "quotes of the header"),
        ("XMDM,XMMC\ra,b\r", "lone carriage return"),
        (b"XMDM,\xff\n", "cannot be decoded"),
    ],
)
def test_files_without_a_usable_header_are_refused(
    tmp_path: Path, data: bytes | str, part: str
) -> None:
    failure = refused(tmp_path, data)
    assert part in failure.text.en
    assert failure.text.zh


def test_an_endless_first_line_is_no_header(tmp_path: Path) -> None:
    assert "too long" in refused(tmp_path, "x" * (3 << 20)).text.en


def test_a_file_that_vanished_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "SPGL_AXXB.csv", HEAD + "a,b,1\n")
    (source,) = found(path).sources
    before = source.stamp()
    path.unlink()
    assert source.size == 0
    assert source.stamp() != before
    with pytest.raises(SourceError, match="cannot be read"):
        list(source.batches(1))


def test_stamp_changes_with_the_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, "SPGL_AXXB.csv", HEAD + "a,b,1\n")
    (source,) = found(path).sources
    before, size = source.stamp(), source.size
    assert source.stamp() == before
    write(tmp_path, "SPGL_AXXB.csv", HEAD + "a,b,1\nc,d,2\n")
    assert source.stamp() != before
    assert source.size > size


def test_a_reader_may_stop_early_and_read_again(tmp_path: Path) -> None:
    rows = "".join(f"{i},x,1\n" for i in range(500))
    path = write(tmp_path, "SPGL_AXXB.csv", HEAD + rows)
    (source,) = found(path, SourceOptions(block=64)).sources
    batches = source.batches(5)
    assert next(batches).frame.height == 5
    batches.close()  # type: ignore[attr-defined]
    assert len(read(source).rows) == 500


@pytest.mark.parametrize("quoting", ["none", "few", "all"])
@pytest.mark.parametrize("fault", [None, 3_000])
def test_files_of_many_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quoting: str, fault: int | None
) -> None:
    monkeypatch.setattr(csv_proof, "_WINDOW", 1 << 18)
    monkeypatch.setattr(csv_proof, "_SPARSE", 4_000)
    lines, wanted, bad, line = [HEAD], [], [], 2
    for i in range(6_000):
        name = f"名称{i % 7}" * 20
        if i == fault:
            lines.append("short\n")
            bad.append((i + 1, line))
            line += 1
            continue
        wanted.append((i + 1, line, {"XMDM": str(i), "XMMC": name, "TZE": "1"}))
        if quoting == "all":
            lines.append(f'"{i}","{name}","1"\n')
        elif quoting == "few" and i % 500 == 499:
            wanted[-1][2]["XMMC"] = f'{name}\n,"'
            lines.append(f'{i},"{name}\n,""",1\n')
            line += 1
        else:
            lines.append(f"{i},{name},1\n")
        line += 1
    path = write(tmp_path, "SPGL_AXXB.csv", "".join(lines))
    for block in (100_000, 8 << 20):
        (source,) = found(path, SourceOptions(block=block)).sources
        got = read(source, 700)
        assert got.rows == wanted
        assert [(record, at) for record, at, _ in got.bad] == bad


CELL = st.text(st.sampled_from('ab,"\n\r;\t 甲𠮷\ufeff'), max_size=5)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=12),
    # With a line end of LF the module leaves a lone CR unquoted, which RFC 4180 forbids.
    style=st.sampled_from(
        [(csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_MINIMAL, "\r\n")]
    ),
)
def test_well_formed_files_read_like_the_csv_module(
    rows: list[tuple[str, str, str]], style: tuple[Literal[0, 1], str]
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=style[0], lineterminator=style[1])
    writer.writerow([f.name for f in PROJECT.fields[:3]])
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        got = reading(Path(folder), out.getvalue().encode())
    names = [f.name for f in PROJECT.fields[:3]]
    wanted = [{n: c for n, c in zip(names, row, strict=True) if c} for row in rows]
    assert [row for _, _, row in got.rows] == wanted
    assert not got.bad


ANY = st.lists(st.sampled_from([b",", b'"', b"\n", b"\r\n", b"\r", b"a", b"\xff", b",,\n", b'","']))


@settings(max_examples=80, deadline=None)
@given(data=ANY)
def test_any_bytes_read_alike_in_any_block_size(data: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        got = reading(Path(folder), HEAD.encode() + b"".join(data), max_record=12)
    records = [record for record, _, _ in got.rows] + [record for record, _, _ in got.bad]
    assert sorted(records) == list(range(1, len(records) + 1))


@settings(max_examples=60, deadline=None)
@given(data=ANY, end=st.sampled_from([b"\n", b"\r\n"]))
def test_any_bytes_read_alike_among_many_quotes(data: list[bytes], end: bytes) -> None:
    """Blocks with few and with many quotes are proved in different ways."""
    row = b'"a","b","1"' + end
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "SPGL_AXXB.csv", HEAD.encode() + row * 150 + b"".join(data))
        readings = []
        for block in (500, 1 << 20):
            (source,) = found(path, SourceOptions(block=block)).sources
            readings.append(read(source))
    assert readings[0] == readings[1]


@pytest.mark.parametrize("first", ["x\x01", "x^", "x\x9c", "(\xb5/\xfd", "\x1f\x8b"])
def test_a_record_that_begins_like_a_compressed_file(tmp_path: Path, first: str) -> None:
    got = reading(tmp_path, f"XMDM,XMMC\n{first},a\n".encode())
    assert got.cells("XMDM") == [first]


@pytest.mark.parametrize("first", [b"x\x9c", b"x\xda", b"(\xb5/\xfd", b"\x1f\x8b"])
def test_bytes_like_those_of_a_compressed_file(tmp_path: Path, first: bytes) -> None:
    got = reading(tmp_path, b"XMDM,XMMC\n" + first + b",a\nb,c\n", encoding="utf-8")
    assert got.cells("XMDM")[-1] == "b"
