"""A whole night against a target that misbehaves: a million records, 5 % faults, one kill -9.

`python -m benchmarks.night --rows 1000000`. An export of wide rows goes through `spgl push` as at
night, into a sandbox in a process of its own which refuses one record in a hundred and answers one
request in twenty wrongly: resets, lost and cut answers, login pages, receipts missing, doubled or
unknown, throttling, gateways. The push is killed when a third stands at the target, and started
again until it says that nothing is left. Then every record must be accounted for, in the books and
record by record between ledger and sandbox, or the run fails.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.wide_table import write_table

#: Probability a request; together 5 %.
FAULTS = {
    "reset-before": 0.005, "reset-after": 0.007, "truncate": 0.005, "html": 0.005,
    "gateway-after": 0.005, "missing": 0.005, "duplicate": 0.005, "unknown": 0.003,
    "unavailable": 0.004, "throttle": 0.003, "408": 0.003,
}  # fmt: skip
SCRIPT = {
    "refusals": [{"reason": "项目代码不存在", "share": 0.01}],
    "faults": {"seed": 1, "chance": FAULTS, "retry_after": 0.2},
}
CONFIG = """[target.night]
transport = "http"
url = "{url}"
retry_schedule = [0.2, 0.5, 1, 5]
batch_records = 100
concurrency = 4
"""
INCOMPLETE = 75
#: Of the ledger, what the sandbox does not hold, refuse or know in the same way.
DIFFERENCES = {
    "accepted and not held": """
        SELECT COUNT(*) FROM (
          SELECT i.key FROM version v JOIN identity i ON i.id = v.identity
          WHERE v.state = 'accepted' EXCEPT SELECT identity FROM box.held)""",
    "held and not accepted": """
        SELECT COUNT(*) FROM (
          SELECT identity FROM box.held EXCEPT
          SELECT i.key FROM version v JOIN identity i ON i.id = v.identity
          WHERE v.state = 'accepted')""",
    "had effect twice": "SELECT COUNT(*) FROM box.effect WHERE repeat = 1",
    "still open": "SELECT COUNT(*) FROM batch WHERE phase <> 'closed'",
}


@dataclass(slots=True)
class Push:
    """One `spgl push`: its exit code, seconds, seconds to the first new record at the target, and
    its resident memory in MB, moment by moment."""

    code: int
    seconds: float
    first: float
    peaks: list[float]


def push(folder: Path, paths: Sequence[str], url: str, kill_at: int | None) -> Push:
    """Run it; killed as soon as the sandbox holds `kill_at` records."""
    command = [sys.executable, "-m", "spgl", "push", *paths, "--partial", "--lang", "en"]
    command += ["--log", "push.jsonl", "--fail-on", "never", "--no-color"]
    began, before = time.monotonic(), counts(url)["held"]
    first, peaks = 0.0, [0.0]
    with (folder / "push.txt").open("ab") as said:
        running = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
        while running.poll() is None:
            time.sleep(0.5)
            peaks.append(_resident_mb(running.pid) or peaks[-1])
            held = counts(url)["held"]
            if held > before and not first:
                first = time.monotonic() - began
            if kill_at is not None and held >= kill_at:
                running.kill()
    return Push(running.wait(), time.monotonic() - began, first, peaks)


def counts(url: str) -> dict[str, int]:
    """What the sandbox counted; it may be busy for a moment."""
    for _ in range(20):
        try:
            with urllib.request.urlopen(f"{url}/sandbox/counts", timeout=30) as answer:
                return {name: int(n) for name, n in json.load(answer).items()}
        except OSError:
            time.sleep(0.5)
    raise RuntimeError("the sandbox does not answer")


@contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """The misbehaving target on a store of its own; its address."""
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT), encoding="utf-8")
    command = [sys.executable, "-m", "pusher.sandbox", "--script", str(script)]
    command += ["--store", str(folder / "sandbox.db")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        yield running.stdout.readline().strip()
    finally:
        running.terminate()
        running.wait()


def night(rows: int, folder: Path) -> int:
    """The whole night; how many differences there are in the end."""
    export = write_table(rows, folder / "export")
    print(f"{describe()}; {rows:,} rows, {export.stat().st_size / 1e6:,.0f} MB", flush=True)
    began = time.monotonic()
    with sandbox(folder) as url:
        (folder / "spgl.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
        runs = [push(folder, ["export"], url, rows // 3)]
        _tell("killed", runs[0])
        while runs[-1].code in (-9, INCOMPLETE) and len(runs) < 30:
            paths = ["export"] if len(runs) == 1 else []
            runs.append(push(folder, paths, url, None))
            _tell("again", runs[-1])
        stood = counts(url)
    taken = time.monotonic() - began
    print(f"whole night {taken:,.0f} s = {rows / taken:,.0f} records/s; sandbox: {stood}")
    return account(rows, folder)


def account(rows: int, folder: Path) -> int:
    """Books, states, sizes; what ledger and sandbox do not agree on."""
    path = folder / ".spgl" / "ledger.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("ATTACH ? AS box", (str(folder / "sandbox.db"),))
        states = dict(db.execute("SELECT state, SUM(n) FROM tally GROUP BY state HAVING SUM(n)"))
        counted = dict(db.execute("SELECT state, COUNT(*) FROM version GROUP BY state"))
        books = [json.loads(b) for (b,) in db.execute("SELECT books FROM run") if b != "{}"]
        failures = dict(
            db.execute("SELECT failure || ' ' || code, COUNT(*) FROM attempt GROUP BY 1 ORDER BY 1")
        )
        wrong = {what: int(db.execute(sql).fetchone()[0]) for what, sql in DIFFERENCES.items()}
        refused = db.execute("SELECT COUNT(*) FROM box.effect WHERE answer = 'rejected'").fetchone()
        wrong["refused there, not here"] = abs(refused[0] - counted.get("rejected", 0))
        whole = db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    last = books[-1]
    parts = ("unreadable", "skipped", "unchanged", "duplicate", "blocked", "entered")
    wrong["rows not in the books"] = abs(rows - last["read"])
    wrong["read and in no part"] = abs(last["read"] - sum(last[p] for p in parts))
    wrong["tally against rows"] = int(states != counted) + int(not whole)
    line = " + ".join(f"{last[p]:,} {p}" for p in parts)
    print(f"books of the last reading: {last['read']:,} read = {line}")
    print(f"states: {counted}; attempts: {failures}")
    total = sum(counted.values())
    print(
        f"ledger {path.stat().st_size / 1e6:,.0f} MB = {path.stat().st_size / total:,.0f} B/record"
    )
    print(f"differences: {wrong}")
    return sum(wrong.values())


def _tell(what: str, run: Push) -> None:
    half = max(run.peaks[: max(1, len(run.peaks) // 2)])
    print(
        f"push {what}: exit {run.code} after {run.seconds:,.0f} s, first new record at the target "
        f"after {run.first:,.0f} s; memory {half:,.0f} MB in the first half, "
        f"{max(run.peaks):,.0f} MB at most",
        flush=True,
    )


def _resident_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="kept; default: a temporary one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        wrong = night(given.rows, folder.resolve())
    print(
        "every record is accounted for" if not wrong else f"{wrong} records are NOT accounted for"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
