"""Documents that every rule accepts, and for each use of a rule the same, spoiled for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any, cast

import numpy as np
import polars as pl
from engine_values import packs
from pack_values import CREDIT_CODE, FORMATTED

from validator.compiled import Compiled, compile_uses
from validator.documents import documents_of, judge
from validator.examples import APPLICATION
from validator.form import Document, Mark, Member, Shape
from validator.pack import Kind, Table
from validator.rule import Rule, Use, texts_param

#: Rules that compare applications with rows of 3.0.
ACROSS = {
    "application-without-fire-row", "document-differs-from-record", "fire-row-without-application",
}  # fmt: skip
Records = dict[str, list[dict[str, object]]]

_PLAIN: Mapping[Shape, object] = {
    Shape.TEXT: "样例",
    Shape.CODE: "1",
    Shape.INTEGER: 1,
    Shape.DECIMAL: "100.5",
    Shape.DATE: "2026-03-02",
    Shape.BOOLEAN: True,
    Shape.SLOTS: "1,,,,,,,,,,,",
}
#: Members that must agree with each other.
_FITTING: Mapping[str, object] = {
    "TotalBuildArea": 1500,
    "BuildingUpArea": "1000",
    "BuildingDownArea": 500,
    "BuildingHeight": 250.5,
}
_SPOILED: Mapping[str, object] = {
    "document-value-missing": " ",
    "document-wrong-type": [],
    "document-code-not-in-list": "77",
    "document-wrong-format": "编号",
    "document-wrong-check-digit": CREDIT_CODE[:-1] + "4",
}


def good_document(table: Table, document: Document) -> Any:
    """A document with every member filled; lists hold a row for every code of their first list."""
    made: dict[str, object] = {}
    for place in document.places:
        lists = [m for m in place.part.members if m.codes and m.name in ("DirType", "OpinionType")]
        codes = [c.code for m in lists for c in packs().code_list(table, m.codes[0]).codes]
        rows = [
            {m.name: _value(table, m, code) for m in place.part.members} for code in codes or [None]
        ]
        made[place.name] = rows if place.many else rows[0]
    if document.id == "filing":
        cast("dict[str, object]", made["ProjectDto"])["SpecialSituation"] = ""
    return made[""] if document.listed else made


def _value(table: Table, member: Member, code: str | None) -> object:
    if code is not None and member.codes:
        return code
    if member.name in _FITTING:
        return _FITTING[member.name]
    if member.format is not None:
        return FORMATTED[member.format.name]
    if member.codes and not member.slots:
        return packs().code_list(table, member.codes[0]).codes[0].code
    return _PLAIN[member.shape]


@cache
def compiled(qualified: str) -> Compiled:
    return compile_uses(packs(), (packs().table(qualified),), {}, frozenset(), False)


def in_documents(table: Table, use: Use, frame: pl.DataFrame) -> set[int]:
    """Rows in whose documents one use finds a violation."""
    of = compiled(table.qualified)
    same = [
        n for n, u in enumerate(of.uses)
        if u.rule == use.rule and dict(u.params) == dict(use.params) and u.fields == use.fields
    ]  # fmt: skip
    every = np.ones(frame.height, dtype=np.bool_)
    flaws = judge(of.entries[table.qualified].folders, frame, every)
    return set(flaws.row[np.isin(flaws.use, same)].tolist())


def document_pair(table: Table, rule: Rule, use: Use) -> tuple[Records, Records]:
    """A good record, or good records of several tables, and bad ones for a use."""
    if rule.name in ACROSS:
        return _across(table, rule, use)
    ways = _by_schema if "mark" in use.params else _by_rule
    for document, bad in ways(table, use):
        good = good_document(table, document)
        pair = [{table.qualified: [_record(table, use, document, d)]} for d in (good, bad)]
        (spoiled,) = pair[1][table.qualified]
        frame = pl.DataFrame([spoiled], schema=dict.fromkeys(spoiled, pl.String))
        if in_documents(table, use, frame):
            return cast("tuple[Records, Records]", tuple(pair))
    raise AssertionError(f"no way of spoiling a document for {use}")


def _record(table: Table, use: Use, document: Document, content: object) -> dict[str, object]:
    field = table.by_name[use.fields[0]]
    assert field.document is not None
    value = next(v for v, name in field.document.forms if name == document.id)
    chosen = {} if field.document.by is None else {field.document.by: value}
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return {"LSH": "A1", "SBSJ": "2026-03-05 09:00:00", **chosen, field.name: text}


Ways = Iterator[tuple[Document, object]]


def _by_schema(table: Table, use: Use) -> Ways:
    mark = use.params["mark"]
    assert isinstance(mark, Mark)
    for field, _, document in documents_of(packs(), table):
        if field.name != use.fields[0]:
            continue
        whole = good_document(table, document)
        yield document, 7
        if document.listed:
            yield document, [{**whole[0], "Extra": 1}]
            continue
        for place in document.places:
            yield document, {**whole, place.name: "7", "Extra": 1}
            for member in place.part.members:
                content = deepcopy(whole)
                row = content[place.name][0] if place.many else content[place.name]
                row[member.name] = _SPOILED.get(mark.rule)
                if member.slots and mark.rule == "document-code-not-in-list":
                    row[member.name] = "77" + "," * (member.slots - 1)
                yield document, content


def _by_rule(table: Table, use: Use) -> Ways:
    if use.rule == "document-unreadable":
        for field, _, document in documents_of(packs(), table):
            if field.name == use.fields[0]:
                yield document, "{"
        return
    for _, _, document in documents_of(packs(), table):
        if document.id in texts_param(use, "forms"):
            content = good_document(table, document)
            _spoil(content, use.rule, use.params)
            yield document, content


def _spoil(content: dict[str, Any], rule: str, params: Mapping[str, Any]) -> None:
    def put(path: str, value: object) -> None:
        of = content[params["list"]][0] if "list" in params else content
        *parts, name = path.split("/")
        for part in parts:
            of = of[part]
        of[name] = value

    for path, values in params.get("when", {}).items():
        put(path, {"true": True, "false": False}.get(values[0], values[0]))
    if rule == "document-rows-missing":
        content[params["rows"]] = []
    elif rule == "document-sum-differs":
        put(params["total"], 1501)
    elif rule == "document-part-exceeds-whole":
        put(params["part"], "99999")
    elif rule == "document-number-out-of-range":
        put(params["members"][-1], "-1")
    elif rule == "document-dates-out-of-order":
        put(params["earlier"], "2026-03-06")
    elif rule == "document-reported-late":
        put(params["start"], "2026-02-02")
    elif rule == "document-no-unit-high-enough":
        content[params["rows"]][0][params["member"]] = 250
    else:
        assert rule == "document-surplus-value", f"say how to spoil a document for {rule}"
        value = "7" if "list" in params else "1,,,,,,,,,,,"
        put(params["members"][0], value)


def _across(table: Table, rule: Rule, use: Use) -> tuple[Records, Records]:
    own, other = texts_param(use, "own"), texts_param(use, "other")
    linked = str(use.params["linked"])
    item = {str(use.params["item"]): use.params["value"]}
    if rule.name != "document-differs-from-record":
        mine, theirs = (item, {}) if table.qualified == APPLICATION else ({}, item)
        first = {**mine, own[0]: "A1"}
        good = {table.qualified: [first], linked: [{**theirs, other[0]: "A1"}]}
        bad = {table.qualified: [first], linked: [{**theirs, other[0]: "A2"}]}
        return good, bad
    name, _, path = str(use.params["mine"]).partition("#")
    kind = Kind(str(use.params["kind"]))
    values = {Kind.DATE: ("2026-03-02", "2026-03-03"), Kind.TEXT: ("样例", "另一个")}
    same, differs = values.get(kind, ("1", "2"))
    written: object = same
    for step in reversed(path.split("/") if path else []):
        written = {step: written}
    cell = json.dumps(written, ensure_ascii=False) if path else same
    first = {**item, own[0]: "A1", name: cell}
    theirs_name = str(use.params["theirs"])
    good, bad = (
        {table.qualified: [first], linked: [{other[0]: "A1", theirs_name: value}]}
        for value in (same, differs)
    )
    return good, bad
