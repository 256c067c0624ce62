"""A county's process without a city process of the same type (CFG-13)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, text_param
from validator.text import Text

NAME = "county-process-without-city-process"


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(explicit(NAME, table, lambda p: (str(p["type"]), str(p["division"]))))


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (Need(use.table, (), (text_param(use, "division"), text_param(use, "type"))),)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Cities end in 00; the first four digits tell to which one a county belongs."""
    rows = frames[0].drop_nulls().select(
        "row",
        pl.col(text_param(use, "division")).alias("division"),
        pl.col(text_param(use, "type")).alias("type"),
    ).filter(pl.col("division").str.contains("^[0-9]{6}$"))  # fmt: skip
    rows = rows.with_columns(pl.col("division").str.slice(0, 4).alias("city"))
    of_city = pl.col("division").str.ends_with("00")
    alone = pl.col("division").str.contains("^[0-9]{2}90")
    cities = rows.filter(of_city).select("city", "type").unique()
    return (
        rows.filter(~of_city & ~alone).join(cities, on=["city", "type"], how="anti").select("row")
    )


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("县级流程没有对应的市级流程", "County process without a city process"),
    message=Text(
        "县级流程（{value}）没有同类型的市级流程",
        "No process of the city has the type of this county process ({value})",
    ),
    help=Text("请先报送同类型的市级流程", "Report the city's process of this type first"),
    notes=Text(
        "以行政区划代码末两位是否为 00 区分市县（推断）；同一城市按前四位判断。",
        "Cities are told from counties by a division code ending in 00 (inferred).",
    ),
    params=parameters({"division": FIELD, "type": FIELD}),
    good=Example({"SPGL_SPLCXXB": (
        {"XZQHDM": "370800", "SPLCBM": "A", "SPLCBBH": "1", "DYBZSPLCLX": "1"},
        {"XZQHDM": "370811", "SPLCBM": "B", "SPLCBBH": "1", "DYBZSPLCLX": "1"},
    )}),
    bad_example=Example(
        {"SPGL_SPLCXXB": (
            {"XZQHDM": "370800", "SPLCBM": "A", "SPLCBBH": "1", "DYBZSPLCLX": "1"},
            {"XZQHDM": "370811", "SPLCBM": "B", "SPLCBBH": "1", "DYBZSPLCLX": "2"},
        )},
        (("SPGL_SPLCXXB", 2, ("DYBZSPLCLX", "XZQHDM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
