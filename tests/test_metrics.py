"""The Prometheus text, read back with a small parser of the exposition format."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_values import CASES, PROJECTS, START, Memory, Time, packs, record, world

from pusher.delivery import deliver
from pusher.ledger import Status, enter, status
from pusher.ledger.core import Ledger
from pusher.metrics import prometheus, write
from pusher.target import Target
from spgl.cli import Exit, main
from spgl.ledger_place import LedgerPlace
from tests.ledgers import ENGINES, place_on, settings_of

TARGET = Target("national")
_SAMPLE = re.compile(r"([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse(text: str) -> Samples:
    """Samples by name and labels; each name is announced once and first, no sample twice."""
    assert text.endswith("\n")
    found: Samples = {}
    announced: list[str] = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            announced.append(line.split(" ", 3)[2])
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2:] == [announced[-1], "gauge"]
        else:
            matched = _SAMPLE.fullmatch(line)
            assert matched, line
            name, labels = matched[1], matched[2] or ""
            assert name == announced[-1], line
            assert _LABEL.sub("", labels) == "", line
            key = name, frozenset((k, v) for k, v in _LABEL.findall(labels))
            assert key not in found, line
            found[key] = float(matched[3])
    assert len(announced) == len(set(announced))
    return found


def at(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerPlace]:
    with place_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def ledger(place: LedgerPlace) -> Iterator[Ledger]:
    made = place.open()
    yield made
    made.close()


@pytest.mark.asyncio
async def test_counts_ages_books_and_outcomes(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "附件无法打开" if key.get("GCDM") == "p0" else "")
    time = Time()
    records = [record("p0"), record("p1"), record("c", table=CASES, parent="p0")]
    enter(ledger, records, TARGET, "r1", time())
    await deliver(ledger, TARGET, memory, packs(), run_id="r1", world=world(time))
    enter(ledger, [record("p2")], TARGET, "r2", START)
    samples = parse(prometheus(status(ledger), START + timedelta(minutes=5), exit_code=3))
    one = {"target": "national", "table": PROJECTS}
    assert at(samples, "spgl_versions", **one, state="accepted") == 1
    assert at(samples, "spgl_versions", **one, state="rejected") == 1
    assert at(samples, "spgl_versions", **one, state="queued") == 1
    assert at(samples, "spgl_open_versions", target="national") == 2
    assert at(samples, "spgl_oldest_unsent_seconds") == 300
    assert at(samples, "spgl_run_records", target="national", part="entered") == 1
    assert at(samples, "spgl_run_ended_timestamp_seconds", target="national") is None
    assert at(samples, "spgl_push_exit_code") == 3
    assert at(samples, "spgl_metrics_timestamp_seconds") == (START.timestamp() + 300)


@pytest.mark.asyncio
async def test_the_last_run_of_each_target_is_told(ledger: Ledger) -> None:
    time = Time()
    for name, run in (("one", "r1"), ("two", "r2"), ("two", "r3")):
        target = Target(name)
        enter(ledger, [record(run)], target, run, time())
        await deliver(ledger, target, Memory(), packs(), run_id=run, world=world(time))
        time.now += timedelta(hours=1)
    samples = parse(prometheus(status(ledger), time.now))
    hour = timedelta(hours=1)
    for name, began in (("one", START), ("two", START + 2 * hour)):
        stamp = began.timestamp()
        assert at(samples, "spgl_run_started_timestamp_seconds", target=name) == stamp
        assert at(samples, "spgl_run_delivery", target=name, outcome="accepted") == 1
        assert at(samples, "spgl_run_incomplete", target=name) == 0
        assert at(samples, "spgl_run_misconfigured", target=name) == 0
    assert at(samples, "spgl_push_exit_code") is None


def test_an_empty_ledger_and_odd_names_are_well_formed(ledger: Ledger) -> None:
    empty = status(ledger)
    assert at(parse(prometheus(empty, START)), "spgl_oldest_unsent_seconds") == 0
    enter(ledger, [record("p")], Target('a"b\\c'), "r1", START)
    found = parse(prometheus(status(ledger), START))
    assert at(found, "spgl_open_versions", target='a\\"b\\\\c') == 1


def test_an_age_is_never_negative(ledger: Ledger) -> None:
    ahead: Status = replace(status(ledger), oldest=START + timedelta(hours=1), next_due=START)
    samples = parse(prometheus(ahead, START))
    assert at(samples, "spgl_oldest_unsent_seconds") == 0
    assert at(samples, "spgl_next_retry_timestamp_seconds") == START.timestamp()


def test_the_file_is_replaced_whole_and_readable(tmp_path: Path) -> None:
    file = tmp_path / "spgl.prom"
    file.write_text("old", encoding="utf-8")
    write(file, "new\n")
    assert file.read_text(encoding="utf-8") == "new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["spgl.prom"]
    (tmp_path / "folder.prom").mkdir()
    with pytest.raises(OSError, match=r"folder\.prom"):
        write(tmp_path / "folder.prom", "new\n")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.prom", "spgl.prom"]


def test_push_writes_it_and_status_prints_it(
    place: LedgerPlace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spgl.toml").write_text(
        '[target.national]\ntransport = "http"\nurl = "http://127.0.0.1:9"\n' + settings_of(place),
        encoding="utf-8",
    )
    ledger = place.open()
    enter(ledger, [record("p")], TARGET, "r1", START)
    ledger.close()
    code = main(["push", "--wait", "0", "-q", "--metrics", "spgl.prom"])
    assert code == Exit.INCOMPLETE
    samples = parse((tmp_path / "spgl.prom").read_text(encoding="utf-8"))
    assert at(samples, "spgl_push_exit_code") == Exit.INCOMPLETE
    assert at(samples, "spgl_run_incomplete", target="national") == 1
    capsys.readouterr()
    assert main(["status", "--format", "prometheus"]) == Exit.FINE
    assert at(parse(capsys.readouterr().out), "spgl_open_versions", target="national") == 1
    assert main(["push", "--metrics", "none/spgl.prom", "--lang", "en"]) == Exit.UNUSABLE
    assert "create it first" in capsys.readouterr().err
