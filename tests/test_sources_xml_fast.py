"""Plain XML records, read by the layout of their first one, against reading element by element."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.load import load_packs
from validator.sources import SourceOptions, discover

PACKS = load_packs(["data-sharing-3.0"])
FIELD = st.sampled_from([
    "<GCDM>G1</GCDM>", "<GCDM/>", "<gcdm>g</gcdm>", "<XMMC> a &amp; b\n</XMMC>", "<NOPE>1</NOPE>",
    '<XMMC xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true">x</XMMC>',
    "<XMMC><![CDATA[<r>]]></XMMC>", "<XMMC>a<!-- c -->b</XMMC>", '<field name="XMMC">f</field>',
    "<field>bare</field>", "<XMMC>a<b>c</b></XMMC>", "text", "<项目代码>P</项目代码>",
    '<XMDM id="1">q</XMDM>',
])  # fmt: skip
RECORD = st.one_of(
    st.just("<r><GCDM>G1</GCDM><XMMC>n</XMMC></r>"),
    st.lists(FIELD, max_size=4).map(lambda found: f"<r>{''.join(found)}</r>\n"),
)


def told(path: Path) -> object:
    found = discover([path], PACKS, SourceOptions())
    if found.problems:
        return found.problems
    (source,) = found.sources
    rows = []
    for batch in source.batches(1000):
        assert batch.lines is not None
        lines = batch.lines.tolist()
        rows.append((batch.frame.to_dicts(), batch.ordinals.tolist(), lines, batch.unreadable))
    return rows, source.columns()


@settings(deadline=None, max_examples=150)
@given(st.lists(RECORD, max_size=8))
def test_records_read_as_without_layouts(records: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "SPGL_XMJBXXB.xml"
        path.write_text(f"<SPGL_XMJBXXB>{''.join(records)}</SPGL_XMJBXXB>", "utf-8")
        fast = told(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("validator.sources.xml_records._PLAIN", lambda _: False)
            assert told(path) == fast
