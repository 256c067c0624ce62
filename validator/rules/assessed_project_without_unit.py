"""A project with a completed area assessment to which no assessment unit belongs (PRJ-08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.events import TABLE_NAME
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, named_table, text_param
from validator.text import Text

NAME = "assessed-project-without-unit"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """`through`: the table that links projects to units; without it the division does."""
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["flag"]),)):
        more = {
            f"{name}_table": named_table(packs, table.standard, text_param(use, name))
            for name in ("units", "entries", "through") if name in use.params
        }  # fmt: skip
        found.append(replace(use, params={**use.params, **more}))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    flag, unit = text_param(use, "flag"), ("QYPGDYBM",)
    own = ("GCDM",) if "through_table" in use.params else ("XZQHDM",)
    needed = (
        Need(use.table, (own,), (flag,)),
        Need(text_param(use, "units_table"), (unit, ("XZQHDM",))),
        Need(text_param(use, "entries_table"), (unit,)),
    )
    if "through_table" not in use.params:
        return needed
    return *needed, Need(text_param(use, "through_table"), (("GCDM",), unit))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """A project without cases is not judged by them: its unit may still show."""
    assessed = frames[0].filter(pl.col(text_param(use, "flag")) == "1")
    entries = frames[2].select("QYPGDYBM").drop_nulls().unique()
    units = frames[1].join(entries, on="QYPGDYBM", how="semi")
    if "through_table" not in use.params:
        return assessed.drop_nulls("XZQHDM").join(
            units.select("XZQHDM").drop_nulls().unique(), on="XZQHDM", how="anti"
        ).select("row")  # fmt: skip
    linked = frames[3].drop_nulls("GCDM")
    named = linked.join(units.select("QYPGDYBM").unique(), on="QYPGDYBM", how="semi")
    with_cases = assessed.join(linked.select("GCDM").unique(), on="GCDM", how="semi")
    return with_cases.join(named.select("GCDM").unique(), on="GCDM", how="anti").select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("已完成区域评估但没有评估数据", "Assessed project without an assessment unit"),
    message=Text(
        "{field}（{title}）为 1，但没有关联的区域评估单元及其事项",
        "{field} ({title}) is 1 but no assessment unit with its items belongs to the project",
    ),
    help=Text(
        "请报送关联的区域评估信息和事项，或更正 {field}",
        "Report the linked assessment unit and its items, or correct {field}",
    ),
    notes=Text(
        "标准中的项目没有指向评估单元的字段：一是看同一行政区划有没有评估单元及事项，二是看项目的办件"
        "有没有填区域评估单元编码（推断）。",
        "A project has no field that names its unit: one use asks whether its division has any "
        "unit with items, another whether a case of the project names one (inferred).",
    ),
    params=parameters(
        {"flag": FIELD, "units": TABLE_NAME, "entries": TABLE_NAME}, through=TABLE_NAME
    ),
    good=Example({
        "SPGL_XMJBXXB": (
            {"XZQHDM": "370800", "GCDM": "A", "SFWCQYPG": "1"},
            {"XZQHDM": "370900", "GCDM": "B", "SFWCQYPG": "0"},
        ),
        "SPGL_QYPGXXB": ({"XZQHDM": "370800", "QYPGDYBM": "Q"},),
        "SPGL_QYPGSXXXB": ({"QYPGDYBM": "Q", "QYPGSXBM": "1"},),
    }),
    bad_example=Example(
        {
            "SPGL_XMJBXXB": (
                {"XZQHDM": "370800", "GCDM": "A", "SFWCQYPG": "1"},
                {"XZQHDM": "370900", "GCDM": "B", "SFWCQYPG": "1"},
            ),
            "SPGL_QYPGXXB": (
                {"XZQHDM": "370800", "QYPGDYBM": "Q"}, {"XZQHDM": "370900", "QYPGDYBM": "R"},
            ),
            "SPGL_QYPGSXXXB": ({"QYPGDYBM": "Q", "QYPGSXBM": "1"},),
        },
        (("SPGL_XMJBXXB", 2, ("SFWCQYPG",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
