"""`spgl doctor`, `push` and `sandbox` on front databases that are no file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from front_databases import SERVERS, Front, front_database

from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from spgl import config, targets
from spgl.cli import Exit, main
from validator.load import load_packs

HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ,SJYXBS,SJWXYY,SJSCZT\n"


@pytest.fixture(params=SERVERS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def site(front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    settings = front.settings
    lines = ["[target.front]", 'transport = "exchange_db"', f'url = "{settings.url}"']
    lines += [f'password_env = "{settings.password_env}"'] if settings.password_env else []
    extra = ", ".join(f'{n} = "{v}"' for n, v in settings.extra.items())
    lines += [f"extra_columns = {{ {extra} }}", "accepted_at = 3", 'table_suffix = "_V3"']
    (tmp_path / "spgl.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = "".join(
        f"a{n},990100,2401-990100-04-01-{n:06d},001,00101,2024,甲,1,,\n" for n in range(30)
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + rows, encoding="utf-8")
    return tmp_path


def collector() -> Collector:
    """The stand-in behind the target that spgl.toml names."""
    _, settings = config.load(Path("spgl.toml"), {}, {}).target("front")
    return Collector(targets.exchange_settings(settings), load_packs(), Script())


def test_doctor_compares_the_real_columns_before_the_first_write(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == Exit.UNUSABLE
    assert "[FAULT] table SPGL_XMBQXXB_V3 of front" in capsys.readouterr().out
    collector().close()
    assert main(["doctor"]) == Exit.FINE
    assert "has 1 columns more: SANDBOX_SEQ" in capsys.readouterr().out
    table = front.name("SPGL_XMBQXXB_V3")
    front.run(f"ALTER TABLE {table} DROP COLUMN {front.name('BQMC')}")
    assert main(["doctor"]) == Exit.UNUSABLE
    assert "SPGL_XMBQXXB_V3 lacks BQMC" in capsys.readouterr().out
    assert main(["push", "in", "--partial", "-q", "--wait", "0"]) == Exit.UNUSABLE
    assert "lacks BQMC" in capsys.readouterr().out
    assert front.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_push_goes_out_once_and_its_verdicts_come_back(
    site: Path, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    other = collector()
    assert main(["push", "in", "--partial", "-q", "--wait", "0"]) == Exit.FINE
    assert main(["push", "in", "--partial", "-q", "--wait", "0"]) == Exit.FINE
    while other.collect(Random(1)).answered:
        continue
    other.collect(Random(1))
    other.close()
    assert main(["feedback", "-q"]) == Exit.FINE
    assert "verdicts: 30 accepted" in capsys.readouterr().out
    main(["status", "--format", "json"])
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert [(c["state"], c["versions"]) for c in counts] == [("accepted", 30)]
    assert front.rows(f"SELECT count(*) FROM {front.name('SPGL_XMBQXXB_V3')}") == [(30,)]


def test_a_wrong_address_is_one_line(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (site / "spgl.toml").read_text("utf-8")
    for old, new in (("/spgl_test_", "/spgl_no_such_"), ('url = "', 'url = "oracle')):
        (site / "spgl.toml").write_text(text.replace(old, new), encoding="utf-8")
        assert main(["doctor"]) == Exit.UNUSABLE
        told = [x for x in capsys.readouterr().out.splitlines() if "[FAULT] target front" in x]
        assert len(told) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--collect", "mysql://spgl_nobody@127.0.0.1:1/x"), "cannot be used"),
        (("--collect", "mssql://x/y"), "no exchange database of kind"),
        (("--collect-target", "other"), "no target other"),
    ],
)
def test_a_sandbox_that_cannot_reach_its_database_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sandbox", "--port", "0", *words]) == Exit.UNUSABLE
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown
