"""One nightly push to several targets: who is sent what, and what a target out of use changes."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from random import Random

import pytest
from test_push_command import HEAD, label, sandbox

from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from pusher.transports.exchange_settings import ExchangeSettings
from spgl.cli import Exit, main
from validator.load import load_packs

__all__ = ["sandbox"]
FIRE = "DFSJZJ,XZQHDM,XMDM,GCDM,SPSXSLBM,GCMC,SJYXBS,SJSCZT\n"


def review(number: int, state: str = "0") -> str:
    """One fire design review; project and case are in no export, which --partial allows."""
    code = f"2401-990100-04-01-{number:06d}"
    return f"f{number},990100,{code},{code},CASE{number},示例工程{number},1,{state}\n"


@pytest.fixture
def site(tmp_path: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an export of both packs and a target for each: `web` and the database `front`,
    whose tables stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    settings(tmp_path, web=sandbox)
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder, "SPGL_XMBQXXB", HEAD + label(1, "one") + label(2, "two"))
    write(folder, "SPGL_JSGCXFSJSCXXB", FIRE + review(1))
    collector(tmp_path).close()
    return tmp_path


def settings(
    site: Path, *, web: str, fire: str = '["fire-inspection-1.0"]', more: str = ""
) -> None:
    (site / "spgl.toml").write_text(
        f'[target.web]\ntransport = "http"\nurl = "{web}"\nretry_schedule = [0.1]\n'
        f'standards = ["data-sharing-3.0"]\n[target.front]\ntransport = "exchange_db"\n'
        f'url = "sqlite:///front.db"\nstandards = {fire}\n{more}',
        encoding="utf-8",
    )


def write(folder: Path, table: str, text: str) -> None:
    (folder / f"{table}.csv").write_text(text, encoding="utf-8")


def collector(site: Path) -> Collector:
    packs = load_packs(("data-sharing-3.0", "fire-inspection-1.0"))
    return Collector(ExchangeSettings(f"sqlite:///{site / 'front.db'}"), packs, Script())


def push(*words: str) -> int:
    return main(["push", "in", "--partial", "--wait", "1", "--fail-on", "never", "-q", *words])


def counts(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str, str], int]:
    """Versions by target, table and state."""
    capsys.readouterr()
    main(["status", "--format", "json"])
    found = json.loads(capsys.readouterr().out)["counts"]
    return {(c["target"], c["table"].partition("/")[2], c["state"]): c["versions"] for c in found}


def test_each_target_is_sent_its_own_standards(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push() == Exit.FINE
    said = capsys.readouterr().out
    assert "── target web (data-sharing-3.0)" in said
    assert "── target front (fire-inspection-1.0)" in said
    assert said.count("books: read 2 ") == 1
    assert said.count("books: read 1 ") == 1
    assert counts(capsys) == {
        ("web", "SPGL_XMBQXXB", "accepted"): 2,
        ("front", "SPGL_JSGCXFSJSCXXB", "delivered"): 1,
    }
    main(["status", "--format", "json"])
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert len({run["run"] for run in runs}) == 1, "one run id for both"
    taken = collector(site)
    assert taken.collect(Random(1)).answered == 1
    taken.close()
    assert main(["push", "-q"]) == Exit.FINE
    assert counts(capsys)["front", "SPGL_JSGCXFSJSCXXB", "accepted"] == 1


def test_target_narrows_to_one(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push("--target", "front") == Exit.FINE
    assert counts(capsys) == {("front", "SPGL_JSGCXFSJSCXXB", "delivered"): 1}


@pytest.mark.parametrize("broken", ["web", "front"])
def test_a_target_that_cannot_be_used_does_not_stop_the_other(
    site: Path, sandbox: str, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    if broken == "web":
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        settings(site, web=f"http://127.0.0.1:{port}")
        assert push() == Exit.INCOMPLETE
    else:
        (site / "front.db").unlink()
        (site / "front.db").write_bytes(b"no database, nothing to write to")
        assert push() == Exit.UNUSABLE
    found = counts(capsys)
    good = {"web": "front", "front": "web"}[broken]
    assert {state for (target, _, state) in found if target == good} <= {"accepted", "delivered"}
    assert {state for (target, _, state) in found if target == broken} == {"queued"}


def test_a_busy_target_is_told_and_the_other_served(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    assert push("--target", "front") == Exit.FINE
    with next(site.rglob("*.front.lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert push() == Exit.INCOMPLETE
    assert "spgl: front: another push to front is running" in capsys.readouterr().err
    assert counts(capsys)["web", "SPGL_XMBQXXB", "accepted"] == 2


def test_a_standard_has_one_target(
    site: Path, sandbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(site, web=sandbox, fire='["data-sharing-3.0"]')
    assert push() == Exit.UNUSABLE
    assert "[target.web] and [target.front] both claim the pack data-sharing-3.0" in (
        capsys.readouterr().err
    )


def test_several_targets_have_to_name_their_standards(
    site: Path, sandbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(site, web=sandbox, more='[target.x]\ntransport = "http"\nurl = "http://127.0.0.1:9"\n')
    assert push() == Exit.UNUSABLE
    assert "[target.x] has no standards" in capsys.readouterr().err
    assert push("--target", "web") == Exit.FINE


def test_what_no_target_is_sent_is_told(
    site: Path, sandbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(site, web=sandbox, fire='["fire-application"]')
    assert push() == Exit.FINE
    said = capsys.readouterr().err
    assert "no pack of target front is in use" in said
    assert "no target is sent the pack fire-inspection-1.0" in said
    assert {target for target, _, _ in counts(capsys)} == {"web"}


def test_a_first_run_is_asked_of_each_target(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an earlier system brought to one target keeps only that one from being sent."""
    write(site / "in", "SPGL_JSGCXFSJSCXXB", FIRE + review(1, "3"))
    assert push() == Exit.UNUSABLE
    assert "1 records of the export stand at the target" in capsys.readouterr().err
    assert counts(capsys) == {("web", "SPGL_XMBQXXB", "accepted"): 2}
    assert main(["ledger", "adopt", "in", "--partial"]) == Exit.FINE
    assert push() == Exit.FINE
    assert counts(capsys)["front", "SPGL_JSGCXFSJSCXXB", "accepted"] == 1


