"""A list of a document without the rows it should have: materials, opinions, buildings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from validator.examples import application
from validator.paper import Flaw, Paper, shown
from validator.paper_rules import TEXT, TEXTS, WHEN, document_parameters, document_uses, flaw, spots
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-rows-missing"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    of, member = str(use.params["rows"]), str(use.params.get("member", ""))
    values = cast("list[str]", use.params.get("values", []))

    def judge(paper: Paper) -> Iterator[Flaw]:
        there = [row for _, row in paper.rows(of)]
        if any(True for _ in spots(use, paper)):
            found = {shown(row.get(member)) for row in there}
            missing = [v for v in values if v not in found]
            if missing or not (values or there):
                said = f"{member} {'、'.join(missing)}" if missing else of
                yield flaw("", of, None, missing=said)

    return judge


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档的列表缺行", "List in the document lacks rows"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）中缺少 {missing}",
        "{pointer} of {field} ({member_title_en}) has no {missing}",
    ),
    help=Text(
        "请补上缺少的内容",
        "Add what is missing",
    ),
    notes=Text(
        "所需的申请材料和单位意见取自已阅的法规和在用系统；没有见过因缺少而被拒收的情形。",
        "Materials and opinions as regulations that were read and the running system ask for "
        "them; no refusal for a missing one was seen.",
    ),
    params=document_parameters({"rows": TEXT}, member=TEXT, values=TEXTS, when=WHEN),
    good=application(
        3,
        {
            "ProjectDto": {"IsPromise": True},
            "FireFileDtos": [{"DirType": 20}, {"DirType": "21"}],
            "FireMonomerDtos": [{}],
            "CompanyOpinionDtos": [{"OpinionType": str(i)} for i in range(1, 7)],
        },
    ),
    bad_example=application(
        3,
        {
            "ProjectDto": {"IsPromise": False},
            "FireFileDtos": [{"DirType": 21}],
            "FireMonomerDtos": [{}],
            "CompanyOpinionDtos": [{"OpinionType": str(i)} for i in range(1, 7)],
        },
        found=1,
    ),
    uses=document_uses(NAME),
    document=document,
)
