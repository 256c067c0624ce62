"""A claim that starts at a size which no building unit of the case reaches (XF-S04, XF-S08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from validator.linked import COLUMN, linked, placed
from validator.numbers import FIELD, WHEN, condition, parameters, said
from validator.pack import Packs, Table
from validator.rule import Example, Need, Rule, Scope, Use, explicit, text_param, texts_param
from validator.text import Text

NAME = "no-unit-large-enough"
_ABOVE = {
    "type": "object", "minProperties": 1, "propertyNames": COLUMN,
    "additionalProperties": {"type": "number"},
}  # fmt: skip


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    found = []
    for use in explicit(NAME, table, lambda p: (str(p["by"]),)):
        above, of = use.params["above"], condition(use.params)
        assert isinstance(above, Mapping)
        assert of is not None
        other = linked(packs, table.standard, [str(c) for c in above])
        sizes = " / ".join(
            f"{other.table.by_name[f].title.zh} > {v}"
            for f, v in zip(other.fields, above.values(), strict=True)
        )
        named = placed(
            replace(use, fields=(of.field, *use.fields)), other, **said(table, of),
            sizes=sizes, other_fields=other.fields, bounds=tuple(str(v) for v in above.values()),
            separator=table.by_name[of.field].separator or "",
        )  # fmt: skip
        found.append(named)
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    by = (text_param(use, "by"),)
    units = Need(text_param(use, "linked"), (by,), texts_param(use, "other_fields"))
    return (Need(use.table, (by,), (use.fields[0],)), units)


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Without units, or where none has a size, nothing is judged."""
    by, separator = text_param(use, "by"), text_param(use, "separator")
    of = condition(use.params)
    assert of is not None
    cell = pl.col(of.field)
    parts = cell.str.split(separator) if separator else pl.concat_list(cell)
    claimed = frames[0].drop_nulls().filter(
        parts.list.eval(pl.element().is_in(list(of.values))).list.any()
    )  # fmt: skip
    names = texts_param(use, "other_fields")
    reached = pl.any_horizontal(
        pl.col(n).cast(pl.Float64, strict=False) > float(b)
        for n, b in zip(names, texts_param(use, "bounds"), strict=True)
    )
    sized = pl.any_horizontal(pl.col(n).is_not_null() for n in names)
    units = frames[1].drop_nulls(by).group_by(by).agg(
        reached.fill_null(False).any().alias("reached"), sized.any().alias("sized")
    )  # fmt: skip
    small = units.filter(pl.col("sized") & ~pl.col("reached"))
    return claimed.join(small, on=by, how="semi").select("row")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("没有单体达到所选情形的规模", "No unit is as large as claimed"),
    message=Text(
        "{given}至少一个单体应满足：{sizes}；该办件的单体都不满足（{value}）",
        "{given_en}one building unit should reach {sizes}; none of the case does ({value})",
    ),
    help=Text("请核对 {field}（{title}）和各单体的规模", "Check {field} ({title}) and the units"),
    notes=Text(
        "单体取自同一办件的项目单体信息；没有单体时不检查。",
        "Units are those reported with the same case; without units nothing is judged.",
    ),
    params=parameters({"by": FIELD, "when": WHEN, "above": _ABOVE}),
    good=Example({
        "SPGL_JSGCXFSJSCXXB": (
            {"XZQHDM": "1", "GCDM": "A", "SPSXSLBM": "1", "SFJQXXF": "1", "TSJSGCQX": "3,12"},
        ),
        "SPGL_XMDTXXB": (
            {"SPSXSLBM": "1", "DTBM": "1", "JZMJ": "100", "JZGCGD": "20"},
            {"SPSXSLBM": "1", "DTBM": "2", "JZMJ": "100", "JZGCGD": "250.1"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_JSGCXFSJSCXXB": (
                {"XZQHDM": "1", "GCDM": "A", "SPSXSLBM": "1", "SFJQXXF": "1"},
                {"XZQHDM": "1", "GCDM": "B", "SPSXSLBM": "2", "SFJQXXF": "0"},
            ),
            "SPGL_XMDTXXB": (
                {"SPSXSLBM": "1", "DTBM": "1", "JZMJ": "100", "JZGCGD": "250"},
                {"SPSXSLBM": "2", "DTBM": "1", "JZMJ": "100", "JZGCGD": "20"},
            ),
        },
        (("SPGL_JSGCXFSJSCXXB", 1, ("SFJQXXF", "SPSXSLBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
