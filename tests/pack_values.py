"""Synthetic values that every field rule of the shipped packs accepts, and some odd texts."""

from __future__ import annotations

from validator.pack import Field, Kind, Packs, Table

CREDIT_CODE = "91350100M000100Y43"
CITIZEN_NUMBER = "11010519491231002X"

FORMATTED = {
    "division-code": "370800",
    "credit-code": CREDIT_CODE,
    "citizen-number": CITIZEN_NUMBER,
    "project-code": "2401-370800-04-01-100126",
    "mobile-number": "13000000000",
    "item-code": "0120001",
    "industry-code": "E4710",
    "coordinates": "116.58,35.41;116.59,35.42",
    "file-name": "图纸.pdf",
    "web-address": "https://files.example/1",
}
_PLAIN = {
    Kind.TEXT: "样例",
    Kind.INTEGER: "12",
    Kind.DECIMAL: "1.5",
    Kind.DATE: "2024-03-05",
    Kind.DATETIME: "2024-03-05 09:30:00",
    Kind.BINARY: "AAECAw==",
}
#: Texts that meet every kind of fault somewhere: form, length, code, shape, check digit, blank.
ODD_TEXTS = (
    "", " ", "\u3000", "0", "1", "2", "01", "-1", "1.0", "1.50", "1e5", "99", "12345678901",
    "123456789012345", "１２", "abc", "A", "B1", "a,b", "1,2", "1,13", "1^2", "2024-03-05",
    "2024-02-30", "2024-03-05 00:00:00", "2024-03-05T09:30:00", "2024-03-05 09:30:00.0",
    "2024-03-05 25:00:00", "37080", "370800", CREDIT_CODE, CREDIT_CODE[:-1] + "4", CITIZEN_NUMBER,
    CITIZEN_NUMBER[:-1] + "1", "2401-370800-04-01-100126", "2020-440100-01-01-000001",
    "13000000000", "0120001", "E4710", "116.58,35.41", "AAECAw==", "AAE", "1\n2",
    "9999999999999999999",
)  # fmt: skip


def good_value(packs: Packs, table: Table, field: Field) -> str:
    """A value that fits: a listed code, the shape of the first format, else one of the kind."""
    codes = packs.code_list(table, field.codes.list).codes if field.codes else ()
    if codes:
        return codes[-1 if codes[0].code == "0" else 0].code
    if field.formats:
        return FORMATTED[field.formats[0].name]
    return _PLAIN[field.kind]


def good_record(packs: Packs, table: Table) -> dict[str, str]:
    """A record of the table with every field filled."""
    return {f.name: good_value(packs, table, f) for f in table.fields}
