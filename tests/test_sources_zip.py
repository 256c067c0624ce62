"""ZIP: members are tables like files of a folder; hostile containers are refused unpacked."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import openpyxl
import pytest
from source_values import PACKS, read

from validator.sources import Discovery, SourceOptions, discover

CSV = "XMDM,XMMC\np1,甲\n"


def packed(*members: tuple[str | zipfile.ZipInfo, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in members:
            box.writestr(name, data)
    return out.getvalue()


def opened(folder: Path, data: bytes) -> Discovery:
    path, spool = folder / "x.zip", folder / "spool"
    path.write_bytes(data)
    spool.mkdir(exist_ok=True)
    return discover([path], PACKS, SourceOptions(spool=spool))


def refused(folder: Path, data: bytes, file: str = "x.zip") -> str:
    found = opened(folder, data)
    assert not found.sources
    (problem,) = found.problems
    assert problem.file == file
    assert problem.text.zh
    return problem.text.en


def workbook() -> bytes:
    out, book = io.BytesIO(), openpyxl.Workbook()
    book.active.title = "SPGL_BXXB"
    book.active.append(["SLBM"])
    book.active.append(["s1"])
    book.save(out)
    return out.getvalue()


def test_members_are_tables(tmp_path: Path) -> None:
    inner = packed(("SPGL_AXXB.jsonl", '{"XMDM": "p2"}\n'))
    found = opened(
        tmp_path,
        packed(
            ("导出/SPGL_AXXB.csv", CSV),
            ("book.xlsx", workbook()),
            ("more.zip", inner),
            ("readme.txt", "x"),
            ("OTHER.csv", CSV),
            ("__MACOSX/SPGL_AXXB.csv", "x"),
        ),
    )
    assert [s.file for s in found.sources] == [
        "x.zip/book.xlsx#SPGL_BXXB",
        "x.zip/more.zip/SPGL_AXXB.jsonl",
        "x.zip/导出/SPGL_AXXB.csv",
    ]
    assert not found.problems
    assert [(u.file, u.name) for u in found.unknown] == [("x.zip/OTHER.csv", "OTHER")]
    assert read(found.sources[2]).rows == [(1, 2, {"XMDM": "p1", "XMMC": "甲"})]
    assert read(found.sources[1]).cells("XMDM") == ["p2"]
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o700 for p in (tmp_path / "spool").iterdir())


def test_names_in_gbk_are_read(tmp_path: Path) -> None:
    data = packed(("tables/SPGL_AXXB.csv", CSV))
    found = opened(tmp_path, data.replace(b"tables", "导出1".encode("gbk") + b"_"))
    assert [s.file for s in found.sources] == ["x.zip/导出1_/SPGL_AXXB.csv"]


@pytest.mark.parametrize(
    "name", ["../SPGL_AXXB.csv", "/etc/SPGL_AXXB.csv", "a/../../b.csv", "C:/b.csv", "..\\b.csv"]
)
def test_a_path_that_leads_outside_refuses_the_container(tmp_path: Path, name: str) -> None:
    assert "leads outside" in refused(tmp_path, packed(("SPGL_AXXB.csv", CSV), (name, CSV)))
    assert not list((tmp_path / "spool").rglob("*.csv"))


def test_a_link_refuses_the_container(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("SPGL_AXXB.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "symbolic link" in refused(tmp_path, packed((link, "/etc/hostname")))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    text = "may be a bomb"
    assert text in refused(tmp_path, packed(("SPGL_AXXB.csv", bytes(40 << 20))))
    assert not list((tmp_path / "spool").iterdir())


def test_a_claim_of_many_gigabytes_is_refused(tmp_path: Path) -> None:
    data = packed(*[(f"{n}/SPGL_AXXB.csv", CSV) for n in range(8)])
    size = len(CSV.encode()).to_bytes(4, "little")
    # The size stands in the local header and in the directory; both lie alike.
    assert "may be a bomb" in refused(tmp_path, data.replace(size, b"\xfe\xff\xff\xff"))


def test_a_lie_about_the_size_is_damage(tmp_path: Path) -> None:
    long = CSV + "p2,x\n" * 1000
    data = packed(("SPGL_AXXB.csv", long))
    size = len(long.encode()).to_bytes(4, "little")
    said = refused(tmp_path, data.replace(size, (50).to_bytes(4, "little")), "x.zip")
    assert "damaged" in said


def test_depth_is_limited(tmp_path: Path) -> None:
    data = packed(("SPGL_AXXB.csv", CSV))
    for _ in range(2):
        data = packed(("in.zip", data))
    assert "inside each other" in refused(tmp_path, data, "x.zip/in.zip/in.zip")


def test_damage_and_passwords_are_one_clear_line(tmp_path: Path) -> None:
    data = packed(("SPGL_AXXB.csv", CSV))
    assert "cut off" in refused(tmp_path, data[:-30])
    assert "cut off" in refused(tmp_path, b"")
    locked = bytearray(data)
    locked[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(tmp_path, bytes(locked))
    assert "no table found" in refused(tmp_path, packed(("a.txt", "x")), str(tmp_path / "x.zip"))
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = packed(("SPGL_AXXB.csv", CSV), ("SPGL_AXXB.csv", CSV))
    assert "stands twice" in refused(tmp_path, twice)


def test_a_bad_member_never_stops_the_others(tmp_path: Path) -> None:
    found = opened(tmp_path, packed(("SPGL_AXXB.csv", CSV), ("SPGL_BXXB.json", "")))
    assert [s.file for s in found.sources] == ["x.zip/SPGL_AXXB.csv"]
    assert [p.file for p in found.problems] == ["x.zip/SPGL_BXXB.json"]
