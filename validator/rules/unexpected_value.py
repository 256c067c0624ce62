"""A cell without the one value that it is seen to carry, possibly under a condition."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, VALUES, WHEN, condition, holds_in, number, parameters, said
from validator.pack import Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit("unexpected-value", table, lambda p: (str(p["field"]),)):
        of = condition(use.params)
        more = {**said(table, of), "values": "、".join(texts_param(use, "expected"))}
        fields = use.fields if of is None else (*use.fields, of.field)
        found.append(replace(use, fields=fields, params={**use.params, "of": of, **more}))
    return tuple(found)


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    """Numbers compare as such. An empty cell is another rule's matter."""
    name, values = text_param(use, "field"), texts_param(use, "expected")
    if table.by_name[name].kind in (Kind.DECIMAL, Kind.INTEGER):
        other = ~number(name).is_in([float(v) for v in values])
    else:
        other = ~pl.col(name).is_in(list(values))
    of = condition(use.params)
    return other if of is None else other & holds_in(table, of)


RULE = Rule(
    name="unexpected-value",
    scope=Scope.RECORD,
    order=70,
    title=Text("值与惯例不符", "Value is not the expected one"),
    message=Text(
        "{given}{field}（{title}）应为 {values}：{value}",
        "{given_en}{field} ({title}) should be {values}: {value}",
    ),
    help=Text("请核对 {field}（{title}）", "Check {field} ({title})"),
    notes=Text(
        "用于各系统都填同一个值的字段，例如国标行业代码发布年代为 2017。空值不在此检查。",
        "For fields in which every system seen sends the same value, such as 2017 for the year of "
        "the industry classification. An empty cell is not judged here.",
    ),
    params=parameters({"field": FIELD, "expected": VALUES}, when=WHEN),
    good=Example({"SPGL_XMJBXXB": ({"GBHYDMFBND": "2017"}, {"GBHYDMFBND": None})}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"GBHYDMFBND": "2017"}, {"GBHYDMFBND": "2011"})},
        (("SPGL_XMJBXXB", 2, ("GBHYDMFBND",)),),
    ),
    uses=uses,
    bad=bad,
)
