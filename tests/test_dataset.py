"""Hash index, references, shared keys and case histories, against small naive references."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from engine_values import packs, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from validator.canon import canonical, times
from validator.dataset import Columns, Mark, Shape, hashed, marks, read
from validator.gathered import joined
from validator.lexical import canonical as canonical_text
from validator.lexical import is_blank, matches
from validator.pack import Kind
from validator.plan import final_uses
from validator.rule import Use
from validator.rules import rules

PROFILE = settings(
    derandomize=True, deadline=None, max_examples=25, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

EVENTS = "data-sharing-3.0/SPGL_XMSPSXBLXXXXB"
EVENT_RULES = (
    "acceptance-without-start", "unpaired-event", "end-without-begin", "open-pause-at-completion",
    "repeated-acceptance", "repeated-completion", "repeated-intake", "event-after-end",
)  # fmt: skip
DAY = datetime(2024, 3, 1)

#: An event: state, day.
Event = tuple[str, int]
ENDS = {"2", "4", "5", "11", "12", "13", "14", "15"}
DONE = {"11", "12", "13"}


@cache
def uses(rule: str) -> tuple[Use, ...]:
    return final_uses(packs(), packs().table(EVENTS), rules()[rule], {})


def judged(*cases: Sequence[Event]) -> list[set[tuple[str, int]]]:
    """Per case, (rule, place of the event) as the rules say, all cases in one frame."""
    places = [(case, i) for case, events in enumerate(cases) for i in range(len(events))]
    events = [event for case in cases for event in case]
    frame = pl.DataFrame(
        {
            "row": np.arange(len(events)),
            "SPSXSLBM": np.array([case + 1 for case, _ in places], dtype=np.uint64),
            "BLZT": [s for s, _ in events],
            "BLSJ": [DAY + timedelta(days=d) for _, d in events],
        },
        schema_overrides={"BLZT": pl.String, "BLSJ": pl.Datetime("us")},
    )
    found: list[set[tuple[str, int]]] = [set() for _ in cases]
    for name in EVENT_RULES:
        query = rules()[name].query
        assert query is not None
        for use in uses(name):
            for row in query(use, [frame])["row"].to_list():
                case, place = places[row]
                found[case].add((name, place))
    return found


def walked(order: Sequence[str]) -> list[str]:
    """The faults of states in one strict order: a plain walk, the meaning of the rules."""
    faults: list[str] = []
    seen: list[str] = []
    is_open = {"6": False, "9": False}
    for state in order:
        done_before = any(s in DONE for s in seen)
        if state == "1" and "1" in seen:
            faults.append("repeated-intake")
        if state == "3" and "3" in seen:
            faults.append("repeated-acceptance")
        if state in DONE and done_before:
            faults.append("repeated-completion")
        elif any(s in ENDS for s in seen):
            faults.append("event-after-end")
        if state in is_open:
            if is_open[state]:
                faults.append("unpaired-event")
            is_open[state] = True
        for begin, end in (("6", "7"), ("9", "10")):
            if state == end:
                if not is_open[begin]:
                    faults.append("end-without-begin" if begin == "9" else "unpaired-event")
                is_open[begin] = False
        if state in DONE and not done_before:
            if any(is_open.values()):
                faults.append("open-pause-at-completion")
            if "3" in seen and "8" not in seen[seen.index("3") :]:
                faults.append("acceptance-without-start")
        seen.append(state)
    return faults


def least(events: Sequence[Event]) -> int:
    """The fewest faults over all orders that respect time."""
    days = sorted({d for _, d in events})
    groups = [[s for s, d in events if d == day] for day in days]
    orders = itertools.product(*(set(itertools.permutations(g)) for g in groups))
    return min(len(walked([s for g in order for s in g])) for order in orders)


STATES = st.sampled_from(["1", "2", "3", "6", "7", "8", "9", "10", "11", "13", "15"])


@PROFILE
@given(st.lists(st.lists(STATES, max_size=9), max_size=20))
def test_histories_without_ties_are_walked(cases: list[list[str]]) -> None:
    found = judged(*([(s, i) for i, s in enumerate(states)] for states in cases))
    for states, faults in zip(cases, found, strict=True):
        assert sorted(r for r, _ in faults) == sorted(walked(states))


@PROFILE
@given(st.lists(st.tuples(STATES, st.integers(0, 40)), max_size=8), st.randoms())
def test_the_order_of_rows_means_nothing(events: list[Event], random: object) -> None:
    distinct = [(s, d * 10 + i) for i, (s, d) in enumerate(events)]
    shuffled = list(distinct)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    straight, mixed = judged(distinct, shuffled)
    assert {(r, distinct[i]) for r, i in straight} == {(r, shuffled[i]) for r, i in mixed}


@PROFILE
@given(st.lists(st.lists(st.tuples(st.sampled_from(["3", "6", "7", "8", "9", "10", "11"]),
                                   st.integers(0, 2)), max_size=6), max_size=12))  # fmt: skip
def test_equal_times_take_the_order_that_breaks_least(cases: list[list[Event]]) -> None:
    for events, faults in zip(cases, judged(*cases), strict=True):
        assert len(faults) == least(events)


def test_running_cases_are_legal() -> None:
    for states in (["1"], ["1", "3"], ["1", "3", "6"], ["1", "3", "8", "9"], ["8"], ["1", "6"]):
        assert judged([(s, i) for i, s in enumerate(states)]) == [set()]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([("3", 0), ("11", 1)], {("acceptance-without-start", 1)}),
        ([("3", 0), ("8", 1), ("11", 1)], set()),
        ([("8", 0), ("3", 1), ("11", 2)], {("acceptance-without-start", 2)}),
        ([("3", 0), ("14", 1)], set()),
        ([("11", 0), ("12", 1)], {("repeated-completion", 1)}),
        ([("11", 0), ("15", 1)], {("event-after-end", 1)}),
        ([("7", 0)], {("unpaired-event", 0)}),
        ([("10", 0)], {("end-without-begin", 0)}),
        ([("6", 1), ("7", 1), ("6", 0), ("11", 2)], {("open-pause-at-completion", 3)}),
        ([("6", 0), ("6", 1), ("7", 2)], {("unpaired-event", 1)}),
    ],
)
def test_histories_by_hand(events: list[Event], expected: set[tuple[str, int]]) -> None:
    assert judged(events) == [expected]


def test_known_events_are_never_blamed_but_count() -> None:
    """Rows below zero come from earlier nights."""
    frame = pl.DataFrame(
        {"row": [-1, 0], "SPSXSLBM": [1, 1], "BLZT": ["11", "12"],
         "BLSJ": [DAY, DAY + timedelta(days=1)]},
        schema_overrides={"SPSXSLBM": pl.UInt64},
    )  # fmt: skip
    query = rules()["repeated-completion"].query
    assert query is not None
    assert query(uses("repeated-completion")[0], [frame])["row"].to_list() == [0]


TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "\u3000", "1", "1.0", "01.50", "1.5", "-0", "x", "2024-03-05",
                     "2024-03-05 00:00:00", "2024-03-05T09:30:00", "2024-3-5"]),
    st.text(max_size=5),
)  # fmt: skip


@PROFILE
@given(st.sampled_from(list(Kind)), st.lists(TEXTS, min_size=1, max_size=30))
def test_canonical_columns(kind: Kind, cells: list[str | None]) -> None:
    names = {Kind.INTEGER: "JSDWLX", Kind.DECIMAL: "ZTZE", Kind.DATE: "NKGSJ"}
    field = next(f for f in table("SPGL_XMJBXXB").fields if f.name == names.get(kind, "XMMC"))
    found = canonical(field, pl.Series("x", cells, dtype=pl.String)).to_list()
    for cell, form in zip(cells, found, strict=True):
        if cell is None or is_blank(cell):
            assert form is None
        elif matches(field.kind, cell):
            assert form == canonical_text(field.kind, cell)
        else:
            assert form == cell


def test_times_are_null_where_ill_formed() -> None:
    field = table("SPGL_XMSPSXBLXXXXB").by_name["BLSJ"]
    cells = pl.Series("BLSJ", ["2024-03-05", "2024-03-05T09:30:00", "2023-02-29", None, "x"])
    assert times(field, cells).to_list() == [
        datetime(2024, 3, 5), datetime(2024, 3, 5, 9, 30), None, None, None
    ]  # fmt: skip


def test_parts_of_a_key_are_not_run_together() -> None:
    frame = pl.DataFrame({"a": ["ab", "a", None, "ab"], "b": ["c", "bc", "c", "c"]})
    hashes = hashed(frame, ("a", "b"))
    assert hashes[0] == hashes[3]
    assert len(set(hashes.tolist())) == 3
    assert hashes[2] == 0
    assert hashed(frame, ("a", "b"), partial=True)[2] != 0
    swapped = hashed(frame.select(a="b", b="a"), ("a", "b"))
    assert swapped[0] != hashes[0]


def test_version_numbers_are_one_key_however_written() -> None:
    processes = table("SPGL_SPLCXXB")
    frame = pl.DataFrame({"SPLCBM": ["A", "A", "A"], "SPLCBBH": ["1", "1.0", "1.1"]})
    keys = read(processes, Shape((), ()), frame).key.tolist()
    assert keys[0] == keys[1] != keys[2]


def test_marks_follow_the_exchange_columns() -> None:
    frame = pl.DataFrame(
        {"SJYXBS": ["1", None, "0", "1", "0", "1"], "SJSCZT": ["0", None, "1", "2", "-1", "3"]}
    )
    assert marks(frame).tolist() == [
        Mark.VALID, Mark.VALID, Mark.INVALID, Mark.REFUSED, Mark.DRAFT, Mark.VALID
    ]  # fmt: skip
    assert marks(pl.DataFrame({"GCDM": ["A"]})).tolist() == [Mark.VALID]


def test_batches_join_to_the_same_columns() -> None:
    projects = table("SPGL_XMJBXXB")
    frame = pl.DataFrame({"GCDM": ["A", "B", "C"], "QJDGCDM": ["A,B", None, " ,C"]})
    shape = Shape((("GCDM",), ("QJDGCDM",)), ("GCDM",))
    whole = read(projects, shape, frame)
    split = joined([read(projects, shape, frame[i]) for i in range(3)])

    def plain(columns: Columns) -> tuple[object, ...]:
        rows, hashes = columns.parts["QJDGCDM",]
        return (
            columns.key.tolist(),
            rows.tolist(),
            hashes.tolist(),
            columns.values["GCDM"].to_list(),
        )

    assert plain(whole) == plain(split)
    assert whole.parts["QJDGCDM",][0].tolist() == [0, 0, 2]
