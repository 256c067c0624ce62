"""JSON Schema of tables: a document of its own right, and the reference of the bulk engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pack_values import CREDIT_CODE, good_record

from validator.json_schema import (
    export_json_schema,
    format_checker,
    reference_checker,
    schema_text,
    table_schema,
)
from validator.load import load_packs
from validator.pack import Table
from validator.violation import Severity

PACKS = load_packs()
PROJECT = PACKS.table("data-sharing-3.0/SPGL_XMJBXXB")
FIRE = PACKS.table("fire-inspection-1.0/SPGL_JSGCXFSJSCXXB")
STAGE = PACKS.table("data-sharing-3.0/SPGL_SPJDXXB")


def faults(table: Table, **values: object) -> set[tuple[str, str]]:
    record: dict[str, object] = {**good_record(PACKS, table), **values}
    found = reference_checker(PACKS, table).first_faults(record)
    return {("+".join(fields), rule) for fields, rule in found}


def validates(table: Table, record: dict[str, object], least: Severity = Severity.ERROR) -> bool:
    schema = table_schema(PACKS, table, least=least)
    return Draft202012Validator(schema, format_checker=format_checker()).is_valid(record)


@pytest.mark.parametrize("table", PACKS.tables(), ids=lambda t: t.name)
def test_every_schema_is_valid_and_accepts_a_good_record(table: Table) -> None:
    for least in Severity:
        Draft202012Validator.check_schema(table_schema(PACKS, table, least=least))
    assert faults(table) == set()
    assert validates(table, dict(good_record(PACKS, table)), Severity.INFO)


#: table, values that differ from a good record, faults (fields, rule)
JUDGED: list[tuple[Table, dict[str, object], set[tuple[str, str]]]] = [
    (PROJECT, {"JSDW": None}, {("JSDW", "missing-value")}),
    (PROJECT, {"JSDW": "\u3000"}, {("JSDW", "missing-value")}),
    (PROJECT, {"GCFW": None, "SBYY": ""}, set()),
    (PROJECT, {"NKGSJ": "2023-02-29"}, {("NKGSJ", "wrong-type")}),
    (PROJECT, {"NKGSJ": "2024-02-29 00:00:00"}, set()),
    (PROJECT, {"NKGSJ": "2024-02-29\n"}, {("NKGSJ", "wrong-type")}),
    (PROJECT, {"ZTZE": 12.5, "JSDWLX": 1, "SFXXGC": True}, set()),
    (PROJECT, {"ZTZE": "1e5"}, {("ZTZE", "wrong-type")}),
    (PROJECT, {"ZTZE": "123456789012345"}, {("ZTZE", "too-long")}),
    (PROJECT, {"JSDWLX": True}, {("JSDWLX", "wrong-type")}),
    (PROJECT, {"JSDWDM": 91110000}, {("JSDWDM", "wrong-type")}),
    (PROJECT, {"SFXXGC": "2"}, {("SFXXGC", "code-not-in-list")}),
    (PROJECT, {"SFXXGC": 2}, {("SFXXGC", "code-not-in-list")}),
    (PROJECT, {"XZQHDM": "37080"}, {("XZQHDM", "wrong-format")}),
    (PROJECT, {"JSDWDM": CREDIT_CODE[:-1] + "4"}, {("JSDWDM", "wrong-check-digit")}),
    (PROJECT, {"JSDWLX": "2"}, {("JSDWDM", "wrong-format")}),
    (PROJECT, {"JSDWLX": "2", "JSDWDM": "11010519491231002X"}, set()),
    (PROJECT, {"GCDM": None}, {("GCDM", "missing-value"), ("GCDM", "blank-key")}),
    (PROJECT, {"SJYXBS": "0", "SJWXYY": None}, {("SJWXYY+SJYXBS", "missing-invalid-reason")}),
    (STAGE, {"DYBZSPJDXH": "1,2,5"}, set()),
    (STAGE, {"DYBZSPJDXH": "1,6"}, {("DYBZSPJDXH", "code-not-in-list")}),
    (FIRE, {"SFGBYT": "1", "YYYT": None}, {("YYYT", "missing-conditional-value")}),
    (FIRE, {"SFGBYT": 1, "YYYT": " "}, {("YYYT", "missing-conditional-value")}),
    (FIRE, {"SFGBYT": "0", "YYYT": None}, set()),
    (FIRE, {"TSJSGCQX": "1,12"}, set()),
    (FIRE, {"TSJSGCQX": "1,13"}, {("TSJSGCQX", "code-not-in-list")}),
    (FIRE, {"BWCLLB": "C"}, {("BWCLLB", "code-not-in-list")}),
]


@pytest.mark.parametrize(("table", "values", "expected"), JUDGED)
def test_first_faults(
    table: Table, values: dict[str, object], expected: set[tuple[str, str]]
) -> None:
    assert faults(table, **values) == expected
    assert validates(table, {**good_record(PACKS, table), **values}, Severity.INFO) == (
        not expected
    )


def test_an_exported_schema_only_refuses_what_blocks() -> None:
    """A length of the 2.0 systems only warns, so the exported schema lets it pass."""
    record = {**good_record(PACKS, PROJECT), "ZTZE": "123456789012345"}
    assert validates(PROJECT, record)
    assert not validates(PROJECT, record, Severity.WARNING)
    assert not validates(PROJECT, {**record, "ZTZE": "x"})


def test_an_exported_schema_says_what_it_rests_on() -> None:
    schema = table_schema(PACKS, PROJECT)
    assert schema["title"] == "SPGL_XMJBXXB 项目基本信息表"
    assert "重建，非官方文本" in str(schema["description"])


def test_shipped_schemas_are_current(tmp_path: Path) -> None:
    written = export_json_schema(PACKS, tmp_path)
    assert len(written) == 39
    for path in written:
        name = path.relative_to(tmp_path)
        shipped = Path(__file__).parents[1] / "standards" / name.parent / "schemas" / name.name
        assert shipped.read_text("utf-8") == path.read_text("utf-8"), "run `make docs`"


def test_schema_text_is_json() -> None:
    assert json.loads(schema_text(PACKS, FIRE))["type"] == "object"


def test_a_field_without_any_rule_accepts_every_text() -> None:
    assert faults(PROJECT, GCFW="任意\n文字") == set()
