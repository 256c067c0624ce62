"""The Data Package: Frictionless takes it, passes good rows and names the bad cells."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from frictionless import Package, Resource, Schema
from pack_values import good_record

from validator.exports.data_package import data_package, export_data_package, table_schema
from validator.load import load_packs

PACKS = load_packs()


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        made = csv.DictWriter(out, list(rows[0]))
        made.writeheader()
        made.writerows(rows)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    written = export_data_package(PACKS, folder)
    assert [p.name for p in written[:2]] == ["datapackage.json", "SPGL_QYPGXXB.json"]
    for table in PACKS.tables():
        write(folder / f"{table.name}.csv", [good_record(PACKS, table)] * 2)
    return folder


def test_frictionless_takes_the_package_and_passes_good_rows(package: Path) -> None:
    made = Package(str(package / "datapackage.json"))
    assert len(made.resources) == 39
    report = made.validate()
    assert report.valid, report.flatten(["title", "fieldName", "message"])[:5]


def test_frictionless_names_the_bad_cells(package: Path) -> None:
    (table,) = PACKS.named("SPGL_XMJBXXB")
    good = good_record(PACKS, table)
    bad = {
        "NKGSJ": "2024-02-30", "ZTZE": "1e3", "XMTZLY": "01", "SFXXGC": "2", "JSDW": "",
        "XZQHDM": "37080",
    }  # fmt: skip
    file = package / "bad.csv"
    write(file, [good, good | bad, good | {"SJWXYY": "", "XMWQBJSJ": "2024-01-02T03:04:05"}])
    text = (package / "schemas/data-sharing-3.0/SPGL_XMJBXXB.json").read_text("utf-8")
    schema = Schema.from_descriptor(json.loads(text))
    found = Resource(path=file.name, basepath=str(package), schema=schema).validate()
    cells = {(e[0], e[1]) for e in found.flatten(["rowNumber", "fieldName"])}
    assert cells == {(3, name) for name in bad}


def test_columns_may_stand_in_another_order_or_be_absent(package: Path) -> None:
    (table,) = PACKS.named("SPGL_XMJBXXB")
    good = good_record(PACKS, table)
    some = {name: good[name] for name in reversed(good) if name not in ("LSH", "SBYY", "SBSJ")}
    file = package / "some.csv"
    write(file, [some])
    schema = Schema.from_descriptor(table_schema(PACKS, table))
    found = Resource(path=file.name, basepath=str(package), schema=schema).validate()
    assert found.valid, found.flatten(["title", "message"])


def test_only_tables_with_data_are_resources_and_the_basis_is_said() -> None:
    made = data_package(PACKS, {"data-sharing-3.0/SPGL_XMJBXXB": "in/项目.csv"})
    assert [r["path"] for r in made["resources"]] == ["in/项目.csv"]  # type: ignore[attr-defined]
    assert "重建，非官方文本" in str(made["description"])
    text = json.dumps(table_schema(PACKS, PACKS.tables()[0]), ensure_ascii=False)
    assert '"naturalKey": ["QYPGDYBM"]' in text
    assert "primaryKey" not in text
