"""A date of a document that must not be later than another one, and is (XF-Y02, XF-Y08, XF-F09)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from validator.examples import application
from validator.paper import Flaw, Paper, day
from validator.paper_rules import TEXT, document_parameters, document_uses, flaw
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-dates-out-of-order"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    earlier_at, later_at = str(use.params["earlier"]), str(use.params["later"])

    def judge(paper: Paper) -> Iterator[Flaw]:
        earlier = day(paper.at(earlier_at))
        later = day(paper.cells[later_at] if later_at in paper.cells else paper.at(later_at))
        if earlier is not None and later is not None and earlier > later:
            yield flaw("", earlier_at, paper.at(earlier_at), other=later_at, later=later)

    return judge


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中日期先后颠倒", "Dates of the document are out of order"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）为 {value}，晚于 {other} 的 {later}",
        "{pointer} of {field} ({member_title_en}) is {value}, later than {later} of {other}",
    ),
    help=Text(
        "请核对两个日期",
        "Check both dates",
    ),
    notes=Text(
        "另一个日期可以是同一文档的键，也可以是记录的字段。同一天不算颠倒。",
        "The other date is a member of the same document or a field of the record. The same day "
        "is in order.",
    ),
    params=document_parameters({"earlier": TEXT, "later": TEXT}),
    good=application(
        3, {"ProjectDto": {"CompletionAcceptanceDate": "2026-03-02"}}, SBSJ="2026-03-02 09:00:00"
    ),
    bad_example=application(
        3,
        {"ProjectDto": {"CompletionAcceptanceDate": "2026-03-03"}},
        SBSJ="2026-03-02 09:00:00",
        found=1,
    ),
    uses=document_uses(NAME),
    document=document,
)
