"""An application that says otherwise than the 3.0 row of the same case (XF-K09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from validator.applications import OF_ITEM, case_uses, pair_of, same_case
from validator.examples import APPLICATION
from validator.mask import masked
from validator.pack import Kind, Packs, Personal, Table
from validator.rule import Example, Need, Rule, Scope, Use, text_param
from validator.text import Text

NAME = "document-differs-from-record"
#: Field, or FIELD#Part/Member of a document → field of the 3.0 table.
_SAME: Mapping[str, object] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": "string", "minLength": 1},
}


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per compared pair."""
    found = []
    for use in case_uses(NAME, packs, table):
        of = packs.table(text_param(use, "linked"))
        same = use.params["same"]
        assert isinstance(same, Mapping)
        for own, theirs in same.items():
            field = of.by_name[str(theirs)]
            path = own.partition("#")[2]
            more: dict[str, object] = {
                "mine": own, "theirs": field.name, "theirs_title": field.title.zh,
                "theirs_title_en": field.title.en, "kind": str(field.kind),
                "personal": str(field.personal or ""), "pointer": f"/{path}" if path else "",
                "said": path or own,
            }  # fmt: skip
            found.append(replace(use, params={**use.params, **more}))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    own, other = pair_of(use)
    values = dict.fromkeys((text_param(use, "item"), text_param(use, "mine")))
    return (
        Need(use.table, (own,), tuple(values)),
        Need(text_param(use, "linked"), (other,), (text_param(use, "theirs"),)),
    )


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows with a row of the same case that has a value, none of which is their own."""
    own, other = pair_of(use)
    case, kind = "+".join(own), Kind(text_param(use, "kind"))
    mine = frames[0].filter(pl.col(text_param(use, "item")) == text_param(use, "value"))
    rows = mine.select("row", case, pl.col(text_param(use, "mine")).alias("written"))
    beside = (
        rows.drop_nulls()
        .join(
            frames[1]
            .select(
                pl.col("+".join(other)).alias(case),
                _text(kind, pl.col(text_param(use, "theirs"))).alias("found"),
            )
            .drop_nulls(),
            on=case,
        )
        .with_columns(_same(kind).fill_null(False).alias("same"))
    )
    agreeing = beside.filter("same").select("row")
    bad = beside.join(agreeing, on="row", how="anti").unique("row", keep="first")
    shown = _shown(use, bad.select("row", "written", "found"))
    pointer = text_param(use, "pointer")
    return shown.with_columns(pl.lit(pointer).alias("pointer")) if pointer else shown


def _text(kind: Kind, column: pl.Expr) -> pl.Expr:
    if kind in (Kind.DATE, Kind.DATETIME):
        return column.dt.strftime("%Y-%m-%d")
    return column.cast(pl.String)


def _same(kind: Kind) -> pl.Expr:
    """Numbers compare as numbers, yes and no as 1 and 0, days as days."""
    written, found = pl.col("written"), pl.col("found")
    if kind in (Kind.DATE, Kind.DATETIME):
        return written.str.slice(0, 10) == found
    if kind in (Kind.INTEGER, Kind.DECIMAL):
        number = written.replace({"true": "1", "false": "0"}).cast(pl.Float64, strict=False)
        return number.is_null() | (number == found.cast(pl.Float64, strict=False))
    return written.str.strip_chars() == found.str.strip_chars()


def _shown(use: Use, frame: pl.DataFrame) -> pl.DataFrame:
    """Personal values masked: they stand in the message."""
    personal = text_param(use, "personal")
    if not personal:
        return frame
    of = Personal(personal)
    return frame.with_columns(
        pl.Series(name, [masked(of, v) for v in frame[name]], dtype=pl.String)
        for name in ("written", "found")
    )


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("申报与 3.0 数据不一致", "Application and row of 3.0 disagree"),
    message=Text(
        "{said} 为“{written}”，而同一案件的 {parent}.{theirs}（{theirs_title}）为“{found}”",
        "{said} is “{written}”, but {parent}.{theirs} ({theirs_title_en}) of the same case says "
        "“{found}”",
    ),
    help=Text("请核对两处，以办件材料为准", "Compare both with the material of the case"),
    notes=Text(
        "以流水号对应 3.0 的审批事项实例编码；任一处为空时不比较。人员姓名在信息中遮盖。",
        "The serial number is the case code of 3.0. Not compared where either is empty. Names of "
        "persons are masked in the message.",
    ),
    params=same_case(same=_SAME),
    good=Example(
        {
            APPLICATION: (
                {
                    "LSH": "A1", "SPLCLX": "1", "XMDM": "P1",
                    "FORMS_JSON": '{"ProjectDto": {"TotalBuildArea": 100}}',
                },
            ),
            OF_ITEM["1"]: ({"SPSXSLBM": "A1", "XMDM": "P1", "ZJZMJ": "100.00"},),
        }
    ),
    bad_example=Example(
        {
            APPLICATION: (
                {
                    "LSH": "A1", "SPLCLX": "1",
                    "FORMS_JSON": '{"ProjectDto": {"TotalBuildArea": "100"}}',
                },
            ),
            OF_ITEM["1"]: ({"SPSXSLBM": "A1", "ZJZMJ": "120"},),
        },
        (("SPGL_XMJBXXB", 1, ("LSH",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
