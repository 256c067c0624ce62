"""Server time of the inspector's pages on a large run and a large ledger.

`python -m benchmarks.inspector --violations 1000000 --versions 10000000`. Two stored runs of that
many violations (the second shares nine tenths with the first) and a ledger of that many versions
are made by plain inserts, then each page is asked `--repeat` times over HTTP on loopback. Shown are
the first answer after a start with the index on disk, and median and worst of the later ones, as
the server's own `Server-Timing` says. Records of the run are not there to be read, so nothing is
counted by department.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from aiohttp.test_utils import TestClient, TestServer

from benchmarks.machine import describe
from pusher.ledger.core import open_ledger
from spgl.config import load
from spgl.inspector.security import Gate
from spgl.inspector.serve import make_site
from spgl.inspector.server import make_app
from spgl.inspector.site import Rights
from spgl.log import logger
from validator.compiled import Compiled, compile_uses
from validator.finding import STORED
from validator.load import load_packs
from validator.pack import Packs
from validator.run import RuleCount, Run, TableCounts
from validator.store import Writer

LIMIT_MS = 200
RUNS = ("20260301T220000-aaaaaa", "20260302T220000-bbbbbb")
PAGES = {
    "overview": "/",
    "violations": "/violations",
    "… by severity": "/violations?severity=error",
    "… by table and stage": "/violations?stage=fire&stage=completion&severity=error",
    "… by division": "/violations?division=990103",
    "… of a project": "/violations?project=2401-990100-04-01-000077",
    "… new since yesterday": "/violations?new=1",
    "… search by text": "/violations?q=00004242",
    "… page in the middle": "/violations?after=500000",
    "… as JSON": "/violations.json?severity=error",
    "projects": "/projects",
    "compare": "/compare",
    "rules": "/rules",
    "ledger, refused": "/ledger?state=rejected",
    "ledger, accepted": "/ledger?state=accepted",
    "ledger, withdrawn": "/ledger?state=withdrawn",
    "record of the ledger": "/record?version=777",
    "monitoring": "/monitoring?month=2026-03",
}


def make_runs(state: Path, packs: Packs, rows: int) -> None:
    """Two stored runs of `rows` violations, spread over uses, projects and divisions."""
    compiled = compile_uses(packs, packs.tables(), {}, frozenset(), partial=False)
    for number, run in enumerate(RUNS):
        _make_run(state / "runs" / run, packs, compiled, rows, number * rows // 10, run)


def _make_run(
    folder: Path, packs: Packs, compiled: Compiled, rows: int, shift: int, run: str
) -> None:
    writer, rng = Writer(folder), np.random.default_rng(7)
    of_table = {
        t.qualified: [n for n, u in enumerate(compiled.uses) if u.table == t.qualified]
        for t in packs.tables()
    }
    tables = [t for t in packs.tables() if of_table[t.qualified]]
    per, counts = -(-rows // len(tables)), dict[int, int]()
    for at, table in enumerate(tables):
        n = min(per, rows - at * per)
        of = np.array(of_table[table.qualified])
        uses = of[np.minimum(rng.exponential(3, n).astype(np.int64), len(of) - 1)]
        ids = np.arange(n) + at * per + shift
        for use, times in zip(*np.unique(uses, return_counts=True), strict=True):
            counts[int(use)] = counts.get(int(use), 0) + int(times)
        group = writer.group(table.qualified, f"{table.name}.csv")
        for start in range(0, n, 50_000):
            part = slice(start, min(start + 50_000, n))
            writer.add(group, _frame(uses[part], ids[part], start))
    started = datetime.fromisoformat(f"2026-03-0{RUNS.index(run) + 1}T22:00:00+08:00")
    lines = tuple(
        RuleCount(u.rule, str(u.severity), u.table or None, None, counts[n])
        for n, u in enumerate(compiled.uses)
        if n in counts
    )
    totals = {t.qualified: TableCounts(t.title, t.stage, per, conforming=per) for t in tables}
    when = started.isoformat()
    head = Run(run, when, when, (f"/gone/{run}",), (), totals, lines)
    writer.finish(head, packs, compiled.uses)


def _frame(uses: np.ndarray, ids: np.ndarray, start: int) -> pl.DataFrame:  # type: ignore[type-arg]
    number = pl.Series("n", ids)
    text = number.cast(pl.String).str.zfill(8)
    project = (number % 5_000).cast(pl.String).str.zfill(6)
    return pl.DataFrame(
        {
            "use": uses,
            "record": np.arange(len(uses)) + start + 1,
            "line": np.arange(len(uses)) + start + 2,
            "value": "v" + text,
            "key": '{"SPSXSLBM":"YC' + text + '"}',
            "params": pl.Series([None] * len(uses), dtype=pl.String),
            "fingerprint": text + "f" * 56,
            "works": "2401-990100-04-01-" + project,
            "case": "YC" + text,
            "division": "9901" + (number % 9).cast(pl.String).str.zfill(2),
        },
        schema=STORED,
    )


def make_ledger(path: Path, versions: int) -> None:
    """A ledger of `versions` accepted versions, of which one in 200 was refused."""
    ledger = open_ledger(path)
    start = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    step = 86_400 * 80 / versions
    say = ledger.db.run
    ledger.write()
    say("INSERT INTO run (name, target, started) VALUES (?, 'national', ?)", (RUNS[1], start))
    place = ledger.place("national", "data-sharing-3.0/SPGL_XMSPSXBLXXXXB")
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    say(
        f"""{count} INSERT INTO identity (id, place, hash, key, sequence, latest)
        SELECT i, ?, randomblob(16), '{{"BLSJ":"2026-01-01 00:00:00","BLZT":"3","SPSXSLBM":"YC'
        || i || '"}}', 1, i FROM n""",
        (versions, place),
    )
    say(
        f"""{count} INSERT INTO version (id, identity, place, sequence, operation, digest, division,
        reason, known, run, entered, seen, state, note, changed)
        SELECT i, i, ?, 1, 'upsert', x'00', '990100', '',
        '{{"BLSJ":"2026-03-01 08:00:00","SPSXSLBM":"YC' || i || '"}}', 1, ? + i * ?, 1,
        CASE WHEN i % 200 = 7 THEN 'rejected' ELSE 'accepted' END,
        CASE WHEN i % 200 = 7 THEN 'reason ' || (i % 12) ELSE '' END, ? + i * ? FROM n""",
        (versions, place, start, step, start + 3600, step),
    )
    say("""INSERT INTO tally (place, state, n)
    SELECT place, state, COUNT(*) FROM version GROUP BY place, state""")
    ledger.commit()
    ledger.close()


async def ask(state: Path, repeat: int) -> dict[str, tuple[float, list[float]]]:
    """Per page the first server time after a start, then the later ones; milliseconds."""
    settings = load(None, {"state_dir": str(state), "lang": "zh"}, {})
    gate = Gate()
    site = make_site(settings, Rights(), csrf=gate.csrf)
    client = TestClient(TestServer(make_app(site, gate, logger(level="warning"))))
    await client.start_server()
    site.snapshots.open("")  # there are no files: settled before anything is measured
    found: dict[str, tuple[float, list[float]]] = {}
    for name, path in PAGES.items():
        times = []
        for _ in range(repeat + 1):
            response = await client.get(path)
            body = await response.text()
            if response.status != 200:
                raise SystemExit(f"{path}: {response.status} {body[:300]}")
            times.append(float(response.headers["Server-Timing"].rpartition("=")[2]))
        found[name] = times[0], times[1:]
    await client.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--violations", type=int, default=1_000_000)
    parser.add_argument("--versions", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        started = time.perf_counter()
        make_runs(state, load_packs(), options.violations)
        make_ledger(state / "ledger.db", options.versions)
        print(
            f"2 runs of {options.violations:,} violations, {options.versions:,} versions, made in "
            f"{time.perf_counter() - started:,.0f} s"
        )
        started = time.perf_counter()
        asyncio.run(ask(state, 0))  # makes the indexes
        print(f"indexes made and every page asked once in {time.perf_counter() - started:,.1f} s")
        found = asyncio.run(ask(state, options.repeat))
    slow = 0
    for name, (first, later) in found.items():
        median, worst = statistics.median(later), max(later)
        slow += median > LIMIT_MS
        print(f"{name:<24} first {first:8,.1f} ms   median {median:8,.1f} ms   worst {worst:8,.1f}")
    print(f"pages over {LIMIT_MS} ms: {slow}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
