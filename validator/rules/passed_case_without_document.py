"""A case that ended as passed without an approval document (DOC-01)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.cases import CASE
from validator.events import CODES, TABLE_NAME, event_needs, event_uses, first_of, history
from validator.events import FIELDS as EVENT_FIELDS
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    identity,
    named_table,
    text_param,
    texts_param,
)
from validator.text import Text

NAME = "passed-case-without-document"
_explicit = event_uses(NAME)


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in _explicit(packs, table):
        parent = packs.table(named_table(packs, table.standard, text_param(use, "documents")))
        more = {"linked": parent.qualified, "parent": parent.name, "parent_title": parent.title.zh}
        found.append(replace(use, params={**use.params, **more}))
    return tuple(found)


def needs(packs: Packs, use: Use) -> tuple[Need, ...]:
    return (*event_needs(packs, use), Need(text_param(use, "linked"), (CASE,)))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    passed = first_of(history(use, frames[0]), texts_param(use, "passed"))
    there = frames[1].select(pl.col(identity(CASE)).alias("case")).drop_nulls().unique()
    return passed.join(there, on="case", how="anti").select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("通过办结的办件没有批复文件", "Passed case without its document"),
    message=Text(
        "办件以通过办结（{value}），但 {parent}（{parent_title}）中没有批复文件",
        "The case ended as passed ({value}) but {parent} ({parent_title}) has no document of it",
    ),
    help=Text("请补报 {parent}（{parent_title}）", "Report its row of {parent} ({parent_title})"),
    notes=Text(
        "报告在通过办结的那条明细上。", "Reported on the event by which the case passed."
    ),
    params=parameters({**EVENT_FIELDS, "documents": TABLE_NAME, "passed": CODES}),
    good=Example({
        "SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
            {"SPSXSLBM": "B", "BLZT": "13", "BLSJ": "2024-03-05 09:00:00"},
        ),
        "SPGL_XMSPSXPFWJXXB": ({"SPSXSLBM": "A", "FJID": "1"},),
    }),
    bad_example=Example(
        {
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "12", "BLSJ": "2024-03-05 09:00:00"},
            ),
            "SPGL_XMSPSXPFWJXXB": ({"SPSXSLBM": "A", "FJID": "1"},),
        },
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "BLSJ")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
