"""A short campaign: a few runs into every kind of target. The long one is `make faults`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from campaign import KINDS, campaign, told

RUNS = int(os.environ.get("SPGL_FAULT_RUNS", "3"))
SEED = int(os.environ.get("SPGL_SEED", "20260301"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pushes are forked from a warm process")
@pytest.mark.timeout(120 + 30 * RUNS)
@pytest.mark.parametrize(
    ("kind", "ledger"), [*((k, "sqlite") for k in KINDS), ("http", "postgresql")]
)
def test_a_short_campaign_finds_nothing_wrong(kind: str, ledger: str, tmp_path: Path) -> None:
    for again in range(10):  # a quick machine may have pushed before the kill comes
        seed = SEED + again * RUNS
        tally = asyncio.run(campaign((kind,), RUNS, seed, tmp_path, (ledger,)))
        assert not tally.failed, told(tally)
        if tally.done["pushes killed"]:
            return
    raise AssertionError("nothing was killed")
