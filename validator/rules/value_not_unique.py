"""A value that only one record may have, in a second one (XF-K01)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.events import NAMES
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, identity
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit(
        "value-not-unique", table,
        lambda p: tuple(str(v) for v in p["fields"]),  # type: ignore[attr-defined]
    )  # fmt: skip
    return tuple(replace(u, params={**u.params, "names": "、".join(u.fields)}) for u in found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    return (Need(use.table, (use.fields,)),)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Every record after the first; known ones come before tonight's."""
    value = identity(use.fields)
    found = frames[0].drop_nulls(value).sort(value, "row")
    return found.filter(pl.col("row").cum_count().over(value) > 1).select("row")


RULE = Rule(
    name="value-not-unique",
    scope=Scope.DATASET,
    title=Text("应唯一的值重复", "Value is not unique"),
    message=Text(
        "{names} 的值“{value}”已有另一条记录使用",
        "Another record already has {names} “{value}”",
    ),
    help=Text("请只保留一条记录，或更正 {names}", "Keep one record, or correct {names}"),
    notes=Text(
        "主键之外的唯一性要求，例如一个办件只有一条消防信息。主键重复由 duplicate-key 报告。",
        "Uniqueness beside the key, such as one fire row per case. Repeated keys are reported by "
        "duplicate-key.",
    ),
    params=parameters({"fields": NAMES}),
    good=Example({"SPGL_JSGCXFYSXXB": (
        {"XZQHDM": "370800", "GCDM": "A", "SPSXSLBM": "1"},
        {"XZQHDM": "370800", "GCDM": "A", "SPSXSLBM": "2"},
    )}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": (
            {"XZQHDM": "370800", "GCDM": "A", "SPSXSLBM": "1"},
            {"XZQHDM": "370800", "GCDM": "B", "SPSXSLBM": "1"},
        )},
        (("SPGL_JSGCXFYSXXB", 2, ("SPSXSLBM",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
