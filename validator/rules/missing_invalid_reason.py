"""A record marked invalid without a reason (ENV-03)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validator.cells import BLANK_TEXT, MISSING
from validator.pack import Packs, Provenance, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """Every table that carries both exchange columns."""
    if not {"SJYXBS", "SJWXYY"} <= set(table.by_name):
        return ()
    provenance = Provenance.DEPLOYED
    return (
        Use("missing-invalid-reason", table.qualified, ("SJWXYY", "SJYXBS"), {},
            provenance, by_evidence(provenance), "ENV-03"),
    )  # fmt: skip


def bad(_packs: Packs, _table: Table, _use: Use) -> pl.Expr:
    return pl.col("SJWXYY").is_null() & (pl.col("SJYXBS") == "0").fill_null(False)


def may(_packs: Packs, _table: Table, _use: Use) -> pl.Expr:
    return (pl.col("SJYXBS") == "0").any()


def json_schema(_packs: Packs, _table: Table, _use: Use) -> Mapping[str, object]:
    return {
        "if": {"required": ["SJYXBS"], "properties": {"SJYXBS": {"enum": ["0", 0]}}},
        "then": {
            "required": ["SJWXYY"],
            "properties": {"SJWXYY": {"not": {"anyOf": [MISSING, BLANK_TEXT]}}},
        },
    }


RULE = Rule(
    name="missing-invalid-reason",
    scope=Scope.RECORD,
    order=70,
    title=Text("无效数据未填原因", "Invalid record gives no reason"),
    message=Text(
        "数据有效标识 SJYXBS 为 0，但 SJWXYY（数据无效原因）为空",
        "SJYXBS is 0 but SJWXYY (数据无效原因, reason of invalidity) is empty",
    ),
    help=Text(
        "请填写 SJWXYY（数据无效原因），或将 SJYXBS 恢复为 1",
        "Fill in SJWXYY (数据无效原因), or set SJYXBS back to 1",
    ),
    notes=Text("数据变为无效时必须填写无效原因。", "A record that becomes invalid must say why."),
    good=Example({"SPGL_XMJBXXB": ({"SJYXBS": "0", "SJWXYY": "重复报送"}, {"SJYXBS": "1"})}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"SJYXBS": "0", "SJWXYY": " "}, {"SJYXBS": "1"})},
        (("SPGL_XMJBXXB", 1, ("SJWXYY", "SJYXBS")),),
    ),
    uses=uses,
    bad=bad,
    may=may,
    json_schema=json_schema,
)
