"""A code of a document that is not in its list (XF-M04, XF-S02, XF-D07)."""

from __future__ import annotations

from functools import partial

from validator.documents import schema_uses
from validator.examples import application
from validator.rule import Rule, Scope
from validator.text import Text

_FILE = {"Name": "a.pdf", "Code": "https://files.example/a"}

RULE = Rule(
    name="document-code-not-in-list",
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中的代码不在代码表中", "Code in the document is not in its list"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）的值“{value}”不在“{list_title}”中",
        "The value “{value}” at {pointer} of {field} ({member_title_en}) is not in {list_title_en}",
    ),
    help=Text("请按“{list_title}”填写 {member}", "Use a code of {list_title_en} for {member}"),
    notes=Text(
        "代码写成文本或整数均可。特殊建设工程情形按 12 个位置逐个检查，空位和文字 null 不算。",
        "A code may be a text or an integer. Special situations are judged place by place of the "
        "twelve; empty places and the text null do not count.",
    ),
    good=application(1, {"FireFileDtos": [{**_FILE, "DirType": 1}]}),
    bad_example=application(1, {"FireFileDtos": [{**_FILE, "DirType": 21}]}, found=1),
    uses=partial(schema_uses, "document-code-not-in-list"),
)
