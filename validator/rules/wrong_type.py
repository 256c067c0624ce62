"""A cell that does not have the lexical form of its kind, or a native value of the wrong JSON type.

Native values are judged by `validator.native` before any expression sees the cell; it blames this
rule.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import any_part, form_body, is_yes_no, matches, property_schema
from validator.lexical import PATTERNS
from validator.pack import Field, Kind, Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity

_FORMS = {
    Kind.TEXT: Text("文本", "a text"),
    Kind.INTEGER: Text("整数，如 12", "an integer such as 12"),
    Kind.DECIMAL: Text("数字，如 12.5", "a number such as 12.5"),
    Kind.DATE: Text("日期，如 2024-03-05", "a date such as 2024-03-05"),
    Kind.DATETIME: Text(
        "日期时间，如 2024-03-05 09:30:00", "a date and time such as 2024-03-05 09:30:00"
    ),
    Kind.BINARY: Text("Base64 文本", "Base64 text"),
}
_INT64 = 2**63 - 1


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per field. A value that cannot be carried is always an error (decisions 10)."""
    return tuple(
        Use("wrong-type", table.qualified, (f.name,),
            {"kind": str(f.kind), "form": _FORMS[f.kind].zh, "form_en": _FORMS[f.kind].en},
            f.provenance, Severity.ERROR)
        for f in table.fields
    )  # fmt: skip


def bad(_packs: Packs, table: Table, use: Use) -> pl.Expr:
    field = table.by_name[use.fields[0]]
    body = PATTERNS.get(field.kind)
    if body is None:
        # Every text is one; only native cells can be wrong.
        return pl.col(field.name).is_null() & pl.lit(False)
    return any_part(field, lambda column: ~matches(body, column))


def may(packs: Packs, table: Table, use: Use) -> pl.Expr:
    texts = table.by_name[use.fields[0]].kind is Kind.TEXT
    return pl.lit(False) if texts else bad(packs, table, use).any()


def json_schema(packs: Packs, table: Table, use: Use) -> Mapping[str, object]:
    field = table.by_name[use.fields[0]]
    body = form_body(field)
    text: dict[str, object] = {"type": "string"}
    if body is not None:
        blank = "[ \\t\\r\\n\\u00a0\\u3000]*"
        text["pattern"] = f"^(?:{blank}|{body})$(?!\\n)"
    options: list[dict[str, object]] = [{"type": "null"}, text]
    if field.kind is Kind.INTEGER:
        options.append({"type": "integer", "minimum": -_INT64, "maximum": _INT64})
    if field.kind is Kind.DECIMAL:
        options.append({"type": "number"})
    if field.kind in (Kind.INTEGER, Kind.DECIMAL) and is_yes_no(packs, table, field):
        options.append({"type": "boolean"})
    return property_schema(field.name, {"anyOf": options})


def xsd(_packs: Packs, _table: Table, field: Field, _use: Use) -> Mapping[str, str]:
    body = form_body(field)
    return {} if body is None else {"pattern": body}


RULE = Rule(
    name="wrong-type",
    scope=Scope.FIELD,
    order=20,
    title=Text("值的形式与字段类型不符", "Value does not have the form of its type"),
    message=Text(
        "{field}（{title}）的值“{value}”不是{form}",
        "The value “{value}” of {field} ({title}) is not {form_en}",
    ),
    help=Text(
        "请将 {field}（{title}）改为{form}；只是写法不同（全角、空格、2024/1/5）时可加 --normalise",
        "Write {field} ({title}) as {form_en}; where only the writing differs (full width, spaces, "
        "2024/1/5), run with --normalise",
    ),
    notes=Text(
        "只认 ASCII 数字。日期写作 yyyy-MM-dd，可带零点时刻；日期时间写作 yyyy-MM-dd HH:mm:ss，"
        "可只写日期。文本字段若在 JSON 中写成数字（如信用代码），位数可能已丢失，同样报告。",
        "ASCII digits only. A date may carry a midnight time, a date and time may be a plain date. "
        "A text field written as a JSON number (a credit code, an identity number) is reported "
        "too: digits may be lost already.",
    ),
    good=Example(
        {"SPGL_XMJBXXB": (
            {"NKGSJ": "2024-02-29", "ZTZE": "1200.50", "SBSJ": "2024-03-05T09:30:00"},
            {"NKGSJ": "2024-03-01 00:00:00", "ZTZE": 1200.5, "TDSFDSJFA": True},
        )}
    ),
    bad_example=Example(
        {"SPGL_XMJBXXB": (
            {"NKGSJ": "2023-02-29", "ZTZE": "1e5"}, {"ZTZE": "１２"}, {"JSDWDM": 91110000},
        )},
        (
            ("SPGL_XMJBXXB", 1, ("NKGSJ",)),
            ("SPGL_XMJBXXB", 1, ("ZTZE",)),
            ("SPGL_XMJBXXB", 2, ("ZTZE",)),
            ("SPGL_XMJBXXB", 3, ("JSDWDM",)),
        ),
    ),
    uses=uses,
    bad=bad,
    may=may,
    json_schema=json_schema,
    xsd=xsd,
)  # fmt: skip
