"""A record that counts as ended although an event it needs is not reported (BUS-12, AGY-01)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.events import CODE, CODES
from validator.linked import COLUMN, linked, placed
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, text_param, texts_param
from validator.text import Text

NAME = "missing-event"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """`ended`: a field whose value shows the end; `last`: the event that shows it."""
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["by"]), *_ended(p))):
        other = linked(packs, table.standard, [text_param(use, "events")])
        found.append(placed(replace(use), other, state=other.fields[0]))
    return tuple(found)


def _ended(params: object) -> tuple[str, ...]:
    assert isinstance(params, dict)
    return (str(params["ended"]),) if "ended" in params else ()


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    by = (text_param(use, "by"),)
    ended = (text_param(use, "ended"),) if "ended" in use.params else ()
    other = Need(text_param(use, "linked"), (by,), (text_param(use, "state"),))
    return (Need(use.table, (by,), ended), other)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    by, state = text_param(use, "by"), text_param(use, "state")
    events = frames[1].drop_nulls().select(by, pl.col(state).alias("state")).unique()
    judged = frames[0].drop_nulls()
    if "last" in use.params:
        last = events.filter(pl.col("state") == text_param(use, "last")).select(by)
        judged = judged.join(last, on=by, how="semi")
    found = []
    for wanted in texts_param(use, "needs"):
        seen = events.filter(pl.col("state") == wanted).select(by)
        lacking = judged.join(seen, on=by, how="anti")
        found.append(lacking.select("row", pl.lit(wanted).alias("lacking")))
    return pl.concat(found).group_by("row").agg(pl.col("lacking").str.join("、"))


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("缺少必报的过程状态", "An event is missing"),
    message=Text(
        "本记录已结束，但 {parent}（{parent_title}）中没有状态 {lacking}：{value}",
        "The record has ended but {parent} ({parent_title}) has no event {lacking}: {value}",
    ),
    help=Text(
        "请补报 {parent}（{parent_title}）的状态 {lacking}",
        "Report the event {lacking} in {parent} ({parent_title})",
    ),
    notes=Text(
        "进行中的不检查：以某个字段有值，或以最后一个状态已报为结束。",
        "What is still running is not judged: a filled field or the last event shows the end.",
    ),
    params={
        **parameters(
            {"by": FIELD, "events": COLUMN, "needs": CODES}, ended=FIELD, last=CODE
        ),
        "anyOf": [{"required": ["ended"]}, {"required": ["last"]}],
    },
    good=Example({
        "SPGL_SGTSJWJSCXXB": (
            {"XZQHDM": "1", "GCDM": "A", "STYWBH": "1", "SCTGSJ": "2024-03-01 09:00:00"},
            {"XZQHDM": "1", "GCDM": "B", "STYWBH": "2"},
        ),
        "SPGL_SGTSJWJSCXXXXB": (
            {"STYWBH": "1", "BLZT": "1"}, {"STYWBH": "1", "BLZT": "4"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_SGTSJWJSCXXB": (
                {"XZQHDM": "1", "GCDM": "A", "STYWBH": "1", "SCTGSJ": "2024-03-01 09:00:00"},
            ),
            "SPGL_SGTSJWJSCXXXXB": ({"STYWBH": "1", "BLZT": "1"},),
        },
        (("SPGL_SGTSJWJSCXXB", 1, ("STYWBH", "SCTGSJ")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
