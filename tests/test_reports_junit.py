"""The junit report: valid, exact in its numbers, bounded in its texts, hostile values harmless."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import report_values as values
from lxml import etree

from validator.reports import FORMATS, ReportOptions
from validator.text import Lang

XSD = etree.XMLSchema(etree.parse(Path(__file__).parent / "junit.xsd"))
MADE = [values.mixed(), values.hostile(), values.empty(), values.clean(), values.many(200)]


def written(made: values.Made, lang: Lang = "zh", **options: int) -> bytes:
    out = io.BytesIO()
    FORMATS["junit"].render(
        made, values.packs(), out, lang=lang, options=ReportOptions(samples=options.get("samples"))
    )
    return out.getvalue()


def parsed(made: values.Made, lang: Lang = "zh", **options: int) -> etree._Element:
    return etree.fromstring(written(made, lang, **options))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("made", MADE)
def test_it_is_valid(made: values.Made, lang: Lang) -> None:
    XSD.assertValid(parsed(made, lang))


@pytest.mark.parametrize("made", MADE)
def test_its_numbers_are_the_numbers_of_its_elements(made: values.Made) -> None:
    root = parsed(made)
    for node in [root, *root.findall("testsuite")]:
        assert int(node.get("tests")) == len(node.findall(".//testcase"))
        assert int(node.get("failures")) == len(node.findall(".//failure"))
        assert int(node.get("errors")) == len(node.findall(".//error"))


def test_an_error_fails_its_case_and_a_warning_only_speaks() -> None:
    root = parsed(values.mixed(), "en", samples=2)
    suite = root.find(f"testsuite[@name='{values.PROJECTS}']")
    failed = suite.find("testcase[@name='sample-unlisted-code']/failure")
    assert failed.get("type") == "sample-unlisted-code"
    assert failed.get("message").startswith("5 errors: TDSFDSJFA (Land comes with a design) is 9")
    assert failed.text.count("export/SPGL_XMJBXXB.csv:") == 2
    assert "3 more not shown" in failed.text
    warned = suite.find("testcase[@name='sample-wrong-order']")
    assert [child.tag for child in warned] == ["system-out"]
    assert warned.findtext("system-out").startswith("1 warning: The planned start")


def test_a_table_shows_the_rules_that_found_nothing() -> None:
    suite = parsed(values.clean()).find(f"testsuite[@name='{values.FIRE}']")
    cases = suite.findall("testcase")
    assert cases, "every rule that judges the table is a passing case"
    assert all(len(case) == 0 for case in cases)


def test_a_file_that_could_not_be_read_is_an_error() -> None:
    case = parsed(values.mixed(), "en").find("testsuite[@name='files']/testcase")
    assert case.get("name") == "export/empty.csv"
    assert case.find("error").get("message") == "The file is empty; export it again"


def test_hostile_values_stay_text() -> None:
    raw = written(values.hostile())
    root = etree.fromstring(raw)
    assert {node.tag for node in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error",
    }  # fmt: skip
    text = root.find(f"testsuite[@name='{values.PROJECTS}']//failure").text
    assert values.HOSTILE[0] in text
    assert values.HOSTILE[1] in text
    assert "nul\\x00 \\r\\n tab\\t" in text
    assert len(raw) < 60_000, "a value of 40,000 characters is shown as an excerpt"


def test_many_violations_give_a_short_report_with_exact_counts() -> None:
    root = parsed(values.many(5000), "en")
    failed = root.findall(".//failure")
    assert [f.get("message").partition(":")[0] for f in failed] == ["1,000 errors", "4,000 errors"]
    assert len(etree.tostring(root)) < 12_000
