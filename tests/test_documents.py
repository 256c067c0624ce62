"""Documents inside cells: read strictly, judged by their schema and rules, told by JSON Pointer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from engine_values import checked, given, packs
from jsonschema import Draft202012Validator

from validator.check import Options
from validator.compiled import compile_uses
from validator.documents import documents_of, judge
from validator.examples import APPLICATION
from validator.form_schema import document_schema
from validator.paper import DEEPEST, LARGEST, PaperError, read
from validator.violation import Severity, Violation

TABLE = packs().table(APPLICATION)
FILE = {"Name": "图纸.pdf", "Code": "https://files.example/1", "DirType": 1}
NUMBER = "110105194912310021"


def found(
    document: object, folder: Path, *, item: str = "1", show: bool = False, **cells: object
) -> list[Violation]:
    """The violations of one application that name its document."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    record = {"LSH": "A1", "SPLCLX": item, "FORMS_JSON": text, **cells}
    options = Options(fingerprint_key=b"key", show_personal=show)
    run = checked(given({APPLICATION: (record,)}), folder, options)
    return [v for v in run.violations() if v.fields == ("FORMS_JSON",)]


def told(violations: list[Violation], *rules: str) -> set[tuple[str, str | None]]:
    """(rule, pointer), of the named rules or all that are no mere completeness."""
    quiet = {"document-value-missing", "document-rows-missing"}
    return {
        (v.rule, v.pointer)
        for v in violations
        if (v.rule in rules if rules else v.rule not in quiet)
    }


@pytest.mark.parametrize(
    ("text", "pointer", "reason"),
    [
        ("{", "", "character 2"),
        ("nonsense", "", "character 1"),
        ('{"a": 1, "a": 2}', "/a", "stands twice"),
        ('{"a": [{"b": 1, "b": 1}]}', "/a/0/b", "stands twice"),
        ('{"a": NaN}', "", "NaN"),
        ('{"a": -Infinity}', "", "NaN"),
        ("\ufeff{}", "", "byte order mark"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "", "nested"),
        ("[" * 100_000, "", "nested"),
        ('{"a": "\\ud800"}', "", "character"),
        ('{"a": 1} trailing', "", "character"),
        ('"' + "x" * LARGEST + '"', "", "characters, more than"),
    ],
    ids=range(12),
)
def test_what_no_two_readers_take_alike_is_refused(text: str, pointer: str, reason: str) -> None:
    with pytest.raises(PaperError, match=reason) as failure:
        read(text)
    assert failure.value.pointer == pointer


def test_brackets_inside_texts_are_no_depth() -> None:
    assert read(json.dumps({"a": '[{"' * 500})) == {"a": '[{"' * 500}


def test_a_number_beyond_64_bits_stays_what_it_is() -> None:
    assert read('{"a": 12345678901234567890123}') == {"a": 12345678901234567890123}


@pytest.mark.parametrize("text", ["{", '{"ProjectDto": {}, "ProjectDto": {}}', "[]", "3"])
def test_one_document_that_cannot_be_read_is_one_fault(text: str, tmp_path: Path) -> None:
    (violation,) = [v for v in found(text, tmp_path) if v.severity is Severity.ERROR]
    assert violation.rule in ("document-unreadable", "document-wrong-type")
    assert text not in (violation.message.zh, violation.message.en)


def test_faults_are_told_by_pointer_each_with_its_own_fingerprint(tmp_path: Path) -> None:
    document = {
        "ProjectDto": {"IsSpecialDesign": "1", "Kode": 1, "ConstructionDate": "2026/3/1"},
        "FireFileDtos": [FILE, {**FILE, "DirType": 21}, {**FILE, "Name": "a", "Code": "x"}],
        "CompanyDtos": {},
    }
    violations = found(document, tmp_path)
    assert told(violations) == {
        ("document-wrong-type", "/ProjectDto/IsSpecialDesign"),
        ("document-wrong-type", "/ProjectDto/ConstructionDate"),
        ("document-wrong-type", "/CompanyDtos"),
        ("document-unknown-member", "/ProjectDto/Kode"),
        ("document-code-not-in-list", "/FireFileDtos/1/DirType"),
        ("document-wrong-format", "/FireFileDtos/2/Name"),
        ("document-wrong-format", "/FireFileDtos/2/Code"),
    }
    assert len({v.fingerprint for v in violations}) == len(violations)
    places = [(v.pointer, v.rule) for v in violations]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("value", ["", None, " ", "1500", "1500.5", 1500, 1500.5])
def test_numbers_may_be_texts_and_blanks_are_missing(value: object, tmp_path: Path) -> None:
    violations = found({"ProjectDto": {"TotalInvestment": value}}, tmp_path)
    assert told(violations) == set()


@pytest.mark.parametrize("value", [True, "1e5", "1,500", "约1500", [], {"a": 1}, "１２"])
def test_what_is_no_number_is_said(value: object, tmp_path: Path) -> None:
    violations = found({"ProjectDto": {"TotalInvestment": value}}, tmp_path)
    assert told(violations) == {("document-wrong-type", "/ProjectDto/TotalInvestment")}


@pytest.mark.parametrize("name", ["CompanyName", "companyName"])
def test_both_spellings_are_taken(name: str, tmp_path: Path) -> None:
    document = {"CompanyOpinionDtos": [{name: "某单位", "OpinionType": "1"}]}
    assert told(found(document, tmp_path, item="2")) == set()
    wrong = {"CompanyOpinionDtos": [{name: 3, "OpinionType": "1"}]}
    pointer = f"/CompanyOpinionDtos/0/{name}"
    assert told(found(wrong, tmp_path / "wrong", item="2")) == {("document-wrong-type", pointer)}


