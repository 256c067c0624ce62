"""A fire application and the 3.0 row of the same case: what the rules that link both share.

`case` is the code by which they meet (own field → `TABLE.FIELD`), `item` the field of the
application that says which item it is, `value` the item whose 3.0 table that is. It knows no rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from validator.linked import PAIRED, linked, pairs_of, placed
from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Use, explicit, explicit_use, identity, named_table, texts_param

#: The 3.0 table of each fire item, for examples.
OF_ITEM = {"1": "SPGL_JSGCXFSJSCXXB", "2": "SPGL_JSGCXFYSXXB", "3": "SPGL_JSGCXFYSBAXXB"}
_TEXT: dict[str, object] = {"type": "string", "minLength": 1}


def same_case(**more: object) -> dict[str, object]:
    """Parameters; `table` is the one of the application, whose fields `case` and `item` name."""
    of_table: dict[str, object] = {"type": "string", "format": "table"}
    return parameters({"table": of_table, "case": PAIRED, "item": FIELD, "value": _TEXT, **more})


def pair_of(use: Use) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fields of the case code: those of the use's own table, those of the linked one."""
    return texts_param(use, "own"), texts_param(use, "other")


def case_uses(rule: str, packs: Packs, table: Table) -> tuple[Use, ...]:
    """Uses compiled for the table of applications."""
    found = []
    for use in _written(rule, packs, table):
        pairs = pairs_of(use.params, "case")
        other = linked(packs, table.standard, list(pairs.values()))
        more: dict[str, object] = {"own": tuple(pairs), "other": other.fields}
        found.append(replace(placed(use, other, **more), fields=tuple(pairs)))
    return tuple(found)


def _written(rule: str, packs: Packs, table: Table) -> Iterator[Use]:
    """Uses in the table's own file, then those of its pack that name it."""
    yield from explicit(rule, table, lambda _: ())
    for use in packs.pack(table.standard).rules:
        if use.rule == rule and str(use.params["table"]) == table.name:
            yield explicit_use(use, table, ())


def mirrored_uses(rule: str, packs: Packs, table: Table) -> tuple[Use, ...]:
    """Uses compiled for the 3.0 table at the other end."""
    found = []
    for pack in packs:
        for use in pack.rules:
            if use.rule != rule:
                continue
            pairs = pairs_of(use.params, "case")
            other = linked(packs, pack.name, list(pairs.values()))
            if other.table.qualified != table.qualified:
                continue
            own = packs.table(named_table(packs, pack.name, str(use.params["table"])))
            compiled = explicit_use(use, table, other.fields)
            params = {
                **compiled.params,
                "linked": own.qualified, "parent": own.name, "parent_title": own.title.zh,
                "own": other.fields, "other": tuple(pairs),
            }  # fmt: skip
            found.append(replace(compiled, params=params))
    return tuple(found)


def without(
    rows: pl.DataFrame, own: tuple[str, ...], others: pl.DataFrame, other: tuple[str, ...]
) -> pl.DataFrame:
    """Rows whose case none of the others has; none where there are no others at all."""
    mine, theirs = identity(own), identity(other)
    there = others.select(pl.col(theirs).alias(mine)).drop_nulls().unique()
    if there.is_empty():
        return rows.clear().select("row")
    return rows.drop_nulls(mine).join(there, on=mine, how="anti").select("row")
