"""A number with more digits than its field holds."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import anchored, any_part, matches, parts_body, property_schema
from validator.pack import Field, Packs, Precision, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(
        Use("wrong-precision", table.qualified, (f.name,),
            {"digits": f.precision.digits, "scale": f.precision.scale},
            f.precision.provenance, by_evidence(f.precision.provenance), f.precision.reference)
        for f in table.fields if f.precision is not None
    )  # fmt: skip


def body(precision: Precision) -> str:
    """Numbers of at most `digits - scale` significant digits before and `scale` after the point."""
    whole = precision.digits - precision.scale
    fraction = rf"(?:\.[0-9]{{0,{precision.scale}}}0*)?" if precision.scale else r"(?:\.0*)?"
    return f"-?0*[0-9]{{0,{whole}}}{fraction}"


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    field = table.by_name[use.fields[0]]
    assert field.precision is not None
    pattern = body(field.precision)
    return any_part(field, lambda column: ~matches(pattern, column))


def json_schema(_packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    field = table.by_name[use.fields[0]]
    assert field.precision is not None
    pattern = anchored(parts_body(field, body(field.precision)))
    return property_schema(field.name, {"pattern": pattern})


def xsd(_packs: Packs, _table: Table, field: Field, _use: Use) -> Mapping[str, str]:
    assert field.precision is not None
    return {"pattern": parts_body(field, body(field.precision))}


RULE = Rule(
    name="wrong-precision",
    scope=Scope.FIELD,
    order=25,
    title=Text("数字位数超出精度", "Number exceeds its precision"),
    message=Text(
        "{field}（{title}）的值“{value}”超出精度：共 {digits} 位、小数 {scale} 位",
        "The value “{value}” of {field} ({title}) exceeds {digits} digits ({scale} decimals)",
    ),
    help=Text(
        "请将 {field}（{title}）控制在 {digits} 位以内，其中小数不超过 {scale} 位",
        "Keep {field} ({title}) within {digits} digits of which {scale} decimals",
    ),
    notes=Text(
        "首尾的零不计位数。只检查标准包中有依据的精度。",
        "Leading and trailing zeros do not count. Only attested precisions are checked.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"SPLCBBH": "1.0"}, {"SPLCBBH": "010.500"})}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"SPLCBBH": "1.0001"}, {"SPLCBBH": "1.0"})},
        (("SPGL_XMJBXXB", 1, ("SPLCBBH",)),),
    ),
    uses=uses,
    bad=bad,
    json_schema=json_schema,
    xsd=xsd,
)