@pytest.mark.parametrize(
    ("slots", "rules"),
    [
        ("1,,,,,,,,,,,12", set()),
        ("1, ,null,,,,,,,,,", set()),
        (",,,,,,,,,,,", {"document-value-missing"}),
        ("null,,,,,,,,,,,null", {"document-value-missing"}),
        ("", {"document-value-missing"}),
        ("1,2", {"document-wrong-type"}),
        ("13,,,,,,,,,,,", {"document-code-not-in-list"}),
    ],
)
def test_special_situations_stand_in_twelve_places(
    slots: str, rules: set[str], tmp_path: Path
) -> None:
    violations = found({"ProjectDto": {"SpecialSituation": slots}}, tmp_path)
    assert {v.rule for v in violations if v.pointer == "/ProjectDto/SpecialSituation"} == rules


def test_the_item_chooses_the_document(tmp_path: Path) -> None:
    document = {"ProjectDto": {"IsReview": False}, "CompanyOpinionDtos": []}
    assert told(found(document, tmp_path, item="3")) == set()
    review = told(found(document, tmp_path / "1", item="1"))
    assert review == {
        ("document-unknown-member", "/ProjectDto/IsReview"),
        ("document-unknown-member", "/CompanyOpinionDtos"),
    }
    assert found(document, tmp_path / "9", item="9") == []


def test_invalid_rows_are_not_judged(tmp_path: Path) -> None:
    assert found("{", tmp_path, SJYXBS="0") == []


def test_personal_values_are_masked_everywhere(tmp_path: Path) -> None:
    document = {
        "ProjectDto": {"ContactIdCard": int(NUMBER), "Contact": {"a": NUMBER}, NUMBER: NUMBER}
    }
    violations = found(document, tmp_path)
    everything = json.dumps([v.to_json() for v in violations], ensure_ascii=False)
    assert NUMBER not in everything
    assert told(violations) == {
        ("document-wrong-type", "/ProjectDto/ContactIdCard"),
        ("document-wrong-type", "/ProjectDto/Contact"),
        ("document-unknown-member", "/ProjectDto/11****************"),
    }
    stored = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert NUMBER.encode() not in stored
    shown = found(document, tmp_path / "shown", show=True)
    assert NUMBER in {v.value for v in shown}


def test_an_unreadable_document_shows_only_its_size(tmp_path: Path) -> None:
    text = f'{{"ProjectDto": {{"ContactIdCard": "{NUMBER}"'
    (violation,) = found(text, tmp_path)
    assert violation.value == f'{{…" ({len(text)})'
    assert NUMBER not in json.dumps(violation.to_json())


def test_equal_documents_are_judged_once() -> None:
    text = json.dumps({"ProjectDto": {"IsSpecialDesign": "1"}})
    (folder,) = compile_uses(packs(), (TABLE,), {}, frozenset(), False).entries[APPLICATION].folders
    frame = pl.DataFrame({"LSH": ["1", "2"], "SPLCLX": ["1", "1"], "FORMS_JSON": [text, text]})
    judged = judge((folder,), frame, np.array([True, True]))
    half = len(judged.flaws) // 2
    assert judged.row.tolist() == [0] * half + [1] * half
    assert all(one is other for one, other in zip(judged.flaws, judged.flaws[half:], strict=False))


def test_violations_of_cells_and_documents_come_by_record(tmp_path: Path) -> None:
    record: Mapping[str, object] = {"LSH": "A", "SPLCLX": "9", "XZQHDM": "37", "FORMS_JSON": "{"}
    run = checked(
        given({APPLICATION: tuple({**record, "LSH": str(i)} for i in range(5))}), tmp_path
    )
    records = [v.record for v in run.violations() if v.record is not None]
    assert records == sorted(records)


def test_the_documents_have_the_members_that_were_seen() -> None:
    sizes = {
        document.id: [(p.name, len(p.part.members)) for p in document.places]
        for _, _, document in documents_of(packs(), TABLE)
    }
    lists = [("FireMonomerDtos", 13), ("CompanyDtos", 11), ("FireFileDtos", 3)]
    opinions = ("CompanyOpinionDtos", 4)
    assert sizes == {
        "design-review": [("ProjectDto", 41), *lists],
        "acceptance": [("ProjectDto", 39), *lists, opinions],
        "filing": [("ProjectDto", 45), *lists, opinions],
    }


def test_every_schema_is_a_schema() -> None:
    for table in packs().tables():
        for _, _, document in documents_of(packs(), table):
            Draft202012Validator.check_schema(document_schema(packs(), table, document))


def test_a_feedback_list_is_a_list(tmp_path: Path) -> None:
    table = "fire-application/SPGL_XMCLBZQDXXB"
    texts = ('[{"Name": "申请表"}]', '{"Name": "申请表"}', '[{"Name": 3}, 4]')
    records = tuple({"ID": str(i), "FORMS_JSON": t} for i, t in enumerate(texts))
    run = checked(given({table: records}), tmp_path)
    wrong = [(v.record, v.pointer) for v in run.violations() if v.rule == "document-wrong-type"]
    assert wrong == [(2, ""), (3, "/0/Name"), (3, "/1")]
