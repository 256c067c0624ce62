"""An identifier that does not have the shape of its format."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import anchored, any_part, conditional, holds, matches, parts_body
from validator.formats import FORMATS
from validator.pack import Field, FormatUse, Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per format of a field."""
    return tuple(
        format_use("wrong-format", table, field, of)
        for field in table.fields
        for of in field.formats
    )


def format_use(rule: str, table: Table, field: Field, of: FormatUse) -> Use:
    """The use of a format by `rule`; wrong-check-digit shares it."""
    form = FORMATS[of.name]
    params = {"use": of, "format": form.title.zh, "format_en": form.title.en, "source": form.source}
    severity = by_evidence(of.provenance)
    return Use(rule, table.qualified, (field.name,), params, of.provenance, severity, of.reference)


def format_of(use: Use) -> FormatUse:
    """The pack's format use behind a compiled use."""
    of = use.params["use"]
    assert isinstance(of, FormatUse)
    return of


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    field, of = table.by_name[use.fields[0]], format_of(use)
    wrong = any_part(field, lambda column: ~matches(FORMATS[of.name].pattern, column))
    return wrong if of.when is None else wrong & holds(table, of.when)


def json_schema(packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    field, of = table.by_name[use.fields[0]], format_of(use)
    pattern = anchored(parts_body(field, FORMATS[of.name].pattern))
    schema = {"properties": {field.name: {"pattern": pattern}}}
    return conditional(packs, table, of.when, schema)


def xsd(_packs: Packs, _table: Table, field: Field, use: Use) -> Mapping[str, str]:
    of = format_of(use)
    return {} if of.when else {"pattern": parts_body(field, FORMATS[of.name].pattern)}


RULE = Rule(
    name="wrong-format",
    scope=Scope.FIELD,
    order=50,
    title=Text("编号格式不对", "Identifier has the wrong shape"),
    message=Text(
        "{field}（{title}）的值“{value}”不是{format}",
        "The value “{value}” of {field} ({title}) is not a {format_en}",
    ),
    help=Text(
        "请核对 {field}（{title}），按{format}填写（{source}）；"
        "只是全角、空格或大小写不同时可加 --normalise",
        "Check {field} ({title}) and write it as a {format_en} ({source}); where only width, "
        "spaces or case differ, run with --normalise",
    ),
    notes=Text(
        "格式可带条件，例如建设单位代码只在单位类型为企业时按信用代码检查。多值字段逐个检查。",
        "A format may hold under a condition, such as the credit code for one type of builder. "
        "Fields with several values are checked part by part.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"XZQHDM": "370800"}, {"XMDM": "2401-441802-04-01-100126"})}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"XZQHDM": "3708"}, {"XZQHDM": "370800"})},
        (("SPGL_XMJBXXB", 1, ("XZQHDM",)),),
    ),
    uses=uses,
    bad=bad,
    json_schema=json_schema,
    xsd=xsd,
)
