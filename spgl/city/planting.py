"""How a defect is planted: which record is changed, added, dropped or spoilt, and where it shows.

Planting works on the records of a clean night and keeps hold of the record on which the violation
must be found; its place in a file is known once the files are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from spgl.city.export import RAW
from spgl.city.nights import Tables
from spgl.city.table import Record

Wanted = Callable[[Record], bool]
#: What the defect is, for people: zh, en.
Note = tuple[str, str]
EVENTS, PROCEDURES = "SPGL_XMSPSXBLXXXXB", "SPGL_XMSPSXBLTBCXXXB"
#: Mark of a record that a defect has touched; never written.
TOUCHED = "*touched"


@dataclass(frozen=True, slots=True)
class Planted:
    """What was done: the record on which the violation shows, and the values before and after.

    `whole`: the violation is about the file of this record.
    """

    record: Record
    bad: Mapping[str, str | None]
    repaired: Mapping[str, str | None]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Defect:
    """One planted defect. `fields` are those the violation names; `action` says what to undo."""

    rule: str
    table: str
    fields: tuple[str, ...]
    action: str
    note: Note
    plant: Callable[[Tables], Planted]
    severity: str = "error"


def _any(_record: Record) -> bool:
    return True


def nth(tables: Tables, table: str, n: int, wanted: Wanted = _any) -> Record:
    """The n-th plainly valid record that no other defect has touched; it is touched now."""

    def found() -> Iterator[Record]:
        taken = {TOUCHED, "SJYXBS", "SJSCZT"}
        return (r for r in tables[table] if not taken & r.keys() and wanted(r))

    record = next(r for i, r in enumerate(found()) if i == n)
    record[TOUCHED] = "1"
    return record


def cell(
    rule: str,
    place: str,
    bad: str | Callable[[str], str],
    n: int,
    note: Note,
    *,
    where: Wanted = _any,
    fields: tuple[str, ...] = (),
    severity: str = "error",
) -> Defect:
    """Set one cell (`TABLE.FIELD`, without `SPGL_`) of the n-th filled record to a bad value.

    `bad` is the value (empty: the cell is cleared) or makes it from the good one.
    """
    short, name = place.split(".")
    table = f"SPGL_{short}"

    def plant(tables: Tables) -> Planted:
        record = nth(tables, table, n, lambda r: name in r and where(r))
        old = record.pop(name)
        new = bad if isinstance(bad, str) else bad(old)
        record |= {name: new} if new else {}
        return Planted(record, {name: new or None}, {name: old})

    return Defect(rule, table, fields or (name,), "set", note, plant, severity)


def invalidated(short: str, n: int, note: Note) -> Defect:
    """Mark the n-th record invalid without saying why."""
    table = f"SPGL_{short}"

    def plant(tables: Tables) -> Planted:
        record = nth(tables, table, n)
        record["SJYXBS"] = "0"
        return Planted(record, {"SJYXBS": "0", "SJWXYY": None}, {"SJYXBS": "1", "SJWXYY": None})

    return Defect("missing-invalid-reason", table, ("SJWXYY", "SJYXBS"), "set", note, plant)


def column_added(short: str, name: str, note: Note) -> Defect:
    """Export a column that the table does not have."""
    table = f"SPGL_{short}"

    def plant(tables: Tables) -> Planted:
        record = nth(tables, table, 0)
        record[name] = "预留"
        return Planted(record, {name: record[name]}, {name: None}, whole=True)

    return Defect("unknown-field", table, (), "add", note, plant, "warning")


def copied(
    rule: str,
    short: str,
    n: int,
    note: Note,
    *,
    fields: tuple[str, ...],
    new: Callable[[Tables, Record], Record],
    where: Wanted = _any,
    severity: str = "error",
) -> Defect:
    """Add a copy of the n-th record with some other values."""
    table = f"SPGL_{short}"

    def plant(tables: Tables) -> Planted:
        original = nth(tables, table, n, where)
        values = new(tables, original)
        copy = {**original, **values}
        tables[table].append(copy)
        return Planted(copy, values, dict.fromkeys(values))

    return Defect(rule, table, fields, "add", note, plant, severity)


def spoilt(short: str, how: str, n: int, note: Note) -> Defect:
    """Write the n-th record so that it cannot be read: `ragged`, `broken` or `bytes`."""
    table = f"SPGL_{short}"

    def plant(tables: Tables) -> Planted:
        record = nth(tables, table, n)
        record[RAW] = how
        return Planted(record, {}, {})

    return Defect("unreadable-record", table, (), "spoil", note, plant)


def noticed(
    rule: str, place: str, value: str, note: Note, *, fields: tuple[str, ...], severity: str
) -> Defect:
    """What else a planted value breaks: the record that holds `value` in the cell."""
    short, name = place.split(".")
    table = f"SPGL_{short}"

    def plant(tables: Tables) -> Planted:
        record = next(r for r in tables[table] if r.get(name) == value)
        return Planted(record, {name: value}, {})

    return Defect(rule, table, fields, "set", note, plant, severity)


def review_event_dropped(state: str, n: int, note: Note) -> Defect:
    """Leave out an event of the n-th drawing review, where the fault then shows."""
    reviews, events = "SPGL_SGTSJWJSCXXB", "SPGL_SGTSJWJSCXXXXB"

    def plant(tables: Tables) -> Planted:
        review = nth(tables, reviews, n, lambda r: "SCTGSJ" in r)
        wanted = (review["STYWBH"], state)
        tables[events][:] = [e for e in tables[events] if (e["STYWBH"], e["BLZT"]) != wanted]
        return Planted(review, {"BLZT": None}, {"BLZT": state})

    return Defect("missing-event", reviews, ("STYWBH", "SCTGSJ"), "drop", note, plant)


def _history(
    tables: Tables, states: Sequence[int], n: int, items: tuple[str, ...] = ()
) -> list[Record]:
    """The events of the n-th untouched case with exactly this history; touched now.

    `items`: local item codes of the case, any where empty.
    """
    if items:
        cases = {c["SPSXSLBM"] for c in tables["SPGL_XMSPSXBLXXB"] if c["SPSXBM"] in items}
    by_case: dict[str, list[Record]] = {}
    for event in tables[EVENTS]:
        by_case.setdefault(event["SPSXSLBM"], []).append(event)
    wanted = [str(s) for s in states]
    found = [
        events
        for events in by_case.values()
        if [e["BLZT"] for e in events] == wanted and not any(TOUCHED in e for e in events)
        if not items or events[0]["SPSXSLBM"] in cases
    ]
    for event in found[n]:
        event[TOUCHED] = "1"
    return found[n]


def event_added(
    rule: str,
    states: Sequence[int],
    n: int,
    note: Note,
    *,
    after: int,
    state: int,
    hours: float,
) -> Defect:
    """Add an event `hours` after the `after`-th one of a case with this history."""

    def plant(tables: Tables) -> Planted:
        events = _history(tables, states, n)
        base = events[after]
        moment = datetime.fromisoformat(base["BLSJ"]) + timedelta(hours=hours)
        new = {"BLZT": str(state), "BLSJ": moment.strftime("%Y-%m-%d %H:%M:%S")}
        like = next((e for e in events if e["BLZT"] == str(state)), base)
        extra = {**like, **new, "DFSJZJ": f"{base['DFSJZJ'][:-4]}-add"}
        at = next(i for i, e in enumerate(tables[EVENTS]) if e is events[-1])
        tables[EVENTS].insert(at + 1, extra)
        return Planted(extra, new, dict.fromkeys(new))

    return Defect(rule, EVENTS, ("BLZT", "BLSJ"), "add", note, plant)


def event_dropped(
    rule: str,
    states: Sequence[int],
    n: int,
    note: Note,
    *,
    drop: int,
    shows: int = -1,
    items: tuple[str, ...] = (),
    fields: tuple[str, ...] = ("BLZT", "BLSJ"),
    severity: str = "error",
) -> Defect:
    """Leave out one event; the fault shows on the event `shows` of the full history.

    With the begin of a special procedure goes the procedure itself, so that one fault is planted.
    """

    def plant(tables: Tables) -> Planted:
        events = _history(tables, states, n, items)
        gone = events[drop]
        tables[EVENTS][:] = [e for e in tables[EVENTS] if e is not gone]
        if gone["BLZT"] == "9":
            procedures, case = tables[PROCEDURES], gone["SPSXSLBM"]
            procedures[:] = [r for r in procedures if r["SPSXSLBM"] != case]
        old = {"BLZT": gone["BLZT"], "BLSJ": gone["BLSJ"]}
        return Planted(events[shows], dict.fromkeys(old), dict(old))

    return Defect(rule, EVENTS, fields, "drop", note, plant, severity)


def row_dropped(short: str, n: int, note: Note) -> Defect:
    """Leave out a business row; the fault shows on the completing event of its case."""
    table = f"SPGL_{short}"

    def plant(tables: Tables) -> Planted:
        touched = {e["SPSXSLBM"] for e in tables[EVENTS] if TOUCHED in e}
        gone = nth(tables, table, n, lambda r: r["SPSXSLBM"] not in touched)
        tables[table][:] = [r for r in tables[table] if r is not gone]
        events = [e for e in tables[EVENTS] if e["SPSXSLBM"] == gone["SPSXSLBM"]]
        for event in events:
            event[TOUCHED] = "1"
        return Planted(events[-1], {"SPSXSLBM": None}, {"SPSXSLBM": gone["SPSXSLBM"]})

    rule, fields = "completed-case-without-business-row", ("BLZT", "SPSXSLBM")
    return Defect(rule, EVENTS, fields, "drop", note, plant)
