"""The clock of a case: working days between two moments, without the days it was paused.

Days count whole: the day a case is accepted is day 0, and a pause takes out the days after the one
it begins on, up to and including the one it ends on. Working days are those of the Chinese public
calendar with its make-up workdays, as the package `holidays` keeps it from the yearly notices of
the State Council. A year whose notice is not in it yet is beyond the calendar: nothing is guessed.
It knows no rule and no state code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from holidays import HolidayBase

Days = npt.NDArray[np.int64]

_SATURDAY = 5
#: The first year whose notice the calendar holds without gaps.
FIRST_YEAR = 2004


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days from `first` to `last`; `counts[i]` is the number of working days up to day i."""

    first: date
    last: date
    counts: Days

    def holds(self, day: date) -> bool:
        """True where the calendar reaches the day."""
        return self.first <= day <= self.last

    def working(self, day: date) -> bool:
        """True for a working day. Raises ValueError beyond the calendar."""
        if not self.holds(day):
            raise ValueError(f"{day} is beyond the calendar, which ends on {self.last}")
        i = (day - self.first).days
        return bool(self.counts[i] - (self.counts[i - 1] if i else 0))

    def working_dates(self) -> Iterator[date]:
        """Every working day."""
        steps = np.diff(self.counts, prepend=0)
        for i in np.flatnonzero(steps).tolist():
            yield self.first + timedelta(days=i)


@cache
def calendar() -> Calendar:
    """The calendar as far as its yearly notices reach."""
    from holidays import country_holidays

    known = country_holidays("CN", years=FIRST_YEAR)
    working: list[bool] = []
    year = FIRST_YEAR
    while days := _year(known, year):
        working += days
        year += 1
    first, last = date(FIRST_YEAR, 1, 1), date(year - 1, 12, 31)
    return Calendar(first, last, np.cumsum(np.array(working, dtype=np.int64)))


def _year(known: HolidayBase, year: int) -> list[bool]:
    """For each day of the year whether it is a working day; empty without the notice of the year.

    Every notice moves some holidays and so has make-up workdays; a year without any has no notice.
    Asking for a day makes the package fill in its year.
    """
    day, end = date(year, 1, 1), date(year, 12, 31)
    off = [day + timedelta(days=i) in known for i in range((end - day).days + 1)]
    made_up = {d for d in known.weekend_workdays if d.year == year}
    if not made_up:
        return []
    working = []
    for i, holiday in enumerate(off):
        this = day + timedelta(days=i)
        working.append(this in made_up or (this.weekday() < _SATURDAY and not holiday))
    return working


def working_days(
    start: datetime, end: datetime, pauses: Sequence[tuple[datetime, datetime]] = ()
) -> int | None:
    """Working days from `start` to `end` without the pauses (begin, end), which may overlap.

    None where the calendar does not reach; 0 where `end` is not after `start`.
    """
    days = calendar()
    if not (days.holds(start.date()) and days.holds(end.date())):
        return None

    def count(moment: datetime) -> int:
        within = min(max(moment, start), end)
        return int(days.counts[(within.date() - days.first).days])

    total, reached = count(end) - count(start), count(start)
    for begin, stop in sorted(pauses):
        low, high = max(count(begin), reached), count(stop)
        if high > low:
            total -= high - low
            reached = high
    return max(total, 0)
