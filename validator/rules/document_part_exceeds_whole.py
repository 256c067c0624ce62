"""A part of a document that is larger than what it is a part of (XF-D09, XF-B09)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from validator.examples import application
from validator.paper import Flaw, Paper, number
from validator.paper_rules import TEXT, document_parameters, document_uses, flaw, spots
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-part-exceeds-whole"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    part_at, whole_at = str(use.params["part"]), str(use.params["whole"])

    def judge(paper: Paper) -> Iterator[Flaw]:
        for base, at in spots(use, paper):
            part, whole = number(at(part_at)), number(at(whole_at))
            if part is not None and whole is not None and part > whole:
                yield flaw(base, part_at, at(part_at), whole=whole_at, limit=whole)

    return judge


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中部分大于整体", "Part in the document exceeds the whole"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）为 {value}，大于 {whole} 的 {limit}",
        "{pointer} of {field} ({member_title_en}) is {value}, more than {limit} of {whole}",
    ),
    help=Text(
        "请核对两处数值",
        "Check both values",
    ),
    notes=Text(
        "任一处为空或不是数字时不检查。",
        "Not judged where either is empty or no number.",
    ),
    params=document_parameters({"part": TEXT, "whole": TEXT}, list=TEXT),
    good=application(1, {"ProjectDto": {"DecorationArea": "100", "TotalBuildArea": 100}}),
    bad_example=application(
        1, {"ProjectDto": {"DecorationArea": "100.5", "TotalBuildArea": 100}}, found=1
    ),
    uses=document_uses(NAME),
    document=document,
)
