"""A time before that of the record it follows (XF-P07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.examples import APPLICATION
from validator.linked import COLUMN, PAIRED, linked, pairs_of, placed
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    explicit,
    identity,
    text_param,
    texts_param,
)
from validator.text import Text

NAME = "earlier-than-linked-record"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["field"]),)):
        by = pairs_of(use.params, "by")
        other = linked(packs, table.standard, [*by.values(), str(use.params["after"])])
        source = other.table.by_name[other.fields[-1]]
        more: dict[str, object] = {
            "own_by": tuple(by), "other_by": other.fields[:-1], "source": source.name,
            "source_title": source.title.zh, "source_title_en": source.title.en,
        }  # fmt: skip
        found.append(replace(placed(use, other, **more), fields=(*use.fields, *by)))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    own, other = texts_param(use, "own_by"), texts_param(use, "other_by")
    return (
        Need(use.table, (own,), (text_param(use, "field"),)),
        Need(text_param(use, "linked"), (other,), (text_param(use, "source"),)),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows before the first of their linked records."""
    own, other = identity(texts_param(use, "own_by")), identity(texts_param(use, "other_by"))
    first = (
        frames[1]
        .select(pl.col(other).alias(own), pl.col(text_param(use, "source")).alias("since"))
        .drop_nulls()
        .group_by(own)
        .agg(pl.col("since").min())
    )
    found = frames[0].drop_nulls(own).join(first, on=own)
    early = found.filter(pl.col(text_param(use, "field")) < pl.col("since"))
    return early.select("row", pl.col("since").dt.strftime("%Y-%m-%d %H:%M:%S"))


_CASE = {"DFSJZJ": "1", "LSH": "A1"}

RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("早于所跟随的记录", "Earlier than the record it follows"),
    message=Text(
        "{field}（{title}）早于 {parent} 的 {source}（{source_title}）{since}：{value}",
        "{field} ({title}) is before {source} ({source_title_en}) of {parent}, {since}: {value}",
    ),
    help=Text("请核对两个时间", "Check both times"),
    notes=Text(
        "任一时间为空，或所跟随的记录未报送时不检查。",
        "Not judged where either time is empty or the record it follows is not there.",
    ),
    params=parameters({"field": FIELD, "by": PAIRED, "after": COLUMN}),
    good=Example(
        {
            APPLICATION: ({**_CASE, "SBSJ": "2026-03-02 09:00:00"},),
            "SPGL_XMSPGCXXB": ({**_CASE, "ID": "1", "SPSJ": "2026-03-02 09:00:00"},),
        }
    ),
    bad_example=Example(
        {
            APPLICATION: ({**_CASE, "SBSJ": "2026-03-02 09:00:00"},),
            "SPGL_XMSPGCXXB": ({**_CASE, "ID": "1", "SPSJ": "2026-03-01 17:00:00"},),
        },
        (("SPGL_XMSPGCXXB", 1, ("SPSJ", "LSH")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)
