"""From paths to tables: folders, names, one clear problem for what cannot be read."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_values import CASE, PACKS, PROJECT, field, packs, table, write

from validator import sources
from validator.load import load_packs
from validator.records import SourceError
from validator.sources import Discovery, SourceOptions, discover, formats
from validator.sources.ahead import ahead, side_by_side
from validator.sources.source import Format

HEAD = "XMDM,XMMC\n"


def names(found: Discovery) -> list[tuple[str, str]]:
    return [(s.file, s.table.qualified) for s in found.sources]


def test_a_folder_is_read_recursively_and_in_order(tmp_path: Path) -> None:
    for name in ("b/SPGL_AXXB.csv", "SPGL_BXXB.TSV", "b/c/spgl_axxb.jsonl", "SPGL_AXXB.xml"):
        write(tmp_path, name, "<SPGL_AXXB/>" if name.endswith("xml") else HEAD)
    for name in ("README.md", ".SPGL_AXXB.csv", ".git/SPGL_AXXB.csv", "b/~$SPGL_AXXB.csv"):
        write(tmp_path, name, HEAD)
    found = discover([tmp_path], PACKS, SourceOptions())
    assert names(found) == [
        ("SPGL_AXXB.xml", "demo-1.0/SPGL_AXXB"),
        ("SPGL_BXXB.TSV", "demo-1.0/SPGL_BXXB"),
        ("b/SPGL_AXXB.csv", "demo-1.0/SPGL_AXXB"),
        ("b/c/spgl_axxb.jsonl", "demo-1.0/SPGL_AXXB"),
    ]
    assert not found.unknown
    assert not found.problems


def test_files_of_two_arguments_keep_different_names(tmp_path: Path) -> None:
    for name in ("one/SPGL_AXXB.csv", "two/SPGL_AXXB.csv", "two/SPGL_BXXB.csv"):
        write(tmp_path, name, HEAD)
    found = discover([tmp_path / "one", tmp_path / "two"], PACKS, SourceOptions())
    assert [s.file for s in found.sources] == [
        "one/SPGL_AXXB.csv",
        "two/SPGL_AXXB.csv",
        "SPGL_BXXB.csv",
    ]


@pytest.mark.parametrize(
    ("stem", "known"),
    [
        ("spgl_axxb", True),
        ("SPGL_AXXB_V3", True),
        ("SPGL_AXXB_V3_370800", True),
        ("SPGL_AXXB_370800_V3", True),
        ("370800_SPGL_AXXB", True),
        ("ST_SPGL_AXXB_bak", True),
        ("demo-1.0:SPGL_AXXB", True),
        ("SPGL_AXXB_EDIT", False),
        ("SPGL_AXXB_EDIT_R", False),
        ("SPGL_AXXB_V3_EDIT", False),
        ("SPGL_AXXB_2024", False),
        ("SPGL_AXXB_V2", False),
        ("other:SPGL_AXXB", False),
        ("AXXB", False),
    ],
)
def test_table_names(tmp_path: Path, stem: str, known: bool) -> None:
    options = SourceOptions(prefixes=("ST_",), suffixes=("_bak",))
    found = discover([write(tmp_path, f"{stem}.csv", HEAD)], PACKS, options)
    if known:
        assert names(found) == [(f"{stem}.csv", "demo-1.0/SPGL_AXXB")]
        assert not found.unknown
    else:
        assert not found.sources
        assert [(u.file, u.name) for u in found.unknown] == [(f"{stem}.csv", stem)]
    assert not found.problems


def test_a_name_in_two_packs_must_be_qualified(tmp_path: Path) -> None:
    both = packs(PROJECT, CASE, table("SPGL_AXXB", [field("XMDM", "项目代码")], "other-2.0"))
    path = write(tmp_path, "SPGL_AXXB.csv", HEAD)
    (problem,) = discover([path], both, SourceOptions()).problems
    assert "demo-1.0:SPGL_AXXB, other-2.0:SPGL_AXXB" in problem.text.en
    assert "[tables]" in problem.text.zh
    mapped = SourceOptions(tables={"spgl_axxb": "other-2.0:SPGL_AXXB"})
    assert names(discover([path], both, mapped)) == [("SPGL_AXXB.csv", "other-2.0/SPGL_AXXB")]
    text = '{"other-2.0:SPGL_AXXB": [], "SPGL_BXXB": []}'
    found = discover([write(tmp_path, "all.json", text)], both, SourceOptions())
    assert [s.table.qualified for s in found.sources] == [
        "other-2.0/SPGL_AXXB",
        "demo-1.0/SPGL_BXXB",
    ]


def test_any_name_can_be_mapped(tmp_path: Path) -> None:
    path = write(tmp_path, "projects.csv", HEAD)
    for target in ("SPGL_AXXB", "demo-1.0/SPGL_AXXB", "DEMO-1.0:spgl_axxb"):
        found = discover([path], PACKS, SourceOptions(tables={"Projects": target}))
        assert names(found) == [("projects.csv", "demo-1.0/SPGL_AXXB")]
    found = discover([path], PACKS, SourceOptions(tables={"projects": "SPGL_NONE"}))
    assert "no table of the loaded packs" in found.problems[0].text.en


def test_a_bad_file_never_stops_the_others(tmp_path: Path) -> None:
    write(tmp_path, "SPGL_AXXB.xml", "<SPGL")
    write(tmp_path, "SPGL_BXXB.json", "[")
    write(tmp_path, "SPGL_AXXB.json", "")
    write(tmp_path, "SPGL_AXXB.csv", HEAD + "a,b\n")
    found = discover([tmp_path, tmp_path / "missing"], PACKS, SourceOptions())
    assert [s.file for s in found.sources] == ["SPGL_AXXB.csv", "SPGL_BXXB.json"]
    assert [p.file for p in found.problems] == [
        "SPGL_AXXB.json",
        "SPGL_AXXB.xml",
        str(tmp_path / "missing"),
    ]
    assert all(p.text.zh and p.text.en for p in found.problems)


def test_a_folder_without_tables_is_one_problem(tmp_path: Path) -> None:
    write(tmp_path, "notes.txt", "x")
    (problem,) = discover([tmp_path], PACKS, SourceOptions()).problems
    assert "no table found" in problem.text.en
    assert ".csv" in problem.text.zh


def test_a_file_of_no_known_kind_is_one_problem(tmp_path: Path) -> None:
    (problem,) = discover([write(tmp_path, "x.doc", "x")], PACKS, SourceOptions()).problems
    assert problem.file == "x.doc"
    assert ".jsonl" in problem.text.en


def test_the_folder_is_the_registry() -> None:
    defined = {}
    for module in pkgutil.iter_modules(sources.__path__):
        of = getattr(importlib.import_module(f"validator.sources.{module.name}"), "FORMAT", None)
        if isinstance(of, Format):
            defined.update(dict.fromkeys(of.extensions, of))
    assert {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml"} <= set(defined)
    assert dict(formats()) == defined


def test_the_real_packs_are_found_by_their_names(tmp_path: Path) -> None:
    real = load_packs(["data-sharing-3.0", "fire-inspection-1.0"])
    for one in real.tables():
        header = ",".join(f.name.lower() for f in one.fields)
        write(tmp_path, f"{one.name}.csv", header + "\n")
    found = discover([tmp_path], real, SourceOptions())
    assert {s.table.qualified for s in found.sources} == {t.qualified for t in real.tables()}
    for source in found.sources:
        assert [c.field for c in source.columns()] == [f.name for f in source.table.fields]


def numbers(closed: list[bool]) -> Iterator[int]:
    """0 to 99, then a failure; notes when it is closed."""
    try:
        yield from range(100)
        raise SourceError("x", PROJECT.title)
    finally:
        closed.append(True)


def test_work_ahead_keeps_order_and_hands_failures_on_last() -> None:
    closed: list[bool] = []
    doubled = side_by_side(lambda n: n * 2, ahead(numbers(closed)))
    assert [next(doubled) for _ in range(100)] == [n * 2 for n in range(100)]
    with pytest.raises(SourceError):
        next(doubled)
    assert closed == [True]


def test_work_ahead_makes_no_value_that_has_no_room() -> None:
    """What waits beside the queue would cost memory that nobody counts."""
    made, too_many = list[int](), threading.Event()

    def values() -> Iterator[int]:
        for n in range(9):
            made.append(n)
            if n > 2:
                too_many.set()
            yield n

    early = ahead(values(), 2)
    assert next(early) == 0
    assert not too_many.wait(0.2)
    assert next(early) == 1
    assert too_many.wait(20)
    assert list(early) == list(range(2, 9))
    assert made == list(range(9))


def test_work_ahead_stops_when_its_reader_stops() -> None:
    closed: list[bool] = []
    early = ahead(numbers(closed), 3)
    assert next(early) == 0
    early.close()
    assert closed == [True]


@pytest.mark.parametrize(
    ("folder", "argument"),
    [
        ("x/fire-application", ""), ("x/FIRE-APPLICATION/2026", "x"),
        ("x/fire-application", "x/fire-application"),
    ],
)  # fmt: skip
def test_a_folder_named_like_a_standard_says_whose_table_it_is(
    folder: str, argument: str, tmp_path: Path
) -> None:
    both = load_packs(["fire-application"])
    write(tmp_path, f"{folder}/SPGL_XMJBXXB.csv", "LSH\n1\n")
    write(tmp_path, f"{folder}/SPGL_JSGCXFYSXXB.csv", "SPSXSLBM\n1\n")
    found = discover([tmp_path / argument], both, SourceOptions())
    assert sorted(q for _, q in names(found)) == [
        "fire-application/SPGL_XMJBXXB", "fire-inspection-1.0/SPGL_JSGCXFYSXXB"
    ]  # fmt: skip


def test_without_it_the_table_stays_ambiguous_and_three_ways_are_named(tmp_path: Path) -> None:
    both = load_packs(["fire-application"])
    write(tmp_path, "SPGL_XMJBXXB.csv", "LSH\n1\n")
    write(tmp_path, "fire-application:SPGL_XMJBXXB.csv", "LSH\n1\n")
    found = discover([tmp_path], both, SourceOptions())
    assert [q for _, q in names(found)] == ["fire-application/SPGL_XMJBXXB"]
    (problem,) = found.problems
    for way in ("a folder named like the standard", "STANDARD:TABLE", "[tables]"):
        assert way in problem.text.en
    mapped = SourceOptions(tables={"SPGL_XMJBXXB": "data-sharing-3.0:SPGL_XMJBXXB"})
    assert not discover([tmp_path], both, mapped).problems
