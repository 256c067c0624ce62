"""An identifier of the right shape whose check digit (or birth date) does not hold."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import any_part, conditional, holds
from validator.formats import FORMATS
from validator.kernels import check_fails, doubtful
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.rules.wrong_format import format_of, format_use
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per format that has a published check."""
    return tuple(
        format_use("wrong-check-digit", table, field, of)
        for field in table.fields
        for of in field.formats
        if FORMATS[of.name].check is not None
    )


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    field, of = table.by_name[use.fields[0]], format_of(use)
    wrong = any_part(field, lambda column: check_fails(of.name, column))
    return wrong if of.when is None else wrong & holds(table, of.when)


def may(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    """Asks for the shape, too, so that the plan need not ask wrong-format of a clean column."""
    field, of = table.by_name[use.fields[0]], format_of(use)
    if of.when is None:
        return any_part(field, lambda column: doubtful(of.name, column)).any()
    if field.separator is not None:
        wrong = any_part(field, lambda column: doubtful(of.name, column))
        return (wrong & holds(table, of.when)).any()
    concerned = pl.when(holds(table, of.when)).then(pl.col(field.name))
    return doubtful(of.name, concerned).any()


def json_schema(packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    """JSON Schema says it by `format`; the checker of `validator.json_schema` knows the name."""
    of = format_of(use)
    schema = {"properties": {use.fields[0]: {"format": of.name}}}
    return conditional(packs, table, of.when, schema)


RULE = Rule(
    name="wrong-check-digit",
    scope=Scope.FIELD,
    order=60,
    title=Text("校验码不对", "Check digit does not hold"),
    message=Text(
        "{field}（{title}）的值“{value}”未通过{format}的校验",
        "The value “{value}” of {field} ({title}) fails the check of a {format_en}",
    ),
    help=Text(
        "请核对 {field}（{title}）是否录错（{source}）",
        "Check {field} ({title}) for a slip ({source})",
    ),
    notes=Text(
        "统一社会信用代码按 GB 32100 校验，公民身份号码按 GB 11643 校验并核对出生日期。"
        "项目代码的校验位没有公开算法，不作校验。",
        "Credit codes by GB 32100, citizen numbers by GB 11643 including the birth date. No "
        "algorithm of the project code's check character is public, so none is applied.",
    ),
    good=Example({"SPGL_XMSPSXBLXXXXB": ({"DWTYSHXYDM": "91350100M000100Y43"},)}),
    bad_example=Example(
        {"SPGL_XMSPSXBLXXXXB": (
            {"DWTYSHXYDM": "91350100M000100Y44"}, {"DWTYSHXYDM": "91350100M000100Y43"},
        )},
        (("SPGL_XMSPSXBLXXXXB", 1, ("DWTYSHXYDM",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
    json_schema=json_schema,
)  # fmt: skip
