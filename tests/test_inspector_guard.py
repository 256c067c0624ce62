"""Who may ask the inspector and who may act: hosts, token, forged forms, read-only ledger."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspector_values import (
    FIRST,
    PERMITS,
    PROJECTS,
    Nights,
    Visitor,
    app_of,
    copy_of,
    nights,
    site_of,
    visiting,
)
from ledger_values import Lines

from pusher.ledger import LedgerError, life, open_ledger
from pusher.states import State
from spgl.cli import Exit, main
from spgl.inspector.ledger import ReadOnly
from spgl.inspector.security import Gate, loopback
from spgl.inspector.site import Refusal
from validator import baseline

CSRF = "csrf-token-of-this-test"
TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    with visiting(app_of(site_of(nights()))) as found:
        yield found


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8660", 200),
        ("127.0.0.1", 200),
        ("[::1]:8660", 200),
        ("10.1.2.3:80", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:8660", 421),
        ("", 421),
    ],
)
def test_only_our_own_host_names_are_answered(visitor: Visitor, host: str, status: int) -> None:
    text, headers = visitor.answer("GET", "/", status, headers={"Host": host})
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert ("问题最多的项目" in text) == (status == 200)


def test_a_host_name_can_be_allowed() -> None:
    site = site_of(nights())
    gate = Gate(names=frozenset({"audit.city.example"}), csrf=site.csrf)
    with visiting(app_of(site, gate)) as visitor:
        visitor.get("/", headers={"Host": "audit.city.example:8660"})
        visitor.get("/", 421, headers={"Host": "other.city.example"})


def test_a_token_is_asked_for_once_and_never_taken_from_an_address() -> None:
    site, lines = site_of(nights()), Lines()
    gate = Gate(TOKEN, csrf=site.csrf)
    with visiting(app_of(site, gate, lines)) as visitor:
        assert 'name="token"' in visitor.get("/", 401)
        assert visitor.json("/violations.json", status=401)["status"] == 401
        visitor.get(f"/?token={TOKEN}", 401)
        visitor.get("/", 401, headers={"Authorization": "Bearer wrong"})
        visitor.get("/", 200, headers={"Authorization": f"Bearer {TOKEN}"})
        visitor.get("/", 401, headers={"Cookie": "spgl_session=guess"})
        visitor.answer("POST", "/act", 401, data={"act": "retry", "csrf": site.csrf})
        visitor.answer("POST", "/login", 403, data={"token": TOKEN, "csrf": "forged"})
        visitor.answer("POST", "/login", 403, data={"token": "wrong", "csrf": site.csrf})
        form = {"token": TOKEN, "csrf": site.csrf}
        _, headers = visitor.answer("POST", "/login", 303, data=form)
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        visitor.get("/", 200, headers={"Cookie": cookie.partition(";")[0]})
        visitor.get("/assets/inspector.css", 200)
    assert [e["event"] for e in lines.lines] == ["inspector_token_refused"]
    assert TOKEN not in str(lines.lines)


def test_nothing_can_be_done_where_acting_is_not_allowed(visitor: Visitor) -> None:
    site = site_of(nights())
    form = {"act": "retry", "version": "1", "csrf": site.csrf}
    text, _ = visitor.answer("POST", "/act", 403, data=form)
    assert "--allow-actions" in text
    assert "/act" not in visitor.get(f"/record?table={PROJECTS}&k.GCDM={nights().hostile}")


@pytest.fixture
def acting(tmp_path: Path) -> Iterator[tuple[Visitor, Nights, Lines]]:
    mine, lines = copy_of(nights(), tmp_path), Lines()
    with visiting(app_of(site_of(mine, actions=True), lines=lines)) as found:
        yield found, mine, lines


def _refused(visitor: Visitor) -> tuple[int, dict[str, str]]:
    row = visitor.json("/ledger.json?state=rejected")["rows"][0]
    return row["entry"]["handle"], row["key"]


def test_a_form_from_elsewhere_changes_nothing(acting: tuple[Visitor, Nights, Lines]) -> None:
    visitor, _, _ = acting
    version, _ = _refused(visitor)
    form = {"act": "retry", "version": str(version), "back": "/ledger"}
    visitor.answer("POST", "/act", 403, data=form)
    visitor.answer("POST", "/act", 403, data={**form, "csrf": "guess"})
    own = {**form, "csrf": CSRF}
    visitor.answer("POST", "/act", 403, data=own, headers={"Origin": "http://evil.example"})
    visitor.answer("GET", "/act", 405)
    assert _refused(visitor)[0] == version


def test_retry_and_withdraw_stand_in_the_ledger_with_who_and_when(
    acting: tuple[Visitor, Nights, Lines],
) -> None:
    visitor, mine, lines = acting
    version, key = _refused(visitor)
    form = {
        "version": str(version),
        "csrf": CSRF,
        "back": "/ledger?state=queued",
    }
    _, headers = visitor.answer("POST", "/act", 303, data={**form, "act": "retry"})
    assert headers["Location"] == "/ledger?state=queued"
    assert "审核员" in str(_events(mine, key)[-1])
    visitor.answer("POST", "/act", 409, data={**form, "act": "retry"})
    visitor.answer("POST", "/act", 303, data={**form, "act": "withdraw"})
    last = _events(mine, key)[-1]
    assert last["what"] == State.WITHDRAWN
    assert "审核员" in str(last)
    assert [e["act"] for e in lines.events("inspector_acted")] == ["retry", "withdraw"]
    assert {e["by"] for e in lines.events("inspector_acted")} == {"审核员"}


def _events(mine: Nights, key: dict[str, str]) -> list[dict[str, str]]:
    ledger = open_ledger(mine.state / "ledger.db")
    try:
        found = life(ledger, "national", PERMITS, key)
        assert found is not None
        return [{"what": e.what, "detail": e.detail} for e in found.versions[-1].events]
    finally:
        ledger.close()


def test_marking_as_known_writes_the_baseline_and_the_life_of_the_record(
    acting: tuple[Visitor, Nights, Lines],
) -> None:
    visitor, mine, _ = acting
    page = f"/record.json?run={FIRST}&table={PROJECTS}&k.GCDM={mine.hostile}"
    before = visitor.json(page)
    mark = next(m for c in before["cells"] for m in c["marks"])
    form = {
        "act": "known",
        "fingerprint": mark["fingerprint"],
        "run": FIRST,
        "csrf": CSRF,
        "back": "/",
    }
    visitor.answer("POST", "/act", 400, data=form)
    visitor.answer("POST", "/act", 404, data={**form, "fingerprint": "0" * 64, "reason": "x"})
    visitor.answer("POST", "/act", 303, data={**form, "reason": "已与项目核实"})
    entries = baseline.read(mine.state / "baseline.json").entries
    assert list(entries) == [mark["fingerprint"]]
    entry = entries[mark["fingerprint"]]
    assert (entry.reason, entry.date) == ("已与项目核实 (审核员)", "2026-03-03")
    after = visitor.json(page)
    assert after["known"] == [mark["fingerprint"]]
    versions = after["lives"][0]["life"]["versions"]
    assert "已与项目核实" in versions[-1]["events"][-1]["detail"]
    assert (
        versions[-1]["entry"]["state"]
        == before["lives"][0]["life"]["versions"][-1]["entry"]["state"]
    )
    open_ledger(mine.state / "ledger.db").audit()


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_an_act_never_leads_elsewhere(acting: tuple[Visitor, Nights, Lines], back: str) -> None:
    visitor, _, _ = acting
    version, _ = _refused(visitor)
    form = {
        "act": "retry",
        "version": str(version),
        "csrf": CSRF,
        "back": back,
    }
    _, headers = visitor.answer("POST", "/act", 303, data=form)
    assert headers["Location"] == "/"


@pytest.mark.parametrize("form", [{"act": "drop"}, {"act": "retry", "version": "1; DROP"}])
def test_an_act_nobody_knows_is_refused(
    acting: tuple[Visitor, Nights, Lines], form: dict[str, str]
) -> None:
    visitor, _, _ = acting
    visitor.answer("POST", "/act", 400, data={**form, "csrf": CSRF})


def test_looking_never_writes_the_ledger(tmp_path: Path) -> None:
    mine = copy_of(nights(), tmp_path)
    db = ReadOnly(mine.state / "ledger.db")
    with pytest.raises(LedgerError):
        db.run("DELETE FROM version")
    with pytest.raises(Refusal):
        db.rows("DELETE FROM version")
    db.close()
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"not a database, whatever its name says")
    with pytest.raises(Refusal):
        ReadOnly(broken)
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as made:
        made.execute("PRAGMA user_version = 999")
    with pytest.raises(Refusal, match="999"):
        ReadOnly(newer)


def test_acts_of_the_ledger_use_its_indexes() -> None:
    """The statements of hot pages never scan the versions."""
    from spgl.inspector import ledger as seen

    lines: list[str] = []
    db = ReadOnly(nights().state / "ledger.db")
    real = db.rows

    def explained(sql: str, values: object = ()) -> list[tuple[object, ...]]:
        if sql.lstrip().startswith("SELECT") and "version v" in sql:
            lines.extend(str(r[3]) for r in real(f"EXPLAIN QUERY PLAN {sql}", values))  # type: ignore[arg-type]
        return real(sql, values)  # type: ignore[arg-type]

    db.rows = explained  # type: ignore[method-assign]
    from pusher.ledger.core import Ledger

    ledger = Ledger(db)
    where = seen.places(ledger)
    for state in (State.REJECTED, State.BLOCKED, State.ACCEPTED, State.WITHDRAWN):
        seen.listed(ledger, state, where, None, 50)
    seen.standing(ledger, State.REJECTED)
    seen.reasons(ledger, where, State.REJECTED)
    seen.entries(ledger, [1, 2, 3])
    assert lines
    assert not [line for line in lines if line.startswith("SCAN v") and "INDEX" not in line], lines
    db.close()


def test_another_address_needs_a_token_of_some_length(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [loopback(h) for h in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.1")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    command = ["inspect", "--state-dir", str(tmp_path), "--lang", "en", "--port", "0"]
    assert main([*command, "--host", "0.0.0.0"]) == Exit.UNUSABLE
    assert "set a token" in capsys.readouterr().err
    monkeypatch.setenv("INSPECT_TOKEN", "short")
    assert main([*command, "--token-env", "INSPECT_TOKEN"]) == Exit.UNUSABLE
    assert "at least 16" in capsys.readouterr().err
    assert main([*command, "--token-file", str(tmp_path / "none")]) == Exit.UNUSABLE
    assert json.dumps("none") not in capsys.readouterr().err


def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    mine = copy_of(nights(), tmp_path)
    command = [sys.executable, "-m", "spgl", "inspect", "--port", "0", "--lang", "en"]
    process = subprocess.Popen(
        [*command, "--state-dir", str(mine.state)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert url, line
        with urllib.request.urlopen(url.group() + "overview.json", timeout=30) as answer:
            assert json.load(answer)["last"]["id"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == Exit.FINE
    finally:
        process.kill()
        process.wait()
