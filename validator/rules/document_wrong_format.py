"""A value of a document without the shape of its format (XF-M05, XF-C04)."""

from __future__ import annotations

from functools import partial

from validator.documents import schema_uses
from validator.examples import application
from validator.rule import Rule, Scope
from validator.text import Text

RULE = Rule(
    name="document-wrong-format",
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中的值格式不对", "Value in the document has the wrong shape"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）的值“{value}”不是{format}",
        "The value “{value}” at {pointer} of {field} ({member_title_en}) is not a {format_en}",
    ),
    help=Text("请核对 {member}，按{format}填写", "Check {member} and write it as a {format_en}"),
    notes=Text(
        "附件须有带后缀的文件名和网址；统一社会信用代码为 18 位。",
        "An attached file has a name with an extension and a web address; a credit code has 18 "
        "characters.",
    ),
    good=application(
        1, {"FireFileDtos": [{"Name": "a.pdf", "Code": "https://x.example/a", "DirType": 1}]}
    ),
    bad_example=application(
        1, {"FireFileDtos": [{"Name": "a", "Code": "https://x.example/a", "DirType": 1}]}, found=1
    ),
    uses=partial(schema_uses, "document-wrong-format"),
)
