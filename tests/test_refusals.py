"""Refusals as people see them: stored as a run, grouped, held against our rules; the alarm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from pusher.reasons import Reason, grouped, pattern_of
from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Refusal, Script
from pusher.transports.exchange_settings import ExchangeSettings
from spgl import mapping
from spgl.cli import Exit, main
from spgl.config import ConfigError
from spgl.ledger_place import LedgerPlace
from tests.ledgers import ENGINES, place_on, settings_of
from validator.load import load_packs

HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ,SJYXBS,SJWXYY,SJSCZT\n"
SCRIPT = Script(
    refusals=(
        Refusal("项目代码2401-990100-04-01-000001不存在", where={"BZ": "one"}),
        Refusal("项目代码2401-990100-04-01-000002不存在", where={"BZ": "two"}),
        Refusal("人工复核不通过，联系电话13800001234", where={"BZ": "three"}),
    )
)


def label(number: int, note: str) -> str:
    return f"a{number},990100,2401-990100-04-01-{number:06d},001,00101,2024,{note},1,,\n"


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerPlace]:
    with place_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def site(place: LedgerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    configure(tmp_path, settings_of(place))
    (tmp_path / "in").mkdir()
    rows = (label(1, "one"), label(2, "two"), label(3, "three"), label(4, "fine"))
    (tmp_path / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + "".join(rows), encoding="utf-8")
    collect()
    return tmp_path


def configure(folder: Path, more: str = "") -> None:
    target = '[target.x]\ntransport = "exchange_db"\nurl = "sqlite:///x.db"\n'
    (folder / "spgl.toml").write_text(more + target, encoding="utf-8")


def collect() -> None:
    collector = Collector(ExchangeSettings("sqlite:///x.db"), load_packs(), SCRIPT)
    collector.collect(Random(1))
    collector.close()


def sent(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Push, let the stand-in answer, fetch its verdicts; what `feedback` says."""
    assert main(["push", "in", "--partial", "--wait", "0", "-q"]) == Exit.FINE
    collect()
    capsys.readouterr()
    assert main(["feedback", "-q", *words]) == Exit.REFUSED
    return capsys.readouterr().out


