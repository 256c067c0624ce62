"""One conforming and one violating example for every use of a rule.

What a field, key or reference declares by itself is derived from the declaration (`derived`); what
a pack writes as a use with parameters has its example in
`conformance/PACK/RULE/uses.jsonl`, one line per use, found by `written`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from document_values import ACROSS, document_pair, in_documents
from engine_values import packs
from pack_values import FORMATTED, good_record

from validator.dataset import Index, read, shapes
from validator.lexical import BLANK
from validator.pack import Condition, FormatUse, Kind, Reference, Table
from validator.plan import Plan, compile
from validator.rule import Rule, Scope, Use
from validator.rules import rules

ROOT = Path(__file__).parent / "conformance"
TODAY = "2026-11-24"
#: Of the source and of the engine itself: their own tests produce them.
ELSEWHERE = {
    "unreadable-record", "unknown-field", "unknown-table",
    "duplicate-key", "repeated-record", "parent-not-conforming", "value-normalised",
}  # fmt: skip

Records = Mapping[str, Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Records by bare table name. `rows`: positions in the use's table at which `bad` fails."""

    good: Records
    bad: Records
    rows: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Place:
    """A use, named so that a file can name it: the n-th of its rule, table and fields."""

    rule: Rule
    use: Use
    n: int

    @property
    def table(self) -> Table:
        return packs().table(self.use.table)

    @property
    def line(self) -> tuple[str, tuple[str, ...], int]:
        return self.table.name, self.use.fields, self.n

    def __str__(self) -> str:
        return f"{self.rule.name} {self.table.name} {'+'.join(self.use.fields)} {self.n}"


@cache
def places() -> tuple[Place, ...]:
    """Every use of every rule in every table."""
    found = []
    for table in packs().tables():
        for rule in rules().values():
            if rule.uses is None or rule.name in ELSEWHERE:
                continue
            seen: dict[tuple[str, ...], int] = {}
            for use in rule.uses(packs(), table):
                n = seen.get(use.fields, 0)
                seen[use.fields] = n + 1
                found.append(Place(rule, use, n))
    return tuple(found)


@cache
def written() -> dict[tuple[str, str, tuple[str, ...], int], Pair]:
    """The examples on file, by rule, table, fields and ordinal."""
    found: dict[tuple[str, str, tuple[str, ...], int], Pair] = {}
    for path in sorted(ROOT.glob("*/*/uses.jsonl")):
        for text in path.read_text("utf-8").splitlines():
            line: dict[str, Any] = json.loads(text)
            key = (path.parent.name, line["table"], tuple(line["fields"]), line.get("n", 0))
            assert key not in found, f"{path}: {key} stands twice"
            rows = tuple(line.get("rows", (0,)))
            found[key] = Pair(line["good"], line["bad"], rows)
    return found


def pair_of(place: Place) -> Pair | None:
    """The example pair of a use; None where it has none."""
    return derived(place) or written().get((place.rule.name, *place.line))


def derived(place: Place) -> Pair | None:
    """The pair that follows from what a field, a key or a reference declares."""
    if place.rule.scope is Scope.DOCUMENT or place.rule.name in ACROSS:
        good, bad = document_pair(place.table, place.rule, place.use)
        return Pair(good, bad)
    make = _DERIVED.get(place.rule.name)
    return make(place) if make else None


def judged(place: Place, records: Records) -> set[int]:
    """Positions in the use's table at which this one use finds a violation."""
    rule, use = place.rule, place.use
    if rule.scope is Scope.DOCUMENT:
        return in_documents(place.table, use, _frame(place.table, records))
    if rule.query is not None and rule.needs is not None:
        needs = rule.needs(packs(), use)
        shape = shapes(packs(), needs)
        asked = {q: packs().table(q) for q in {need.table for need in needs}}
        kept = {q: read(t, shape[q], _frame(t, records)) for q, t in asked.items()}
        index = Index(packs(), kept, {})
        return set(rule.query(use, [index.frame(n) for n in needs])["row"].to_list())
    table = place.table
    check = next(
        c for c in _plan(use.table).checks
        if (c.rule.name, c.use.fields) == (rule.name, use.fields) and _same(c.use, use)
    )  # fmt: skip
    frame = _frame(table, records)
    bad = frame.select(check.bad.fill_null(False).alias("bad"))["bad"]
    if bad.any():
        assert frame.select(check.may).item(), "stage A would not ask this check"
    return set(bad.arg_true().to_list())


