"""Chosen records read by themselves are what a full reading says they are."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_values import found, write

from validator.records import Batch, ChosenSource, SourceError, TableSource
from validator.sources import SourceOptions

HEAD = b"XMDM,XMMC,other,TZE\n"
ROWS = [
    b"A,\xe6\xa0\xb7\xe5\xb7\x9d,x,1.5\n",
    b"B,plain,,2\r\n",
    b'C,"two\nlines",x,3\n',
    b'D,"say ""so"", he",x,\n',
    b"\n",
    b"E,short\n",
    b"F,long,x,1,2\n",
    b'G,st"ray,x,1\n',
]
OBJECTS = [
    '{"XMDM":"A","XMMC":"样川","TZE":1.50}\n'.encode(),
    b'{"XMDM":"B","other":1,"TZE":"2"}\r\n',
    b'{"XMDM":"C","XMMC":"say \\"so\\""}\n',
    b'{"TZE":null,"XMDM":"D","JSSJ":true}\n',
    b"\n",
    b'{"XMDM":\n',
]
#: The first four are records.
VALUES = [
    '{"XMDM":"A","XMMC":"样川","TZE":1.50},\n'.encode(),
    b' {"XMDM":"B",\n "other":{"a":[1,2]},"TZE":"2"},',
    b'{"XMDM":"C","XMMC":"say \\"so\\", ]}"}\r\n ,\n\n',
    b'{"TZE":null,"XMDM":"D","JSSJ":true},\n',
    b"3,",
    b'{"XMDM":"E","XMDM":"F"},\n',
]
LAST = b'{"XMDM":"last"}\n]'
SPACES = b'<SPGL_AXXB xmlns:x="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
#: The first four are readable and of one name.
ELEMENTS = [
    b"<r><XMDM>A</XMDM><XMMC>\xe6\xa0\xb7\xe5\xb7\x9d</XMMC><TZE>1</TZE></r>\n",
    b"<r><XMDM>B</XMDM>\n<XMMC/><other>&lt;r&gt;</other></r>",
    b"<r><XMDM>two\nlines</XMDM><TZE>3</TZE></r>\n\n",
    b'<r><field name="XMDM"><![CDATA[<r><s>]]></field><TZE xsi:nil="true"/></r>\n',
    b'<s><field name="XMDM">C</field><s/></s><s/>\n',
    b"<!-- <r><XMDM>no</XMDM></r> <t>\n<s/> --><t><XMDM>D</XMDM></t>\n",
    b"<?p <r> <u> ?><x:u><x:XMDM>E</x:XMDM></x:u><r/>\n",
    b"<TZE><XMMC>F</XMMC><XMDM>G</XMDM></TZE>",
    b"<r><XMDM>A<b/></XMDM></r>\n",
]
END = b"</SPGL_AXXB>\n"


def cells(batches: list[Batch]) -> dict[int, tuple[int | None, dict[str, str], frozenset[str]]]:
    """Line, filled cells and native fields by ordinal."""
    by_ordinal = {}
    for batch in batches:
        for i, row in enumerate(batch.frame.iter_rows(named=True)):
            filled = {k: v for k, v in row.items() if v is not None}
            native = frozenset(n for n, flags in batch.native.items() if flags[i])
            line = None if batch.lines is None else int(batch.lines[i])
            by_ordinal[int(batch.ordinals[i])] = (line, filled, native)
    return by_ordinal


def source(path: Path, options: SourceOptions | None = None) -> TableSource:
    (only,) = found(path, options).sources
    return only


@pytest.mark.parametrize(("name", "head", "lines", "regular", "tail"), [
    ("SPGL_AXXB.csv", HEAD, ROWS, 4, b""), ("SPGL_AXXB.jsonl", b"", OBJECTS, 4, b""),
    ("SPGL_AXXB.json", b"\n[\n", VALUES, 4, LAST),
    ("all.json", b'{"x":[],"RECORDS":1,"SPGL_AXXB": [', VALUES, 4, LAST + b',"y":2}'),
    ("SPGL_AXXB.xml", SPACES, ELEMENTS, 4, END),
    ("all.xml", b"<all>" + SPACES, ELEMENTS, 4, END + b"</all>"),
])  # fmt: skip
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_choice_reads_like_the_whole(
    name: str, head: bytes, lines: list[bytes], regular: int, tail: bytes, data: st.DataObject
) -> None:
    picked = data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=30))
    picked *= data.draw(st.sampled_from([1, 1, 5]))  # beyond one step, too
    block = data.draw(st.sampled_from([40, 200, 1 << 20]))
    mark = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    whole = mark + head + lines[0] + b"".join(picked) + tail
    window = data.draw(st.sampled_from([150, 1 << 20]))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("validator.sources.xml_records._WINDOW", window)
        of = source(write(Path(folder), name, whole), SourceOptions(block=block))
        everything = cells(list(of.batches(7)))
        assert isinstance(of, ChosenSource)
        some = data.draw(st.sets(st.sampled_from(sorted(everything)), min_size=1))
        batches = of.chosen(np.array(sorted(some)))
        if batches is not None:
            assert cells(list(batches)) == {n: everything[n] for n in some}
        else:
            assert set(picked) - set(lines[:regular])  # only something irregular prevents it


@pytest.mark.parametrize("encoding", [None, "utf-8", "gb18030"])
def test_transcoded_files_are_left_to_a_full_reading(tmp_path: Path, encoding: str | None) -> None:
    text = "XMDM,XMMC\n" + "".join(f"{i},样川{i}\n" for i in range(50))
    path = write(tmp_path, "SPGL_AXXB.csv", text.encode(encoding or "gb18030"))
    of = source(path, SourceOptions(encoding=encoding))
    whole = cells(list(of.batches(1000)))
    assert isinstance(of, ChosenSource)
    batches = of.chosen(np.array([3, 40]))
    if encoding == "utf-8":
        assert batches is not None
        assert cells(list(batches)) == {n: whole[n] for n in (3, 40)}
    else:
        assert batches is None


def test_chinese_after_a_long_ascii_part(tmp_path: Path) -> None:
    text = "XMDM,XMMC\n" + "".join(f"{i},plain\n" for i in range(200_000)) + "z,样川\n"
    of = source(write(tmp_path, "SPGL_AXXB.csv", text.encode("gb18030")))
    assert cells(list(of.batches(100_000)))[200_001][1] == {"XMDM": "z", "XMMC": "样川"}
    assert isinstance(of, ChosenSource)
    assert of.chosen(np.array([5])) is None


def test_a_file_that_became_shorter_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "SPGL_AXXB.csv", b"XMDM,XMMC\n" + b"a,b\n" * 1000)
    of = source(path)
    assert sum(b.frame.height for b in of.batches(1000)) == 1000
    assert isinstance(of, ChosenSource)
    os.truncate(path, 50)
    batches = of.chosen(np.array([900]))
    assert batches is not None
    with pytest.raises(SourceError, match="changed"):
        list(batches)


def test_nothing_is_chosen_before_a_full_reading(tmp_path: Path) -> None:
    of = source(write(tmp_path, "SPGL_AXXB.csv", b"XMDM,XMMC\na,b\n"))
    assert isinstance(of, ChosenSource)
    assert of.chosen(np.array([1])) is None
