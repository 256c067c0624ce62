"""A number below or above what it can reasonably be."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELDS, number, parameters, perhaps
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, texts_param
from validator.text import Text

NUMBER = {"type": "number"}


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per field."""
    found = explicit("number-out-of-range", table, lambda _: ())
    return tuple(
        replace(use, fields=(name,), params={**use.params, **_range(use)})
        for use in found
        for name in texts_param(use, "fields")
    )


def _range(use: Use) -> dict[str, object]:
    low, high = use.params.get("minimum"), use.params.get("maximum")
    if high is None:
        return {"range": f"不小于 {low}", "range_en": f"at least {low}"}
    if low is None:
        return {"range": f"不大于 {high}", "range_en": f"at most {high}"}
    return {"range": f"在 {low} 至 {high} 之间", "range_en": f"between {low} and {high}"}


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return _outside(use, number(use.fields[0]))


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return _outside(use, perhaps(use.fields[0])).any()


def _outside(use: Use, value: pl.Expr) -> pl.Expr:
    outside = pl.lit(False)
    if "minimum" in use.params:
        outside = outside | (value < float(str(use.params["minimum"])))
    if "maximum" in use.params:
        outside = outside | (value > float(str(use.params["maximum"])))
    return outside


RULE = Rule(
    name="number-out-of-range",
    scope=Scope.RECORD,
    order=70,
    title=Text("数值超出合理范围", "Number is out of range"),
    message=Text(
        "{field}（{title}）的值“{value}”超出合理范围，应{range}",
        "The value “{value}” of {field} ({title}) is out of range; expected {range_en}",
    ),
    help=Text(
        "请核对 {field}（{title}）的数值和单位",
        "Check the number and the unit of {field} ({title})",
    ),
    notes=Text(
        "面积、造价、高度等不为负，也不会大到离谱；例如把元当作万元填写。不是数的值不在此检查。",
        "Areas, costs and heights are not negative and not absurdly large, as when yuan stand "
        "where 10,000 yuan are meant. A value that is no number is not judged here.",
    ),
    params={
        **parameters({"fields": FIELDS}, minimum=NUMBER, maximum=NUMBER),
        "anyOf": [{"required": ["minimum"]}, {"required": ["maximum"]}],
    },
    good=Example({"SPGL_XMJBXXB": ({"ZTZE": "35000.00", "YDMJ": "0"},)}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"ZTZE": "350000000.00"}, {"ZTZE": "-1"}, {"ZTZE": "1"})},
        (("SPGL_XMJBXXB", 1, ("ZTZE",)), ("SPGL_XMJBXXB", 2, ("ZTZE",))),
    ),
    uses=uses,
    bad=bad,
    may=may,
)
