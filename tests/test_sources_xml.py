"""XML: forms of database clients, exact lines, what is refused, and that pieces do not matter."""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_values import WAYS, Read, found, read, read_alike, write

from validator.records import SourceError
from validator.sources import SourceOptions

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def reading(folder: Path, data: bytes | str, **options: object) -> Read:
    path = write(folder, "SPGL_AXXB.xml", data)
    return read_alike(path, SourceOptions(**options))  # type: ignore[arg-type]


def test_a_table_of_records_of_fields(tmp_path: Path) -> None:
    got = reading(
        tmp_path,
        DECLARATION + "<spgl_axxb>\n<record><XMDM>001</XMDM><XMMC> 甲 &lt;\n</XMMC></record>\n"
        "<record>\n<xmdm/><项目名称><![CDATA[a<b>]]>&#x20bb7;</项目名称><TZE></TZE></record>"
        "<record></record>\n</spgl_axxb>\n",
    )
    assert got.rows == [
        (1, 3, {"XMDM": "001", "XMMC": " 甲 <\n"}),
        (2, 5, {"XMMC": "a<b>𠮷"}),
        (3, 6, {}),
    ]
    assert not got.bad


def test_mysqldump(tmp_path: Path) -> None:
    text = f"""<?xml version="1.0"?>
<mysqldump {XSI}>
<database name="exchange">
\t<table_structure name="SPGL_AXXB"><field Field="XMDM" Type="varchar(50)"/></table_structure>
\t<table_data name="SPGL_AXXB">
\t<row>
\t\t<field name="XMDM">a</field>
\t\t<field name="XMMC" xsi:nil="true" />
\t</row>
\t<row><field name="XMDM">b</field><field name="LOCAL">x</field></row>
\t</table_data>
\t<table_data name="other"><row><field name="XMDM">a</field></row></table_data>
\t<table_data name="SPGL_BXXB_V3"><row><field name="SLBM">s</field></row></table_data>
</database>
</mysqldump>
"""
    path = write(tmp_path, "dump.xml", text)
    for block, rows in WAYS:
        opened = found(path, SourceOptions(block=block))
        assert [s.file for s in opened.sources] == ["dump.xml#SPGL_AXXB", "dump.xml#SPGL_BXXB_V3"]
        assert [(u.file, u.name) for u in opened.unknown] == [("dump.xml", "other")]
        projects, cases = opened.sources
        assert read(projects, rows).rows == [(1, 6, {"XMDM": "a"}), (2, 10, {"XMDM": "b"})]
        assert [(c.header, c.field) for c in projects.columns()] == [
            ("XMDM", "XMDM"),
            ("XMMC", "XMMC"),
            ("LOCAL", None),
        ]
        assert read(cases, rows).rows == [(1, 13, {"SLBM": "s"})]


def test_the_result_set_of_a_query_is_named_by_the_file(tmp_path: Path) -> None:
    got = reading(
        tmp_path,
        f'{DECLARATION}<resultset statement="select 1" {XSI}>\n<row>\n'
        '<field name="XMDM">a</field><field name="TZE" xsi:nil="true"/></row></resultset>',
    )
    assert got.rows == [(1, 3, {"XMDM": "a"})]


