"""A situation that starts above a size, claimed for works that do not reach it (XF-S05)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, holds_in, number, parameters
from validator.pack import Condition, Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per situation with a threshold."""
    return tuple(
        replace(use, params={**use.params, "code": code, "above": above,
                             "other": text_param(use, "size"),
                             "other_title": table.by_name[text_param(use, "size")].title.zh})
        for use in explicit(
            "situation-below-threshold", table, lambda p: (str(p["field"]), str(p["size"]))
        )
        for code, above in dict(use.params["thresholds"]).items()  # type: ignore[call-overload]
    )  # fmt: skip


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    listed = holds_in(table, Condition(use.fields[0], (text_param(use, "code"),)))
    return listed & (number(use.fields[1]) <= float(text_param(use, "above")))


RULE = Rule(
    name="situation-below-threshold",
    scope=Scope.RECORD,
    order=70,
    title=Text("规模未达到所选情形的标准", "Size does not reach the situation"),
    message=Text(
        "{field}（{title}）含第 {code} 项，须大于 {above}，"
        "但 {other}（{other_title}）未达到：{value}",
        "{field} ({title}) names situation {code}, which starts above {above}; "
        "{other} ({other_title}) does not reach it: {value}",
    ),
    help=Text("请核对所选情形和面积", "Check the situation and the area"),
    notes=Text(
        "面积标准取自《建设工程消防设计审查验收管理暂行规定》第十四条第一至六项；条文说的是场所的"
        "总建筑面积，记录中的总建筑面积可能只是本次工程的，因此只作提示。",
        "Thresholds are those of article 14, items 1 to 6, of the decree on fire review; it speaks "
        "of the venue's total area while the record may hold that of the works only, so this only "
        "informs.",
    ),
    params=parameters({
        "field": FIELD, "size": FIELD,
        "thresholds": {
            "type": "object", "minProperties": 1, "additionalProperties": {"type": "number"},
        },
    }),
    good=Example({"SPGL_JSGCXFYSXXB": ({"TSJSGCQX": "3,11", "ZJZMJ": "10000.5"},)}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": (
            {"TSJSGCQX": "3,11", "ZJZMJ": "10000.00"}, {"TSJSGCQX": "7", "ZJZMJ": "10"},
        )},
        (("SPGL_JSGCXFYSXXB", 1, ("TSJSGCQX", "ZJZMJ")),),
    ),
    uses=uses,
    bad=bad,
)  # fmt: skip
