"""A place inside a document is told by every report, and by nothing else than its pointer."""

from __future__ import annotations

import html
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from document_values import compiled, good_document
from engine_values import checked, given, packs
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from validator.check import Checked, Options
from validator.documents import documents_of
from validator.examples import APPLICATION
from validator.form_schema import CHAIN, document_schema
from validator.json_schema import format_checker
from validator.report_file import read
from validator.reports import FORMATS, ReportOptions
from validator.reports.flat import COLUMNS

TABLE = packs().table(APPLICATION)
POINTER = "/FireFileDtos/0/DirType"
PROFILE = settings(derandomize=True, deadline=None, max_examples=30, database=None)


def run(folder: Path) -> Checked:
    document = {"FireFileDtos": [{"Name": "a.pdf", "Code": "https://files.example", "DirType": 99}]}
    record = {"LSH": "A1", "SPLCLX": "1", "FORMS_JSON": json.dumps(document), "XZQHDM": "37"}
    return checked(given({APPLICATION: (record,)}), folder, Options(fingerprint_key=b"k"))


def written(name: str, result: Any) -> bytes:
    out = io.BytesIO()
    FORMATS[name].render(result, packs(), out, lang="en", options=ReportOptions())
    return out.getvalue()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_report_names_the_place(name: str, tmp_path: Path) -> None:
    made = written(name, run(tmp_path))
    if name == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(made))["Violations"]
        heads = [cell.value for cell in next(sheet.iter_rows())]
        at = heads.index("Place in the document")
        assert POINTER in [row[at].value for row in sheet.iter_rows()]
    else:
        assert POINTER in html.unescape(made.decode()).replace("\\/", "/")


def test_only_documents_have_a_pointer(tmp_path: Path) -> None:
    found = [json.loads(line) for line in written("jsonl", run(tmp_path)).splitlines()]
    assert {v["pointer"] for v in found if v["fields"] != ["FORMS_JSON"]} == {None}
    (code,) = [v for v in found if v["rule"] == "document-code-not-in-list"]
    assert (code["pointer"], code["value"]) == (POINTER, "99")


def test_sarif_names_it_as_a_logical_location(tmp_path: Path) -> None:
    results = json.loads(written("sarif", run(tmp_path)))["runs"][0]["results"]
    (code,) = [r for r in results if r["ruleId"] == "document-code-not-in-list"]
    places = code["locations"][0]["logicalLocations"]
    assert places[-1] == {"fullyQualifiedName": f"FORMS_JSON#{POINTER}", "kind": "property"}
    assert code["properties"]["pointer"] == POINTER
    (cell,) = [r for r in results if r["ruleId"] == "wrong-format"]
    assert "pointer" not in cell["properties"]


def test_csv_has_a_column_for_it() -> None:
    assert [c.name for c in COLUMNS].index("pointer") + 1 == [c.name for c in COLUMNS].index(
        "value"
    )


def test_a_json_report_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(written("json", run(tmp_path / "store")))
    assert POINTER in {v.pointer for v in read(path).violations()}


DOCUMENTS = [document for _, _, document in documents_of(packs(), TABLE)]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**20), st.floats(allow_nan=False),
    st.sampled_from(["", " ", "\u3000", "0", "1", "-1", "01", "1.50", "2026-02-30", "2026-03-05",
                     "2026-03-05 00:00:00", "null", "1,,,,,,,,,,,", ",", "12\n", "１", "A", "B1"]),
    st.lists(st.integers(), max_size=1), st.dictionaries(st.sampled_from(["a"]), st.integers()),
)  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.id)
def test_rules_speak_where_the_exported_schema_does(document: Any) -> None:
    of = compiled(APPLICATION)
    (folder,) = of.entries[APPLICATION].folders
    schema = document_schema(packs(), TABLE, document)
    validator = Draft202012Validator(schema, format_checker=format_checker())
    (field,) = [f for f in TABLE.fields if f.document]
    assert field.document is not None
    item = next(value for value, name in field.document.forms if name == document.id)
    places = [(p, m) for p in document.places for m in p.part.members]

    @PROFILE
    @drawn(st.lists(st.tuples(st.sampled_from(places), ODD), max_size=4), st.data())
    def agree(changes: list[Any], data: st.DataObject) -> None:
        content = good_document(TABLE, document)
        for (place, member), value in changes:
            row = content[place.name][0] if place.many else content[place.name]
            if data.draw(st.booleans()):
                row[member.name] = value
            else:
                row.pop(member.name, None)
        told = folder.told(json.dumps(content), {"SPLCLX": item})
        said = {of.uses[number].rule for number, _ in told}
        assert bool(said & set(CHAIN)) == (not validator.is_valid(content))

    agree()
