"""A business row whose case is not reported, where no reference of the table says so (BUS-01)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.events import NAMES, TABLE_NAME
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    explicit,
    identity,
    named_table,
    text_param,
    texts_param,
)
from validator.text import Text


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit(
        "business-row-without-case", table,
        lambda p: tuple(str(v) for v in p["match"]),  # type: ignore[attr-defined]
    )  # fmt: skip
    return tuple(_located(packs, table, use) for use in found)


def _located(packs: Packs, table: Table, use: Use) -> Use:
    parent = packs.table(named_table(packs, table.standard, text_param(use, "cases")))
    more = {"parent": parent.qualified, "parent_title": parent.title.zh,
            "names": "、".join(use.fields)}  # fmt: skip
    return replace(use, params={**use.params, **more})


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (Need(use.table, (use.fields,)), Need(text_param(use, "parent"), (use.fields,)))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    match = identity(texts_param(use, "match"))
    rows = frames[0].drop_nulls(match)
    return rows.join(frames[1].select(match).drop_nulls(), on=match, how="anti").select("row")


RULE = Rule(
    name="business-row-without-case",
    scope=Scope.DATASET,
    title=Text("业务信息没有对应的办件", "Business row without its case"),
    message=Text(
        "{cases}（{parent_title}）中没有与本记录对应的办件（{names} 为“{value}”）",
        "No case in {cases} ({parent_title}) belongs to this row ({names} is “{value}”)",
    ),
    help=Text(
        "请补报 {cases}（{parent_title}）的办件，或更正 {names}",
        "Report the case in {cases} ({parent_title}), or correct {names}",
    ),
    notes=Text(
        "用于自身不含办件实例编码的业务表，按 match 所列字段对应。",
        "For business tables without a case code; rows belong by the fields of `match`.",
    ),
    params={
        "type": "object",
        "properties": {"cases": TABLE_NAME, "match": NAMES},
        "required": ["cases", "match"],
        "additionalProperties": False,
    },
    good=Example({
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "GCDM": "G", "SPSXBM": "S", "SPSXBBH": "1"},),
        "SPGL_SGTSJWJSCXXB": (
            {"XZQHDM": "370800", "GCDM": "G", "SPSXBM": "S", "SPSXBBH": "1.0"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "GCDM": "H", "SPSXBM": "S", "SPSXBBH": "1"},),
            "SPGL_SGTSJWJSCXXB": (
                {"XZQHDM": "370800", "GCDM": "G", "SPSXBM": "S", "SPSXBBH": "1.0"},
            ),
        },
        (("SPGL_SGTSJWJSCXXB", 1, ("GCDM", "SPSXBM", "SPSXBBH")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
    apart=True,
)  # fmt: skip
