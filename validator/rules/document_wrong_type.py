"""A value of a document that is not of the JSON type or form of its member (XF-C07)."""

from __future__ import annotations

from functools import partial

from validator.documents import schema_uses
from validator.examples import application
from validator.rule import Rule, Scope
from validator.text import Text

RULE = Rule(
    name="document-wrong-type",
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中的值类型不对", "Value in the document has the wrong type"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）的值“{value}”不是{form}",
        "The value “{value}” at {pointer} of {field} ({member_title_en}) is not {form_en}",
    ),
    help=Text("请将 {member} 写成{form}", "Write {member} as {form_en}"),
    notes=Text(
        "数字可写成文本；空文本、null、没有这个键是一回事。"
        "是否类写 true 或 false，日期写 yyyy-MM-dd。",
        "Numbers may be written as texts; an empty text, null and a missing name are one thing. "
        "Yes or no is true or false, a date is yyyy-MM-dd.",
    ),
    good=application(1, {"ProjectDto": {"IsSpecialDesign": True, "TotalBuildArea": "1500.5"}}),
    bad_example=application(1, {"ProjectDto": {"IsSpecialDesign": "1"}}, found=1),
    uses=partial(schema_uses, "document-wrong-type"),
)
