"""A record reported under a county instead of the reporting city (ENV-05)."""

from __future__ import annotations

import polars as pl

from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit_use, text_param
from validator.text import Text

NAME = "division-not-a-city"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """The use of the table's pack, in every table that has the field."""
    pack = packs.pack(table.standard)
    return tuple(
        explicit_use(use, table, (str(use.params["field"]),))
        for use in pack.rules
        if use.rule == NAME and use.params["field"] in table.by_name
    )


def bad(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    """Cities end in 00. A county-level city under its province directly (9 in the third place of
    the prefecture digits) reports by itself."""
    column = pl.col(text_param(use, "field"))
    return column.str.contains("^[0-9]{6}$") & ~column.str.contains("^[0-9]{4}00$|^[0-9]{2}90")


def may(_packs: Packs, _table: Table, use: Use) -> pl.Expr:
    return (~pl.col(text_param(use, "field")).str.ends_with("00")).any()


RULE = Rule(
    name=NAME,
    scope=Scope.RECORD,
    order=70,
    title=Text("行政区划不是报送城市", "Division is not the reporting city"),
    message=Text(
        "{field}（{title}）的值“{value}”是区县代码，应填报送城市的代码",
        "The value “{value}” of {field} ({title}) is that of a county; the reporting city belongs "
        "here",
    ),
    help=Text(
        "请填报送城市的代码，区县填在 JSDDXZQH",
        "Put the code of the reporting city; the county belongs into JSDDXZQH",
    ),
    notes=Text(
        "城市代码末两位为 00；省直辖县级单位（第三、四位为 90）自行报送。县级单位单独报送的，"
        "可用地方扩展包关闭。",
        "City codes end in 00; counties directly under their province (90 in the middle) report by "
        "themselves. Where a county reports on its own, an overlay can switch this off.",
    ),
    params=parameters({"field": FIELD}),
    good=Example({"SPGL_XMJBXXB": ({"XZQHDM": "370800"}, {"XZQHDM": "419001"})}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"XZQHDM": "370800"}, {"XZQHDM": "370811"})},
        (("SPGL_XMJBXXB", 2, ("XZQHDM",)),),
    ),
    uses=uses,
    bad=bad,
    may=may,
)
