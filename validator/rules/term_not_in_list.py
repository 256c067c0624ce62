"""A cell of words or codes of a list, one of which the list does not have (XF-D03)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from validator.numbers import FIELD, parameters
from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use, explicit, text_param
from validator.severity import by_evidence
from validator.text import Text

#: What people put between several words.
_BETWEEN = "[,，、;；^ ]+"


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """An open list warns at most."""
    found = []
    for use in explicit("term-not-in-list", table, lambda p: (str(p["field"]),)):
        of = packs.code_list(table, text_param(use, "list"))
        severity = by_evidence(use.provenance, attests=use.attests, open_list=not of.closed)
        shown = "、".join(c.title.zh or c.code for c in of.codes)
        more = {"list_title": of.title.zh, "allowed": shown}
        found.append(replace(use, severity=severity, params={**use.params, **more}))
    return tuple(found)


def bad(packs: Packs, table: Table, use: Use) -> pl.Expr:
    codes = packs.code_list(table, text_param(use, "list")).codes
    known = [*(c.code for c in codes), *(c.title.zh for c in codes if c.title.zh)]
    parts = pl.col(use.fields[0]).str.replace_all(_BETWEEN, "\n").str.strip_chars("\n")
    return parts.str.split("\n").list.eval(~pl.element().is_in(known)).list.any()


RULE = Rule(
    name="term-not-in-list",
    scope=Scope.RECORD,
    order=70,
    title=Text("用词不在规定范围内", "Word is not one of the list"),
    message=Text(
        "{field}（{title}）的值“{value}”含有“{list_title}”以外的内容",
        "The value “{value}” of {field} ({title}) names something that {list_title} does not have",
    ),
    help=Text("请使用：{allowed}", "Use: {allowed}"),
    notes=Text(
        "字段可填名称或代码，多个之间可用顿号、逗号、分号或空格分隔。",
        "The field may hold names or codes, several with commas, semicolons or spaces between.",
    ),
    params=parameters({"field": FIELD, "list": {"type": "string", "minLength": 1}}),
    good=Example({"SPGL_JSGCXFYSXXB": ({"ZXBW": "顶棚、墙面"}, {"ZXBW": "1,2,3"})}),
    bad_example=Example(
        {"SPGL_JSGCXFYSXXB": ({"ZXBW": "顶棚，地面"}, {"ZXBW": "顶棚、大堂"})},
        (("SPGL_JSGCXFYSXXB", 2, ("ZXBW",)),),
    ),
    uses=uses,
    bad=bad,
)
