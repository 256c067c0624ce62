"""A case whose history does not begin with its intake (XF-P03)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.cases import ONLY, case_needs, cases, event_need, event_uses_of_pack, events_of
from validator.events import CODE, CODES
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, text_param
from validator.text import Text

NAME = "first-event-differs"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(event_uses_of_pack(NAME, packs, table, ("BLZT", "SPSXSLBM")))


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (event_need(use), *case_needs(use))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Earliest events of cases that have no first state at that time."""
    events, concerned = events_of(frames[0]), cases(use, frames[1:]).select("case")
    events = events.join(concerned, on="case", how="semi")
    earliest = events.filter(pl.col("time") == pl.col("time").min().over("case"))
    begun = earliest.filter(pl.col("state") == text_param(use, "first")).select("case").unique()
    lacking = earliest.join(begun, on="case", how="anti")
    return lacking.unique("case", keep="first", maintain_order=True).select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("办理过程没有从接件开始", "History does not begin with the intake"),
    message=Text(
        "办件最早的状态是 {value}，应以 {first} 开始",
        "The earliest state of the case is {value}; it should begin with {first}",
    ),
    help=Text("请补报状态 {first}，或核对时间", "Report state {first}, or check the times"),
    notes=Text(
        "同一时间有多条明细时，其中有开始状态即可。",
        "Where several events share the earliest time, one of them being the first state is "
        "enough.",
    ),
    params=parameters({"first": CODE}, items=CODES, only=ONLY),
    good=Example({
        "SPGL_SPSXJBXXB": (
            {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0140000"},
        ),
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},),
        "SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "1", "BLSJ": "2024-03-01 09:00:00"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_SPSXJBXXB": (
                {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0140000"},
            ),
            "SPGL_XMSPSXBLXXB": (
                {"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},
                {"SPSXSLBM": "B", "SPSXBM": "S", "SPSXBBH": "1"},
            ),
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "A", "BLZT": "1", "BLSJ": "2024-03-02 09:00:00"},
                {"SPSXSLBM": "A", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
                {"SPSXSLBM": "B", "BLZT": "1", "BLSJ": "2024-03-02 09:00:00"},
            ),
        },
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "SPSXSLBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
