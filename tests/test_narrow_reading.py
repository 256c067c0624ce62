"""Records of which only some fields are read again are told of as if all had been."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from engine_values import Cells, checked, given, packs
from test_check import CASES, CODE, PROJECTS, case, project

from validator.records import Ints, NarrowSource
from validator.sources import SourceOptions, discover
from validator.sources.parquet import ParquetSource


def told(folder: Path, cases: list[Cells]) -> list[object]:
    path = folder / f"{CASES}.parquet"
    pl.DataFrame(cases, infer_schema_length=None).write_parquet(path)
    (source,) = discover([path], packs(), SourceOptions()).sources
    assert isinstance(source, NarrowSource)
    projects = given({PROJECTS: [project(n) for n in range(1, 21)]})
    done = checked([*projects, source], folder / "run")  # type: ignore[list-item]
    found = [v.to_json() for v in done.violations() if v.table == CASES]
    return [*found, *done.records(), done.run.tables]


@pytest.mark.parametrize("keyless", [False, True])
def test_some_fields_are_enough(
    keyless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = {"SPSXBM": None, "SPSXBBH": None}
    cases = [{**case(f"S{n}", 1 + n % 20), **item} for n in range(100)]
    cases[7] = {**cases[7], "GCDM": CODE.format(99)}
    cases += [cases[3], {**cases[4], "SPBMMC": "another"}]
    if keyless:
        cases[50] = {**cases[50], "SPSXSLBM": None, "DFSJZJ": None, "GCDM": CODE.format(98)}
    asked: list[frozenset[str]] = []
    narrow = ParquetSource.chosen_fields

    def noted(self: ParquetSource, ordinals: Ints, fields: frozenset[str]) -> object:
        asked.append(fields)
        return narrow(self, ordinals, fields)

    monkeypatch.setattr(ParquetSource, "chosen_fields", noted)
    some = told(tmp_path, cases)
    assert bool(asked) is not keyless
    assert all(len(fields) < 12 for fields in asked)
    (tmp_path / "whole").mkdir()
    monkeypatch.setattr("validator.rereading._FEW", 1 << 40)
    assert told(tmp_path / "whole", cases) == some
    rules = {v.get("rule") for v in some if isinstance(v, dict)}
    assert {"dangling-reference", "duplicate-key", "repeated-record"} <= rules
