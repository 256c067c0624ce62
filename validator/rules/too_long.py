"""A value of more characters than its field holds."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import BLANK_TEXT, property_schema
from validator.pack import Field, Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(
        Use("too-long", table.qualified, (f.name,), {"max": f.length.max},
            f.length.provenance, by_evidence(f.length.provenance), f.length.reference)
        for f in table.fields if f.length is not None
    )  # fmt: skip


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    return pl.col(use.fields[0]).str.len_chars() > _max(table, use)


def may(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    # Bytes are never fewer than characters, and counting them costs a sixth.
    return (pl.col(use.fields[0]).str.len_bytes() > _max(table, use)).any()


def _max(table: Table, use: Use) -> int:
    length = table.by_name[use.fields[0]].length
    assert length is not None
    return length.max


def json_schema(_packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    name, most = use.fields[0], _max(table, use)
    value: dict[str, object] = {"maxLength": most}
    if table.by_name[name].kind is Kind.INTEGER:
        # A native integer has no length; its decimal text has.
        value |= {"maximum": 10**most - 1, "minimum": -(10 ** (most - 1)) + 1}
    return property_schema(name, {"anyOf": [BLANK_TEXT, value]})


def xsd(_packs: Packs, table: Table, _field: Field, use: Use) -> Mapping[str, str]:
    return {"maxLength": str(_max(table, use))}


RULE = Rule(
    name="too-long",
    scope=Scope.FIELD,
    order=30,
    title=Text("值过长", "Value is too long"),
    message=Text(
        "{field}（{title}）的值超过 {max} 个字符：“{value}”",
        "The value of {field} ({title}) has more than {max} characters: “{value}”",
    ),
    help=Text(
        "请将 {field}（{title}）缩短到 {max} 个字符以内",
        "Shorten {field} ({title}) to {max} characters",
    ),
    notes=Text(
        "按字符计数，一个汉字算一个。只检查标准包中有依据的长度。",
        "Counted in characters as written, not bytes. Only attested lengths are checked.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"ZTZE": "12345678901.23"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"ZTZE": "123456789012.34"}, {"ZTZE": "1"})},
        (("SPGL_XMJBXXB", 1, ("ZTZE",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
    json_schema=json_schema,
    xsd=xsd,
)
