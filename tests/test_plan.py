"""Compiled plans: order, severity, what stands for what, and which checks are asked."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from engine_values import packs, table
from pack_values import CITIZEN_NUMBER, CREDIT_CODE, good_record

from validator import plan as plans
from validator.pack import Provenance, Table
from validator.plan import Plan, judge
from validator.violation import Severity

PROJECTS = table("SPGL_XMJBXXB")
OF_CELLS = {"missing-value", "blank-key", "wrong-type", "wrong-precision", "too-long",
            "code-not-in-list", "wrong-format", "wrong-check-digit"}  # fmt: skip


def compiled(of: Table, **overrides: Severity) -> Plan:
    return plans.compile(packs(), of, overrides)


def spoken(of: Plan, frame: pl.DataFrame) -> list[tuple[int, str, tuple[str, ...]]]:
    every = np.ones(frame.height, dtype=np.bool_)
    faults = judge(of, frame, {}, every, ~every)
    return [
        (int(row), of.checks[use].use.rule, of.checks[use].use.fields)
        for use, row in zip(faults.use, faults.row, strict=True)
    ]


@pytest.mark.parametrize("of", packs().tables(), ids=lambda t: t.name)
def test_a_good_record_fires_nothing(of: Table) -> None:
    """Good cell by cell; what rules over several cells think of it is their own matter."""
    record = good_record(packs(), of)
    said = spoken(compiled(of), pl.DataFrame({n: [v] * 3 for n, v in record.items()}))
    assert [s for s in said if s[1] in OF_CELLS] == []


@pytest.mark.parametrize("of", packs().tables(), ids=lambda t: t.name)
@pytest.mark.parametrize("good", [0, 400])
def test_questions_never_hide_a_fault(of: Table, good: int) -> None:
    """Stage A is only an optimisation: asking every check of every row gives the same, with few bad
    rows (which alone are asked then) as with many."""
    values = [None, "", " ", "1", "9", "x", "2024-02-30", "1.5", CREDIT_CODE, CITIZEN_NUMBER,
              CREDIT_CODE[:-1] + "4", "3,9", "字" * 40]  # fmt: skip
    frame = pl.DataFrame(
        {f.name: values[i % 5 :] + values[: i % 5] for i, f in enumerate(of.fields)},
        schema={f.name: pl.String for f in of.fields},
    )
    record = good_record(packs(), of)
    clean = pl.DataFrame({n: [v] * good for n, v in record.items()}, schema_overrides=frame.schema)
    frame = pl.concat([clean, frame, clean], how="diagonal").select(frame.columns)
    planned = compiled(of)
    every = np.ones(frame.height, dtype=np.bool_)
    everything = dict.fromkeys(range(len(planned.checks)))
    full = plans._stage_b(planned, frame, everything, {}, every, ~every)
    found = judge(planned, frame, {}, every, ~every)
    assert found.use.tolist() == full.use.tolist()
    assert found.row.tolist() == full.row.tolist()
    assert len(found.row)


def test_checks_stand_in_the_order_of_first_faults() -> None:
    orders = [c.rule.order for c in compiled(PROJECTS).checks]
    assert orders == sorted(orders)


def test_listed_codes_answer_for_form_and_length() -> None:
    planned = compiled(PROJECTS)
    covered = {(c.rule.name, c.use.fields[0]) for c in planned.checks if c.covered is not None}
    assert ("wrong-type", "TDSFDSJFA") in covered
    assert ("too-long", "TDSFDSJFA") in covered
    assert ("wrong-format", "JSDWDM") in covered
    assert ("wrong-format", "XMJWDZB") in covered
    assert ("wrong-type", "ZTZE") not in covered
    assert not [c for c in planned.checks if c.covered is not None and c.rule.order < 20]


def test_a_column_that_is_not_there_is_missing() -> None:
    frame = pl.DataFrame({"GCDM": ["A", "B"]})
    found = [s for s in spoken(compiled(PROJECTS), frame) if s[2] == ("JSDW",)]
    assert found == [(0, "missing-value", ("JSDW",)), (1, "missing-value", ("JSDW",))]


def test_exchange_columns_are_never_required() -> None:
    names = {c.use.fields[0] for c in compiled(PROJECTS).checks if c.rule.name == "missing-value"}
    assert not names & {"LSH", "SJYXBS", "SJWXYY", "SJSCZT", "SBYY"}


def severities(of: Plan, rule: str) -> dict[str, Severity]:
    return {c.use.fields[0]: c.use.severity for c in of.checks if c.rule.name == rule}


def test_severity_follows_evidence() -> None:
    found = severities(compiled(PROJECTS), "missing-value")
    assert found["JSDW"] is Severity.ERROR
    # The sender always fills it; nobody was seen to refuse a blank.
    assert found["DFSJZJ"] is Severity.WARNING
    # A value that cannot be carried is an error whatever the field rests on.
    assert set(severities(compiled(PROJECTS), "wrong-type").values()) == {Severity.ERROR}
    lengths = severities(compiled(PROJECTS), "too-long")
    assert PROJECTS.by_name["ZTZE"].length is not None
    assert PROJECTS.by_name["ZTZE"].length.provenance is Provenance.EARLIER
    assert lengths["ZTZE"] is Severity.WARNING


def test_the_most_specific_override_wins() -> None:
    planned = plans.compile(packs(), PROJECTS, {
        "missing-value": Severity.INFO, "SPGL_XMJBXXB.missing-value": Severity.WARNING,
        "SPGL_XMJBXXB.JSDW.missing-value": Severity.ERROR,
    })  # fmt: skip
    found = severities(planned, "missing-value")
    assert found.pop("JSDW") is Severity.ERROR
    assert set(found.values()) == {Severity.WARNING}


def test_open_lists_warn_at_most_and_empty_lists_say_nothing() -> None:
    for of in packs().tables():
        for check in compiled(of).checks:
            if check.rule.name == "code-not-in-list":
                field = of.by_name[check.use.fields[0]]
                assert field.codes is not None
                codes = packs().code_list(of, field.codes.list)
                assert codes.codes
                assert codes.closed or check.use.severity is not Severity.ERROR


def test_invalid_rows_are_judged_by_their_exchange_columns_only() -> None:
    frame = pl.DataFrame({"SJYXBS": ["0", "0"], "SJSCZT": ["x", "0"], "NKGSJ": ["x", "x"],
                          "SJWXYY": ["错", None]})  # fmt: skip
    none = np.zeros(2, dtype=np.bool_)
    planned = compiled(PROJECTS)
    faults = judge(planned, frame, {}, none, ~none)
    said = [(int(r), planned.checks[u].rule.name)
            for u, r in zip(faults.use, faults.row, strict=True)]  # fmt: skip
    assert said == [(0, "wrong-type"), (1, "missing-invalid-reason")]
