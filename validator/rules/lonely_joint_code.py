"""A code of joint handling that only one case carries (CASE-09)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(explicit("lonely-joint-code", table, lambda p: (str(p["field"]),)))


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (Need(use.table, (use.fields,)),)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    code = use.fields[0]
    return frames[0].drop_nulls(code).filter(pl.len().over(code) == 1).select("row")


RULE = Rule(
    name="lonely-joint-code",
    scope=Scope.DATASET,
    title=Text("并联实例编码只有一个办件使用", "Joint code of a single case"),
    message=Text(
        "{field}（{title}）“{value}”只有这一个办件使用",
        "No other case carries {field} ({title}) “{value}”",
    ),
    help=Text(
        "单独申请的办件请留空，或补报同一批次的其他办件",
        "Leave it empty for a single case, or report the others of the joint application",
    ),
    notes=Text(
        "一并申请的办件填同一编码，单件留空。已报送过的办件也计算在内。",
        "Cases applied for together share one code, a single one has none. Cases of earlier nights "
        "count.",
    ),
    params=parameters({"field": FIELD}),
    good=Example({"SPGL_XMSPSXBLXXB": (
        {"SPSXSLBM": "1", "BLSPSLBM": "B"}, {"SPSXSLBM": "2", "BLSPSLBM": "B"},
        {"SPSXSLBM": "3"},
    )}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXB": (
            {"SPSXSLBM": "1", "BLSPSLBM": "B"}, {"SPSXSLBM": "2", "BLSPSLBM": "B"},
            {"SPSXSLBM": "3", "BLSPSLBM": "C"},
        )},
        (("SPGL_XMSPSXBLXXB", 3, ("BLSPSLBM",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
