"""A clean city, broken record by record: the right rule on the right record, and no other error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine_values import Given, table
from mutation_values import WAYS, Tables, broken

from spgl.city.nights import night_one
from spgl.city.write import SEED
from validator.check import Options, check
from validator.load import load_packs
from validator.violation import Severity

NOW = datetime(2025, 9, 25, 21, tzinfo=UTC)
#: Of one broken record the engine also tells how many others it holds back.
FOLLOWS = "parent-not-conforming"


def errors(tables: Tables, store: Path) -> list[tuple[str, str, int, tuple[str, ...]]]:
    sources = [Given(table(n), f"{n}.csv", tuple(rows)) for n, rows in tables.items()]
    done = check(load_packs(), sources, Options(), store, run_id="m", now=lambda: NOW)
    return sorted(
        (v.rule, v.table or "", v.record or 0, v.fields)
        for v in done.violations()
        if v.severity is Severity.ERROR and v.rule != FOLLOWS
    )


def test_the_whole_city_is_clean(tmp_path: Path) -> None:
    assert errors(night_one(SEED), tmp_path) == []


@pytest.mark.parametrize("seed", range(4))
def test_every_broken_record_is_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    tables = night_one(SEED)
    said = broken(tables, seed, each=8)
    assert said.keys() == WAYS.keys()
    places = {id(r): i for rows in tables.values() for i, r in enumerate(rows, 1)}
    wanted = sorted(
        (s.rule, s.table, places[id(s.record)], s.fields) for of in said.values() for s in of
    )
    assert len(wanted) > 60
    assert errors(tables, tmp_path) == wanted
