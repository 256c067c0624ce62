"""A record without the natural key that names it at a target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_

import polars as pl

from validator.cells import MISSING, perhaps_blank
from validator.pack import Field, Packs, Provenance, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    key = table.key
    if not key.fields:
        return ()
    titles = "、".join(f"{name}（{table.by_name[name].title.zh}）" for name in key.fields)
    names = ", ".join(key.fields)
    return (
        Use("blank-key", table.qualified, key.fields,
            {"key_fields": titles, "key_names": names},
            key.provenance, by_evidence(key.provenance)),
    )  # fmt: skip


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    """Any part of an attested key missing, all parts of an inferred one (decisions 5)."""
    parts = [pl.col(name).is_null() for name in use.fields]
    return reduce(and_ if table.key.provenance is Provenance.INFERRED else or_, parts)


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return reduce(or_, [perhaps_blank(name) for name in use.fields]).any()


def json_schema(_packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    present = [{"required": [name], "properties": {name: {"not": MISSING}}} for name in use.fields]
    return {"anyOf" if table.key.provenance is Provenance.INFERRED else "allOf": present}


def xsd(_packs: Packs, table: Table, _field: Field, _use: Use) -> Mapping[str, str]:
    """Only an attested key: "all parts missing" XSD cannot say."""
    return {} if table.key.provenance is Provenance.INFERRED else {"minOccurs": "1"}


RULE = Rule(
    name="blank-key",
    scope=Scope.RECORD,
    order=5,
    title=Text("唯一标识为空", "Natural key is blank"),
    message=Text(
        "记录的唯一标识 {key_fields} 未填全，无法识别",
        "The natural key {key_names} of the record is not filled in, so nothing identifies it",
    ),
    help=Text("请填写 {key_fields}", "Fill in {key_names}"),
    notes=Text(
        "有依据的标识缺任一部分即报告，推断的标识在全部为空时才报告。没有标识的记录一律不报送。",
        "An attested key is blank when any part is missing, an inferred one when all parts are. "
        "Without a key a record is never sent.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"GCDM": "2401-441802-04-01-100126"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"GCDM": " "}, {"GCDM": "2401-441802-04-01-100126"})},
        (("SPGL_XMJBXXB", 1, ("GCDM",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
    json_schema=json_schema,
    xsd=xsd,
)
