"""A cell is filled although the flag of its block says that there is nothing to fill in."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELDS, WHEN, condition, holds_in, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per field of the block."""
    found = []
    for use in explicit("surplus-conditional-value", table, lambda _: ()):
        of = condition(use.params)
        assert of is not None
        more = {"of": of, "other": of.field, "other_title": table.by_name[of.field].title.zh,
                "values": "、".join(of.values)}  # fmt: skip
        found += [
            replace(use, fields=(name, of.field), params={**use.params, **more})
            for name in texts_param(use, "fields")
        ]
    return tuple(found)


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    of = condition(use.params)
    assert of is not None
    return pl.col(use.fields[0]).is_not_null() & holds_in(table, of)


RULE = Rule(
    name="surplus-conditional-value",
    scope=Scope.RECORD,
    order=70,
    title=Text("不应填写的字段有值", "Field is filled against its flag"),
    message=Text(
        "{other}（{other_title}）为 {values}，但 {field}（{title}）有值：{value}",
        "{other} ({other_title}) is {values}, yet {field} ({title}) is filled: {value}",
    ),
    help=Text(
        "请清空 {field}（{title}），或更正 {other}（{other_title}）",
        "Clear {field} ({title}), or correct {other} ({other_title})",
    ),
    notes=Text(
        "与条件必填相反的一面：标志为否，所属内容应为空。",
        "The other side of a conditional requirement: where the flag says no, its block is empty.",
    ),
    params=parameters({"fields": FIELDS, "when": WHEN}),
    good=Example({"SPGL_JSGCXFYSXXB": ({"SFGBYT": "0"}, {"SFGBYT": "1", "YYYT": "仓库"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": (
            {"SFGBYT": "1", "YYYT": "仓库"}, {"SFGBYT": "0", "YYYT": "仓库"},
        )},
        (("SPGL_JSGCXFYSXXB", 2, ("YYYT", "SFGBYT")),),
    ),
    uses=uses,
    bad=bad,
)  # fmt: skip
