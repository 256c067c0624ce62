"""A cell that another cell of the same record makes required is empty."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import MISSING, conditional, holds
from validator.pack import Condition, Packs, Role, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per required mark that holds under a condition."""
    return tuple(
        Use("missing-conditional-value", table.qualified, (field.name,),
            {"when": mark.when, "other": mark.when.field,
             "other_title": table.by_name[mark.when.field].title.zh,
             "values": "、".join(mark.when.values)},
            mark.provenance, by_evidence(mark.provenance, attests=mark.attests),
            mark.reference, mark.attests)
        for field in table.fields if field.role is Role.BUSINESS
        for mark in field.required if mark.when is not None
    )  # fmt: skip


def _condition(use: Use) -> Condition:
    condition = use.params["when"]
    assert isinstance(condition, Condition)
    return condition


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    return pl.col(use.fields[0]).is_null() & holds(table, _condition(use))


def may(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    column = pl.col(use.fields[0])
    odd = column.is_null() | (column < "!")
    odd = odd | column.str.starts_with("\u00a0") | column.str.starts_with("\u3000")
    return (odd & holds(table, _condition(use))).any()


def json_schema(packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    name = use.fields[0]
    demand = {"required": [name], "properties": {name: {"not": MISSING}}}
    return conditional(packs, table, _condition(use), demand)


RULE = Rule(
    name="missing-conditional-value",
    scope=Scope.FIELD,
    order=12,
    title=Text("条件必填字段为空", "Conditionally required field is empty"),
    message=Text(
        "{other}（{other_title}）为 {values} 时必须填写的 {field}（{title}）为空",
        "{field} ({title}) is empty although {other} ({other_title}) is {values}",
    ),
    help=Text(
        "请填写 {field}（{title}），或更正 {other}（{other_title}）",
        "Fill in {field} ({title}), or correct {other} ({other_title})",
    ),
    notes=Text(
        "条件由标准包中的 when 给出；条件字段为空或取其他值时不作要求。",
        "The condition is the mark's `when` in the pack; an empty or other value demands nothing.",
    ),
    good=Example({"SPGL_JSGCXFYSXXB": ({"SFGBYT": "1", "YYYT": "仓库"}, {"SFGBYT": "0"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": ({"SFGBYT": "0"}, {"SFGBYT": "1"})},
        (("SPGL_JSGCXFYSXXB", 2, ("YYYT",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
    json_schema=json_schema,
)
