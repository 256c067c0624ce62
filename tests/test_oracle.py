"""The bulk engine against its oracles on generated records: JSON Schema record by record, and XSD.

Hypothesis runs derandomised, with the odd values on which engines are known to differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl
import pytest
from engine_values import Cells, Given, packs
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree
from pack_values import ODD_TEXTS, good_record

from validator import plan
from validator.dataset import Mark, marks
from validator.native import plain
from validator.pack import Table
from validator.plan import Faults, Plan
from validator.reference import schema_engine
from validator.rules import rules
from validator.violation import Severity
from validator.xsd import table_xsd

TABLES = packs().tables()
PROFILE = settings(
    derandomize=True,
    deadline=None,
    max_examples=12,
    database=None,
    suppress_health_check=list(HealthCheck),
)

#: Values of section 2.4 of the study of validators, on which common engines disagree.
TRAPS = (
    ".5", "1.", "+1", "0x10", "1_000", " 1", "1 ", "NaN", "inf", "-0", "00", "007", "1.50",
    "1e5", "2024-1-5", " 2024-01-05", " 2024-1-05", "2024-01-05T00:00:00", "2024-01-05Z",
    "2024-01-05+08:00", "0000-01-01", "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29",
    "2100-02-29", "123\n", "\n1", "１２３", "٣", "9223372036854775807", "9223372036854775808",
    "-9223372036854775807", "9" * 40, "0." + "0" * 30, "1.0", "1.0000", "-1.5", "--1",
    "2024-03-05 00:00:00", "2024-03-05 24:00:00", "2024-03-05 23:59:60", "2024-03-05 23:59:59",
    "2024-03-05 10:00:00.000", "2024-03-05 10:00:00.001", "2024-13-01", "2024-00-10",
    "\u00a0", "\u2003", "\ufeff", "\x00", "a\u0301", "🙂", "字" * 300, "'", '"', "<a>&amp;",
    "1,,2", ",", "1, 2", "1,1", "^", "YQ==", "YQ=", "YQ", "Y Q=", "----",
    "91350100m000100y43", "11010519491231002x", "110105194912310021", "110105199902300026",
)  # fmt: skip
TEXTS = st.one_of(
    st.none(), st.sampled_from(ODD_TEXTS), st.sampled_from(TRAPS), st.text(max_size=12)
)
NATIVES = st.one_of(
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.sampled_from([0, 1, 2, 3, 1.0, 1.5, 2.25, 100000.0, 1e16, 1e22, -0.5, 12345678901234.5]),
)


@cache
def compiled(name: str) -> Plan:
    return plan.compile(packs(), packs().table(name), {})


@st.composite
def records(draw: st.DrawFn, table: Table, values: st.SearchStrategy[object]) -> list[Cells]:
    """Good records with a few cells changed or left out."""
    names = [f.name for f in table.fields]
    made = []
    for _ in range(draw(st.integers(1, 3))):
        record: dict[str, object] = dict(good_record(packs(), table))
        for name in draw(st.lists(st.sampled_from(names), max_size=8, unique=True)):
            record[name] = draw(values)
        for name in draw(st.lists(st.sampled_from(names), max_size=2)):
            record.pop(name, None)
        made.append(record)
    return made


Found = list[tuple[int, str, tuple[str, ...], str]]


def named(of: Plan, faults: Faults) -> Found:
    return [
        (
            int(row),
            of.checks[use].rule.name,
            of.checks[use].use.fields,
            of.checks[use].use.reference,
        )
        for use, row in zip(faults.use, faults.row, strict=True)
    ]


def both(table: Table, rows: Sequence[Cells]) -> tuple[Found, Found]:
    """Faults by the bulk engine and by JSON Schema."""
    of = compiled(table.qualified)
    batch = next(iter(Given(table, "x", tuple(rows)).batches(1000)))
    frame, wrong = plain(packs(), table, batch)
    seen = marks(frame)
    judged, invalid = seen <= Mark.REFUSED, seen == Mark.INVALID
    bulk = plan.judge(of, frame, wrong, judged, invalid)
    return named(of, bulk), named(of, schema_engine()(of, batch, frame, wrong, judged, invalid))


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_bulk_engine_agrees_with_json_schema(table: Table) -> None:
    @PROFILE
    @given(records(table, TEXTS))
    def agree(rows: list[Cells]) -> None:
        bulk, schema = both(table, rows)
        assert bulk == schema

    agree()


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_bulk_engine_agrees_with_json_schema_on_native_values(table: Table) -> None:
    @settings(PROFILE, max_examples=6)
    @given(records(table, NATIVES))
    def agree(rows: list[Cells]) -> None:
        bulk, schema = both(table, rows)
        assert bulk == schema

    agree()


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_trap_in_every_field(table: Table) -> None:
    """A record per odd value, the same value in every field."""
    values = [*ODD_TEXTS, *TRAPS]
    rows = [{f.name: v for f in table.fields} for v in values]
    rows = [{**r, "SJYXBS": "1", "SJSCZT": "0"} for r in rows]
    bulk, schema = both(table, rows)
    assert bulk == schema
    assert bulk


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_native_types_by_schema(table: Table) -> None:
    """The exported type fragment takes exactly the native values that the engine takes."""
    of = compiled(table.qualified)
    schema = rules()["wrong-type"].json_schema
    assert schema is not None
    values: list[object] = [0, 1, -5, 1.0, 2.5, True, False, 2**63 - 1, 2**63, -(2**63)]
    rows = [{f.name: v for f in table.fields if f.name not in ("SJYXBS", "SJSCZT")} for v in values]
    bulk, _ = both(table, rows)
    mine = {(row, fields[0]) for row, rule, fields, _ in bulk if rule == "wrong-type"}
    for check in of.checks:
        if check.rule.name == "wrong-type" and check.use.fields[0] not in ("SJYXBS", "SJSCZT"):
            name = check.use.fields[0]
            judge = Draft202012Validator(schema(packs(), table, check.use))
            for row, value in enumerate(values):
                assert judge.is_valid({name: value}) == ((row, name) not in mine), (name, value)


@PROFILE
@given(st.lists(TEXTS, min_size=1, max_size=20))
@example(["1", None, "", "x" * 11])
def test_bulk_engine_agrees_whatever_the_neighbours(cells: list[str | None]) -> None:
    """Judging rows alone and together gives the same: no check leaks over rows."""
    table = packs().table("data-sharing-3.0/SPGL_XMJBXXB")
    base: dict[str, object] = dict(good_record(packs(), table))
    rows = [{**base, "ZTZE": c, "QJDGCDM": c, "JSDWDM": c} for c in cells]
    together, _ = both(table, rows)
    alone = [
        (i, rule, fields, ref)
        for i, row in enumerate(rows)
        for _, rule, fields, ref in both(table, [row])[0]
    ]
    assert together == alone


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_xsd_refuses_only_what_the_engine_refuses(table: Table) -> None:
    """XSD 1.0 says less (no conditions, no check digits), but never more."""
    schema = etree.XMLSchema(etree.fromstring(table_xsd(packs(), table, least=Severity.INFO)))
    good = good_record(packs(), table)
    values = [v for v in (*ODD_TEXTS, *TRAPS) if pl.Series([v]).str.contains(r"^[^\x00\r]*$")[0]]
    fields = [f for f in table.fields if f.name not in ("SJYXBS", "SJSCZT")]
    rows = [{**good, f.name: v} for f in fields for v in values[:: 1 + len(fields) // 12]]
    bulk, _ = faulty = both_rows(table, rows)
    for number, row in enumerate(rows):
        root = etree.Element(table.name)
        record = etree.SubElement(root, "record")
        for name, value in row.items():
            if value is not None:
                etree.SubElement(record, name).text = str(value)
        if number not in bulk:
            assert schema.validate(root), (row, schema.error_log, faulty)


def both_rows(table: Table, rows: Sequence[Cells]) -> tuple[set[int], int]:
    of = compiled(table.qualified)
    batch = next(iter(Given(table, "x", tuple(rows)).batches(100_000)))
    every = np.ones(len(rows), dtype=np.bool_)
    found = plan.judge(of, batch.frame, {}, every, ~every)
    return set(found.row.tolist()), len(rows)
