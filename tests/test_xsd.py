"""XML Schema of tables through lxml: good and bad documents, and agreement with JSON Schema."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from pack_values import ODD_TEXTS, good_record

from validator.json_schema import record_uses, reference_checker
from validator.load import load_packs
from validator.pack import Table
from validator.violation import Severity
from validator.xsd import export_xsd, said, table_xsd, translated

PACKS = load_packs()
PROJECT = PACKS.table("data-sharing-3.0/SPGL_XMJBXXB")
XSI = "http://www.w3.org/2001/XMLSchema-instance"


@cache
def compiled(qualified: str, least: Severity) -> etree.XMLSchema:
    table = PACKS.table(qualified)
    return etree.XMLSchema(etree.fromstring(table_xsd(PACKS, table, least=least)))


def document(table: Table, *records: dict[str, str]) -> etree._Element:
    root = etree.Element(table.name)
    for record in records:
        element = etree.SubElement(root, "record")
        for name, value in record.items():
            etree.SubElement(element, name).text = value
    return root


def is_valid(table: Table, record: dict[str, str], least: Severity = Severity.ERROR) -> bool:
    return bool(compiled(table.qualified, least).validate(document(table, record)))


@pytest.mark.parametrize("table", PACKS.tables(), ids=lambda t: t.name)
def test_every_schema_compiles_and_accepts_good_records(table: Table) -> None:
    good = good_record(PACKS, table)
    for least in Severity:
        root = document(table, good, dict(reversed(good.items())))
        assert compiled(table.qualified, least).validate(root)


#: Values that replace those of a good record of the project table, and whether XSD takes them.
JUDGED = [
    ({"GCFW": ""}, True),
    ({"SFXXGC": ""}, True),
    ({"SFXXGC": "\u3000 "}, True),
    ({"SFXXGC": "2"}, False),
    ({"JSDW": " "}, False),
    ({"JSDW": "甲\n乙"}, True),
    ({"NKGSJ": "2024-02-29"}, True),
    ({"NKGSJ": "2023-02-29"}, False),
    ({"ZTZE": "12.50"}, True),
    ({"ZTZE": "1e5"}, False),
    ({"XZQHDM": "37080"}, False),
    ({"GCDM": "\t"}, False),
    ({"JSGMJNR_": "x"}, False),
]


@pytest.mark.parametrize(("values", "expected"), JUDGED)
def test_documents(values: dict[str, str], expected: bool) -> None:
    assert is_valid(PROJECT, good_record(PACKS, PROJECT) | values) == expected


def test_optional_elements_may_be_absent_or_nil_and_required_ones_not() -> None:
    schema = compiled(PROJECT.qualified, Severity.ERROR)
    root = document(PROJECT, good_record(PACKS, PROJECT))
    optional = root.find("record/SFXXGC")
    assert optional is not None
    optional.text = None
    optional.set(f"{{{XSI}}}nil", "true")
    assert schema.validate(root)
    optional.getparent().remove(optional)
    assert schema.validate(root)
    required = root.find("record/JSDW")
    assert required is not None
    required.getparent().remove(required)
    assert not schema.validate(root)


@pytest.mark.parametrize("name", ["SPGL_XMJBXXB", "SPGL_SPJDXXB", "SPGL_JSGCXFSJSCXXB"])
def test_xsd_and_json_schema_agree_on_every_field_and_odd_text(name: str) -> None:
    """Over the uses that XSD says in full, one changed field at a time."""
    (table,) = PACKS.named(name)
    kept = [(r, u) for r, u in record_uses(PACKS, table) if said(PACKS, table, r, u)]
    schema = compiled(table.qualified, Severity.INFO)
    good = good_record(PACKS, table)
    root = document(table, good)
    for field in table.fields:
        element = root.find(f"record/{field.name}")
        assert element is not None
        own = [(r, u) for r, u in kept if field.name in u.fields]
        reference = reference_checker(PACKS, table, own)
        for text in ODD_TEXTS:
            element.text = text
            faults = reference.first_faults(good | {field.name: text})
            assert schema.validate(root) == (not faults), (field.name, text, faults)
        element.text = good[field.name]


def test_what_xsd_cannot_say_is_named_in_it() -> None:
    root = etree.fromstring(table_xsd(PACKS, PROJECT))
    notes = [e.text or "" for e in root.iterfind("{*}annotation/{*}documentation")]
    assert "重建，非官方文本" in notes
    assert "Not said here: wrong-check-digit (JSDWDM)" in notes
    assert not any("wrong-type" in note for note in notes)


def test_patterns_that_xsd_lacks_are_refused() -> None:
    assert translated("(?:a|b)[^c]") == "(a|b)[^c]"
    with pytest.raises(ValueError, match="XSD has no"):
        translated("a(?!b)")


def test_shipped_schemas_are_current(tmp_path: Path) -> None:
    written = export_xsd(PACKS, tmp_path)
    assert len(written) == 39
    for path in written:
        name = path.relative_to(tmp_path)
        shipped = Path(__file__).parents[1] / "standards" / name.parent / "schemas" / name.name
        assert shipped.read_bytes() == path.read_bytes(), "run `make docs`"
