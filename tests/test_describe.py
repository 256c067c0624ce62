"""What `packs list`, `packs show` and `explain` print: in both languages, pure, with near names."""

from __future__ import annotations

import re

import pytest

from validator import describe
from validator.load import load_packs
from validator.rules import rules
from validator.text import Lang

PACKS = load_packs()
LANGS: tuple[Lang, ...] = ("zh", "en")


def test_packs_name_their_basis_and_every_table() -> None:
    text = describe.packs(PACKS, "zh")
    assert "重建，非官方文本；36 张表；官方字段 0 / 796" in text
    assert "引用标准包 data-sharing-3.0" in text
    assert all(t.name in text for t in PACKS.tables())
    assert "Reconstructed from public source code" in describe.packs(PACKS, "en")


def test_a_table_shows_key_references_fields_and_checks() -> None:
    text = describe.table(PACKS, "spgl_xmspsxblxxxxb", "zh")
    assert "唯一标识：SPSXSLBM, BLZT, BLSJ（在用系统）" in text
    assert "SPSXSLBM → SPGL_XMSPSXBLXXB (SPSXSLBM)（在用系统，CASE-03）" in text
    assert re.search(r"DWMC +文本 +单位名称；必填 \[错误\]", text)
    assert re.search(r"错误 +acceptance-without-start", text)


@pytest.mark.parametrize("lang", LANGS)
def test_every_name_can_be_explained(lang: Lang) -> None:
    names = [*rules(), *(c.id for p in PACKS for c in p.code_lists)]
    names += [f"{t.name}.{f.name}" for t in PACKS.tables()[:9] for f in t.fields]
    for name in names:
        text = describe.explain(PACKS, name, lang)
        assert text.startswith(name)
        assert "Text(" not in text
        assert "{'" not in text


def test_english_has_no_chinese_beyond_quoted_words() -> None:
    text = describe.table(PACKS, "SPGL_XMSPSXBLTBCXXXB", "en")
    assert not re.search("[\u4e00-\u9fff]", text)


def test_a_field_shows_the_evidence_of_each_attribute() -> None:
    text = describe.explain(PACKS, "SPGL_XMJBXXB.JSDWDM", "zh")
    assert "必填；空值会被拒绝（在用系统，PRJ-05）" in text
    assert "当 JSDWLX 为 1 时，格式 credit-code（国家标准，ID-01）" in text
    assert "当 JSDWLX 为 2 时，格式 citizen-number（推断，ID-02）" in text
    assert "证件号码" in text


def test_a_code_list_shows_codes_labels_and_users() -> None:
    text = describe.explain(PACKS, "land-acquisition", "zh")
    assert "开放：已知代码可能不全" in text
    assert "1  （名称未见）" in text
    assert "用于：SPGL_XMJBXXB.TDHQFS" in text
    assert "没有已知代码，不作检查" in describe.explain(PACKS, "business-situation", "zh")
    assert describe.explain(PACKS, "是否", "en").startswith("yes-no")


def test_a_format_shows_its_shape() -> None:
    text = describe.explain(PACKS, "credit-code", "en")
    assert "GB 32100-2015" in text
    assert "with a check digit" in text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("SPGL_XMJBXB", "SPGL_XMJBXXB"),
        ("SPGL_XMJBXXB.XMDN", "SPGL_XMJBXXB.XMDM"),
        ("code-not-on-list", "code-not-in-list"),
    ],
)
def test_unknown_names_bring_near_ones_in_the_language(name: str, near: str) -> None:
    for lang, word in (("zh", "是否指"), ("en", "did you mean")):
        with pytest.raises(KeyError) as caught:
            describe.explain(PACKS, name, lang)  # type: ignore[arg-type]
        sentence = caught.value.args[0]
        assert word in sentence
        assert near in sentence
    with pytest.raises(KeyError, match="没有名为“X”的表"):
        describe.table(PACKS, "X", "zh")