def test_dbeaver(tmp_path: Path) -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE SPGL_AXXB [
  <!ELEMENT SPGL_AXXB (DATA_RECORD*)>
  <!ELEMENT DATA_RECORD (XMDM?,XMMC?)+>
  <!ELEMENT XMDM (#PCDATA)>
  <!ELEMENT XMMC (#PCDATA)>
]>
<SPGL_AXXB>
  <DATA_RECORD>
    <XMDM>a</XMDM>
    <XMMC></XMMC>
  </DATA_RECORD>
  <DATA_RECORD>
    <XMDM>b</XMDM>
  </DATA_RECORD>
</SPGL_AXXB>
"""
    got = read_alike(write(tmp_path, "query.xml", text))
    assert got.rows == [(1, 9, {"XMDM": "a"}), (2, 13, {"XMDM": "b"})]


def test_several_tables_with_a_namespace(tmp_path: Path) -> None:
    text = """<e:export xmlns:e="urn:demo"><e:SPGL_AXXB><r><XMDM>a</XMDM></r>
<r><XMDM>b</XMDM></r></e:SPGL_AXXB>
<note>n</note><SPGL_BXXB/><SPGL_BXXB><e:r><e:SLBM>s</e:SLBM></e:r></SPGL_BXXB></e:export>"""
    path = write(tmp_path, "export.xml", text)
    for block, rows in WAYS:
        opened = found(path, SourceOptions(block=block))
        assert [u.name for u in opened.unknown] == ["note"]
        projects, none, cases = (read(s, rows) for s in opened.sources)
        assert projects.rows == [(1, 1, {"XMDM": "a"}), (2, 2, {"XMDM": "b"})]
        assert not none.rows
        assert cases.rows == [(1, 3, {"SLBM": "s"})]


def test_end_tags_hidden_in_comments_and_cdata(tmp_path: Path) -> None:
    text = """<export><SPGL_AXXB><!-- </SPGL_AXXB> <r> --><r><XMDM>a</XMDM></r>
<r><XMDM><![CDATA[</SPGL_AXXB><r>]]></XMDM></r><!-- <r/> --><r><XMDM>c</XMDM></r></SPGL_AXXB>
<SPGL_BXXB><r><SLBM>s</SLBM></r></SPGL_BXXB></export>"""
    path = write(tmp_path, "export.xml", text)
    for block, rows in WAYS:
        projects, cases = found(path, SourceOptions(block=block)).sources
        got = read(projects, rows)
        assert got.cells("XMDM") == ["a", "</SPGL_AXXB><r>", "c"]
        assert [line for _, line, _ in got.rows] == [1, 2, 2]
        assert read(cases, rows).rows == [(1, 3, {"SLBM": "s"})]


def test_records_of_several_names_are_all_read(tmp_path: Path) -> None:
    records = "".join(f"<b>\n<XMDM>{i}</XMDM></b>" for i in range(30))
    text = f"<SPGL_AXXB><a><XMDM>x</XMDM></a>\n{records}<a/><c><XMDM>y</XMDM></c></SPGL_AXXB>"
    got = reading(tmp_path, text)
    assert got.cells("XMDM") == ["x", *map(str, range(30)), None, "y"]
    assert [line for _, line, _ in got.rows] == [1, *range(2, 32), 32, 32]


def test_lines_beyond_65535_are_exact(tmp_path: Path) -> None:
    records = "".join(f"<r>\n<XMDM>{i}</XMDM>\n</r>\n" for i in range(30_000))
    path = write(tmp_path, "SPGL_AXXB.xml", f"<SPGL_AXXB>\n{records}</SPGL_AXXB>")
    (source,) = found(path).sources
    got = read(source)
    assert got.rows[-1] == (30_000, 2 + 3 * 29_999, {"XMDM": "29999"})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("<r><XMDM><b>x</b></XMDM></r>", "elements inside a field"),
        ("<r>text<XMDM>x</XMDM></r>", "text beside"),
        ("<r><XMDM>x</XMDM>text</r>", "text beside"),
        ("<r><XMDM>x</XMDM><xmdm>y</xmdm></r>", "twice"),
        ("<r><XMDM>x</XMDM><项目代码>y</项目代码></r>", "twice"),
        ("<r><XMDM>" + "x" * 3000 + "</XMDM></r>", "max_record"),
    ],
)
def test_a_record_that_cannot_be_read(tmp_path: Path, record: str, reason: str) -> None:
    good = "<r><XMDM>g</XMDM></r>"
    got = reading(tmp_path, f"<SPGL_AXXB>{good}\n{record}\n{good}</SPGL_AXXB>", max_record=2000)
    assert [(r, line) for r, line, _ in got.rows] == [(1, 1), (3, 3)]
    assert [(r, line) for r, line, _ in got.bad] == [(2, 2)]
    assert reason in got.bad[0][2]


def lol() -> str:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    return f'<!DOCTYPE SPGL_AXXB [<!ENTITY l0 "lol">{entities}]>'


@pytest.mark.parametrize(
    "text",
    [
        lol() + "<SPGL_AXXB><r><XMDM>&l11;</XMDM></r></SPGL_AXXB>",
        lol() + '<SPGL_AXXB x="&l11;"/>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><SPGL_AXXB/>',
        '<!DOCTYPE a PUBLIC "p" "http://127.0.0.1:1/x.dtd"><SPGL_AXXB/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        "<SPGL_AXXB><r><XMDM>&x;</XMDM></r></SPGL_AXXB>",
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]><SPGL_AXXB/>',
        '<!DOCTYPE a [<!ENTITY x "y">]><export><SPGL_AXXB/></export>',
    ],
)
def test_entities_and_external_dtds_are_refused(tmp_path: Path, text: str) -> None:
    for block, _ in WAYS:
        opened = found(write(tmp_path, "SPGL_AXXB.xml", text), SourceOptions(block=block))
        assert not opened.sources
        assert "ntities" in opened.problems[0].text.en


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("<SPGL_AXXB><r>\n<XMDM>a</r></SPGL_AXXB>", "line 2 (a start and an end tag"),
        ("<SPGL_AXXB>\n<r><XMDM>a</XMDM></r>\n", "the file is cut short"),
        ("<SPGL_AXXB><r><XMDM>&x;</XMDM></r></SPGL_AXXB>", "undefined entity"),
        ("<SPGL_AXXB></SPGL_AXXB>x", "text follows the root element"),
        ("<SPGL_AXXB>\n<r><XMDM>a\x01</XMDM></r></SPGL_AXXB>", "line 2"),
        ("<SPGL_AXXB>" + "<r>" * 300 + "</r>" * 300 + "</SPGL_AXXB>", "nested too deeply"),
    ],
)
def test_a_file_that_is_not_well_formed_is_refused(tmp_path: Path, text: str, part: str) -> None:
    for block, rows in WAYS:
        path = write(tmp_path, "SPGL_AXXB.xml", text)
        (source,) = found(path, SourceOptions(block=block)).sources
        with pytest.raises(SourceError) as failure:
            list(source.batches(rows))
        assert part in failure.value.text.en


def test_one_of_several_tables_is_not_well_formed(tmp_path: Path) -> None:
    text = "<e>\n<SPGL_AXXB>\n<r><XMDM>a</r>\n</SPGL_AXXB>\n<SPGL_BXXB/></e>"
    projects, cases = found(write(tmp_path, "e.xml", text)).sources
    with pytest.raises(SourceError, match=r"e.xml#SPGL_AXXB: .* near line 3 "):
        list(projects.batches(10))
    assert not read(cases).rows


@pytest.mark.parametrize("text", ["", "   ", "no xml", "<a><b></a>", "<a>"])
def test_no_xml_at_all(tmp_path: Path, text: str) -> None:
    opened = found(write(tmp_path, "x.xml", text))
    assert not opened.sources
    assert opened.problems[0].file == "x.xml"


def test_a_record_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.xml"
    path.write_text("<SPGL_AXXB><r>" + "<XMDM>xxxxxxxxxx</XMDM>\n" * 5000)
    (source,) = found(path, SourceOptions(max_record=5000, block=10_000)).sources
    with pytest.raises(SourceError, match="far larger than max_record"):
        list(source.batches(10))


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-8", "utf-8-sig", "big5"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    named = encoding.removesuffix("-sig")
    text = (
        f'<?xml version="1.0" encoding="{named}"?><SPGL_AXXB><r><XMDM>甲乙</XMDM></r></SPGL_AXXB>'
    )
    assert reading(tmp_path, text.encode(encoding)).rows == [(1, 1, {"XMDM": "甲乙"})]


def test_a_declaration_that_is_wrong(tmp_path: Path) -> None:
    text = DECLARATION + "<SPGL_AXXB><r><XMDM>甲乙</XMDM></r></SPGL_AXXB>"
    assert reading(tmp_path, text.encode("gb18030")).rows == [(1, 2, {"XMDM": "甲乙"})]


def test_utf16_is_refused_with_the_remedy(tmp_path: Path) -> None:
    opened = found(write(tmp_path, "SPGL_AXXB.xml", "<SPGL_AXXB/>".encode("utf-16")))
    assert "UTF-16" in opened.problems[0].text.en


CELL = st.text(st.sampled_from("ab<>&\"' \n甲𠮷"), max_size=6)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=6), several=st.booleans())
def test_text_comes_back_as_it_was(rows: list[tuple[str, str]], several: bool) -> None:
    records = "\n".join(f"<r><XMDM>{escape(a)}</XMDM><XMMC>{escape(b)}</XMMC></r>" for a, b in rows)
    text = f"<SPGL_AXXB>{records}</SPGL_AXXB>"
    with tempfile.TemporaryDirectory() as folder:
        got = reading(Path(folder), f"<all>{text}</all>" if several else text)
    assert got.cells("XMDM") == [a or None for a, _ in rows]
    assert got.cells("XMMC") == [b or None for _, b in rows]