@cache
def _plan(qualified: str) -> Plan:
    return compile(packs(), packs().table(qualified), {}, TODAY)


def _same(one: Use, other: Use) -> bool:
    plain = {k: v for k, v in one.params.items() if k != "today"}
    return plain == dict(other.params) and one.reference == other.reference


def _frame(table: Table, records: Records) -> pl.DataFrame:
    """The records of a table as the plan sees them: every field, blank cells null."""
    rows = records.get(table.qualified, records.get(table.name, ()))
    names = [f.name for f in table.fields]
    data = {n: [None if r.get(n) is None else str(r[n]) for r in rows] for n in names}
    frame = pl.DataFrame(data, schema=dict.fromkeys(names, pl.String))
    return frame.with_columns(
        pl.when(pl.col(n).str.strip_chars(BLANK) != "").then(pl.col(n)).alias(n) for n in names
    )


def _changed(place: Place, **cells: object) -> Pair:
    """A good record of the table, and the same with other cells."""
    good: dict[str, object] = dict(good_record(packs(), place.table))
    when = place.use.params.get("when")
    of = place.use.params.get("use")
    condition = of.when if isinstance(of, FormatUse) else when
    if isinstance(condition, Condition):
        good[condition.field] = condition.values[0]
    if isinstance(of, FormatUse):
        value = FORMATTED[of.name]
        good[place.use.fields[0]] = value if of.when else good[place.use.fields[0]]
    return Pair({place.table.name: [good]}, {place.table.name: [{**good, **cells}]})


def _emptied(place: Place) -> Pair:
    return _changed(place, **{place.use.fields[0]: " \u3000"})


def _ill_formed(place: Place) -> Pair | None:
    field = place.table.by_name[place.use.fields[0]]
    if field.kind is Kind.TEXT:
        return None
    return _changed(place, **{field.name: "二O二四"})


def _lengthened(place: Place) -> Pair:
    length = place.table.by_name[place.use.fields[0]].length
    assert length is not None
    return _changed(place, **{place.use.fields[0]: "1" * (length.max + 1)})


def _unlisted(place: Place) -> Pair:
    return _changed(place, **{place.use.fields[0]: "9753"})


def _misshapen(place: Place) -> Pair:
    return _changed(place, **{place.use.fields[0]: "编号"})


def _slipped(place: Place) -> Pair:
    of = place.use.params["use"]
    assert isinstance(of, FormatUse)
    slips = {"credit-code": "91350100M000100Y44", "citizen-number": "990101199003070000"}
    return _changed(place, **{place.use.fields[0]: slips[of.name]})


def _keyless(place: Place) -> Pair:
    return _changed(place, **dict.fromkeys(place.table.key.fields))


def _undone(place: Place) -> Pair:
    return _changed(place, SJYXBS="0", SJWXYY=None)


def _orphaned(place: Place) -> Pair:
    reference = place.use.params["use"]
    assert isinstance(reference, Reference)
    parent = packs().table(reference.table)
    child = dict.fromkeys(reference.fields, "7")
    held = dict.fromkeys(reference.target_fields, "7")
    if parent.qualified == place.use.table:
        row = {**child, **held}
        lonely = {**child, **dict.fromkeys(reference.target_fields, "8")}
        return Pair({parent.name: [row]}, {parent.name: [lonely]})
    name = place.table.name
    return Pair({name: [child], parent.name: [held]}, {name: [child]})


def _constant(value: str) -> Any:
    def make(place: Place) -> Pair:
        return _changed(place, **{place.use.fields[0]: value})

    return make


_DERIVED: dict[str, Any] = {
    "missing-value": _emptied,
    "missing-conditional-value": _emptied,
    "wrong-type": _ill_formed,
    "too-long": _lengthened,
    "code-not-in-list": _unlisted,
    "wrong-format": _misshapen,
    "wrong-check-digit": _slipped,
    "blank-key": _keyless,
    "missing-invalid-reason": _undone,
    "dangling-reference": _orphaned,
    "damaged-number": _constant("3.70811E+17"),
    "coordinates-swapped": _constant("35.4152,116.5871"),
    "coordinates-outside-country": _constant("39462310.5,3919823.2"),
    "division-not-a-city": _constant("370811"),
}


def text_fields() -> Iterator[Place]:
    """Uses of wrong-type in text fields: every text is one, only native values are wrong."""
    for place in places():
        kind = place.table.by_name[place.use.fields[0]].kind if place.use.fields else None
        if place.rule.name == "wrong-type" and kind is Kind.TEXT:
            yield place
