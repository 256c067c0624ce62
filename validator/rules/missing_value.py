"""A required cell is empty."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import MISSING, perhaps_blank
from validator.pack import Field, Packs, Role, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per required business field: its strongest unconditional mark."""
    found = []
    for field in table.fields:
        marks = [m for m in field.required if m.when is None]
        if marks and field.role is Role.BUSINESS:
            mark = min(marks, key=lambda m: by_evidence(m.provenance, attests=m.attests).rank)
            severity = by_evidence(mark.provenance, attests=mark.attests)
            found.append(
                Use("missing-value", table.qualified, (field.name,), {}, mark.provenance,
                    severity, mark.reference, mark.attests)
            )  # fmt: skip
    return tuple(found)


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return pl.col(use.fields[0]).is_null()


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return perhaps_blank(use.fields[0]).any()


def json_schema(_packs: Packs, _table: Table, use: Use) -> Mapping[str, object]:
    name = use.fields[0]
    return {"required": [name], "properties": {name: {"not": MISSING}}}


def xsd(_packs: Packs, _table: Table, _field: Field, _use: Use) -> Mapping[str, str]:
    return {"minOccurs": "1"}


RULE = Rule(
    name="missing-value",
    scope=Scope.FIELD,
    order=10,
    title=Text("必填字段为空", "Required field is empty"),
    message=Text("必填字段 {field}（{title}）为空", "Required field {field} ({title}) is empty"),
    help=Text("请填写 {field}（{title}）", "Fill in {field} ({title})"),
    notes=Text(
        "空值、空串和只有空白字符的值都视为未填。交换字段不受此规则约束。必填依据见字段的出处。",
        "Null, empty and blank are one thing. Exchange columns are exempt. What the mark rests on "
        "is shown with the field.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"XMMC": "某产业园一期"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"XMMC": "某产业园一期"}, {"XMMC": " \u3000"})},
        (("SPGL_XMJBXXB", 2, ("XMMC",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
    json_schema=json_schema,
    xsd=xsd,
)
