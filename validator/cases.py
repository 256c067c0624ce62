"""Cases as columns: which national item each has, and what narrows a rule to some of them.

Rules about completed cases are written in `pack.toml` and speak on the events; `items` names the
national item codes they concern (absent: all), `only` a value that the case's works or its business
row must have. It knows no state code beyond those of completion, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from validator.events import CODES
from validator.linked import COLUMN, linked
from validator.pack import Packs, Table
from validator.rule import Need, Use, explicit_use, identity, named_table, text_param, texts_param

EVENTS, CASES, ITEMS = "SPGL_XMSPSXBLXXXXB", "SPGL_XMSPSXBLXXB", "SPGL_SPSXJBXXB"
CASE, WORKS = ("SPSXSLBM",), ("GCDM",)
ITEM, NATIONAL = ("SPSXBM", "SPSXBBH"), "DYBZSPSXBM"
#: 办结事项 of BUS-01: the facts' class of completed states, refusal included.
COMPLETED = ("11", "12", "13")
#: A value of `column`, in a table that has the field `by` like the case.
ONLY: dict[str, object] = {
    "type": "object",
    "properties": {"column": COLUMN, "values": CODES, "by": {"enum": ["GCDM", "SPSXSLBM"]}},
    "required": ["column", "values", "by"],
    "additionalProperties": False,
}


def event_uses_of_pack(
    rule: str, packs: Packs, table: Table, fields: tuple[str, ...]
) -> Iterator[Use]:
    """Pack-level uses of `rule`, compiled for the table of events, with their tables found."""
    for pack in packs:
        for use in pack.rules:
            if use.rule == rule and named_table(packs, pack.name, EVENTS) == table.qualified:
                yield located(packs, pack.name, explicit_use(use, table, fields))


def located(packs: Packs, standard: str, use: Use) -> Use:
    """The use with the qualified names of the tables of cases and items, and of `only`."""
    more: dict[str, object] = {
        "cases_table": named_table(packs, standard, CASES),
        "item_table": named_table(packs, standard, ITEMS),
    }
    only = use.params.get("only")
    if isinstance(only, Mapping):
        other = linked(packs, standard, [str(only["column"])])
        more |= {"only_table": other.table.qualified, "only_field": other.fields[0]}
        more["only_by"] = str(only["by"])
        more["only_values"] = tuple(str(v) for v in only["values"])
    return replace(use, params={**use.params, **more})


def case_needs(use: Use) -> tuple[Need, ...]:
    """Cases, items and, where the use is narrowed, the table that narrows it."""
    cases = Need(text_param(use, "cases_table"), (CASE, ITEM, WORKS))
    items = Need(text_param(use, "item_table"), (ITEM,), (NATIONAL,))
    if "only_table" not in use.params:
        return cases, items
    field = text_param(use, "only_field")
    return cases, items, Need(text_param(use, "only_table"), ((use.params["only_by"],),), (field,))  # type: ignore[arg-type]


def cases(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Columns `row, case, works, national` of the cases a use concerns; frames as `case_needs`."""
    case, item, works = identity(CASE), identity(ITEM), identity(WORKS)
    national = frames[1].drop_nulls(item).select(item, pl.col(NATIONAL).alias("national"))
    found = frames[0].drop_nulls(case).join(national.unique(item), on=item, how="left")
    items = texts_param(use, "items")
    if items:
        found = found.filter(pl.col("national").is_in(items))
    if "only_table" in use.params:
        by, field = text_param(use, "only_by"), text_param(use, "only_field")
        wanted = frames[2].filter(pl.col(field).is_in(texts_param(use, "only_values")))
        found = found.join(wanted.select(by).drop_nulls().unique(), on=by, how="semi")
    return found.select(
        "row", pl.col(case).alias("case"), pl.col(works).alias("works"), "national"
    ).unique("case", keep="first", maintain_order=True)


def events_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns `row, case, state, time` of complete events in order; the need is `event_need`."""
    return (
        frame.select(
            "row",
            pl.col(identity(CASE)).alias("case"),
            pl.col("BLZT").alias("state"),
            pl.col("BLSJ").alias("time"),
        )
        .drop_nulls()
        .sort("case", "time", "row")
    )


def event_need(use: Use) -> Need:
    """The events of a use that is compiled for their table."""
    return Need(use.table, (CASE,), ("BLZT", "BLSJ"))
