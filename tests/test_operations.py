"""The runbook and the units: commands that spgl understands, exit codes and states that exist."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest

from pusher.states import State
from spgl.cli import COMMANDS, Exit, _parser
from spgl.night import ends

ROOT = Path(__file__).parent.parent
UNITS = ROOT / "examples" / "systemd"
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
CHINESE, ENGLISH = PAGE.split("## English")


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name, encoding="utf-8")
    return parser


def understood(line: str) -> None:
    """Parse an spgl command line; argparse exits on what it does not know."""
    words = shlex.split(line)
    assert words[0].rpartition("/")[2] == "spgl"
    command = next(c for c in COMMANDS if c.name == words[1])
    _parser(command, "en").parse_args(words[2:])


def commands(text: str) -> list[str]:
    inline = re.findall(r"`(spgl [a-z]+[^`…]*)`", text)
    return [*inline, *re.findall(r"^(spgl .*)$", text, re.M)]


@pytest.mark.parametrize("line", sorted(set(commands(PAGE))))
def test_commands_of_the_runbook_are_understood(line: str) -> None:
    understood(line)


def test_both_languages_show_the_same_commands() -> None:
    assert set(commands(CHINESE)) == set(commands(ENGLISH))
    assert len(commands(ENGLISH)) > 8


@pytest.mark.parametrize("text", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_every_exit_code_and_every_state_to_act_on_is_there(text: str) -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)}
    assert codes == {int(code) for code in Exit}
    rows = set(re.findall(r"^\| (?:\S+ )?([a-z_]+) \|", text, re.M))
    act = {"blocked", "waiting", "rejected", "in_doubt", "given_up", "held"}
    assert act <= rows
    assert act <= set(State)


def test_the_service_runs_a_command_we_understand() -> None:
    service = unit("spgl-push.service")["Service"]
    understood(service["ExecStart"])
    line = next(x for x in (UNITS / "spgl.cron").read_text("utf-8").splitlines() if x[0] != "#")
    understood(line.split(None, 6)[6])
    assert service["SuccessExitStatus"] == str(int(Exit.INCOMPLETE))


def test_the_service_is_hardened_and_keeps_its_network() -> None:
    service = unit("spgl-push.service")["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["LoadCredential"].startswith("secret:")
    assert service["StateDirectory"] == "spgl"
    assert not {"PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies"} & set(service)


def test_the_window_ends_after_the_timer_starts_it() -> None:
    from datetime import datetime, timedelta

    when = unit("spgl-push.timer")["Timer"]["OnCalendar"].split()[1]
    start = datetime.fromisoformat(f"2026-03-01T{when}")
    end = re.search(r"--until (\S+)", unit("spgl-push.service")["Service"]["ExecStart"])
    assert end is not None
    assert timedelta(0) < ends(end[1], start, "en") - start < timedelta(hours=12)
