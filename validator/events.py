"""Case histories as columns: what the event rules share.

Events of equal time take the order that breaks least: an end state comes last, and begins and ends
of a pause alternate as far as they can. It judges only what is there: an absence shows only in a
later event, so a running case is legal. It knows no state code; packs name them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from validator.pack import Packs, Table
from validator.rule import Need, Use, explicit, text_param

#: Parameters of every event rule: the fields of case, state and time.
FIELDS: dict[str, object] = {
    "case": {"type": "string", "format": "field"},
    "state": {"type": "string", "format": "field"},
    "time": {"type": "string", "format": "field"},
}
CODE = {"type": "string", "minLength": 1}
#: Names of fields of the table, and of a table; the loader checks both formats.
NAMES = {"type": "array", "items": {"type": "string", "format": "field"}, "minItems": 1}
TABLE_NAME = {"type": "string", "format": "table"}
CODES = {"type": "array", "items": CODE, "minItems": 1}
PAIRS = {"type": "object", "additionalProperties": CODE, "minProperties": 1}


def params(**more: object) -> dict[str, object]:
    """JSON Schema of an event rule's parameters."""
    return {
        "type": "object",
        "properties": FIELDS | more,
        "required": [*FIELDS, *more],
        "additionalProperties": False,
    }


def event_uses(rule: str) -> Callable[[Packs, Table], tuple[Use, ...]]:
    """`uses` of an event rule: reported on the state, with case and time beside it."""
    return lambda _packs, table: tuple(
        explicit(rule, table, lambda p: (str(p["state"]), str(p["time"])))
    )


def event_needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    """The case as an identity, state and time as values."""
    case, state, time = (text_param(use, name) for name in FIELDS)
    return (Need(use.table, ((case,),), (state, time)),)


def history(use: Use, frame: pl.DataFrame) -> pl.DataFrame:
    """Columns `row, case, state, time` of complete events, sorted by case, time and row."""
    case, state, time = (text_param(use, name) for name in FIELDS)
    events = frame.select(
        "row", pl.col(case).alias("case"), pl.col(state).alias("state"), pl.col(time).alias("time")
    )
    return events.drop_nulls().sort("case", "time", "row")


def first_of(events: pl.DataFrame, states: tuple[str, ...]) -> pl.DataFrame:
    """The first event of each case in one of the states."""
    return events.filter(pl.col("state").is_in(states)).unique(
        "case", keep="first", maintain_order=True
    )


def repeated(events: pl.DataFrame, states: tuple[str, ...]) -> pl.DataFrame:
    """Rows of the second and later events of a case in any of the states."""
    found = events.filter(pl.col("state").is_in(states))
    return found.filter(pl.col("row").cum_count().over("case") > 1).select("row")


def pairs(use: Use) -> Iterator[tuple[str, str]]:
    """(begin, end) of each pause."""
    value = use.params["pairs"]
    assert isinstance(value, Mapping)
    for begin, end in value.items():
        yield str(begin), str(end)


def pauses(events: pl.DataFrame, begin: str, end: str) -> pl.DataFrame:
    """Per case and time with such events: `open` (0 or 1) after it, `bad_begins`, `bad_ends`.

    Within one time begins and ends alternate as far as they can, so only their difference counts:
    after a difference above zero the pause is open, below zero it is closed, at zero as before.
    """
    change = (pl.col("state") == begin).cast(pl.Int64) - (pl.col("state") == end).cast(pl.Int64)
    times = (
        events.filter(pl.col("state").is_in([begin, end]))
        .group_by("case", "time", maintain_order=True)
        .agg(change.sum().alias("change"))
        .sort("case", "time")
    )
    last = pl.when(pl.col("change") != 0).then(pl.col("change").sign()).otherwise(None)
    before = (last.forward_fill().shift(1).over("case").fill_null(0) > 0).cast(pl.Int64)
    after = before + pl.col("change")
    return times.select(
        "case",
        "time",
        after.clip(0, 1).alias("open"),
        (after - 1).clip(lower_bound=0).alias("bad_begins"),
        (-after).clip(lower_bound=0).alias("bad_ends"),
    )


def last_rows(events: pl.DataFrame, state: str, counts: pl.DataFrame, name: str) -> pl.DataFrame:
    """Per case and time, the last `counts[name]` rows in the state."""
    found = events.filter(pl.col("state") == state).join(
        counts.filter(pl.col(name) > 0), on=["case", "time"], how="inner"
    )
    position = pl.col("row").rank("ordinal", descending=True).over("case", "time")
    return found.filter(position <= pl.col(name)).select("row")
