"""A member of a document that should be empty, and is filled (XF-S03, XF-F04, XF-B04)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from validator.examples import application
from validator.paper import Flaw, Paper, blank, number
from validator.paper_rules import TEXT, TEXTS, WHEN, document_parameters, document_uses, flaw, spots
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-surplus-value"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    members = cast("list[str]", use.params["members"])
    reason, reason_en = str(use.params["reason"]), str(use.params["reason_en"])

    def judge(paper: Paper) -> Iterator[Flaw]:
        for base, at in spots(use, paper):
            for member in members:
                if _filled(at(member)):
                    yield flaw(base, member, at(member), reason=reason, reason_en=reason_en)

    return judge


def _filled(value: object) -> bool:
    """Zero and empty places of a list of slots say nothing."""
    if isinstance(value, str) and value.replace("null", "").strip(" ,") == "":
        return False
    return not blank(value) and number(value) != 0


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中不应填写的内容", "Value in the document that should be empty"),
    message=Text(
        "{reason}，而 {field} 的 {pointer}（{member_title}）填了“{value}”",
        "{reason_en}, yet {pointer} of {field} ({member_title_en}) says “{value}”",
    ),
    help=Text(
        "请清空 {pointer}，或更正前提",
        "Clear {pointer}, or correct what speaks against it",
    ),
    notes=Text(
        "数字 0、空位和文字 null 不算填写。",
        "Zero, empty places and the text null do not count as filled.",
    ),
    params=document_parameters(
        {"members": TEXTS, "reason": TEXT, "reason_en": TEXT}, list=TEXT, when=WHEN
    ),
    good=application(3, {"ProjectDto": {"SpecialSituation": ",,,null,,,,,,,,"}}),
    bad_example=application(3, {"ProjectDto": {"SpecialSituation": "1,,,,,,,,,,,"}}, found=1),
    uses=document_uses(NAME),
    document=document,
)
