"""A code that its list does not have."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from validator.cells import (
    MISSING,
    anchored,
    any_part,
    is_yes_no,
    listed,
    native_enum,
    parts_body,
    property_schema,
)
from validator.lexical import canonical_expr
from validator.pack import Field, Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text

#: So many codes are named in a message; the rest is counted.
_SHOWN = 12


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per field with a list of known values; an open list warns at most."""
    found = []
    for field in table.fields:
        codes = listed(packs, table, field)
        if field.codes is None or not codes:
            continue
        of = packs.code_list(table, field.codes.list)
        shown = "、".join(f"{c.code} {c.title.zh}".strip() for c in codes[:_SHOWN])
        more = f"…（共 {len(codes)} 个）" if len(codes) > _SHOWN else ""
        provenance = max(field.codes.provenance, of.provenance, key=lambda p: p.rank)
        found.append(
            Use("code-not-in-list", table.qualified, (field.name,),
                {"list": of.id, "list_title": of.title.zh, "allowed": shown + more},
                provenance, by_evidence(provenance, open_list=not of.closed),
                field.codes.reference)
        )  # fmt: skip
    return tuple(found)


def _codes(packs: Packs, table: Table, use: Use) -> list[str]:
    return [c.code for c in listed(packs, table, table.by_name[use.fields[0]])]


def bad(packs: Packs, table: Table, use: Use) -> pl.Expr:
    field, codes = table.by_name[use.fields[0]], _codes(packs, table, use)

    def outside(column: pl.Expr) -> pl.Expr:
        text = canonical_expr(field.kind, column) if field.kind is Kind.DECIMAL else column
        return ~text.is_in(codes)

    return any_part(field, outside)


def json_schema(packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    field, codes = table.by_name[use.fields[0]], _codes(packs, table, use)
    options: list[object] = [
        MISSING, {"enum": native_enum(codes, yes_no=is_yes_no(packs, table, field))}
    ]  # fmt: skip
    if field.separator is not None or field.kind is Kind.DECIMAL:
        options.append({"type": "string", "pattern": anchored(_body(field, codes))})
    return property_schema(field.name, {"anyOf": options})


def xsd(packs: Packs, table: Table, field: Field, use: Use) -> Mapping[str, str]:
    return {"pattern": _body(field, _codes(packs, table, use))}


def _body(field: Field, codes: list[str]) -> str:
    options = [re.escape(c) for c in codes]
    if field.kind is Kind.DECIMAL:
        options = [rf"-?0*{o}{'0*' if '.' in o else '(?:[.]0+)?'}" for o in options]
    return parts_body(field, "|".join(options))


RULE = Rule(
    name="code-not-in-list",
    scope=Scope.FIELD,
    order=40,
    title=Text("代码不在代码表中", "Code is not in its list"),
    message=Text(
        "{field}（{title}）的值“{value}”不在代码表“{list_title}”中",
        "The value “{value}” of {field} ({title}) is not in the code list {list} ({list_title})",
    ),
    help=Text(
        "请改用代码表中的值：{allowed}；填的是名称或全角代码时可加 --normalise",
        "Use a code of the list: {allowed}; for labels and full-width codes, run with --normalise",
    ),
    notes=Text(
        "封闭的代码表按依据定严重程度；开放的代码表最多提示警告；没有已知值的代码表不检查。"
        "多值字段逐个检查。",
        "A closed list weighs by its evidence, an open one warns at most, a list without known "
        "values checks nothing. Fields with several values are checked part by part.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"TDSFDSJFA": "1"}, {"TDSFDSJFA": 0}, {"TDSFDSJFA": True})}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"TDSFDSJFA": "9"}, {"TDSFDSJFA": "1"})},
        (("SPGL_XMJBXXB", 1, ("TDSFDSJFA",)),),
    ),
    uses=uses,
    bad=bad,
    json_schema=json_schema,
    xsd=xsd,
)
