"""A completed case of a national item code without its row in the business table (BUS-01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from validator.cases import CASE, CASES, COMPLETED, EVENTS, ITEM, ITEMS, NATIONAL, ONLY
from validator.events import CODES, NAMES, TABLE_NAME
from validator.linked import linked
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    explicit_use,
    identity,
    named_table,
    text_param,
    texts_param,
)
from validator.text import Text

NAME = "completed-case-without-business-row"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """Pack-level uses, compiled for the table of events: the fault shows on an event."""
    found = []
    for pack in packs:
        for use in pack.rules:
            if use.rule == NAME and named_table(packs, pack.name, EVENTS) == table.qualified:
                business = packs.table(named_table(packs, pack.name, str(use.params["table"])))
                compiled = explicit_use(use, table, ("BLZT", *CASE))
                found.append(_located(packs, pack.name, compiled, business))
    return tuple(found)


def _located(packs: Packs, pack: str, use: Use, business: Table) -> Use:
    params: Mapping[str, object] = {
        **use.params,
        "business": business.qualified,
        "business_title": business.title.zh,
        "cases": named_table(packs, pack, CASES),
        "item_table": named_table(packs, pack, ITEMS),
    }
    only = use.params.get("only")
    if isinstance(only, Mapping):
        narrowing = linked(packs, pack, [str(only["column"])])
        params = {**params, "only_table": narrowing.table.qualified,
                  "only_field": narrowing.fields[0]}  # fmt: skip
    return Use(use.rule, use.table, use.fields, params, use.provenance, use.severity, use.reference)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    match = texts_param(use, "match")
    needed = (
        Need(use.table, (CASE,), ("BLZT", "BLSJ")),
        Need(text_param(use, "cases"), tuple(dict.fromkeys((CASE, ITEM, match, *_by(use))))),
        Need(text_param(use, "item_table"), (ITEM,), (NATIONAL,)),
        Need(text_param(use, "business"), (match,)),
    )
    if not _by(use):
        return needed
    return *needed, Need(text_param(use, "only_table"), _by(use), (text_param(use, "only_field"),))


def _by(use: Use) -> tuple[tuple[str, ...], ...]:
    """What links a case to the record that narrows the use; empty where nothing does."""
    only = use.params.get("only")
    return ((str(only["by"]),),) if isinstance(only, Mapping) else ()


def _narrowed(use: Use, cases: pl.DataFrame, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    only = use.params.get("only")
    if not isinstance(only, Mapping):
        return cases
    by, values = str(only["by"]), [str(v) for v in only["values"]]
    wanted = frames[4].filter(pl.col(text_param(use, "only_field")).is_in(values))
    return cases.join(wanted.select(by).drop_nulls().unique(), on=by, how="semi")


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """First completing events of cases whose item is routed here and whose row is not there."""
    events, cases, codes, business = frames[:4]
    case, item, match = identity(CASE), identity(ITEM), identity(texts_param(use, "match"))
    done = (
        events.filter(pl.col("BLZT").is_in(texts_param(use, "states") or COMPLETED))
        .drop_nulls([case])
        .sort(case, "BLSJ", "row")
        .unique(case, keep="first", maintain_order=True)
        .select("row", pl.col(case).alias("case"))
    )
    national = codes.filter(pl.col(NATIONAL).is_in(texts_param(use, "items")))
    routed = (
        _narrowed(use, cases, frames)
        .drop_nulls(list({case, item, match}))
        .join(national.select(item, pl.col(NATIONAL).alias("national")).unique(item), on=item)
    )
    rows = business.select(match).drop_nulls().unique()
    lacking = routed.join(rows, on=match, how="anti")
    return done.join(
        lacking.select(pl.col(case).alias("case"), "national").unique("case"), on="case"
    ).select("row", "national")


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("办结的办件缺少业务信息", "Completed case without its business row"),
    message=Text(
        "办件已办结（{value}），其标准审批事项编码 {national} 要求的 {table}（{business_title}）"
        "中没有对应记录",
        "The case is completed ({value}) and its national item code {national} calls for a row in "
        "{table} ({business_title}), which is not there",
    ),
    help=Text(
        "请补报 {table}（{business_title}）的对应记录",
        "Report the row of {table} ({business_title})",
    ),
    notes=Text(
        "办结包括通过（11）、容缺通过（12）和不通过（13），依据“办结事项”的字面；"
        "states 可由地方扩展包收窄，only 限定到某些工程。报告在办结的那条明细上，"
        "办件本身不受影响。",
        "Completed means passed (11), passed with pending documents (12) and not passed (13), as "
        "the words 办结事项 say; an overlay may narrow `states`, and `only` names the works meant. "
        "Reported on the completing event, so the case itself is not held.",
    ),
    params={
        "type": "object",
        "properties": {
            "table": TABLE_NAME,
            "items": CODES,
            "match": NAMES,
            "states": CODES,
            "only": ONLY,
        },
        "required": ["table", "items", "match"],
        "additionalProperties": False,
    },
    good=Example({
        "SPGL_SPSXJBXXB": (
            {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1.0", "DYBZSPSXBM": "0180000"},
        ),
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},),
        "SPGL_XMSPSXBLXXXXB": (
            {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
        ),
        "SPGL_JSGCJGYSBAXXB": ({"SPSXSLBM": "A"},),
        "SPGL_ZRZTXXB": ({"SPSXSLBM": "A", "DWLX": "1"},),
    }),
    bad_example=Example(
        {
            "SPGL_SPSXJBXXB": (
                {"XZQHDM": "370800", "SPSXBM": "S", "SPSXBBH": "1.0", "DYBZSPSXBM": "0180000"},
            ),
            "SPGL_XMSPSXBLXXB": (
                {"SPSXSLBM": "A", "SPSXBM": "S", "SPSXBBH": "1"},
                {"SPSXSLBM": "B", "SPSXBM": "S", "SPSXBBH": "1"},
            ),
            "SPGL_XMSPSXBLXXXXB": (
                {"SPSXSLBM": "B", "BLZT": "3", "BLSJ": "2024-03-01 09:00:00"},
                {"SPSXSLBM": "A", "BLZT": "11", "BLSJ": "2024-03-05 09:00:00"},
            ),
            "SPGL_JSGCJGYSBAXXB": ({"SPSXSLBM": "B"},),
            "SPGL_ZRZTXXB": ({"SPSXSLBM": "A", "DWLX": "1"},),
        },
        (("SPGL_XMSPSXBLXXXXB", 2, ("BLZT", "SPSXSLBM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
)  # fmt: skip
