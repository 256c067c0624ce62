"""The html report in a real browser: filters in the address, sorting, languages, widths, print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import report_values as values

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, sync_playwright
from test_inspector_browser import CHROMIUM, FLAGS

from validator.reports import ReportOptions, write


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        made, faults = context.new_page(), list[str]()
        made.on("pageerror", lambda fault: faults.append(str(fault)))
        made.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        yield made
        assert faults == []


def address(folder: Path, made: values.Made, more: str = "") -> str:
    file = folder / "report.html"
    write("html", file, made, values.packs(), lang="zh", options=ReportOptions())
    return f"file://{file}{more}"


def shown(page: Page) -> int:
    return int(page.locator("[data-shown]:visible").inner_text().replace(",", ""))


def test_filters_stand_in_the_address_and_come_back(page: Page, tmp_path: Path) -> None:
    page.goto(address(tmp_path, values.mixed()))
    assert shown(page) == 13
    page.select_option("#by-rule", "sample-empty")
    page.fill("#by-text", "100009")
    page.wait_for_url("**#rule=sample-empty&q=100009")
    assert shown(page) == 1
    assert page.locator(".rows tbody tr").count() == 1
    page.reload()
    assert shown(page) == 1
    assert page.input_value("#by-text") == "100009"
    page.uncheck("input[value=error]")
    page.wait_for_url("**severity=warning%2Cinfo**")
    assert shown(page) == 0
    assert page.locator(".nothing").is_visible()


@pytest.mark.parametrize(
    ("link", "count"),
    [("#division=441802", 1), ("#stage=case-records", 1), ("#rule=sample-unlisted-code", 5),
     ("#table=data-sharing-3.0/SPGL_XMJBXXB", 11)],
)  # fmt: skip
def test_a_line_of_a_chart_shows_its_violations(
    page: Page, tmp_path: Path, link: str, count: int
) -> None:
    page.goto(address(tmp_path, values.mixed()))
    page.click(f'.chart a[href="{link}"]')
    page.wait_for_function(
        "n => document.querySelectorAll('.rows tbody tr').length === n", arg=count
    )
    assert shown(page) == count


def test_columns_sort_up_and_down(page: Page, tmp_path: Path) -> None:
    page.goto(address(tmp_path, values.many(300)))
    page.click("[data-sort=value]")
    cells = page.locator(".rows tbody td.value")
    first = [cells.nth(n).inner_text() for n in range(3)]
    assert first == ["0", "1", "10"]
    assert page.locator("th[aria-sort=ascending]").inner_text() == "值"
    page.click("[data-sort=value]")
    assert cells.first.inner_text() == "99"
    assert page.url.endswith("#sort=-value")


def test_pages_and_the_view_by_rule(page: Page, tmp_path: Path) -> None:
    page.goto(address(tmp_path, values.many(250)))
    assert page.locator(".rows tbody tr").count() == 100
    page.click("[data-step='1']")
    page.click("[data-step='1']")
    assert page.locator("[data-page]").inner_text() == "3 / 3"
    assert page.locator(".rows tbody tr").count() == 50
    assert page.locator("[data-step='1']").is_disabled()
    page.click("[data-view=rules]")
    assert page.locator(".group:visible").count() == 2
    assert shown(page) == 2


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_text_is_cut_at_any_width(page: Page, tmp_path: Path, lang: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address(tmp_path, values.hostile(), f"?lang={lang}"))
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    word = {"zh": "逐条看", "en": "Every violation"}[lang]
    assert page.get_by_role("button", name=word).is_visible()
    page.click("[data-set-lang=en]")
    assert "of 16" in page.locator(".shown").inner_text()


def test_hostile_texts_stay_texts(page: Page, tmp_path: Path) -> None:
    page.goto(address(tmp_path, values.hostile()))
    told = page.locator(".rows tbody td.value").all_inner_texts()
    assert values.HOSTILE[0] in told
    assert values.HOSTILE[1] in told
    assert page.locator(".rows tbody script, .rows tbody x").count() == 0


def test_it_prints_on_a4_without_controls(page: Page, tmp_path: Path) -> None:
    page.goto(address(tmp_path, values.many(300)))
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator(".filter").is_visible()
    assert not page.locator(".pages").is_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    head = page.evaluate("getComputedStyle(document.querySelector('.rows thead')).display")
    assert head == "table-header-group", "repeated on every page"


def test_a_hundred_thousand_violations_are_filtered_on_the_page(page: Page, tmp_path: Path) -> None:
    page.goto(address(tmp_path, values.many(100_000)))
    assert shown(page) == 100_000
    assert page.locator(".rows tbody tr").count() == 100
    page.fill("#by-text", "99998")
    page.wait_for_url("**#q=99998")
    assert shown(page) == 3, "a line, a value and a key"
