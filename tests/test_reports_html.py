"""The html report: exact, self-contained, and nothing from a record becomes markup or script."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re

import pytest
import report_values as values
from lxml import etree, html

from validator.reports import FORMATS, ReportOptions
from validator.reports.plain import excerpt, visible
from validator.text import Lang

MADE = [values.mixed(), values.hostile(), values.empty(), values.clean()]
OURS = {
    "html", "head", "meta", "title", "style", "body", "header", "p", "code", "button", "main",
    "section", "h1", "h2", "h3", "h4", "span", "dl", "div", "dt", "dd", "small", "b", "br", "ul",
    "li", "svg", "rect", "table", "thead", "tbody", "tr", "th", "td", "a", "label", "select",
    "option", "fieldset", "legend", "input", "details", "summary", "mark", "bdi", "footer",
    "script",
}  # fmt: skip


def written(made: values.Made, lang: Lang = "zh", samples: int | None = None) -> str:
    out = io.BytesIO()
    FORMATS["html"].render(
        made, values.packs(), out, lang=lang, options=ReportOptions(samples=samples)
    )
    return out.getvalue().decode("utf-8")


def parsed(made: values.Made, lang: Lang = "zh", samples: int | None = None) -> html.HtmlElement:
    return html.document_fromstring(written(made, lang, samples))


def said(node: html.HtmlElement, lang: Lang) -> str:
    """The text of a node as the page shows it in one language."""
    copy = html.fromstring(html.tostring(node, encoding="unicode"))
    for hidden in copy.xpath(".//span[@lang=$l]", l="en" if lang == "zh" else "zh-CN"):
        hidden.drop_tree()
    return " ".join(copy.text_content().split())


@pytest.mark.parametrize("made", MADE)
def test_the_policy_allows_exactly_our_style_and_script(made: values.Made) -> None:
    page = parsed(made)
    policy = page.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy.startswith("default-src 'none'; ")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (node,) = page.xpath(f"//{tag}[not(@type='application/json')]")
        digest = base64.b64encode(hashlib.sha256(node.text.encode()).digest()).decode()
        assert re.findall(rf"{directive} ([^;]+);", policy) == [f"'sha256-{digest}'"]
    head = [child.tag for child in page.find("head")]
    assert head[:2] == ["meta", "meta"], "the policy stands before anything it governs"


@pytest.mark.parametrize("made", MADE)
def test_the_page_needs_nothing_from_outside(made: values.Made) -> None:
    page = parsed(made)
    assert page.xpath("//@src | //link | //img | //iframe | //form | //base | //object") == []
    assert all(target.startswith("#") for target in page.xpath("//@href"))
    assert "@import" not in page.xpath("string(//style)")
    assert "url(" not in page.xpath("string(//style)")


@pytest.mark.parametrize("made", MADE)
def test_no_element_and_no_attribute_comes_from_data(made: values.Made) -> None:
    page = parsed(made)
    assert {node.tag for node in page.iter(etree.Element)} <= OURS
    assert len(page.xpath("//script[not(@type='application/json')]")) == 1
    names = {name for node in page.iter(etree.Element) for name in node.attrib}
    assert not {name for name in names if name.startswith("on") or name == "style"}


def test_hostile_values_are_shown_as_they_are() -> None:
    page = parsed(values.hostile())
    marked = ["".join(node.itertext()) for node in page.xpath("//details//mark")]
    for value in values.HOSTILE[:5]:
        assert value in marked
    assert "bell\\x07 escape\\x1b[31m nul\\x00 \\r\\n tab\\t" in marked
    assert any(text.startswith("right\\u202eto\\u2066left\\u200f zero\\u200b") for text in marked)
    assert len(max(marked, key=len)) < 340
    raw = written(values.hostile())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", raw)


def test_script_and_style_cannot_end_early() -> None:
    page = written(values.empty())
    assert page.count("</script") == page.count("</style") == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_says_what_it_rests_on(lang: Lang) -> None:
    line = {
        "zh": "重建，非官方文本；官方字段 0 / 7",
        "en": "Reconstructed from public source code, not the official text; "
        "official fields 0 of 7",
    }[lang]
    for made in MADE:
        page = parsed(made, lang)
        (basis,) = page.xpath("//section[@class='basis']")
        assert line in said(basis, lang)
        assert page.get("data-lang") == lang


def test_counts_are_exact_and_samples_capped() -> None:
    page = parsed(values.mixed(), "en", samples=2)
    (card,) = page.xpath("//section[contains(@data-rule, 'sample-unlisted-code')]")
    assert card.xpath("string(.//*[@class='count'])") == "5"
    assert len(card.xpath(".//tbody/tr")) == 2
    assert "3 more not shown" in said(card, "en")
    figures = {
        said(row.find("dt"), "en"): row.findtext("dd")
        for row in page.xpath("//dl[@class='figures']/div")
    }
    assert figures == {
        "read": "1,234", "conforming 99.0 %": "1,222", "blocked": "11", "errors": "11",
        "warnings": "2", "infos": "0",
    }  # fmt: skip
    assert "1,234 read = 1,222 conforming + 11 blocked + 1 skipped" in page.text_content()


def test_a_sample_shows_where_key_field_value_and_message() -> None:
    page = parsed(values.mixed(), "zh")
    (row, *_) = page.xpath("//section[contains(@data-rule, 'sample-unlisted-code')]//tbody/tr")
    assert [said(cell, "zh") for cell in row] == [
        "export/SPGL_XMJBXXB.csv:2",
        "GCDM 2401-441802-04-01-100001",
        "TDSFDSJFA 土地是否带设计方案",
        "9",
        "TDSFDSJFA（土地是否带设计方案）的值 9 不在代码表“是否”中",
    ]
    assert "".join(row[3].find("mark").itertext()) == "9"
    (empty, *_) = page.xpath("//section[contains(@data-rule, 'sample-empty')]//tbody/tr")
    assert said(empty[3], "zh") == "（空）"


def test_help_stands_once_where_it_is_the_same_for_all() -> None:
    page = parsed(values.mixed(), "en")
    (card,) = page.xpath("//section[contains(@data-rule, 'sample-unlisted-code')]")
    assert said(card, "en").count("Use a code of the list: 0 or 1.") == 1


def test_tables_link_to_their_violations() -> None:
    page = parsed(values.mixed())
    for link in page.xpath("//table[@class='counts']//a"):
        (target,) = page.xpath("//details[@id=$id]", id=link.get("href")[1:])
        assert link.findtext("code") == target.xpath("string(summary//code)")
    assert len(page.xpath("//table[@class='counts']//a")) == 2


def test_the_filter_knows_every_stage_and_table() -> None:
    page = parsed(values.mixed())
    for select, attribute in (("by-stage", "data-stage"), ("by-table", "data-table")):
        offered = page.xpath("//select[@id=$id]/option[@value!='']/@value", id=select)
        assert sorted(offered) == sorted(set(page.xpath(f"//section/@{attribute}")))
    assert page.xpath("//div[@class='filter']/@hidden"), "without script there is no filter"


def test_both_languages_are_on_the_page_wherever_one_is() -> None:
    page = parsed(values.mixed())
    for node in page.xpath("//span[@lang='zh-CN']"):
        assert node.getnext().get("lang") == "en"


def test_a_violation_takes_few_bytes() -> None:
    page = written(values.many(20_000), samples=5)
    assert len(page) < 70_000 + 20_000 * 60
    assert "20,000" in page


@pytest.mark.parametrize("made", [*MADE[:2], values.many(1200)])
def test_the_data_tell_every_violation(made: values.Made) -> None:
    page = parsed(made)
    rows, names = (
        json.loads(page.xpath("string(//script[@id=$id])", id=i)) for i in ("rows", "names")
    )
    violations = list(made.violations())
    assert len(rows) == len(violations)
    for (use, file, place, key, value, message, division), v in zip(rows, violations, strict=True):
        parts = [value, *(key or [0])[1:]]

        def filled(text: str, parts: list[str] = parts) -> str:
            return re.sub("[\0-\x14]", lambda gap: parts[ord(gap[0])], text)

        assert names["uses"][use][0] == v.severity
        assert names["uses"][use][3:] == [v.rule, list(v.fields)]
        assert names["files"][file] == visible(v.file or "")
        assert place == v.line
        assert names["divisions"][division] == v.division
        told = [filled(text) for text in names["messages"][message]]
        texts = (v.message.zh, v.message.en, v.help.zh, v.help.en)
        assert told == [excerpt(visible(text), 400) for text in texts]


def test_charts_count_by_stage_rule_table_and_division() -> None:
    page = parsed(values.mixed(), "en")
    charts = {said(c.find("h2"), "en"): c for c in page.xpath("//section[@class='chart']")}
    assert list(charts) == ["By stage", "By rule", "By table", "By division"]
    lines = [said(li, "en") for li in charts["By division"].xpath(".//li")]
    assert lines == ["No divisionerror 10 warning 2", "441802error 1"], "text beside each bar"
    assert charts["By division"].xpath(".//a/@href") == ["#division=-", "#division=441802"]
