"""The inspector in a real browser: languages, widths, filters, the walk, acts, hostile texts.

Where no Chromium is found these tests skip and say so; with SPGL_REQUIRE_BROWSER=1 they fail.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from inspector_values import (
    FIRST,
    PROJECTS,
    SECOND,
    Nights,
    app_of,
    copy_of,
    left_alone,
    nights,
    site_of,
)

CHROMIUM = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))),
    None,
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1440, 390

try:
    from playwright.sync_api import Browser, Dialog, Page, sync_playwright
except ImportError:  # pragma: no cover - a development dependency
    CHROMIUM = None

if CHROMIUM is None and os.environ.get("SPGL_REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium and Playwright here", allow_module_level=True)


@contextmanager
def served(app: web.Application) -> Iterator[str]:
    """The application on a port of its own, in a thread of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    place: list[str] = []

    async def start() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        place.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()

    def turn() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    assert ready.wait(30)
    yield place[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    nights()  # made before the browser, whose loop then runs in this thread
    assert CHROMIUM is not None, "SPGL_REQUIRE_BROWSER=1, but there is no chromium on the PATH"
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    site = site_of(nights())
    for run in (FIRST, SECOND):
        site.snapshots.open(run)
    with served(app_of(site)) as found:
        yield found


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Open a page; whatever the browser complains of fails the test."""
    contexts = []
    complaints: list[str] = []

    def make(url: str, *, width: int = WIDE, script: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        page.goto(url)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints


def _pages(made: Nights) -> list[str]:
    return [
        "/",
        f"/?run={FIRST}",
        f"/violations?run={FIRST}",
        "/projects",
        f"/project?project={made.hostile[:24]}&run={FIRST}",
        "/cases?show=all",
        f"/case?case={made.refused}",
        f"/record?table={PROJECTS}&k.GCDM={made.hostile}&run={FIRST}",
        "/ledger",
        "/ledger?state=accepted",
        "/runs",
        f"/runs/{FIRST}",
        "/compare",
        "/monitoring",
        "/rules",
        "/rules/code-not-in-list",
        "/packs",
        "/tables/0/SPGL_XMJBXXB",
        "/codes/0/case-state",
        "/nothing-here",
    ]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_fits_and_loads_without_a_complaint(
    browser: Browser, address: str, width: int, lang: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    outside: list[str] = []
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith(address) else None)
    for path in _pages(nights()):
        page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1, h2").count() > 0, path
        assert page.locator("nav [aria-current]").count() <= 1
        assert page.evaluate("getComputedStyle(document.body).margin") == "0px", path
    assert [c for c in complaints if "404" not in c] == []
    assert outside == []
    context.close()


def test_a_stranger_finds_the_project_with_most_violations(opened: Open, address: str) -> None:
    page = opened(f"{address}/?run={FIRST}")
    chart = page.locator("section.chart", has_text="问题最多的项目")
    first = chart.locator("li").first
    code = first.locator("code").inner_text()
    first.locator("a").click()
    assert page.locator(".chip", has_text=code).count() == 1
    assert page.locator("tr[data-severity=error]").count() > 0


def test_a_stranger_finds_why_a_permit_was_refused(opened: Open, address: str) -> None:
    page = opened(address)
    page.locator(".card.rejected").click()
    assert page.locator("td.message", has_text="建设工程规划许可证编号<b>不存在</b>").count() == 1
    page.locator(".rows a.go").first.click()
    assert "不存在" in page.locator(".life .reason").inner_text()
    assert page.locator(".timeline li.s-rejected").count() == 1


def test_a_stranger_finds_overdue_cases_and_what_changed(opened: Open, address: str) -> None:
    page = opened(address)
    count = page.locator(".card.overdue .figure").inner_text()
    page.locator(".card.overdue").click()
    assert page.locator("table.cases tbody tr").count() == int(count)
    assert page.locator("text=工作日").count() > 0
    page.locator("table.cases th a").first.click()
    assert page.locator("ol.timeline li time").count() >= 2
    page.goto(address)
    page.locator(".since a", has_text="比较").click()
    assert page.locator(".figures dd").count() == 3


def test_filters_are_links_that_can_be_shared(opened: Open, address: str) -> None:
    page = opened(f"{address}/violations?run={FIRST}")
    choice = page.locator("#f-severity ~ ul a").first
    count = choice.locator(".count").inner_text()
    choice.click()
    assert page.locator("h1 .count").inner_text() == count
    assert "severity=" in page.url
    other = opened(page.url)
    assert other.locator("h1 .count").inner_text() == count
    other.locator(".clear").first.click()
    assert "severity=" not in other.url


def test_everything_works_without_script(opened: Open, address: str) -> None:
    page = opened(f"{address}/violations?run={FIRST}", script=False)
    page.locator("#f-rule ~ ul a").first.click()
    assert "rule=" in page.url
    page.locator(".find input[name=q]").fill("2301-990103")
    page.locator(".find button").click()
    assert "q=2301-990103" in page.url
    assert "rule=" in page.url


def test_the_keyboard_reaches_search_pages_and_content(opened: Open, address: str) -> None:
    page = opened(f"{address}/violations?run={FIRST}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("body").press("j")
    page.wait_for_url("**after=*")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("YC2023")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=YC2023")


def test_the_walk_goes_up_and_down_the_family(opened: Open, address: str) -> None:
    made = nights()
    page = opened(f"{address}/record?table={PROJECTS}&k.GCDM={made.hostile}&run={SECOND}")
    page.locator(".tree .down", has_text="项目审批事项办理信息表").locator("li a").first.click()
    assert "项目审批事项办理信息表" in page.locator("h1").inner_text()
    page.locator(".links a", has_text="办件经过").click()
    page.locator(".crumb a").click()
    assert page.locator(".board .col").count() == 5
    page.locator(".units a").first.click()
    assert made.hostile in page.locator("header.page").inner_text()


def test_hostile_texts_stay_texts(opened: Open, address: str) -> None:
    made = nights()
    for path in (
        f"/record?table={PROJECTS}&k.GCDM={made.hostile}&run={FIRST}",
        f"/project?project={made.hostile[:24]}&run={FIRST}",
        f"/violations?run={FIRST}&project={made.hostile[:24]}",
        "/ledger",
    ):
        page = opened(address + path)
        page.on("dialog", lambda d: pytest.fail(f"a script ran: {d.message}"))
        assert page.locator("main img, main script, main b#x, .reason b").count() == 0
        assert page.evaluate("document.querySelectorAll('script').length") == 1


def test_the_language_is_remembered(opened: Open, address: str) -> None:
    page = opened(address)
    page.locator(".switch a[lang=en]").click()
    assert page.evaluate("document.documentElement.lang") == "en"
    page.goto(f"{address}/rules")
    assert page.locator("h1").inner_text().startswith("Rules")


def test_pages_print_without_menus(opened: Open, address: str, tmp_path: Path) -> None:
    page = opened(f"{address}/monitoring")
    page.emulate_media(media="print")
    assert not page.locator(".bar-top").is_visible()
    assert page.locator("h1").is_visible()
    assert page.pdf(path=str(tmp_path / "month.pdf"), format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_an_open_circuit_stands_above_what_needs_a_person(
    opened: Open, tmp_path: Path, width: int
) -> None:
    mine = copy_of(nights(), tmp_path)
    left_alone(mine, seconds=600, openings=2)
    with served(app_of(site_of(mine))) as other:
        for path, below in (("/", ".cards"), ("/ledger", "ul.states")):
            page = opened(f"{other}{path}?lang=en", width=width)
            told = page.locator(".away.open")
            assert "unreachable ConnectionRefusedError" in told.inner_text()
            place, next_ = told.bounding_box(), page.locator(below).first.bounding_box()
            assert place is not None
            assert next_ is not None
            assert place["y"] + place["height"] <= next_["y"]
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_acts_ask_first_and_are_only_there_when_allowed(
    opened: Open, address: str, tmp_path: Path
) -> None:
    page = opened(f"{address}/ledger")
    page.locator(".rows a.go").first.click()
    assert page.locator("form[action='/act']").count() == 0
    site = site_of(copy_of(nights(), tmp_path), actions=True)
    with served(app_of(site)) as other:
        page = opened(f"{other}/ledger")
        page.locator(".rows a.go").first.click()
        asked: list[str] = []

        def refuse(dialog: Dialog) -> None:
            asked.append(dialog.message)
            dialog.dismiss()

        page.once("dialog", refuse)
        page.locator("button", has_text="重新投送").click()
        assert asked == ["重新投送这条记录？"]
        assert page.locator(".now .s-rejected").count() == 1
        page.once("dialog", lambda d: d.accept())
        page.locator("button", has_text="重新投送").click()
        page.locator(".now .s-queued").wait_for()
        assert "审核员" in page.locator(".timeline").inner_text()