def test_refused_records_become_a_stored_run_that_reports_show(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = sent(capsys)
    assert "2 records: 项目代码…不存在 (SPGL_XMBQXXB)" in told
    run = next(site.glob(".spgl/runs/*-refused")).name
    assert f"spgl report {run}" in told
    assert main(["report", "--format", "json"]) == Exit.FINE
    last = json.loads(capsys.readouterr().out)["run"]["id"]
    assert run[:15] >= last[:15], "it is not older, by the second"
    assert not last.endswith("-refused"), "the last run is the one that read records"
    assert main(["report", run, "--format", "jsonl"]) == Exit.FINE
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {v["rule"] for v in found} == {"refused-by-target"}
    assert [v["severity"] for v in found] == ["error"] * 3
    assert found[0]["key"]["XMDM"] == "2401-990100-04-01-000001"
    assert "项目代码2401-990100-04-01-000001不存在" in found[0]["message"]["zh"]
    assert "13800001234" not in json.dumps(found), "a person's number in a reason is covered"
    assert len({v["fingerprint"] for v in found}) == 3
    assert main(["report", run, "--report", "html=r.html", "--lang", "zh"]) == Exit.FINE
    assert "国家系统" in (site / "r.html").read_text("utf-8")
    assert len(list(site.glob(".spgl/runs/*-refused"))) == 1
    assert main(["feedback", "-q"]) == Exit.FINE, "a second look finds nothing new"
    assert len(list(site.glob(".spgl/runs/*-refused"))) == 1


def test_status_groups_what_stands_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent(capsys)
    assert main(["status"]) == Exit.FINE
    assert "2 records: 项目代码…不存在 (SPGL_XMBQXXB)" in capsys.readouterr().out
    main(["status", "--format", "json"])
    found = json.loads(capsys.readouterr().out)["refusals"]
    assert (found[0]["reason"], found[0]["versions"]) == ("项目代码…不存在", 2)


def test_each_run_says_what_our_own_rules_had_said(
    site: Path, place: LedgerPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dangling project was told as an info before; the review is a person's."""
    (site / "map.csv").write_text(
        "reason,rule\n项目代码*不存在,dangling-reference\n人工复核*,\n", encoding="utf-8"
    )
    configure(site, '[feedback]\nmapping = "map.csv"\n' + settings_of(place))
    told = sent(capsys)
    assert "of 3 refusals our rules had named 2 before, missed 0, cannot know 1; 0 have" in told
    assert "could become rules" not in told


def test_a_reason_without_a_rule_is_proposed(
    site: Path, place: LedgerPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "map.csv").write_text("原因,规则\n人工复核*,too-long\n", encoding="gb18030")
    configure(site, '[feedback]\nmapping = "map.csv"\n' + settings_of(place))
    told = sent(capsys, "--propose", "new.csv")
    assert "had named 0 before, missed 1, cannot know 0; 2 have" in told
    assert "could become rules (tie them in feedback.mapping): 项目代码…不存在" in told
    text = (site / "new.csv").read_text("utf-8-sig")
    assert text == "reason,rule,count\n项目代码…不存在,,2\n"
    known = mapping.read(site / "new.csv", "en")
    assert known.rule("项目代码2401不存在") == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("reason,rule\n甲,no-such-rule\n", "map.csv:2: there is no rule no-such-rule"),
        ("reason,rule\n,too-long\n", "map.csv:2: the first cell"),
    ],
)
def test_a_bad_mapping_names_its_line(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "map.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=word):
        mapping.read(tmp_path / "map.csv", "en")


def test_rows_without_answer_raise_an_alarm(
    site: Path, place: LedgerPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["push", "in", "--partial", "--wait", "0", "-q"])
    assert "alarm" not in capsys.readouterr().out
    ledger = place.open()
    long_ago = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    with ledger.transaction():
        ledger.db.run("UPDATE version SET changed = ? WHERE id <= 2", (long_ago,))
    ledger.close()
    for words in (["push", "--wait", "0", "-q"], ["feedback", "-q"], ["status"]):
        main(words)
        told = capsys.readouterr().out
        assert "alarm: 2 records of SPGL_XMBQXXB at x have no answer after 7 days" in told
    main(["status", "--format", "json"])
    (late,) = json.loads(capsys.readouterr().out)["unanswered"]
    assert (late["versions"], late["oldest"][:10]) == (2, "2026-03-01")
    collect()
    main(["feedback", "-q"])
    assert "alarm" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reason", "pattern"),
    [
        ("项目代码不存在", "项目代码不存在"),
        ("项目代码 2401-990100-04-01-000001 不存在", "项目代码 … 不存在"),
        ("字段XMMC超长，最多100个字符", "字段XMMC超长，最多…个字符"),
        ("SPJSRQ为2026-03-01 10:00:00，晚于办结", "SPJSRQ为…，晚于办结"),
        ("主键“甲乙丙”重复", "主键…重复"),
        ("1001", "1001"),
        ("  空白\n两处 ", "空白 两处"),
    ],
)
def test_particulars_are_taken_out(reason: str, pattern: str) -> None:
    assert pattern_of(reason) == pattern
    assert pattern_of(pattern) == pattern


def test_groups_are_sorted_by_size_and_name_their_tables() -> None:
    groups = grouped(
        [
            Reason("s/A", "甲1不存在", 2, 1),
            Reason("s/B", "甲2不存在", 5, 2),
            Reason("s/A", "乙", 6, 3),
        ]
    )
    assert [(g.pattern, g.count) for g in groups] == [("甲…不存在", 7), ("乙", 6)]
    assert groups[0].tables == {"s/A": 2, "s/B": 5}
