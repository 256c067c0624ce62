"""A declaration that came later after a date of its document than a regulation allows (XF-F08)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time

from validator.clock import working_days
from validator.examples import application
from validator.paper import Flaw, Paper, day
from validator.paper_rules import NUMBER, TEXT, document_parameters, document_uses, flaw
from validator.rule import Rule, Scope, Use
from validator.text import Text

NAME = "document-reported-late"


def document(use: Use) -> Callable[[Paper], Iterable[Flaw]]:
    """Days that the calendar does not reach are not judged."""
    start_at, end_at = str(use.params["start"]), str(use.params["end"])
    limit = int(str(use.params["days"]))

    def judge(paper: Paper) -> Iterator[Flaw]:
        start, end = day(paper.at(start_at)), day(paper.cells.get(end_at))
        if start is None or end is None:
            return
        taken = working_days(_midnight(start), _midnight(end))
        if taken is not None and taken > limit:
            value = paper.at(start_at)
            yield flaw("", start_at, value, end=end_at, day=end, taken=taken, limit=limit)

    return judge


def _midnight(of: date) -> datetime:
    return datetime.combine(of, time())


RULE = Rule(
    name=NAME,
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("申报过晚", "Declared too late"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）为 {value}，"
        "到 {end} 的 {day} 已过 {taken} 个工作日，超过 {limit} 个",
        "{pointer} of {field} ({member_title_en}) is {value}; {taken} working days passed until "
        "{day} of {end}, more than {limit}",
    ),
    help=Text("请核对日期", "Check the dates"),
    notes=Text(
        "已阅的规章要求在竣工验收合格后五个工作日内备案；只提示，未见拒收。",
        "A decree that was read wants the filing within five working days of the completion "
        "acceptance; a notice, no refusal seen.",
    ),
    params=document_parameters({"start": TEXT, "end": TEXT, "days": NUMBER}),
    good=application(
        3, {"ProjectDto": {"CompletionAcceptanceDate": "2026-03-02"}}, SBSJ="2026-03-09 09:00:00"
    ),
    bad_example=application(
        3,
        {"ProjectDto": {"CompletionAcceptanceDate": "2026-03-02"}},
        SBSJ="2026-03-10 09:00:00",
        found=1,
    ),
    uses=document_uses(NAME),
    document=document,
)
