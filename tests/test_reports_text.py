"""The terminal report: counts, caps, width, colour, and values that try to steer a terminal."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest
import report_values as values

from validator.reports import FORMATS, ReportOptions
from validator.reports.plain import excerpt, left, right, visible, width, wrap
from validator.reports.summary import books, passed, summary, verdict
from validator.reports.text import render
from validator.text import Lang


def text(made: values.Made, lang: Lang, **options: object) -> str:
    out = io.StringIO()
    render(made, values.packs(), out, lang=lang, options=ReportOptions(**options))  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_pack_shows_its_basis(lang: Lang) -> None:
    line = {
        "zh": "重建，非官方文本；官方字段 0 / 7",
        "en": "Reconstructed from public source code, not the official text; "
        "official fields 0 of 7",
    }[lang]
    for made in (values.mixed(), values.empty(), values.clean()):
        assert line in text(made, lang)
        assert line in summary(made.run, lang)


def test_samples_are_capped_and_counts_exact() -> None:
    report = text(values.mixed(), "en", samples=2)
    assert "sample-unlisted-code  × 5" in report
    assert report.count('TDSFDSJFA Land comes with a design = "9"') == 2
    assert "3 more not shown" in report
    assert report.count("Use a code of the list: 0 or 1.") == 1
    assert "XMMC 4 · GCDM 1" in report


def test_a_run_without_hidden_samples_does_not_speak_of_caps() -> None:
    assert "Samples are capped" in text(values.mixed(), "en")
    assert "Samples are capped" not in text(values.mixed(), "en", samples=50)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("made", [values.mixed(), values.hostile(), values.empty()])
def test_lines_fit_in_100_columns(made: values.Made, lang: Lang) -> None:
    lines = text(made, lang).splitlines()
    assert max(map(width, lines)) <= 100


def test_the_columns_of_the_summary_line_up() -> None:
    lines = text(values.mixed(), "zh").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("表 "))
    table = lines[start : start + 5]
    assert len({width(line) for line in table}) == 1
    assert table[-1].split() == ["合计", "1,234", "1,222", "11", "11", "1", "0"]


def test_nothing_foreign_reaches_the_terminal() -> None:
    report = text(values.hostile(), "zh")
    unseen = {c for c in report if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")}
    assert unseen == {"\n"}
    assert "escape\\x1b[31m nul\\x00 \\r\\n tab\\t" in report
    assert "right\\u202eto\\u2066left" in report


def test_colour_only_when_asked() -> None:
    plain, painted = text(values.mixed(), "zh"), text(values.mixed(), "zh", color=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
    assert "\x1b[1;31m错误\x1b[0m sample-unlisted-code" in painted


def test_an_encoding_without_chinese_gets_escapes_instead_of_a_crash() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    render(values.mixed(), values.packs(), out, lang="zh", options=ReportOptions())
    out.flush()
    assert b"\\u9879\\u76ee" in raw.getvalue()


def test_the_verdict_tells_the_four_cases_apart() -> None:
    assert verdict(values.clean().run).zh.startswith("全部合格：错误 0")
    assert verdict(values.empty().run).en.startswith("No record was read: 0 errors")
    assert verdict(values.many(3).run).en.startswith("Not conforming: 3 errors")
    assert verdict(values.mixed().run).en.startswith("Incomplete, 1 file could not be read")
    assert [passed(m.run) for m in (values.clean(), values.many(3), values.mixed())] == [
        True, False, False,
    ]  # fmt: skip


def test_the_books_add_up_in_the_line_people_read() -> None:
    line = books(values.mixed().run)
    assert line.zh.startswith("读取 1,234 = 合格 1,222 + 未放行 11 + 跳过 1（")
    assert line.en.startswith("1,234 read = 1,222 conforming + 11 blocked + 1 skipped (1 of")


def test_binary_and_text_streams_get_the_same_report() -> None:
    raw = io.BytesIO()
    made, options = values.mixed(), ReportOptions()
    FORMATS["text"].render(made, values.packs(), raw, lang="zh", options=options)
    assert raw.getvalue().decode("utf-8") == text(made, "zh")
    with pytest.raises(TypeError, match="json reports are bytes"):
        FORMATS["json"].render_text(made, values.packs(), io.StringIO(), lang="zh", options=options)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("项目 A-1", "项目 A-1"),
        ("a\u200bb", "a\\u200bb"),
        ("\u00a0x\ufeff", "\\u00a0x\\ufeff"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("\ufffe", "\\ufffe"),
        ("\u2028", "\\u2028"),
    ],
)
def test_visible(raw: str, shown: str) -> None:
    assert visible(raw) == shown


def test_excerpt_keeps_both_ends_and_says_how_much_is_gone() -> None:
    assert excerpt("x" * 40, 40) == "x" * 40
    assert excerpt("a" * 5000 + "z" * 5000, 40) == "a" * 30 + "…[+9,960]…" + "z" * 10


def test_wrap_breaks_between_chinese_characters_but_not_before_a_full_stop() -> None:
    assert wrap("项目代码不合格。请更正", 14) == ["项目代码不合", "格。请更正"]
    assert wrap("code 2401-441802 is wrong", 16) == ["code 2401-441802", "is wrong"]
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert wrap("", 10) == [""]


def test_padding_counts_columns_not_characters() -> None:
    assert left("表", 4) == "表  "
    assert right("表", 4) == "  表"
    assert width("e\u0301") == 1
