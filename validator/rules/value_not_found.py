"""A value that should stand in another table, and does not; weaker than a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.linked import PAIRED, linked, loaded, pairs_of, placed
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    explicit,
    identity,
    text_param,
    texts_param,
)
from validator.text import Text

NAME = "value-not-found"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda _: ()):
        pairs = pairs_of(use.params, "in")
        if all(loaded(packs, table.standard, c) for c in pairs.values()):
            other = linked(packs, table.standard, list(pairs.values()))
            more = {"names": "、".join(pairs), "other_fields": other.fields}
            found.append(replace(placed(use, other, **more), fields=tuple(pairs)))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    other = Need(text_param(use, "linked"), (texts_param(use, "other_fields"),))
    return (Need(use.table, (use.fields,)), other)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    own, other = identity(use.fields), identity(texts_param(use, "other_fields"))
    there = frames[1].select(pl.col(other).alias(own)).drop_nulls().unique()
    return frames[0].drop_nulls(own).join(there, on=own, how="anti").select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("在应有的表中找不到", "Value is not found where it should be"),
    message=Text(
        "在 {parent}（{parent_title}）中找不到 {names} 的值“{value}”",
        "{parent} ({parent_title}) has no {names} “{value}”",
    ),
    help=Text("请核对 {names}，或补报对应记录", "Check {names}, or report that record"),
    notes=Text(
        "弱于引用：不影响报送顺序，也不使本记录等待。",
        "Weaker than a reference: it neither orders the sending nor makes the record wait.",
    ),
    params=parameters({"in": PAIRED}),
    good=Example({"SPGL_XMJBXXB": (
        {"GCDM": "2401-990102-04-01-100126", "XMDM": "2401-990102-04-01-100126"},
        {"GCDM": "2401-990102-04-01-100126-001", "XMDM": "2401-990102-04-01-100126"},
    )}),
    bad_example=Example(
        {"SPGL_XMJBXXB": (
            {"GCDM": "2401-990102-04-01-100126", "XMDM": "2401-990102-04-01-100126"},
            {"GCDM": "2401-990102-04-01-100127-001", "XMDM": "2401-990102-04-01-100127"},
        )},
        (("SPGL_XMJBXXB", 2, ("XMDM",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
