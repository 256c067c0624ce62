"""The clocks of cases on hand-made events: days, pauses, limits, what does not count."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from spgl.inspector.cases import Case, codes, overdue, worked_out
from spgl.inspector.runs import newest
from spgl.inspector.snapshot import Snapshot
from validator.load import load_packs
from validator.pack import Packs

PACKS = load_packs()
OF = codes(PACKS)
NOW = datetime(2026, 3, 31, 12)


def cases(
    events: list[tuple[str, str, str]], heads: dict[str, str], **marks: str
) -> dict[str, Case]:
    """Cases by number, from (case, state, day of March) and the promised days of each case."""
    assert OF is not None
    table = pl.DataFrame(
        {
            "SPSXSLBM": [e[0] for e in events],
            "BLZT": [e[1] for e in events],
            "BLSJ": [f"2026-03-{e[2]} 09:00:00" for e in events],
            "SJYXBS": [marks.get(f"valid{i}") for i in range(len(events))],
            "SJSCZT": [marks.get(f"state{i}") for i in range(len(events))],
        },
        schema=dict.fromkeys(("SPSXSLBM", "BLZT", "BLSJ", "SJYXBS", "SJSCZT"), pl.String),
    )
    rows = {
        "SPSXSLBM": list(heads),
        "SXBLSX": list(heads.values()),
        "GCDM": ["g1"] * len(heads),
        "SPBMMC": ["审批局"] * len(heads),
        "SPSXBM": ["i1"] * len(heads),
    }
    projects = {"GCDM": ["g1"], "XMDM": ["p1"], "XMMC": ["一号项目"]}
    made = Snapshot(
        "run",
        {
            OF.events: table,
            OF.cases: pl.DataFrame(rows),
            f"{OF.standard}/SPGL_XMJBXXB": pl.DataFrame(projects),
        },
    )
    return {c.case: c for c in worked_out(PACKS, made, NOW)}


def test_codes_come_from_the_rules_of_the_pack() -> None:
    assert OF is not None
    assert OF.accepted == "3"
    assert set(OF.completed) == {"11", "12", "13"}
    assert {"2", "4", "5", "14", "15"} <= set(OF.ends)
    assert codes(Packs(())) is None


def test_a_running_case_counts_until_now_and_a_finished_one_until_its_end() -> None:
    found = cases(
        [("a", "1", "01"), ("a", "3", "02"), ("b", "3", "02"), ("b", "11", "12"), ("c", "1", "05")],
        {"a": "20", "b": "20", "c": "20"},
    )
    assert set(found) == {"a", "b"}, "a case that was never accepted has no clock"
    assert (found["a"].days, found["a"].over, found["a"].ended) == (21, 1, None)
    assert (found["b"].days, found["b"].over) == (8, -12)
    assert found["b"].ended == datetime(2026, 3, 12, 9)
    assert overdue(list(found.values())) == [found["a"]]
    assert (found["a"].project, found["a"].project_name) == ("p1", "一号项目")


def test_special_procedures_stop_the_clock() -> None:
    found = cases(
        [("a", "3", "01"), ("a", "9", "05"), ("a", "10", "15"), ("a", "9", "21")],
        {"a": "10"},
    )
    assert (found["a"].paused_days, found["a"].paused) == (10 + 10, True)
    # Working days after 1 March: 22, of which 6 to the 15th and 7 since the 21st were paused.
    assert found["a"].days == 22 - 6 - 7
    assert overdue(list(found.values())) == []


def test_a_pause_before_acceptance_takes_nothing_off() -> None:
    found = cases(
        [("a", "6", "01"), ("a", "7", "08"), ("a", "3", "10"), ("a", "11", "20")], {"a": "5"}
    )
    assert (found["a"].days, found["a"].paused_days) == (8, 0)


@pytest.mark.parametrize("marks", [{"valid1": "0"}, {"state1": "-1"}, {"state1": "2"}])
def test_rows_that_do_not_count_end_nothing(marks: dict[str, str]) -> None:
    found = cases([("a", "3", "01"), ("a", "11", "03")], {"a": "5"}, **marks)
    assert found["a"].ended is None


@pytest.mark.parametrize("limit", ["", "0.5", "many", "٣"])
def test_without_a_readable_limit_nothing_is_overdue(limit: str) -> None:
    found = cases([("a", "3", "01")], {"a": limit})
    assert found["a"].limit is None
    assert overdue(list(found.values())) == []


def test_pages_open_on_the_run_that_read_records_not_on_its_refusals() -> None:
    assert newest(["20260402T01-b-refused", "20260402T01-b", "20260401T01-a"]) == "20260402T01-b"
    assert newest(["20260402T01-b-refused"]) == "20260402T01-b-refused"
