"""A project reported as finished with a case that is not (PRJ-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.cases import CASE, CASES, EVENTS, events_of
from validator.events import CODES
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    explicit,
    named_table,
    text_param,
    texts_param,
)
from validator.text import Text

NAME = "finished-project-with-open-case"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["flag"]), str(p["time"]))):
        more = {"cases_table": named_table(packs, table.standard, CASES),
                "events_table": named_table(packs, table.standard, EVENTS)}  # fmt: skip
        found.append(replace(use, params={**use.params, **more}))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (
        Need(use.table, (("GCDM",),), (text_param(use, "flag"), text_param(use, "time"))),
        Need(text_param(use, "cases_table"), (CASE, ("GCDM",))),
        Need(text_param(use, "events_table"), (CASE,), ("BLZT", "BLSJ")),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Projects with a case without an end, or with an end on a later day than the project's."""
    finished = frames[0].filter(pl.col(text_param(use, "flag")) == "1").select(
        "row", "GCDM", pl.col(text_param(use, "time")).dt.date().alias("finished")
    )  # fmt: skip
    ends = events_of(frames[2]).filter(pl.col("state").is_in(texts_param(use, "ends")))
    last = ends.group_by("case").agg(pl.col("time").max().dt.date().alias("end"))
    cases = frames[1].select("GCDM", pl.col("SPSXSLBM").alias("case")).drop_nulls()
    judged = finished.drop_nulls("GCDM").join(cases, on="GCDM").join(last, on="case", how="left")
    bad = judged.filter(pl.col("end").is_null() | (pl.col("end") > pl.col("finished")))
    return bad.group_by("row").agg(pl.len().cast(pl.String).alias("open"))


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("项目已完全办结但仍有办件未办结", "Finished project with an open case"),
    message=Text(
        "项目标为完全办结（{value}），但有 {open} 个办件未办结，或在其后才办结",
        "The project is reported as finished ({value}) but {open} of its cases have not ended or "
        "ended later",
    ),
    help=Text(
        "请核对 {field}（{title}），或补报办件的办结状态",
        "Check {field} ({title}), or report how the cases ended",
    ),
    notes=Text(
        "按天比较；办件的任何终结状态都算办结。", "Compared by day; any end state ends a case."
    ),
    params=parameters({"flag": FIELD, "time": FIELD, "ends": CODES}),
    good=Example({
        "SPGL_XMJBXXB": (
            {"GCDM": "A", "XMSFWQBJ": "1", "XMWQBJSJ": "2024-03-05 18:00:00"},
            {"GCDM": "B", "XMSFWQBJ": "0"},
        ),
        "SPGL_XMSPSXBLXXB": (
            {"SPSXSLBM": "1", "GCDM": "A"}, {"SPSXSLBM": "2", "GCDM": "B"},
        ),
        "SPGL_XMSPSXBLXXXXB": ({"SPSXSLBM": "1", "BLZT": "11", "BLSJ": "2024-03-05 19:00:00"},),
    }),
    bad_example=Example(
        {
            "SPGL_XMJBXXB": (
                {"GCDM": "A", "XMSFWQBJ": "1", "XMWQBJSJ": "2024-03-05 18:00:00"},
                {"GCDM": "B", "XMSFWQBJ": "1", "XMWQBJSJ": "2024-03-05 18:00:00"},
                {"GCDM": "C", "XMSFWQBJ": "1", "XMWQBJSJ": "2024-03-05 18:00:00"},
            ),
            "SPGL_XMSPSXBLXXB": (
                {"SPSXSLBM": "1", "GCDM": "A"}, {"SPSXSLBM": "2", "GCDM": "B"},
                {"SPSXSLBM": "3", "GCDM": "C"},
            ),
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "1", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
                {"SPSXSLBM": "2", "BLZT": "11", "BLSJ": "2024-03-06 09:00:00"},
                {"SPSXSLBM": "3", "BLZT": "8", "BLSJ": "2024-03-01 09:00:00"},
            ),
        },
        (
            ("SPGL_XMJBXXB", 2, ("XMSFWQBJ", "XMWQBJSJ")),
            ("SPGL_XMJBXXB", 3, ("XMSFWQBJ", "XMWQBJSJ")),
        ),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
