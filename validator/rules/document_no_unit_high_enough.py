"""A claim of a document about its buildings that none of them bears out (XF-S08)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from validator.examples import application
from validator.paper import Flaw, Paper, number
from validator.paper_rules import (
    NUMBER,
    TEXT,
    WHEN,
    document_parameters,
    document_uses,
    flaw,
    spots,
)
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-no-unit-high-enough"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    of, member, claim = (str(use.params[n]) for n in ("rows", "member", "claim"))
    above = Decimal(str(use.params["above"]))

    def judge(paper: Paper) -> Iterator[Flaw]:
        found = [number(row.get(member)) for _, row in paper.rows(of)]
        known = [f for f in found if f is not None]
        if known and len(known) == len(found) and max(known) <= above:
            for base, at in spots(use, paper):
                yield flaw(base, claim, at(claim), largest=max(known), limit=above)

    return judge


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中没有够高的单体", "No building of the document is high enough"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）为 {value}，但"
        "单体最高只有 {largest}，不超过 {limit}",
        "{pointer} of {field} ({member_title_en}) says {value}, but the highest building has "
        "{largest}, not above {limit}",
    ),
    help=Text(
        "请核对该项与单体高度",
        "Check the claim and the heights of the buildings",
    ),
    notes=Text(
        "有单体没有高度时不检查。",
        "Not judged where a building has no height.",
    ),
    params=document_parameters(
        {"rows": TEXT, "member": TEXT, "claim": TEXT, "above": NUMBER}, when=WHEN
    ),
    good=application(
        1, {"ProjectDto": {"IsStrengthen": True}, "FireMonomerDtos": [{"BuildingHeight": 250.5}]}
    ),
    bad_example=application(
        1,
        {"ProjectDto": {"IsStrengthen": True}, "FireMonomerDtos": [{"BuildingHeight": "98"}]},
        found=1,
    ),
    uses=document_uses(NAME),
    document=document,
)
