"""Plain XML records, read by their tags or by the layout of their first one, against reading
element by element."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.load import load_packs
from validator.records import ChosenSource, SourceError
from validator.sources import SourceOptions, discover
from validator.sources.parts import STEP, Part
from validator.sources.xml_plain import Plain

PACKS = load_packs(["data-sharing-3.0"])
FIELD = st.sampled_from([
    "<GCDM>G1</GCDM>", "<GCDM/>", "<gcdm>g</gcdm>", "<XMMC> a &amp; b\n</XMMC>", "<NOPE>1</NOPE>",
    '<XMMC xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true">x</XMMC>',
    "<XMMC><![CDATA[<r>]]></XMMC>", "<XMMC>a<!-- c -->b</XMMC>", '<field name="XMMC">f</field>',
    "<field>bare</field>", "<XMMC>a<b>c</b></XMMC>", "text", "<项目代码>P</项目代码>",
    '<XMDM id="1">q</XMDM>', '<field name="GCDM" x="1"/>', '<field name="">e</field>',
    '<field name="XMDM" x="2">z</field>', '<XMDM name="XMMC">n</XMDM>',
])  # fmt: skip
RECORD = st.one_of(
    st.just("<r><GCDM>G1</GCDM><XMMC>n</XMMC></r>"),
    st.lists(FIELD, max_size=4).map(lambda found: f"<r>{''.join(found)}</r>\n"),
)


def told(path: Path, limit: int = 1 << 24) -> tuple[object, object]:
    """What reading gives to its end: rows, unreadable records and the refusal; the columns."""
    found = discover([path], PACKS, SourceOptions(max_record=limit))
    if not found.sources:
        return found.problems, None
    (source,) = found.sources
    rows: list[tuple[int, int | None, object]] = []
    refusal = ""
    try:
        for batch in source.batches(1000):
            assert batch.lines is not None
            lines = batch.lines.tolist()
            rows += zip(batch.ordinals.tolist(), lines, batch.frame.to_dicts(), strict=True)
            rows += [(u.record, u.line, u) for u in batch.unreadable]
    except SourceError as failure:
        refusal = str(failure)
    rows.sort(key=lambda row: row[0])
    return [*rows, refusal], source.columns()


@settings(deadline=None, max_examples=150)
@given(st.lists(RECORD, max_size=8))
def test_records_read_as_without_layouts(records: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "SPGL_XMJBXXB.xml"
        path.write_text(f"<SPGL_XMJBXXB>{''.join(records)}</SPGL_XMJBXXB>", "utf-8")
        fast = told(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("validator.sources.xml_records._PLAIN", lambda _: False)
            patch.setattr("validator.sources.xml_records._NAMED", lambda _: False)
            assert told(path) == fast


PLAIN = st.sampled_from([
    b"<GCDM>G1</GCDM>", b"<GCDM></GCDM>", b"<GCDM/>\n", b"<GCDM />", b"<XMMC>\xe7\x94\xb2\n</XMMC>",
    b"<XMMC> a &amp;lt; &lt;&quot;&apos;&gt;&amp;</XMMC>\r\n\t",
    b"<NOPE>1</NOPE>", b"<XMDM>\xef\xbb\xbf</XMDM>",
    b"<XMDM>\x7f,\"</XMDM>", b"<LONGER_THAN_TWO_WORDS>x</LONGER_THAN_TWO_WORDS>",
])  # fmt: skip
ODD = st.sampled_from([
    b"<GCDM>a\r\nb</GCDM>", b"<GCDM>a>b</GCDM>", b"<GCDM>]]></GCDM>", b"<GCDM>\x03</GCDM>",
    b"<GCDM>\xff</GCDM>", b"<GCDM>\xe7\x94</GCDM><XMMC>\xb2</XMMC>", b"<GCDM>\xef\xbf\xbf</GCDM>",
    b"<GCDM>&#65;&#x4e00;</GCDM>", b"<GCDM>&none;</GCDM>", b"<GCDM>& </GCDM>", b"<GCDM>&amp</GCDM>",
    b"<GCDM >G</GCDM >", b"< GCDM>G</GCDM>", b"<GCDM>G</XMMC>", b"<GCDM>G", b"G</GCDM>", b"x",
    b"\x04",
    b"<GCDM><r>1</r></GCDM>", b"</r><r>", b"</r>\n<!-- <r><GCDM>no</GCDM></r> --><r>", b"<r/>",
    b"</r>beside<r>", b"</r><?p <r> ?><r>", b"<![CDATA[</r><r>]]>", b"<!-- </r><r> -->",
    b"</r><r k='>'>",
    b"</r><s><GCDM>S</GCDM></s><r>", b"<GCDM><![CDATA[</GCDM></r><r>]]></GCDM>",
    b"<r:GCDM>p</r:GCDM>",
    b"<gcdm>g</gcdm><GCDM>twice</GCDM>", b"</r></SPGL_XMJBXXB><r>", b"<GCDM/ >", b"<GCDM></GCDM/>",
    b"<XMMC>" + 400 * b"long" + b"</XMMC>", b"\xc2\xa0", b"<GCDM a='1' a='1'/>", b"</r>\n\n<r\n>",
])  # fmt: skip
FULL = b"<r><XMDM>d</XMDM><GCDM>g</GCDM><XMMC>n</XMMC><NOPE/></r>\n"


def _record(fields: list[bytes]) -> bytes:
    return b"<r>" + b"".join(fields) + b"</r>\n"


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.lists(PLAIN, max_size=4).map(_record), min_size=1, max_size=9),
    st.none() | st.tuples(st.integers(0, 9), st.lists(ODD | PLAIN, max_size=3).map(_record)),
    st.sampled_from([60, 300, 1 << 20]),
    st.booleans(),
)
def test_windows_read_as_a_parser_reads_them(
    records: list[bytes], odd: tuple[int, bytes] | None, window: int, several: bool
) -> None:
    if odd is not None:
        records.insert(odd[0], odd[1])
    text = b"<SPGL_XMJBXXB>\n" + 2 * FULL + b"".join(records) + 2 * FULL + b"</SPGL_XMJBXXB>"
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "SPGL_XMJBXXB.xml"
        path.write_bytes(b"<all>" + text + b"</all>" if several else text)
        patch.setattr("validator.sources.xml_records._WINDOW", window)
        fast = told(path, 1000)
        patch.setattr(Plain, "mark", b"")
        slow = told(path, 1000)
    if not same_refusal(fast[0], slow[0]):
        assert fast == slow


def same_refusal(fast: object, slow: object) -> bool:
    """Both end with the same refusal, and the records before it agree as far as both go: how many
    came before is a matter of blocks."""
    if not isinstance(fast, list) or not isinstance(slow, list) or not (fast and slow):
        return False
    both = min(len(fast), len(slow)) - 1
    return fast[-1] != "" and fast[-1] == slow[-1] and fast[:both] == slow[:both]


def test_plain_records_do_not_go_through_the_parser(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_XMJBXXB.xml"
    odd = b"<r><GCDM><![CDATA[c]]></GCDM></r>\n"
    path.write_bytes(b"<SPGL_XMJBXXB>\n" + 50 * FULL + odd + 5000 * FULL + b"</SPGL_XMJBXXB>")
    parsed: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("validator.sources.xml_records._WINDOW", 10_000)
        patch.setattr(Plain, "read", _noting(parsed))
        rows, _ = told(path)
    assert isinstance(rows, list)
    assert [row[:2] for row in rows[:-1]] == [(i, i + 1) for i in range(1, 5052)]
    assert sum(parsed) > 4500
    assert parsed.count(0) < 5


def test_chosen_plain_records_do_not_go_through_the_parser(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_XMJBXXB.xml"
    path.write_bytes(b"<SPGL_XMJBXXB>\n" + 5000 * FULL + b"</SPGL_XMJBXXB>")
    (source,) = discover([path], PACKS, SourceOptions()).sources
    assert sum(batch.frame.height for batch in source.batches(1000)) == 5000
    assert isinstance(source, ChosenSource)
    parsed: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plain, "read", _noting(parsed))
        batches = source.chosen(np.array([1000, 4000]))
        assert batches is not None
        assert [n for batch in batches for n in batch.ordinals.tolist()] == [1000, 4000]
    assert parsed == [2 * STEP - 1]


def _noting(parsed: list[int]) -> Callable[[Plain, bytes, int, int], Part | None]:
    """Reading plain records that notes how many they were."""
    read = Plain.read

    def noting(self: Plain, data: bytes, line: int, limit: int) -> Part | None:
        part = read(self, data, line, limit)
        parsed.append(0 if part is None else part.records)
        return part

    return noting
