"""The clock of a case: make-up workdays, pauses, and the columnar clock of case-overdue."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from engine_values import checked, given

from validator.clock import FIRST_YEAR, calendar, working_days

EVENTS, CASES = "SPGL_XMSPSXBLXXXXB", "SPGL_XMSPSXBLXXB"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_holidays_and_make_up_workdays() -> None:
    days = calendar()
    assert days.first == date(FIRST_YEAR, 1, 1)
    assert days.last >= date(2026, 12, 31)
    assert not days.working(date(2025, 10, 1))
    assert days.working(date(2025, 9, 28)), "a Sunday made up for the autumn holidays of 2025"
    assert not days.working(date(2025, 9, 27))
    assert days.working(date(2025, 9, 26))
    assert sum(d.year == 2025 for d in days.working_dates()) == 248
    with pytest.raises(ValueError, match="beyond the calendar"):
        days.working(date(2003, 12, 31))


@pytest.mark.parametrize(
    ("start", "end", "pauses", "days"),
    [
        ("2025-09-26T09:00", "2025-09-26T17:00", [], 0),
        ("2025-09-26T09:00", "2025-09-28T09:00", [], 1),
        ("2025-09-26T09:00", "2025-10-11T09:00", [], 6),
        ("2025-09-28T09:00", "2025-09-26T09:00", [], 0),
        ("2025-09-01T09:00", "2025-09-12T09:00", [("2025-09-02T09:00", "2025-09-05T09:00")], 6),
        # Overlapping pauses count once; what lies outside the span counts not at all.
        (
            "2025-09-01T09:00", "2025-09-12T09:00",
            [("2025-09-02T09:00", "2025-09-04T09:00"), ("2025-09-03T09:00", "2025-09-05T09:00")],
            6,
        ),
        ("2025-09-01T09:00", "2025-09-12T09:00", [("2025-08-01T09:00", "2025-09-02T09:00")], 8),
        ("2025-09-01T09:00", "2025-09-12T09:00", [("2025-09-11T09:00", "2025-10-12T09:00")], 8),
    ],
)  # fmt: skip
def test_working_days(start: str, end: str, pauses: list[tuple[str, str]], days: int) -> None:
    stops = [(at(a), at(b)) for a, b in pauses]
    assert working_days(at(start), at(end), stops) == days


def test_beyond_the_calendar_nothing_is_guessed() -> None:
    assert working_days(at("2003-01-01"), at("2025-01-01")) is None
    assert working_days(at("2025-01-01"), at("2999-01-01")) is None


def test_the_columnar_clock_agrees_with_the_plain_one(tmp_path: Path) -> None:
    """case-overdue over many random histories says exactly what `working_days` says."""
    rng = random.Random(20251124)
    events, cases, expected = [], [], {}
    for number in range(300):
        code, limit = f"C{number}", rng.randrange(1, 15)
        moment = at("2025-01-06T09:00") + timedelta(days=rng.randrange(300))
        history = [("3", moment), ("8", moment)]
        pauses = []
        for _ in range(rng.randrange(3)):
            begin, end = rng.choice([("6", "7"), ("9", "10")])
            opened = history[-1][1] + timedelta(hours=rng.randrange(1, 90))
            closed = opened + timedelta(hours=rng.randrange(0, 200))
            history += [(begin, opened), (end, closed)]
            pauses.append((opened, closed))
        done = history[-1][1] + timedelta(hours=rng.randrange(1, 300))
        history.append(("11", done))
        taken = working_days(moment, done, pauses)
        assert taken is not None
        if taken > limit:
            expected[code] = (str(taken), str(limit))
        cases.append({"SPSXSLBM": code, "SXBLSX": str(limit)})
        rng.shuffle(history)
        events += [{"SPSXSLBM": code, "BLZT": s, "BLSJ": f"{m:%Y-%m-%d %H:%M:%S}"}
                   for s, m in history]  # fmt: skip
    rng.shuffle(events)
    run = checked(given({CASES: cases, EVENTS: events}), tmp_path)
    found = {}
    for violation in run.violations():
        if violation.rule == "case-overdue":
            code = events[(violation.record or 0) - 1]["SPSXSLBM"]
            words = violation.message.en.split()
            found[code] = (words[3], words[9])
    assert found == expected
    assert 50 < len(expected) < 290
