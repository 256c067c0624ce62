"""Pages of the inspector: what they count, how they are narrowed and walked, and their twins."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from inspector_values import (
    BOLD,
    CASES,
    EVENTS,
    FIRST,
    IMAGE,
    PERMITS,
    PROJECTS,
    REFUSED_REASON,
    SCRIPT,
    SECOND,
    TURNED,
    Nights,
    Visitor,
    app_of,
    copy_of,
    left_alone,
    nights,
    site_of,
    visiting,
)
from ledger_values import Lines

from spgl.inspector.cases import all_cases, codes, pauses
from spgl.inspector.filters import Filter
from spgl.inspector.pages import PAGES
from spgl.inspector.pages.violations import ROWS
from spgl.inspector.security import POLICY
from spgl.inspector.site import Site
from spgl.inspector.veil import veiled
from validator.compare import Change, compare
from validator.load import load_packs
from validator.reports.tally import qualified
from validator.store import StoredUse, open_run
from validator.text import Text
from validator.violation import Severity, Violation


@pytest.fixture(scope="module")
def made() -> Nights:
    return nights()


@pytest.fixture(scope="module")
def site(made: Nights) -> Site:
    found = site_of(made)
    for run in (FIRST, SECOND):
        found.snapshots.open(run)
    return found


@pytest.fixture(scope="module")
def visitor(site: Site) -> Iterator[Visitor]:
    with visiting(app_of(site)) as found:
        yield found


@pytest.fixture(scope="module")
def violations(made: Nights) -> list[Violation]:
    """Every violation of the first night, read without the inspector."""
    return list(open_run(made.state / "runs" / FIRST).violations())


def places(made: Nights) -> dict[str, str]:
    """An address for every page."""
    return {
        "/projects": "",
        "/project": f"?project={made.hostile[:24]}",
        "/cases": "?show=all",
        "/case": f"?case={made.refused}",
        "/record": f"?run={FIRST}&table={PROJECTS}&k.GCDM={made.hostile}",
        "/compare": f"?before={FIRST}&after={SECOND}",
    }


PATHS = {
    "{run}": FIRST,
    "/rules/{name}": "/rules/code-not-in-list",
    "{pack}/{name}": "0/SPGL_XMJBXXB",
    "{pack}/{list}": "0/case-state",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.path)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_answers_in_both_languages_with_a_twin(
    visitor: Visitor, made: Nights, page: object, lang: str
) -> None:
    path = page.path  # type: ignore[attr-defined]
    query = places(made).get(path, "")
    for place, value in PATHS.items():
        path = path.replace(place, value)
    joined = f"{path}{query}{'&' if query else '?'}lang={lang}"
    text, headers = visitor.answer("GET", joined, 200)
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}"' in text
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert " style=" not in text
    assert "<style" not in text
    assert "onclick" not in text
    twin = visitor.json(f"{'/overview' if path == '/' else path}.json{query}")
    assert isinstance(twin, dict)
    for left in ("{{", "{%", "None<", "Undefined"):
        assert left not in text


def test_the_overview_puts_first_what_needs_a_person(visitor: Visitor, made: Nights) -> None:
    twin = visitor.json("/overview.json")
    late = visitor.json("/cases.json")["counts"]["overdue"]
    assert late > 0
    assert {u["name"]: u["count"] for u in twin["urgent"]} == {"rejected": 1, "overdue": late}
    assert [n["run"]["id"] for n in twin["nights"]] == [SECOND, FIRST]
    assert twin["nights"][1]["refused"] == 1
    errors = [p["error"] for p in visitor.json(f"/overview.json?run={FIRST}")["projects"]]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0
    text = visitor.get("/")
    assert text.index("现在需要人处理") < text.index("按规则")


def test_counts_of_the_first_page_are_those_of_the_run(
    visitor: Visitor, violations: list[Violation]
) -> None:
    facets = _facets(visitor.json(f"/violations.json?run={FIRST}"))
    assert facets["severity"] == Counter(str(v.severity) for v in violations)
    rules = Counter(v.rule for v in violations)
    assert facets["rule"].items() <= rules.items()
    assert max(facets["rule"].values()) == max(rules.values())


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("severity=error", lambda v: v.severity is Severity.ERROR),
        ("severity=error&severity=warning", lambda v: v.severity is not Severity.INFO),
        (f"table={PROJECTS}&severity=error",
         lambda v: qualified(v) == PROJECTS and v.severity is Severity.ERROR),
        ("stage=fire", lambda v: v.stage == "fire"),
        ("stage=-", lambda v: v.stage is None),
        ("rule=code-not-in-list&rule=wrong-type",
         lambda v: v.rule in ("code-not-in-list", "wrong-type")),
        ("rule=no-such-rule", lambda v: False),
    ],
)  # fmt: skip
def test_filters_let_through_what_they_say(
    visitor: Visitor, violations: list[Violation], query: str, wanted: object
) -> None:
    expected = [v for v in violations if wanted(v)]  # type: ignore[operator]
    twin = visitor.json(f"/violations.json?run={FIRST}&{query}")
    assert twin["total"] == len(expected)
    shown = [r["violation"]["fingerprint"] for r in twin["rows"]]
    assert shown == [v.fingerprint for v in expected[:ROWS]]


def test_a_facet_counts_what_its_next_click_would_show(visitor: Visitor) -> None:
    twin = visitor.json(f"/violations.json?run={FIRST}&severity=error")
    for facet in twin["facets"]:
        for choice in facet["choices"][:3]:
            if facet["name"] != "severity":
                path, _, query = choice["url"].partition("?")
                assert visitor.json(f"{path}.json?{query}")["total"] == choice["count"]


def test_pages_hold_every_row_once_and_lead_back(
    visitor: Visitor, violations: list[Violation]
) -> None:
    seen: list[str] = []
    url = f"/violations.json?run={FIRST}"
    firsts = []
    while url:
        twin = visitor.json(url)
        firsts.append(twin["first"])
        seen += [r["violation"]["fingerprint"] for r in twin["rows"]]
        last = twin
        url = twin["after_url"].replace("/violations?", "/violations.json?")
    assert seen == [v.fingerprint for v in violations]
    assert firsts == list(range(1, len(violations) + 1, ROWS))
    back = visitor.json(last["before_url"].replace("/violations?", "/violations.json?"))
    assert back["first"] == firsts[-2]


def test_search_finds_by_project_case_and_key(
    visitor: Visitor, violations: list[Violation]
) -> None:
    some = next(v for v in violations if v.key.get("SPSXSLBM"))
    for text in (some.key["SPSXSLBM"], some.key["SPSXSLBM"].lower()[2:14]):
        twin = visitor.json("/violations.json", params={"run": FIRST, "q": text})
        assert some.fingerprint in [r["violation"]["fingerprint"] for r in twin["rows"]]
        assert twin["total"] < len(violations)
    project = visitor.json(f"/overview.json?run={FIRST}")["projects"][0]["value"]
    twin = visitor.json("/violations.json", params={"run": FIRST, "project": project})
    assert twin["total"] > 0
    assert {r["project"] for r in twin["rows"]} == {project}


def test_new_since_the_run_before_agrees_with_compare(visitor: Visitor, made: Nights) -> None:
    runs = [open_run(made.state / "runs" / name) for name in (FIRST, SECOND)]
    expected = compare(*runs)
    new = visitor.json("/violations.json?new=1")
    assert new["total"] == expected.total(Change.NEW)
    twin = visitor.json("/compare.json")
    assert (twin["before"], twin["after"]) == (FIRST, SECOND)
    for name, change in (("new", Change.NEW), ("gone", Change.FIXED), ("stayed", Change.UNCHANGED)):
        assert twin[name] == expected.total(change)
    line = next(one for one in twin["lines"] if one["gone"])
    wanted = (line["rule"], line["table"], line["severity"])
    gone = expected.counts[Change.FIXED].items()
    assert line["gone"] == {(g.rule, g.table, str(g.severity)): n for g, n in gone}[wanted]


def test_downloads_hold_the_selection_and_say_so(
    visitor: Visitor, violations: list[Violation]
) -> None:
    query = f"run={FIRST}&severity=error"
    errors = [v for v in violations if v.severity is Severity.ERROR]
    document = json.loads(visitor.raw(f"/violations/download/json?{query}"))
    assert [v["fingerprint"] for v in document["violations"]] == [v.fingerprint for v in errors]
    text = visitor.raw(f"/violations/download/csv?{query}").decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(errors)
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(visitor.raw(f"/violations/download/xlsx?{query}&lang=en")))
    assert book["Violations"].max_row == len(errors) + 1
    cells = [str(c.value) for row in book["Summary"].iter_rows() for c in row if c.value]
    assert any("severity=error" in c for c in cells)
    visitor.get("/violations/download/exe", 404)


def test_nothing_of_a_record_becomes_markup(visitor: Visitor, made: Nights) -> None:
    project = made.hostile[:24]
    pages = [
        f"/violations?run={FIRST}&project={project}",
        f"/record?run={FIRST}&table={PROJECTS}&k.GCDM={made.hostile}",
        f"/project?run={FIRST}&project={project}",
        f"/projects?run={FIRST}",
        f"/cases?run={FIRST}&show=all",
        "/ledger?state=rejected",
        f"/case?run={FIRST}&case={made.refused}",
        f"/record?run={FIRST}&table={PERMITS}&" + _permit_key(visitor, made),
    ]
    texts = {page: visitor.get(page) for page in pages}
    for page, text in texts.items():
        for raw in (SCRIPT, "<script>alert", "<img", BOLD, "<b>不存在", "\u202e"):
            assert raw not in text, f"{raw!r} in {page}"
    record = texts[pages[1]]
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in record
    assert "\\u202e" in record
    assert "&lt;b id=x&gt;1&lt;/b&gt;" in record
    assert "&lt;b&gt;不存在" in texts[pages[5]]
    twin = visitor.json(f"/record.json?run={FIRST}&table={PROJECTS}&k.GCDM={made.hostile}")
    cells = {c["name"]: c["value"] for c in twin["cells"]}
    assert (cells["XMMC"], cells["JSDD"], cells["JSGMJNR"]) == (SCRIPT, IMAGE, TURNED)


def _permit_key(visitor: Visitor, made: Nights) -> str:
    rows = visitor.json("/ledger.json?state=rejected")["rows"]
    key = next(r["key"] for r in rows if r["key"]["SPSXSLBM"] == made.refused)
    return "&".join(f"k.{name}={value}" for name, value in key.items())


def test_questions_from_old_or_broken_addresses_get_one_line(visitor: Visitor) -> None:
    assert "应为整数" in visitor.get("/violations?after=abc", 400)
    assert "no run nowhere" in visitor.get("/violations?run=nowhere&lang=en", 404)
    assert visitor.json("/runs/nowhere.json", status=404)["status"] == 404
    visitor.get("/cases?show=everything", 400)
    visitor.get("/ledger?state=lost", 400)
    visitor.get("/monitoring?month=2026-13", 400)
    visitor.get("/record?table=none", 404)
    visitor.get(f"/record?table={PROJECTS}", 400)
    visitor.get("/case?case=none", 404)
    visitor.get("/project?project=none", 404)
    visitor.get("/rules/none", 404)
    visitor.get("/tables/7/SPGL_XMJBXXB", 404)
    visitor.get("/assets/../site.py", 404)


def test_a_record_shows_fields_in_order_with_labels_and_marks(
    visitor: Visitor, made: Nights
) -> None:
    twin = visitor.json(f"/record.json?run={FIRST}&table={PROJECTS}&k.GCDM={made.hostile}")
    table = load_packs().table(PROJECTS)
    assert [c["name"] for c in twin["cells"]] == [f.name for f in table.fields]
    cells = {c["name"]: c for c in twin["cells"]}
    assert [m["rule"] for m in cells["XMTZLY"]["marks"]] == ["wrong-type"]
    assert cells["JSDWLX"]["label"]["zh"]
    assert cells["GCDM"]["key"]
    text = visitor.get(f"/record?run={FIRST}&table={PROJECTS}&k.GCDM={made.hostile}")
    mark = cells["XMTZLY"]["marks"][0]
    assert mark["help"]["zh"] in text
    assert mark["provenance"] in text


def test_the_family_is_walked_from_project_to_case_to_event(visitor: Visitor, made: Nights) -> None:
    project = visitor.json(f"/record.json?table={PROJECTS}&k.GCDM={made.hostile}&run={SECOND}")
    cases = next(c for c in project["children"] if c["table"] == CASES)
    assert cases["count"] >= len(cases["shown"]) > 0
    case = _twin(visitor, cases["shown"][0]["url"])
    assert case["table"] == CASES
    up = next(p for p in case["parents"] if p["reference"]["table"] == PROJECTS)
    assert up["found"]["key"]["GCDM"] == made.hostile
    events = next(c for c in case["children"] if c["table"] == EVENTS)
    event = _twin(visitor, events["shown"][0]["url"])
    assert event["key"]["SPSXSLBM"] == case["key"]["SPSXSLBM"]
    assert event["case_url"]
    assert event["lives"][0]["life"]["versions"]


def test_a_refused_permit_tells_why_and_when(visitor: Visitor, made: Nights) -> None:
    url = f"/record.json?run={SECOND}&table={PERMITS}&" + _permit_key(visitor, made)
    twin = visitor.json(url)
    version = twin["lives"][0]["life"]["versions"][-1]
    assert (version["entry"]["state"], version["entry"]["note"]) == ("rejected", REFUSED_REASON)
    assert version["events"][0]["what"] == "entered"
    assert version["events"][-1]["what"] == "rejected"
    assert [a["outcome"] for a in version["attempts"]]
    assert "被退回" in visitor.get(url.replace(".json", ""))


def test_a_record_whose_file_changed_is_told_from_the_ledger(made: Nights, tmp_path: Path) -> None:
    mine = copy_of(made, tmp_path)
    site = site_of(mine)
    key = f"table={PROJECTS}&k.GCDM={made.hostile}"
    file = made.exports[SECOND] / "SPGL_XMJBXXB.csv"
    with visiting(app_of(site)) as visitor:
        twin = visitor.json(f"/record.json?{key}")
        assert "SPGL_XMJBXXB.csv" in twin["source"]["zh"]
        other = next(c for c in twin["children"] if c["table"] == CASES)["shown"][0]["key"]
        before = file.stat()
        try:
            os.utime(file)
            whole = visitor.json(
                f"/record.json?run={SECOND}&table={PROJECTS}&file=SPGL_XMJBXXB.csv&record=1"
            )
            assert "台账" in whole["source"]["zh"] or "改动" in whole["missing"]["zh"]
            case = visitor.json(f"/record.json?table={CASES}&k.SPSXSLBM={other['SPSXSLBM']}")
            assert "SPGL_XMSPSXBLXXB" in case["source"]["zh"]
        finally:
            os.utime(file, (before.st_atime, before.st_mtime))


def test_personal_values_are_masked_unless_shown_and_then_logged(
    made: Nights, site: Site, visitor: Visitor
) -> None:
    url = f"/record.json?run={SECOND}&table={CASES}&k.SPSXSLBM={made.refused}"
    phone = {c["name"]: c["value"] for c in visitor.json(url)["cells"]}["LXRSJH"]
    assert "****" in phone
    lines = Lines()
    with visiting(app_of(site_of(made, personal=True), lines=lines)) as other:
        shown = {c["name"]: c["value"] for c in other.json(url)["cells"]}["LXRSJH"]
        assert (shown[:3], shown[-4:], "*" in shown) == (phone[:3], phone[-4:], False)
        assert "正在显示个人信息" in other.get("/")
        assert shown not in visitor.get(url.replace(".json", ""))
    served = lines.events("personal_data_served")
    assert [line["path"] for line in served] == ["/record.json", "/"]
    assert {line["by"] for line in served} == {"审核员"}
    assert shown not in str(lines.lines)


def test_a_run_stored_in_the_open_is_masked_when_it_is_shown(site: Site) -> None:
    table = site.packs.table(CASES)
    use = StoredUse(
        "wrong-format", Severity.ERROR, table.standard, table.name, None, ("LXR", "LXRSJH"),
        table.provenance, "", {}, Text("", ""), Text("", ""),
    )  # fmt: skip
    row = (0, 1, 2, "张三丰 / 13812345678", '{"LXRSJH":"13812345678"}', None, "f", "440100")
    masked = veiled(table, use, row)
    assert masked[3:5] == ("张** / 138****5678", '{"LXRSJH":"138****5678"}')
    assert veiled(table, use, masked) == masked
    short = veiled(table, use, (0, 1, 2, "13812345678", "{}", None, "f", "440100"))
    assert short[3] == "1**********"


def test_overdue_cases_are_running_accepted_and_beyond_their_limit(
    visitor: Visitor, site: Site
) -> None:
    twin = visitor.json("/cases.json?show=overdue")
    assert twin["total"] == twin["counts"]["overdue"] > 0
    assert len(twin["rows"]) == twin["total"]
    for row in twin["rows"]:
        case = row["case"]
        assert case["ended"] is None
        assert case["days"] > case["limit"]
    assert "工作日" in visitor.get("/cases")
    every = visitor.json("/cases.json?show=all")
    assert every["total"] == every["counts"]["all"] > 100
    assert len(_twin(visitor, every["next_url"])["rows"]) == 100
    body = twin["rows"][0]["case"]["department"]
    some = visitor.json("/cases.json", params={"show": "all", "department": body})
    assert {r["case"]["department"] for r in some["rows"]} == {body}


def test_pauses_stop_the_clock_and_an_open_one_lasts_until_now(site: Site) -> None:
    from datetime import datetime

    of = codes(site.packs)
    assert of is not None
    assert of.pauses == {"6": "7", "9": "10"}
    day = [datetime(2026, 1, n) for n in range(1, 12)]
    turns = [("9", day[1]), ("10", day[4]), ("10", day[5]), ("9", day[7])]
    assert pauses(of, turns, day[9]) == [(day[1], day[4], False), (day[7], day[9], True)]
    snapshot = site.snapshots.open(SECOND)
    paused = [c for c in all_cases(site.snapshots, site.packs, snapshot, day[0]) if c.paused_days]
    assert paused
    assert all(c.days >= 0 for c in paused)


def test_a_case_is_a_timeline_with_gaps_and_a_project_a_board(
    visitor: Visitor, made: Nights
) -> None:
    case = visitor.json(f"/case.json?case={made.refused}")
    times = [m["at"] for m in case["marks"] if len(m["at"]) > 10]
    assert times == sorted(times)
    assert case["clock"]["case"]["case"] == made.refused
    board = _twin(visitor, case["project_url"])
    assert [c["stage"] for c in board["columns"]] == [
        "land-planning", "engineering-permit", "construction-permit", "completion", "fire",
    ]  # fmt: skip
    placed = {
        one["case"]["case"]: column["stage"]
        for column in board["columns"]
        for one in column["cases"]
    }
    assert placed[made.refused] == "engineering-permit"


def test_the_ledger_lists_by_state_in_pages_and_groups_reasons(visitor: Visitor) -> None:
    twin = visitor.json("/ledger.json")
    assert twin["state"] == "rejected"
    assert [(r["text"], r["count"]) for r in twin["reasons"]] == [(REFUSED_REASON, 1)]
    seen: list[int] = []
    url = "/ledger.json?state=accepted"
    while url and len(seen) < 130:
        page = visitor.json(url)
        seen += [r["entry"]["handle"] for r in page["rows"]]
        url = page["older_url"].replace("/ledger?", "/ledger.json?")
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 130
    only = visitor.json("/ledger.json", params={"state": "accepted", "table": PERMITS})
    assert {r["entry"]["table"] for r in only["rows"]} == {PERMITS}
    assert only["total"] == sum(c["count"] for c in only["counts"] if c["state"] == "accepted")


@pytest.mark.parametrize(
    ("seconds", "openings", "zh", "en"),
    [
        (600, 2, "多次无应答", "circuit open until"),
        (600, 0, "要求暂停至", "asked for a pause"),
        (-60, 2, "下次投送先用一个批次试探", "the next push probes it"),
    ],
)
def test_a_target_left_alone_is_told_with_its_time_and_reason(
    made: Nights, tmp_path: Path, seconds: float, openings: int, zh: str, en: str
) -> None:
    mine = copy_of(made, tmp_path)
    left_alone(mine, seconds=seconds, openings=openings)
    left_alone(mine, seconds=-60, openings=0, target="rested")
    with visiting(app_of(site_of(mine))) as visitor:
        for page, twin in (("/", "/overview.json"), ("/ledger", "/ledger.json")):
            (found,) = visitor.json(twin)["away"]
            assert (found["target"], found["open"]) == ("national", seconds > 0)
            assert found["fault"] == "unreachable ConnectionRefusedError"
            assert {"since", "until"} <= found.keys()
            for lang, words in (("zh", zh), ("en", en)):
                said = visitor.get(f"{page}?lang={lang}")
                assert words in said
                assert found["text"][lang] in said
        assert visitor.json("/ledger.json?target=rested")["away"] == []


def test_the_month_balances(visitor: Visitor) -> None:
    twin = visitor.json("/monitoring.json")
    assert twin["month"] == "2026-03"
    assert twin["entered"] == sum(n for _, n in twin["states"])
    total = twin["delays"][0]
    assert total["events"] == sum(d["events"] for d in twin["delays"][1:])
    assert total["events"] == sum(total["classes"]) + total["undated"]
    assert [(t, n) for t, n, _ in twin["reasons"]] == [(REFUSED_REASON, 1)]
    assert sum(r["rejected"] for r in twin["refused"]) == 1
    assert visitor.json("/monitoring.json?month=2025-01")["entered"] == 0
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(visitor.raw("/monitoring/month.xlsx?month=2026-03&lang=en")))
    sheet = book["Timeliness"]
    assert [c.value for c in sheet[2]][:2] == ["Total", total["events"]]


def test_a_state_folder_without_anything_says_what_to_do(tmp_path: Path) -> None:
    site = site_of(replace(nights(), state=tmp_path / "nothing"))
    with visiting(app_of(site)) as visitor:
        assert "先运行 spgl validate" in visitor.get("/")
        assert "还没有台账" in visitor.get("/ledger")
        assert "spgl validate" in visitor.get("/violations", 404)
        visitor.get("/runs")
        visitor.get("/rules")
        visitor.get("/packs")
        visitor.get("/monitoring")


def test_a_filter_and_its_address_are_one(visitor: Visitor) -> None:
    from spgl.inspector.filters import asked
    from spgl.inspector.site import Ask

    filter_ = Filter(severity=("error",), rule=("a", "b"), text="x&y=<z>", new="1")
    query: dict[str, tuple[str, ...]] = {}
    for name, value in filter_.pairs():
        query[name] = (*query.get(name, ()), value)
    assert asked(Ask("zh", query)) == filter_
    assert filter_.toggled("rule", "a").rule == ("b",)
    assert Filter().toggled("new", "").new == "1"


def _facets(twin: dict[str, object]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for facet in twin["facets"]:  # type: ignore[attr-defined]
        found[facet["name"]] = {c["value"]: c["count"] for c in facet["choices"]}
    return found


def _twin(visitor: Visitor, url: str) -> dict[str, object]:
    path, _, query = url.partition("?")
    found: dict[str, object] = visitor.json(f"{path}.json?{query}")
    return found


def test_what_cannot_be_read_is_not_told_as_nothing(made: Nights, tmp_path: Path) -> None:
    mine = copy_of(made, tmp_path)
    shutil.rmtree(mine.state / "inspector", ignore_errors=True)
    file = made.exports[SECOND] / "case" / "SPGL_XMSPSXBLXXB_V3.csv"
    before = file.stat()
    try:
        os.utime(file)
        site = site_of(mine)
        site.snapshots.open(SECOND)
        with visiting(app_of(site)) as visitor:
            twin = visitor.json("/overview.json")
            assert twin["cases"] == "missing"
            assert "SPGL_XMSPSXBLXXB_V3.csv" in twin["cases_missing"][0]["en"]
            assert "overdue" not in [u["name"] for u in twin["urgent"]]
            assert "无法核对" in visitor.get("/")
            assert visitor.json("/cases.json")["missing"]
    finally:
        os.utime(file, (before.st_atime, before.st_mtime))


def test_a_relative_input_is_found_beside_the_state_folder(made: Nights, tmp_path: Path) -> None:
    shutil.copytree(made.state / "runs" / SECOND, tmp_path / "state" / "runs" / SECOND)
    shutil.copytree(made.exports[SECOND], tmp_path / "night2")
    head = tmp_path / "state" / "runs" / SECOND / "run.json"
    head.write_text(head.read_text().replace(str(made.exports[SECOND]), "night2"))
    site = site_of(replace(made, state=tmp_path / "state"))
    snapshot = site.snapshots.open(SECOND)
    assert not snapshot.missing
    assert CASES in snapshot.tables
