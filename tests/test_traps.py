"""The values on which common engines disagree, one by one, and what this one says.

What each line guards against (a study of engines found these verdicts on "the same" rule):

| trap | who falls into it | test |
|---|---|---|
| `1.5`, `.5`, `1e5`, `0x10`, `1_000` as integers | DuckDB; Python takes `1_000` | `test_form` |
| ` 1`, `1 ` as a number | DuckDB, Python's `int`, XSD collapse spaces | `test_form` |
| `NaN`, `inf` as a decimal | Polars, DuckDB, Python's `float` | `test_form` |
| `1e5` as a decimal | all but XSD | `test_form` |
| `2024-1-5`, ` 2024-01-05`, ` 2024-1-05` as a date | Polars, DuckDB | `test_form` |
| `2024-01-05T00:00:00` as a date (a midnight: taken here) | Polars, Python refuse | `test_form` |
| `2024-01-05Z`, `+08:00` | XSD's `date` | `test_form` |
| year `0000` | Polars, DuckDB | `test_form` |
| a line end behind digits | Python's `$` | `test_form`, `test_a_line_end_is_no_digit` |
| full-width and other digits | `\\d` of Polars and Python | `test_form` |
| `max_length` in bytes | dataframely | `test_length` |
| `5`, `true`, `1.50` become texts | Polars' JSON Lines with text columns | `test_native` |
| a wrong type becomes null | Polars' typed JSON Lines | `test_native` |
| `1.5` becomes 2, `"7"` a number | DuckDB's JSON reader | `test_native` |
| a column is lost from the report | pandera's coercion | `test_form` |
| `""` and a missing cell differ | Polars' CSV reader | `test_empty_is_missing` |
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spgl.cli import main
from validator.load import load_packs
from validator.pack import Length, Provenance
from validator.plan import compile as compile_plan
from validator.plan import judge

#: A field of each kind in SPGL_XMJBXXB that has no list and no format.
INTEGER, DECIMAL, DATE, DATETIME = "LSH", "ZTZE", "NKGSJ", "SBSJ"


def faults(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """Rules by field."""
    capsys.readouterr()
    main(["validate", str(path), "--partial", "--no-store", "--format", "jsonl"])
    found: dict[str, list[str]] = {}
    for line in capsys.readouterr().out.splitlines():
        violation = json.loads(line)
        if len(violation["fields"]) == 1 and violation["rule"] != "missing-value":
            found.setdefault(violation["fields"][0], []).append(violation["rule"])
    return found


def written(folder: Path, form: str, name: str, value: object) -> Path:
    path = folder / f"SPGL_XMJBXXB.{form}"
    if form == "csv":
        path.write_bytes(f'GCDM,{name}\nG1,"{value}"\n'.encode())
    else:
        path.write_text(json.dumps({"GCDM": "G1", name: value}) + "\n", "utf-8")
    return path


BAD = {
    INTEGER: ("1.5", ".5", "1e5", "0x10", "1_000", " 1", "1 ", "１", "٣", "007", "+1", "1\n",
              "9223372036854775808"),
    DECIMAL: ("NaN", "inf", "1e5", ".5", "1.", "1,200", " 1", "１"),
    DATE: ("2024-1-5", " 2024-01-05", " 2024-1-05", "0000-01-01", "2024-01-05Z", "2023-02-29",
           "2024-01-05+08:00", "1900-02-29", "2024-01-05T10:00:00", "２０２４-01-05"),
    DATETIME: ("2024-01-05 24:00:00", "2024-01-05 23:59:60"),
}  # fmt: skip
GOOD = {
    INTEGER: ("0", "-1", "9223372036854775807"),
    DECIMAL: ("1.50", "-0.5", "007.0", "9" * 40),
    DATE: ("2024-02-29", "2000-02-29", "2024-01-05T00:00:00"),
    DATETIME: ("2024-01-05", "2024-01-05T10:00:00.000"),
}


@pytest.mark.parametrize("engine", ["bulk", "reference"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "xml"])
def test_form(form: str, engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every value in a record of its own."""
    cells = [(name, v) for values in (BAD, GOOD) for name, found in values.items() for v in found]
    path = tmp_path / f"SPGL_XMJBXXB.{form}"
    names = list(BAD)
    rows = [{"GCDM": f"G{i}", name: v} for i, (name, v) in enumerate(cells)]
    if form == "csv":
        lines = [",".join(f'"{row.get(n, "")}"' for n in ("GCDM", *names)) for row in rows]
        path.write_bytes("\n".join([",".join(("GCDM", *names)), *lines, ""]).encode())
    elif form == "xml":
        records = ["".join(f"<{n}>{v}</{n}>" for n, v in row.items()) for row in rows]
        inside = "".join(f"<r>{record}</r>" for record in records)
        path.write_text(f"<SPGL_XMJBXXB>{inside}</SPGL_XMJBXXB>", "utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    words = ["--partial", "--no-store", "--format", "jsonl", "--engine", engine]
    main(["validate", str(path), *words])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    wrong = [(v["record"], v["fields"]) for v in told if v["rule"] == "wrong-type"]
    bad = sum(len(values) for values in BAD.values())
    assert wrong == [(i + 1, [name]) for i, (name, _) in enumerate(cells[:bad])]


def test_a_line_end_is_no_digit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("csv", "jsonl"):
        found = faults(written(tmp_path, form, "XZQHDM", "370800\n"), capsys)
        assert found["XZQHDM"] == ["wrong-format"]


def test_length() -> None:
    packs = load_packs(["data-sharing-3.0"])
    table = packs.named("SPGL_XMJBXXB")[0]
    short = replace(table.by_name["XMMC"], length=Length(3, Provenance.OFFICIAL))
    fields = tuple(short if f.name == "XMMC" else f for f in table.fields)
    made = replace(table, fields=fields, by_name={f.name: f for f in fields})
    plan = compile_plan(packs, made, {})
    frame = pl.DataFrame({"XMMC": ["汉字三", "汉字三四", "🙂🙂🙂"]})
    every, none = np.ones(3, dtype=np.bool_), np.zeros(3, dtype=np.bool_)
    faults = judge(plan, frame, {}, every, none)
    long = [
        int(row)
        for use, row in zip(faults.use, faults.row, strict=True)
        if plan.uses[use].rule == "too-long"
    ]
    assert long == [1]


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("XMMC", 5, False), ("XMMC", True, False), (DECIMAL, 1.50, True), (DECIMAL, True, False),
        (INTEGER, 1.5, False), (INTEGER, 1.0, True), (INTEGER, "7", True), (INTEGER, "1.0", False),
        (DATE, 20240105, False), (DECIMAL, 1e5, True),
    ],
)  # fmt: skip
def test_native(
    name: str, value: object, good: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = faults(written(tmp_path, "jsonl", name, value), capsys).get(name, [])
    assert ("wrong-type" in found) is not good


def test_empty_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for text in ("GCDM,XMMC\nG1,\n", 'GCDM,XMMC\nG1,""\n', "GCDM,XMMC\nG1, \u3000\n", "GCDM\nG1\n"):
        path = tmp_path / "SPGL_XMJBXXB.csv"
        path.write_text(text, "utf-8")
        capsys.readouterr()
        main(["validate", str(path), "--partial", "--no-store", "--format", "jsonl"])
        lines = capsys.readouterr().out.splitlines()
        told.append(sorted((json.loads(v)["rule"], *json.loads(v)["fields"]) for v in lines))
    assert told[0]
    assert told[0] == told[1] == told[2] == told[3]
