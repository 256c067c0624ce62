"""Parquet: typed columns in lexical form, native cells marked, damage as one clear line."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from source_values import Read, field, packs, read, table, write

from validator.pack import Field, Kind, Provenance
from validator.records import ChosenSource, SourceError
from validator.sources import SourceOptions, discover
from validator.text import Text

PACKS = packs(
    table(
        "SPGL_AXXB",
        [
            field("XMDM", "项目代码"),
            field("XMMC", "项目名称"),
            Field("FJ", Text("附件", "Fj"), Kind.BINARY, Provenance.DEPLOYED),
            Field("ZS", Text("整数", "Zs"), Kind.INTEGER, Provenance.DEPLOYED),
        ],
    )
)


def only(folder: Path, frame: pl.DataFrame, **options: int) -> Read:
    path = folder / "SPGL_AXXB.parquet"
    frame.write_parquet(path, row_group_size=options.get("group"))
    (source,) = discover([path], PACKS, SourceOptions()).sources
    whole = read(source)
    assert read(source, 3) == whole
    return whole


def problem(path: Path) -> str:
    (one,) = discover([path], PACKS, SourceOptions()).problems
    assert one.text.zh
    return one.text.en


def test_texts_are_kept_and_records_numbered(tmp_path: Path) -> None:
    names = [f"p{n}" for n in range(10)]
    got = only(
        tmp_path, pl.DataFrame({"xmdm": names, "项目名称": [""] * 10, "备注": names}), group=4
    )
    assert got.rows == [(n + 1, None, {"XMDM": f"p{n}"}) for n in range(10)]
    assert not got.native


@pytest.mark.parametrize(
    ("value", "text", "native"),
    [
        (370800, "370800", True),
        (1.5, "1.5", True),
        (True, "true", True),
        (Decimal("12.50"), "12.50", True),
        (date(2024, 3, 5), "2024-03-05", False),
        (datetime(2024, 3, 5, 9, 30), "2024-03-05 09:30:00", False),
        (datetime(2024, 3, 5, 9, 30, 0, 250000), "2024-03-05 09:30:00.250", False),
        (datetime(2024, 3, 5, 1, tzinfo=ZoneInfo("UTC")), "2024-03-05 09:00:00", False),
        (time(9, 30), "09:30:00", False),
        ("中".encode(), "中", False),
    ],
)
def test_typed_columns(tmp_path: Path, value: object, text: str, native: bool) -> None:
    got = only(tmp_path, pl.DataFrame({"XMDM": ["a", "b"], "XMMC": [value, None]}))
    assert got.cells("XMMC") == [text, None]
    assert got.native == ({(1, "XMMC")} if native else set())


def test_bytes_are_base64_in_binary_fields(tmp_path: Path) -> None:
    got = only(tmp_path, pl.DataFrame({"XMDM": ["a"], "FJ": [b"\xff\x00"]}))
    assert got.cells("FJ") == ["/wA="]


def test_categories_are_texts(tmp_path: Path) -> None:
    frame = pl.DataFrame({"XMDM": ["a", "b", "a"]}, schema={"XMDM": pl.Categorical})
    assert only(tmp_path, frame).cells("XMDM") == ["a", "b", "a"]


def test_an_empty_table_has_no_records(tmp_path: Path) -> None:
    assert only(tmp_path, pl.DataFrame(schema={"XMDM": pl.String})).rows == []


def test_nested_values_and_undecodable_bytes_are_refused(tmp_path: Path) -> None:
    for frame, said in (
        (pl.DataFrame({"XMDM": [["a"]]}), "nested values"),
        (pl.DataFrame({"XMDM": [b"\xff\xfe"]}), "not UTF-8"),
    ):
        path = tmp_path / "SPGL_AXXB.parquet"
        frame.write_parquet(path)
        (source,) = discover([path], PACKS, SourceOptions()).sources
        with pytest.raises(SourceError, match=said):
            read(source)


def test_damage_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.parquet"
    pl.DataFrame({"XMDM": [f"p{n}" for n in range(1000)]}).write_parquet(path)
    whole = path.read_bytes()
    for data in (whole[:-50], whole[:4], b"", b"XMDM\np1\n", b"PAR1" + bytes(100) + b"PAR1"):
        assert "no complete Parquet file" in problem(write(tmp_path, "SPGL_AXXB.parquet", data))


def test_damage_in_the_middle_is_found_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.parquet"
    frame = pl.DataFrame({"XMDM": [f"p{n * 7919}" for n in range(5000)]})
    frame.write_parquet(path, compression="zstd")
    data = bytearray(path.read_bytes())
    data[200:4000] = b"\xff" * 3800
    path.write_bytes(data)
    (source,) = discover([path], PACKS, SourceOptions()).sources
    with pytest.raises(SourceError, match="no complete Parquet file"):
        read(source)


def test_a_header_without_fields_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.parquet"
    pl.DataFrame({"foo": ["a"]}).write_parquet(path)
    assert "holds no field" in problem(path)


@pytest.mark.parametrize("stretch", [1, 7, 1000])
def test_chosen_records_are_what_a_full_reading_says(
    tmp_path: Path, stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validator.sources.parquet._STRETCH", stretch)
    frame = pl.DataFrame({"XMDM": [f"p{n}" for n in range(50)], "ZS": range(50)})
    path = tmp_path / "SPGL_AXXB.parquet"
    frame.with_columns(XMMC=pl.lit("")).write_parquet(path, row_group_size=9)
    (source,) = discover([path], PACKS, SourceOptions()).sources
    assert isinstance(source, ChosenSource)
    for picked in ([1], [50], [2, 3, 8, 9, 10, 41]):
        batches = source.chosen(np.array(picked))
        assert batches is not None
        found = [
            (int(n), *row, flag)
            for b in batches
            for n, row, flag in zip(b.ordinals, b.frame.iter_rows(), b.native["ZS"], strict=True)
        ]
        assert found == [(n, f"p{n - 1}", str(n - 1), None, True) for n in picked]


def test_chosen_records_of_a_shorter_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "SPGL_AXXB.parquet"
    pl.DataFrame({"XMDM": ["a", "b"]}).write_parquet(path)
    (source,) = discover([path], PACKS, SourceOptions()).sources
    assert isinstance(source, ChosenSource)
    with pytest.raises(SourceError, match="changed"):
        list(source.chosen(np.array([2, 3])) or ())
