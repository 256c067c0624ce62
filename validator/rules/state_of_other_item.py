"""A state that only cases of another item take (XF-F01)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.examples import APPLICATION
from validator.linked import COLUMN, PAIRED, linked, pairs_of, placed
from validator.numbers import FIELD, VALUES, parameters
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

NAME = "state-of-other-item"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["field"]),)):
        by = pairs_of(use.params, "by")
        other = linked(packs, table.standard, [*by.values(), str(use.params["item"])])
        more: dict[str, object] = {
            "own_by": tuple(by), "other_by": other.fields[:-1], "item_field": other.fields[-1],
            "listed": "、".join(texts_param(use, "belongs")),
        }  # fmt: skip
        found.append(replace(placed(use, other, **more), fields=(*use.fields, *by)))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    own, other = texts_param(use, "own_by"), texts_param(use, "other_by")
    item = (text_param(use, "item_field"),)
    return (
        Need(use.table, (own,), (text_param(use, "field"),)),
        Need(text_param(use, "linked"), (other,), item),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows in such a state whose case is known to be of another item."""
    own, other = identity(texts_param(use, "own_by")), identity(texts_param(use, "other_by"))
    state, item = pl.col(text_param(use, "field")), text_param(use, "item_field")
    rows = frames[0].filter(state.is_in(texts_param(use, "states"))).drop_nulls(own)
    of = frames[1].select(pl.col(other).alias(own), pl.col(item).alias("item")).drop_nulls()
    found = rows.join(of.unique(own), on=own)
    return found.filter(~pl.col("item").is_in(texts_param(use, "belongs"))).select("row", "item")


_CASE = {"DFSJZJ": "1", "LSH": "A1"}
_STEP = {"ID": "1", **_CASE}

RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("状态与业务类型不符", "State of another item"),
    message=Text(
        "{field}（{title}）为 {value}，而该办件的业务类型为 {item}，这一状态只用于 {listed}",
        "{field} ({title}) is {value}, but the case is of item type {item}; only {listed} takes "
        "this state",
    ),
    help=Text("请向写入方核对该办件", "Ask whoever wrote it about the case"),
    notes=Text(
        "例如抽中、未抽中只用于消防验收备案。办件未报送时不检查。",
        "Selection for a spot-check belongs to acceptance filings. Not judged where the case is "
        "not there.",
    ),
    params=parameters(
        {"field": FIELD, "states": VALUES, "by": PAIRED, "item": COLUMN, "belongs": VALUES}
    ),
    good=Example(
        {
            APPLICATION: ({**_CASE, "SPLCLX": "3"},),
            "SPGL_XMSPGCXXB": ({**_STEP, "SPJG": "21"}, {**_STEP, "ID": "2", "SPJG": "3"}),
        }
    ),
    bad_example=Example(
        {
            APPLICATION: ({**_CASE, "SPLCLX": "1"},),
            "SPGL_XMSPGCXXB": ({**_STEP, "SPJG": "3"}, {**_STEP, "ID": "2", "SPJG": "22"}),
        },
        (("SPGL_XMSPGCXXB", 2, ("SPJG", "LSH")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)
