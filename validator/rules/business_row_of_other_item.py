"""A business row whose case belongs to an item that is reported elsewhere (XF-K06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.cases import CASE, case_needs, cases, located
from validator.events import CODES
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, identity, texts_param
from validator.text import Text

NAME = "business-row-of-other-item"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """`items` tells what belongs here; the cases themselves are not narrowed by it."""
    found = []
    for use in explicit(NAME, table, lambda _: CASE):
        params = {k: v for k, v in use.params.items() if k != "items"}
        params |= {"belongs": texts_param(use, "items"),
                   "listed": "、".join(texts_param(use, "items"))}  # fmt: skip
        found.append(located(packs, table.standard, replace(use, params=params)))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (Need(use.table, (CASE,)), *case_needs(use))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows whose case has a national item code of another table."""
    case = identity(CASE)
    of = cases(use, frames[1:]).drop_nulls("national").select("case", "national")
    rows = frames[0].drop_nulls(case).join(of, left_on=case, right_on="case")
    return rows.filter(~pl.col("national").is_in(texts_param(use, "belongs"))).select(
        "row", "national"
    )


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("业务信息与事项不符", "Business row of another item"),
    message=Text(
        "办件（{value}）的标准审批事项编码为 {national}，不属于本表（{listed}）",
        "The case ({value}) has the national item code {national}, which does not belong into this "
        "table ({listed})",
    ),
    help=Text(
        "请把信息报到对应的表，或核对办件实例编码", "Report it in its own table, or check the case"
    ),
    notes=Text(
        "标准审批事项编码决定业务信息表；办件或事项未报送时不检查。",
        "The national item code decides the business table. Not judged where case or item is not "
        "there.",
    ),
    params=parameters({"items": CODES}),
    good=Example({
        "SPGL_SPSXJBXXB": (
            {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0140000"},
        ),
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},),
        "SPGL_JSGCXFYSXXB": ({"SPSXSLBM": "A"}, {"SPSXSLBM": "B"}),
    }),
    bad_example=Example(
        {
            "SPGL_SPSXJBXXB": (
                {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0140000"},
                {"XZQHDM": "370800", "SPSXBM": "T", "SPSXBBH": "1", "DYBZSPSXBM": "0100000"},
            ),
            "SPGL_XMSPSXBLXXB": (
                {"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},
                {"SPSXSLBM": "B", "SPSXBM": "T", "SPSXBBH": "1"},
            ),
            "SPGL_JSGCXFYSXXB": ({"SPSXSLBM": "A"}, {"SPSXSLBM": "B"}),
        },
        (("SPGL_JSGCXFYSXXB", 2, ("SPSXSLBM",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
    apart=True,
)  # fmt: skip
