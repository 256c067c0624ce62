"""A unit or party reported under another number than its item calls for (BUS-03)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.cases import CASE, WORKS, case_needs, cases, located
from validator.events import CODES
from validator.linked import COLUMN, linked, placed
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, identity, text_param
from validator.text import Text

NAME = "number-of-other-document"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["number"]), *CASE)):
        other = linked(packs, table.standard, [text_param(use, "from")])
        named = placed(use, other, source=other.fields[0], own=text_param(use, "number"),
                       by_case="SPSXSLBM" in other.table.by_name,
                       source_title=other.table.by_name[other.fields[0]].title.zh)  # fmt: skip
        found.append(located(packs, table.standard, replace(named)))
    return tuple(found)


def _by(use: Use) -> tuple[str, ...]:
    return CASE if use.params["by_case"] else WORKS


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    other = Need(text_param(use, "linked"), ((text_param(use, "source"),), _by(use)))
    return (Need(use.table, ((text_param(use, "own"),), CASE)), other, *case_needs(use))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of the items concerned whose number is none of those of their document."""
    case, by = identity(CASE), identity(_by(use))
    concerned = cases(use, frames[2:]).select(
        "case", pl.col("case" if use.params["by_case"] else "works").alias("by"), "national"
    )
    rows = frames[0].drop_nulls().select(
        "row", pl.col(case).alias("case"), pl.col(text_param(use, "own")).alias("number")
    ).join(concerned, on="case")  # fmt: skip
    numbers = frames[1].select(
        pl.col(by).alias("by"), pl.col(text_param(use, "source")).alias("number")
    ).drop_nulls().unique()  # fmt: skip
    beside = rows.join(numbers.select("by").unique(), on="by", how="semi")
    return beside.join(numbers, on=["by", "number"], how="anti").select("row", "national")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("许可（备案）编号与所属文件不一致", "Number is not that of its document"),
    message=Text(
        "标准审批事项编码为 {national}，{field}（{title}）应取自 {parent} 的 {source}"
        "（{source_title}）：{value}",
        "With the national item code {national}, {field} ({title}) is {source} ({source_title}) "
        "of {parent}: {value}",
    ),
    help=Text("请核对编号", "Check the number"),
    notes=Text(
        "按事项取施工图审查业务编号、施工许可证编号、竣工验收备案编号或批复文号；对应文件未报送时不检查。",
        "By item it is the number of the drawing review, construction permit or completion filing, "
        "else that of the approval document. Not judged where that document is not there.",
    ),
    params=parameters({"number": FIELD, "from": COLUMN, "items": CODES}),
    good=Example({
        "SPGL_SPSXJBXXB": (
            {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0120001"},
        ),
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "GCDM": "G", "SPSXBM": "S", "SPSXBBH": "1"},),
        "SPGL_JZGCSGXKXXB": (
            {"XZQHDM": "370800", "GCDM": "G", "SPSXSLBM": "A", "SGXKZBH": "施-1"},
        ),
        "SPGL_ZRZTXXB": ({"SPSXSLBM": "A", "DWLX": "1", "XKBABH": "施-1"},),
    }),
    bad_example=Example(
        {
            "SPGL_SPSXJBXXB": (
                {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1", "DYBZSPSXBM": "0120001"},
            ),
            "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "GCDM": "G", "SPSXBM": "S", "SPSXBBH": "1"},),
            "SPGL_JZGCSGXKXXB": (
                {"XZQHDM": "370800", "GCDM": "G", "SPSXSLBM": "A", "SGXKZBH": "施-1"},
            ),
            "SPGL_ZRZTXXB": (
                {"SPSXSLBM": "A", "DWLX": "1", "XKBABH": "施-1"},
                {"SPSXSLBM": "A", "DWLX": "2", "XKBABH": "建-1"},
            ),
        },
        (("SPGL_ZRZTXXB", 2, ("XKBABH", "SPSXSLBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