def test_a_child_does_not_wait_for_a_parent_at_another_target(
    site: Path, sandbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its project stands in the export and goes to `web`, where `front` never sees it."""
    code = "2401-990100-04-01-000001"
    project = f"XMDM,GCDM,XZQHDM,SJYXBS,SJSCZT\n{code},{code},990100,1,0\n"
    write(site / "in", "SPGL_XMJBXXB", project)
    settings(site, web=sandbox, more='[gate]\npass = ["missing-value"]\n')
    assert push() == Exit.FINE
    found = counts(capsys)
    assert found["web", "SPGL_XMJBXXB", "accepted"] == 1
    assert found["front", "SPGL_JSGCXFSJSCXXB", "delivered"] == 1


def test_a_deletion_goes_to_the_target_of_its_table(
    site: Path, sandbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push() == Exit.FINE
    write(site / "in", "SPGL_XMBQXXB", HEAD + label(2, "two"))
    key = "2401-990100-04-01-000001"
    lines = "table,XMDM,BQMC,BQX,TJNF,reason\n" + f"SPGL_XMBQXXB,{key},001,00101,2024,录入错误\n"
    (site / "gone.csv").write_text(lines, encoding="utf-8")
    assert push("--deletions", "gone.csv") == Exit.FINE
    assert counts(capsys)["web", "SPGL_XMBQXXB", "accepted"] == 3
    settings(site, web=sandbox, fire='["fire-application"]')
    lines = "table,XZQHDM,GCDM,SPSXSLBM,reason\nSPGL_JSGCXFSJSCXXB,990100,A,CASE9,录入错误\n"
    (site / "gone.csv").write_text(lines, encoding="utf-8")
    assert push("--deletions", "gone.csv") == Exit.UNUSABLE
    assert "no target of this run is sent fire-inspection-1.0/SPGL_JSGCXFSJSCXXB" in (
        capsys.readouterr().err
    )


def test_dry_run_plans_every_target(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push("--dry-run") == Exit.FINE
    said = capsys.readouterr().out
    assert said.count("dry run: nothing was written") == 2
    assert not list(site.rglob("ledger.db"))
