"""A pause that begins again before it has ended, or ends without having begun (STAT-02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from validator.events import (
    PAIRS,
    event_needs,
    event_uses,
    history,
    last_rows,
    pairs,
    params,
    pauses,
)
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, texts_param
from validator.text import Text

_explicit = event_uses("unpaired-event")


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """Ends without a begin are left to end-without-begin where the table uses it for the pair."""
    others: list[str] = []
    for use in table.rules:
        named = use.params.get("pairs")
        if use.rule == "end-without-begin" and isinstance(named, Mapping):
            others += [str(begin) for begin in named]
    return tuple(
        replace(use, params={**use.params, "left": tuple(others)})
        for use in _explicit(packs, table)
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Begins while the same pause is open, and ends while it is not."""
    events = history(use, frames[0])
    found = []
    for begin, end in pairs(use):
        states = pauses(events, begin, end)
        again = last_rows(events, begin, states, "bad_begins")
        found.append(_said(again, begin, f"上一次 {begin} 还没有结束", f"{begin} is still open"))
        if begin not in texts_param(use, "left"):
            ends = last_rows(events, end, states, "bad_ends")
            found.append(_said(ends, begin, f"之前没有开始 {begin}", f"no {begin} came before"))
    return pl.concat(found)


def _said(rows: pl.DataFrame, begin: str, zh: str, en: str) -> pl.DataFrame:
    return rows.with_columns(
        pl.lit(begin).alias("begin"), pl.lit(zh).alias("fault"), pl.lit(en).alias("fault_en")
    )


RULE = Rule(
    name="unpaired-event",
    scope=Scope.DATASET,
    title=Text("补正或特别程序未成对", "Begin and end of a pause do not pair"),
    message=Text(
        "状态 {value} 未成对：{fault}", "State {value} has no counterpart: {fault_en}"
    ),
    help=Text(
        "请补报缺少的开始或结束，或作废多余的状态",
        "Report the missing begin or end, or invalidate the superfluous state",
    ),
    notes=Text(
        "尚未结束的补正或特别程序是合法的；再次开始才说明前一次缺少结束。时间相同时按最少冲突的次序"
        "理解。办结时仍未结束见 open-pause-at-completion。",
        "An open pause is legal; only a second begin shows that the first lacks its end. Events of "
        "equal time take the order that breaks least. A pause open at completion has its own rule.",
    ),
    params=params(pairs=PAIRS),
    good=Example({"SPGL_XMSPSXBLXXXXB": (
        {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-01 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "7", "BLSJ": "2024-03-02 09:00:00"},
        {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-02 09:00:00"},
        {"SPSXSLBM": "B", "BLZT": "9", "BLSJ": "2024-03-01 09:00:00"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-01 09:00:00"},
            {"SPSXSLBM": "A", "BLZT": "6", "BLSJ": "2024-03-02 09:00:00"},
            {"SPSXSLBM": "B", "BLZT": "7", "BLSJ": "2024-03-02 09:00:00"},
        )},
        (
            ("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "BLSJ")),
            ("SPGL_XMSPSXBLXXXXB", 3, ("BLZT", "BLSJ")),
        ),
    ),
    uses=uses,
    needs=event_needs,
    query=query,
)  # fmt: skip
