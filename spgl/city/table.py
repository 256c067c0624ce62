"""Records of the export before they are written, and the office clock they are dated by.

A record knows the moment it came into being: the same city, cut at a later moment, is a later
night. Drawing random numbers never depends on the cut.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from spgl.city.names import DIVISION
from validator.clock import calendar

Record = dict[str, str]


@dataclass(slots=True)
class Rows:
    """Records by table name, up to a moment; what comes into being later is not put."""

    until: datetime
    tables: dict[str, list[Record]] = field(default_factory=dict)

    def put(self, table: str, when: datetime, key: str, **fields: object) -> None:
        """Add a record that exists from `when` on; `key` makes its local primary key."""
        if when > self.until:
            return
        digest = hashlib.sha256(f"{table}|{key}".encode()).digest()
        record = {"DFSJZJ": str(UUID(bytes=digest[:16])), "XZQHDM": DIVISION}
        record.update({k: text(v) for k, v in fields.items() if v not in (None, "")})
        self.tables.setdefault(table, []).append(record)


def text(value: object) -> str:
    """A value as a database client writes it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value)


def day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def later(moment: datetime, days: int, rng: Random) -> datetime:
    """`days` (at least 1) working days later, at some minute of the office hours."""
    moved = moment
    while days:
        moved += timedelta(days=1)
        days -= _working(moved.date())
    hour, minute = rng.choice((8, 9, 10, 13, 14, 15)), rng.randrange(30, 60)
    return moved.replace(hour=hour, minute=minute, second=rng.randrange(60))


def _working(day: date) -> bool:
    """A working day; beyond the calendar, where no night reaches, any weekday."""
    known = calendar()
    return known.working(day) if known.holds(day) else day.weekday() < 5


def soon(moment: datetime, rng: Random) -> datetime:
    """Some minutes later on the same day."""
    return moment + timedelta(minutes=rng.randrange(5, 40), seconds=rng.randrange(60))
