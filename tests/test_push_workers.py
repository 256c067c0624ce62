"""`spgl push --workers N` end to end: several processes, a PostgreSQL ledger, a real sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pusher.ledger import open_ledger
from tests.ledgers import postgres_schema
from tests.test_push_command import HEAD, ROOT, label, sandbox

__all__ = ["sandbox"]
COUNT = 1_200


def test_workers_share_the_records_and_tell_one_sum(tmp_path: Path, sandbox: str) -> None:
    bad = {7, 77, 777}
    rows = [label(n, "bad" if n in bad else "fine") for n in range(COUNT)]
    (tmp_path / "SPGL_XMBQXXB.csv").write_text(HEAD + "".join(rows), encoding="utf-8")
    with postgres_schema() as (url, schema):
        (tmp_path / "spgl.toml").write_text(
            f'[ledger]\nurl = "{url}"\nschema = "{schema}"\n'
            f'[target.t]\ntransport = "http"\nurl = "{sandbox}"\n'
            "batch_records = 5\nconcurrency = 2\n",
            encoding="utf-8",
        )
        words = ["push", "SPGL_XMBQXXB.csv", "--partial", "--workers", "3", "-q", "--lang", "en"]
        done = subprocess.run(
            [sys.executable, "-m", "spgl", *words], cwd=tmp_path, capture_output=True, text=True,
            env={"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 3, done.stdout + done.stderr
        assert f"{COUNT - 3:,} accepted, 3 refused" in done.stdout
        ledger = open_ledger(url, schema=schema)
        ledger.audit()
        told = ledger.db.rows("SELECT delivery FROM run WHERE ended IS NOT NULL")
        states: dict[str, int] = dict(
            ledger.db.rows("SELECT state, COUNT(*) FROM version GROUP BY state")
        )
        repeated = ledger.db.rows("SELECT COUNT(*) FROM attempt WHERE number > 1")
        ledger.close()
    assert states == {"accepted": COUNT - 3, "rejected": 3}
    assert repeated == [(0,)]
    assert len(told) == 3
    assert sum(json.loads(text)["accepted"] for (text,) in told) == COUNT - 3
