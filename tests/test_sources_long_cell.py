"""A cell far longer than a record may be: told or refused, and never held in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MIB = 1 << 20
CELL = 256
#: What stands before and behind the cell.
AROUND = {
    "csv": (b"XMDM,XMMC\n1,", b"\n2,b\n"),
    "jsonl": (b'{"XMDM":"1","XMMC":"', b'"}\n{"XMDM":"2"}\n'),
    "json": (b'[{"XMDM":"1","XMMC":"', b'"},{"XMDM":"2"}]'),
    "xml": (b"<SPGL_AXXB><r><XMDM>1</XMDM><XMMC>", b"</XMMC></r><r><XMDM>2</XMDM></r></SPGL_AXXB>"),
}
READING = """
import json, resource, sys
from pathlib import Path
from source_values import found
from validator.records import SourceError
from validator.sources import SourceOptions

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows, bad, refusal = 0, [], ""
try:
    for source in found(Path(sys.argv[1]), SourceOptions()).sources:
        for batch in source.batches(100):
            rows += batch.frame.height
            bad += [u.record for u in batch.unreadable]
except SourceError as failure:
    refusal = failure.text.en
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([rows, bad, refusal, (peak - before) * 1024]))
"""


@pytest.mark.parametrize("form", AROUND)
def test_a_cell_of_a_quarter_of_a_gigabyte(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"SPGL_AXXB.{form}"
    head, tail = AROUND[form]
    with path.open("wb") as file:
        file.write(head)
        for _ in range(CELL):
            file.write(b"y" * MIB)
        file.write(tail)
    done = subprocess.run(
        [sys.executable, "-c", READING, str(path)],
        cwd=Path(__file__).parent,
        check=True,
        stdout=subprocess.PIPE,
    )
    path.unlink()
    rows, bad, refusal, memory = json.loads(done.stdout)
    if form == "xml":
        assert "one text is too large" in refusal
    else:
        assert (rows, bad, refusal) == (1, [1], "")
    assert memory < CELL * MIB / 2
