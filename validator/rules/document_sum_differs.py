"""A total of a document that is not the sum of its parts (XF-B01)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import cast

from validator.examples import application
from validator.paper import Flaw, Paper, blank, number
from validator.paper_rules import NUMBER, TEXT, TEXTS, document_parameters, document_uses, flaw
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-sum-differs"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    total_at, of = str(use.params["total"]), str(use.params["rows"])
    members = cast("list[str]", use.params["members"])
    tolerance = Decimal(str(use.params["tolerance"]))

    def judge(paper: Paper) -> Iterator[Flaw]:
        total = number(paper.at(total_at))
        rows = [row for _, row in paper.rows(of)]
        parts = [number(r.get(m)) for r in rows for m in members if not blank(r.get(m))]
        first = all(number(r.get(members[0])) is not None for r in rows)
        if total is None or not rows or not first or None in parts:
            return
        sum_ = sum((p for p in parts if p is not None), Decimal(0))
        if abs(total - sum_) > tolerance:
            yield flaw("", total_at, paper.at(total_at), sum=sum_, rows=of)

    return judge


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中合计与各项之和不符", "Total in the document differs from its parts"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）为 {value}，而 {rows} 各项之和为 {sum}",
        "{pointer} of {field} ({member_title_en}) is {value}, the sum over {rows} is {sum}",
    ),
    help=Text(
        "请核对合计与各单体的数值",
        "Check the total and the values of the buildings",
    ),
    notes=Text(
        "有单体没有填主要数值时不检查。",
        "Not judged where a building lacks the main value.",
    ),
    params=document_parameters(
        {"total": TEXT, "rows": TEXT, "members": TEXTS, "tolerance": NUMBER}
    ),
    good=application(
        1,
        {
            "ProjectDto": {"TotalBuildArea": "1500"},
            "FireMonomerDtos": [
                {"BuildingUpArea": 1000, "BuildingDownArea": ""},
                {"BuildingUpArea": "400", "BuildingDownArea": "100.2"},
            ],
        },
    ),
    bad_example=application(
        1,
        {
            "ProjectDto": {"TotalBuildArea": "1500"},
            "FireMonomerDtos": [{"BuildingUpArea": 1000}, {"BuildingUpArea": "400"}],
        },
        found=1,
    ),
    uses=document_uses(NAME),
    document=document,
)
