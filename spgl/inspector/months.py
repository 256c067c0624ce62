"""One month of the ledger in numbers: how soon events reached the target, what was refused and why.

Versions are numbered in the order they entered, so a month is a range of numbers found by
bisection; only that range is read. How long is too long is not decided here: days are put into
plain classes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from pusher.ledger.core import Ledger
from pusher.states import State
from spgl.inspector.ledger import Place

#: Upper ends of the classes of days; the last class is open.
DAYS = (1, 3, 7, 15)
_EVENTS = """
SELECT v.state, v.changed, v.division, json_extract(v.known, '$.SPSXSLBM'),
  v.changed - strftime('%s', json_extract(v.known, '$.BLSJ'), 'utc')
FROM version v WHERE v.id >= ? AND v.id < ? AND v.place = ? AND v.operation = 'upsert'
AND v.state IN ('accepted', 'delivered')"""
_STATES = """
SELECT v.place, v.state, COUNT(*) FROM version v WHERE v.id >= ? AND v.id < ?
GROUP BY v.place, v.state"""
_REASONS = """
SELECT v.note, COUNT(*), MAX(v.id) FROM version v WHERE v.id >= ? AND v.id < ?
AND v.state = 'rejected' GROUP BY v.note ORDER BY COUNT(*) DESC, v.note"""


@dataclass(frozen=True, slots=True)
class Delay:
    """How soon events of one department reached the target: `classes[i]` within `DAYS[i]` days, the
    last one later; `median` and `longest` in days. `undated`: events without a time."""

    name: str
    events: int
    classes: tuple[int, ...]
    median: float
    longest: float
    undated: int


@dataclass(frozen=True, slots=True)
class Range:
    """Version numbers from `low` to below `high`."""

    low: int
    high: int


def month_range(month: str) -> tuple[datetime, datetime]:
    """Begin and end of a month `YYYY-MM` in local time. Raises ValueError."""
    start = datetime.strptime(month, "%Y-%m")
    after = (start + timedelta(days=32)).replace(day=1)
    return start.astimezone(), after.astimezone()


class _Entered(Sequence[float]):
    """Times of entering by version number, read one by one as bisection asks."""

    def __init__(self, ledger: Ledger) -> None:
        self._db = ledger.db
        self._last = ledger.last_id("version")

    def __len__(self) -> int:
        return self._last

    def __getitem__(self, at: int) -> float:  # type: ignore[override]
        rows = self._db.rows("SELECT entered FROM version WHERE id = ?", (at + 1,))
        return float(rows[0][0])


def versions(ledger: Ledger, start: datetime, end: datetime) -> Range:
    """The versions that entered between two times."""
    entered = _Entered(ledger)
    low, high = (bisect_left(entered, t.timestamp()) + 1 for t in (start, end))
    return Range(low, high)


def counts(ledger: Ledger, of: Range) -> Mapping[tuple[int, State], int]:
    """Versions of a range by place and state."""
    rows = ledger.db.rows(_STATES, (of.low, of.high))
    return {(place, State(state)): n for place, state, n in rows}


def refusals(ledger: Ledger, of: Range) -> tuple[tuple[str, int, int], ...]:
    """Reasons of the target in a range: text, how many, one version that has it."""
    rows = ledger.db.rows(_REASONS, (of.low, of.high))
    return tuple((str(text), int(n), int(version)) for text, n, version in rows)


def delays(
    ledger: Ledger, of: Range, places: Sequence[Place], departments: Mapping[str, str]
) -> tuple[Delay, ...]:
    """Days from event to the target's word, by department of the case; all together first."""
    rows = [row for p in places for row in ledger.db.rows(_EVENTS, (of.low, of.high, p.id))]
    schema = {"state": pl.String, "changed": pl.Float64, "division": pl.String,
              "case": pl.String, "seconds": pl.Float64}  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        (pl.col("seconds") / 86_400).alias("days"),
        pl.col("case").replace_strict(departments, default="").fill_null("").alias("name"),
    )
    if not frame.height:
        return ()
    made = [_delay("", frame)]
    parts = frame.filter(pl.col("name") != "").partition_by("name", as_dict=True)
    made += [_delay(str(name), part) for (name,), part in parts.items()]
    return (made[0], *sorted(made[1:], key=lambda d: (-d.events, d.name)))


def _delay(name: str, frame: pl.DataFrame) -> Delay:
    days = frame["days"].drop_nulls()
    found = [int((days <= limit).sum()) for limit in DAYS]
    steps = [n - before for n, before in zip(found, [0, *found], strict=False)]
    return Delay(
        name=name,
        events=frame.height,
        classes=(*steps, days.len() - found[-1]),
        median=round(_number(days.median()), 1),
        longest=round(_number(days.max()), 1),
        undated=frame.height - days.len(),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
