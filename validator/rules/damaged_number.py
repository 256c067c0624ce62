"""A long number that a spreadsheet has damaged: scientific notation, or zeros after 15 digits."""

from __future__ import annotations

import polars as pl

from validator.pack import Field, Kind, Packs, Personal, Provenance, Role, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text

#: Scientific notation; or 15 digits, all that a spreadsheet keeps, with zeros for the rest.
_DAMAGED = r"^(?:[0-9](?:\.[0-9]+)?[Ee]\+[0-9]{1,2}|[1-9][0-9]{14}0{3,})$"


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per text field that identifies something: keys, references, identifiers."""
    provenance = Provenance.INFERRED
    return tuple(
        Use("damaged-number", table.qualified, (field.name,), {}, provenance,
            by_evidence(provenance))
        for field in table.fields if _identifies(table, field)
    )  # fmt: skip


def _identifies(table: Table, field: Field) -> bool:
    if field.kind is not Kind.TEXT or field.role is not Role.BUSINESS or field.codes is not None:
        return False
    named = {*table.key.fields, *(n for r in table.references for n in r.fields)}
    return field.name in named or field.personal is Personal.ID_NUMBER or field.name == "DFSJZJ"


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return pl.col(use.fields[0]).str.contains(_DAMAGED)


RULE = Rule(
    name="damaged-number",
    scope=Scope.RECORD,
    order=70,
    title=Text("长编号可能被电子表格改坏", "Long number was probably damaged by a spreadsheet"),
    message=Text(
        "{field}（{title}）的值“{value}”像是被电子表格当作数值改写过（科学计数法，或第 15 位以后"
        "全为 0）",
        "The value “{value}” of {field} ({title}) looks as if a spreadsheet had taken it for a "
        "number (scientific notation, or nothing but zeros after 15 digits)",
    ),
    help=Text(
        "请从原系统重新导出，在表格中把该列设为文本",
        "Export it again from the source system; make the column text in the spreadsheet",
    ),
    notes=Text(
        "检查主键、引用和证件号码等文本字段。",
        "Judged in text fields that identify something: keys, references, identity numbers.",
    ),
    good=Example({"SPGL_XMDTXXB": ({"DTBM": "370811202401000123"}, {"DTBM": "A-1000"})}),
    bad_example=Example(
        {"SPGL_XMDTXXB": (
            {"DTBM": "3.70811E+17"}, {"DTBM": "370811202401000000"},
            {"DTBM": "370811202401000123"},
        )},
        (("SPGL_XMDTXXB", 1, ("DTBM",)), ("SPGL_XMDTXXB", 2, ("DTBM",))),
    ),
    uses=uses,
    bad=bad,
)  # fmt: skip
