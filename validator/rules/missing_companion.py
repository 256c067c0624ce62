"""A record reported without the records that are to come with it (CFG-04, CFG-17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.linked import COLUMN, PAIRED, linked, loaded, pairs_of, placed
from validator.numbers import WHEN, condition, parameters
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

NAME = "missing-companion"
_WHERE = {
    "type": "object",
    "properties": {"column": COLUMN, "value": {"type": "string", "minLength": 1}},
    "required": ["column", "value"],
    "additionalProperties": False,
}


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda _: ()):
        pairs = pairs_of(use.params, "with")
        if not all(loaded(packs, table.standard, c) for c in pairs.values()):
            continue
        other = linked(packs, table.standard, list(pairs.values()))
        more: dict[str, object] = {"other_fields": other.fields, "needed": "", "needed_en": ""}
        if "where" in use.params:
            where = pairs_of(use.params, "where")
            field = where["column"].rpartition(".")[2]
            said = f"{field} = {where['value']}"
            more |= {"where_field": field, "where_value": where["value"],
                     "separator": other.table.by_name[field].separator or "",
                     "needed": f"（{said}）", "needed_en": f" ({said})"}  # fmt: skip
        found.append(replace(placed(use, other, **more), fields=tuple(pairs)))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    values = (text_param(use, "where_field"),) if "where_field" in use.params else ()
    other = Need(text_param(use, "linked"), (texts_param(use, "other_fields"),), values)
    when = condition(use.params)
    return (Need(use.table, (use.fields,), (when.field,) if when else ()), other)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    own, other = identity(use.fields), identity(texts_param(use, "other_fields"))
    companions = frames[1]
    if "where_field" in use.params:
        cell = pl.col(text_param(use, "where_field"))
        separator = text_param(use, "separator")
        parts = cell.str.split(separator) if separator else pl.concat_list(cell)
        companions = companions.filter(parts.list.contains(text_param(use, "where_value")))
    there = companions.select(pl.col(other).alias(own)).drop_nulls().unique()
    when = condition(use.params)
    mine = frames[0].filter(pl.col(when.field).is_in(when.values)) if when else frames[0]
    return mine.drop_nulls(own).join(there, on=own, how="anti").select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("缺少一并报送的记录", "Record without its companions"),
    message=Text(
        "{parent}（{parent_title}）中没有与本记录（{value}）一并报送的记录{needed}",
        "{parent} ({parent_title}) has no record{needed_en} that comes with this one ({value})",
    ),
    help=Text("请一并报送 {parent}（{parent_title}）", "Report {parent} ({parent_title}) with it"),
    notes=Text(
        "例如同一事项版本的基本信息、扩展信息和材料目录一并报送，每个流程版本带一个并行推进阶段。",
        "An item version comes with its extension and its material catalogue, a process version "
        "with its parallel stage.",
    ),
    params=parameters({"with": PAIRED}, where=_WHERE, when=WHEN),
    good=Example({
        "SPGL_SPLCXXB": ({"SPLCBM": "L", "SPLCBBH": "1"},),
        "SPGL_SPJDXXB": (
            {"SPLCBM": "L", "SPLCBBH": "1.0", "SPJDBM": "5", "DYBZSPJDXH": "4,5"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_SPLCXXB": ({"SPLCBM": "L", "SPLCBBH": "1"}, {"SPLCBM": "L", "SPLCBBH": "2"}),
            "SPGL_SPJDXXB": (
                {"SPLCBM": "L", "SPLCBBH": "1", "SPJDBM": "5", "DYBZSPJDXH": "5"},
                {"SPLCBM": "L", "SPLCBBH": "2", "SPJDBM": "1", "DYBZSPJDXH": "1"},
            ),
        },
        (("SPGL_SPLCXXB", 2, ("SPLCBM", "SPLCBBH")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
