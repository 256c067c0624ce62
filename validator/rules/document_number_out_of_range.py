"""A number of a document below what is possible (XF-B10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import cast

from validator.examples import application
from validator.paper import Flaw, Paper, number
from validator.paper_rules import (
    NUMBER,
    TEXT,
    TEXTS,
    document_parameters,
    document_uses,
    flaw,
    spots,
)
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-number-out-of-range"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    members = cast("list[str]", use.params["members"])
    minimum = Decimal(str(use.params["minimum"]))

    def judge(paper: Paper) -> Iterator[Flaw]:
        for base, at in spots(use, paper):
            for member in members:
                found = number(at(member))
                if found is not None and found < minimum:
                    yield flaw(base, member, at(member), limit=minimum)

    return judge


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中的数值超出范围", "Number in the document is out of range"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）为 {value}，小于 {limit}",
        "{pointer} of {field} ({member_title_en}) is {value}, below {limit}",
    ),
    help=Text(
        "请核对 {pointer}",
        "Check {pointer}",
    ),
    notes=Text(
        "面积、高度、层数、金额不为负。",
        "Areas, heights, storeys and amounts are not negative.",
    ),
    params=document_parameters({"members": TEXTS, "minimum": NUMBER}, list=TEXT),
    good=application(1, {"FireMonomerDtos": [{"BuildingHeight": 0}]}),
    bad_example=application(1, {"FireMonomerDtos": [{"BuildingHeight": "-3.5"}]}, found=1),
    uses=document_uses(NAME),
    document=document,
)
