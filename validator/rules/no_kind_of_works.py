"""A record whose category calls for one of several flags, none of which is set (XF-D08)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELDS, WHEN, condition, holds_in, parameters, said
from validator.pack import Condition, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit("no-kind-of-works", table, lambda _: ()):
        of = condition(use.params)
        assert of is not None
        names = texts_param(use, "flags")
        more = {**said(table, of), "names": "、".join(names)}
        found.append(replace(use, fields=(of.field, *names), params={**use.params, **more}))
    return tuple(found)


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    of = condition(use.params)
    assert of is not None
    wrong = holds_in(table, of)
    for name in texts_param(use, "flags"):
        wrong = wrong & ~holds_in(table, Condition(name, ("1",)))
    return wrong


RULE = Rule(
    name="no-kind-of-works",
    scope=Scope.RECORD,
    order=70,
    title=Text("类别没有对应的工程内容", "Category without the works that make it"),
    message=Text(
        "{given}{names} 至少一项应为 1，但都不是", "{given_en}one of {names} should be 1, none is"
    ),
    help=Text("请核对 {field}（{title}）和 {names}", "Check {field} ({title}) and {names}"),
    notes=Text(
        "改建类消防业务应至少包含装饰装修、改变用途或建筑保温之一。",
        "A fire case for alterations should contain decoration, a change of use or insulation.",
    ),
    params=parameters({"when": WHEN, "flags": FIELDS}),
    good=Example({"SPGL_JSGCXFYSXXB": ({"JSXZ": "4", "SFGBYT": "1"}, {"JSXZ": "1"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": (
            {"JSXZ": "4", "SFGBYT": "1"}, {"JSXZ": "4", "SFGBYT": "0", "SFBHZXZSGC": "0"},
        )},
        (("SPGL_JSGCXFYSXXB", 2, ("JSXZ", "SFBHZXZSGC", "SFGBYT", "SFSYBWCL")),),
    ),
    uses=uses,
    bad=bad,
)  # fmt: skip
