"""Deletions of a push: by list and by comparing with a full export, and what holds them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from pusher.transports.exchange_settings import ExchangeSettings
from spgl.cli import Exit, main
from spgl.ledger_place import LedgerPlace
from tests.ledgers import ENGINES, place_on, settings_of
from validator.load import load_packs

HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ,SJYXBS,SJWXYY,SJSCZT\n"
TABLE = "SPGL_XMBQXXB"


def code(number: int) -> str:
    return f"2401-990100-04-01-{number:06d}"


def label(number: int, note: str = "A") -> str:
    """One project label; its project is in no export, which its inferred reference only informs."""
    return f"a{number},990100,{code(number)},001,00101,2024,{note},1,,\n"


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerPlace]:
    with place_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def site(place: LedgerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a front database of a sandbox as its target."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    (tmp_path / "spgl.toml").write_text(
        '[target.x]\ntransport = "exchange_db"\nurl = "sqlite:///x.db"\n' + settings_of(place),
        encoding="utf-8",
    )
    (tmp_path / "in").mkdir()
    front().close()
    return tmp_path


def front() -> Collector:
    return Collector(ExchangeSettings("sqlite:///x.db"), load_packs(), Script())


def held() -> set[str]:
    """The project codes of the labels the target holds once it has taken everything over."""
    collector = front()
    while collector.collect(Random(1)).answered:
        continue
    found = {h.fields["XMDM"] for h in collector.held()}
    collector.close()
    return found


def push(site: Path, rows: range, *words: str, more: str = "") -> int:
    text = HEAD + "".join(label(n) for n in rows) + more
    (site / "in" / f"{TABLE}.csv").write_text(text, encoding="utf-8")
    return main(["push", "in", "--partial", "--wait", "0", "-q", *words])


def listed(
    site: Path, *lines: str, head: str = "table,XMDM,BQMC,BQX,TJNF,reason"
) -> tuple[str, str]:
    (site / "gone.csv").write_text("\n".join([head, *lines]) + "\n", encoding="gb18030")
    return "--deletions", "gone.csv"


def books(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    capsys.readouterr()
    assert main(["status", "--format", "json"]) == Exit.FINE
    found: dict[str, int] = json.loads(capsys.readouterr().out)["runs"][0]["books"]
    return found


def line(number: int, reason: str = "项目撤销") -> str:
    key = {"XMDM": code(number), "BQMC": "001", "BQX": "00101", "TJNF": "2024"}
    fields = load_packs().named(TABLE)[0].key.fields
    return ",".join([TABLE, *(key[f] if f in fields else "" for f in key), reason])


def test_a_list_of_keys_is_withdrawn_with_its_reason(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(site, range(4)) == Exit.FINE
    assert held() == {code(n) for n in range(4)}
    words = listed(site, line(1), line(9))
    assert push(site, range(2, 4), *words) == Exit.FINE
    counted = books(capsys)
    assert (counted["read"], counted["unchanged"], counted["entered"]) == (4, 2, 1)
    assert counted["skipped"] == 1, "the target never had number 9"
    assert held() == {code(0), code(2), code(3)}
    assert push(site, range(2, 4), *words) == Exit.FINE
    assert books(capsys)["entered"] == 0
    collector = front()
    with collector._engine.connect() as connection:
        sql = f"SELECT SJWXYY FROM {TABLE} WHERE SJWXYY IS NOT NULL"
        assert connection.exec_driver_sql(sql).all() == [("项目撤销",)]
    collector.close()


@pytest.mark.parametrize(
    ("head", "lines", "word"),
    [
        ("table,XMDM,reason", ("NO_SUCH_TABLE,1,x",), "gone.csv:2: no table NO_SUCH_TABLE"),
        ("table,XMDM,reason", (f"{TABLE},{code(1)},",), "gone.csv:2: no reason"),
        ("table,XMDM,reason", (f"{TABLE},,x",), "the key field XMDM"),
        ("table,XMDM,reason", (f"{TABLE},1",), "not as many cells"),
        ("table,XMDM", (f"{TABLE},1",), "lacks a column reason"),
        ("XMDM,reason", ("1,x",), "lacks a column table"),
    ],
)
def test_a_doubtful_list_stops_before_anything_is_entered(
    site: Path, capsys: pytest.CaptureFixture[str], head: str, lines: tuple[str, ...], word: str
) -> None:
    assert push(site, range(2), *listed(site, *lines, head=head)) == Exit.UNUSABLE
    assert word in capsys.readouterr().err
    assert held() == set()


def test_a_record_in_the_list_and_in_the_export_stops_the_run(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(site, range(3)) == Exit.FINE
    assert push(site, range(3), *listed(site, line(1))) == Exit.UNUSABLE
    assert "the export still holds this record" in capsys.readouterr().err
    assert held() == {code(n) for n in range(3)}


def test_what_a_full_export_no_longer_holds_is_withdrawn(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(site, range(40), "--snapshot") == Exit.FINE
    assert held() == {code(n) for n in range(40)}
    assert push(site, range(2, 40), "--snapshot") == Exit.FINE
    assert "snapshot: 2 records" in capsys.readouterr().out
    assert held() == {code(n) for n in range(2, 40)}
    assert push(site, range(2, 40), "--snapshot") == Exit.FINE
    assert books(capsys)["entered"] == 0
    assert push(site, range(40), "--snapshot") == Exit.FINE
    assert held() == {code(n) for n in range(40)}


def test_a_truncated_export_deletes_nothing(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(site, range(40)) == Exit.FINE
    assert push(site, range(30), "--snapshot", more=label(99)) == Exit.UNUSABLE
    told = capsys.readouterr().out
    assert "10 of 40 records at the target are not in the export, more than 5 %" in told
    assert held() == {code(n) for n in (*range(40), 99)}, "the rest of the export goes out"
    assert push(site, range(0), "--snapshot") == Exit.UNUSABLE
    assert len(held()) == 41
    assert push(site, range(30), "--snapshot", "--snapshot-max", "50") == Exit.FINE
    assert held() == {code(n) for n in range(30)}


@pytest.mark.parametrize("kind", ["file", "record", "key"])
def test_what_could_not_be_read_deletes_nothing(
    site: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    push(site, range(40))
    more = ""
    if kind == "file":
        (site / "in" / "SPGL_XMJBXXB.csv").write_bytes(b"")
    elif kind == "record":
        more = "a,b\n"
    else:
        more = "a99,990100,,,,,,1,,\n"
    code_ = push(site, range(1, 40), "--snapshot", more=more)
    assert code_ == Exit.UNUSABLE
    assert "snapshot derived nothing" in capsys.readouterr().out
    assert len(held()) == 40


def test_a_table_the_export_lacks_loses_nothing(site: Path) -> None:
    push(site, range(3))
    (site / "in" / f"{TABLE}.csv").rename(site / "kept.csv")
    (site / "in" / "SPGL_XMDTXXB.csv").write_text("XMDM\n", encoding="utf-8")
    main(["push", "in", "--partial", "--snapshot", "--wait", "0", "-q"])
    assert held() == {code(n) for n in range(3)}
