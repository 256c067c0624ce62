"""A total that is not the sum of its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, FIELDS, number, parameters, perhaps
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param, texts_param
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    found = explicit(
        "sum-differs", table,
        lambda p: (str(p["total"]), *(str(v) for v in p["parts"])),  # type: ignore[attr-defined]
    )  # fmt: skip
    return tuple(
        replace(use, params={**use.params, "names": " + ".join(use.fields[1:])}) for use in found
    )


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """A missing part leaves the sum unknown."""
    return _differs(use, number)


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return _differs(use, perhaps).any()


def _differs(use: Use, number: Callable[[str], pl.Expr]) -> pl.Expr:
    parts = [number(name) for name in texts_param(use, "parts")]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    difference = (number(text_param(use, "total")) - total).abs()
    # A hair more than the tolerance: decimal fractions are not exact in binary.
    return difference > float(text_param(use, "tolerance")) + 1e-6


RULE = Rule(
    name="sum-differs",
    scope=Scope.RECORD,
    order=70,
    title=Text("合计与分项之和不符", "Total is not the sum of its parts"),
    message=Text(
        "{field}（{title}）不等于 {names}，相差超过 {tolerance}：{value}",
        "{field} ({title}) is not {names}, the difference is above {tolerance}: {value}",
    ),
    help=Text("请核对合计与各分项", "Check the total and its parts"),
    notes=Text(
        "允许的误差写在标准包中（四舍五入）。任一项为空或不是数时不检查。",
        "The pack states the tolerance (rounding). Not judged where any of them is empty or no "
        "number.",
    ),
    params=parameters(
        {"total": FIELD, "parts": FIELDS, "tolerance": {"type": "number", "minimum": 0}}
    ),
    good=Example({"SPGL_XMDTXXB": (
        {"JZMJ": "100.01", "DSJZMJ": "80", "DXJZMJ": "20"}, {"JZMJ": "100", "DSJZMJ": "80"},
    )}),
    bad_example=Example(
        {"SPGL_XMDTXXB": (
            {"JZMJ": "100.5", "DSJZMJ": "80", "DXJZMJ": "20"},
            {"JZMJ": "100", "DSJZMJ": "80", "DXJZMJ": "20"},
        )},
        (("SPGL_XMDTXXB", 1, ("JZMJ", "DSJZMJ", "DXJZMJ")),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)  # fmt: skip
