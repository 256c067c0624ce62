"""The oracle of the campaign can fail: each property is broken once in what it is given, and only
there. The pusher that writes again without looking is in `test_kill`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pushing
import pytest
from oracle import Nights, Stand, findings
from places import rest

from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from pusher.transport import Answer
from validator.records import Operation

NIGHTS = Nights(1, projects=6)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, Path]]:
    """Two nights pushed in peace."""
    folder = tmp_path_factory.mktemp("oracle")
    url, ledger = f"sqlite:///{folder / 'front.db'}", folder / "ledger.db"
    collector = Collector(pushing.front_settings(url), pushing.packs(), Script())
    for night in range(2):
        order = pushing.Order(str(ledger), "exchange_db", url, night, 1, projects=6)
        assert asyncio.run(pushing.push(order))
        rest(collector)
    yield Stand(collector.effects(), collector.held(), replaces=False), ledger
    collector.close()


def kinds(stand: Stand, ledger: Path) -> set[str]:
    return {line.partition(":")[0] for line in findings(stand, ledger, NIGHTS)}


def test_two_nights_in_peace_are_well(ended: tuple[Stand, Path]) -> None:
    assert findings(*ended, NIGHTS) == []


def test_a_lost_record_and_a_lost_change_are_seen(ended: tuple[Stand, Path]) -> None:
    stand, ledger = ended
    assert kinds(replace(stand, held=stand.held[1:]), ledger) == {"lost"}
    old = replace(stand.held[0], fields={**stand.held[0].fields, "BLZT": "9"})
    assert kinds(replace(stand, held=[old, *stand.held[1:]]), ledger) == {"lost"}


def test_a_withdrawn_record_that_stands_is_seen(ended: tuple[Stand, Path]) -> None:
    stand, ledger = ended
    extra = replace(stand.held[0], identity='{"GCDM":"P999"}')
    assert kinds(replace(stand, held=[*stand.held, extra]), ledger) == {"lost"}


def test_a_record_that_is_valid_twice_is_seen(ended: tuple[Stand, Path]) -> None:
    stand, ledger = ended
    assert kinds(replace(stand, held=[*stand.held, stand.held[0]]), ledger) == {"twice"}
    again = replace(stand.effects[-1], repeat=True)
    effects = [*stand.effects[:-1], again]
    assert kinds(replace(stand, effects=effects), ledger) == {"twice"}


def test_a_child_before_its_parent_is_seen(ended: tuple[Stand, Path]) -> None:
    stand, ledger = ended
    child = next(e for e in stand.effects if e.table == "SPGL_XMSPSXBLXXB")
    effects = [child, *(e for e in stand.effects if e is not child)]
    assert kinds(replace(stand, effects=effects), ledger) == {"order"}


def test_a_replacement_before_its_tombstone_and_a_refusal_are_seen(
    ended: tuple[Stand, Path],
) -> None:
    stand, ledger = ended
    effects = [e for e in stand.effects if e.operation is not Operation.INVALIDATE]
    assert kinds(replace(stand, effects=effects), ledger) == {"order"}
    refused = replace(stand.effects[-1], answer=Answer.REJECTED)
    effects = [*stand.effects[:-1], refused]
    assert kinds(replace(stand, effects=effects), ledger) == {"order"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE version SET state = 'in_doubt' WHERE id = 1",
        "UPDATE tally SET n = n + 1",
        "UPDATE batch SET phase = 'sending' WHERE id = 1",
        "UPDATE version SET digest = x'00' WHERE id = (SELECT MAX(id) FROM version)",
    ],
)
def test_books_that_do_not_say_what_happened_are_seen(
    ended: tuple[Stand, Path], tmp_path: Path, change: str
) -> None:
    stand, ledger = ended
    other = tmp_path / "ledger.db"
    with closing(sqlite3.connect(ledger)) as whole, closing(sqlite3.connect(other)) as copy:
        whole.backup(copy)
        copy.execute(change)
        copy.commit()
    assert kinds(stand, other) == {"books"}
