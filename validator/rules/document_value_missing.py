"""A member that a document should have filled."""

from __future__ import annotations

from functools import partial

from validator.documents import schema_uses
from validator.examples import application
from validator.rule import Rule, Scope
from validator.text import Text

_FILE = {"Code": "https://files.example/a", "DirType": 1}

RULE = Rule(
    name="document-value-missing",
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中缺少内容", "Value missing in the document"),
    message=Text(
        "{field} 中没有填 {pointer}（{member_title}）",
        "{pointer} of {field} ({member_title_en}) is not filled",
    ),
    help=Text("请填写 {member}（{member_title}）", "Fill {member} ({member_title_en})"),
    notes=Text(
        "必填与否多为推断，级别取决于依据；部分只在另一项有值时要求，如有地下层数时的地下面积。",
        "Most of these marks are inferred, and severity follows the evidence; some hold only "
        "where another member is filled, such as the area below ground of a building with storeys "
        "there.",
    ),
    good=application(1, {"FireFileDtos": [{**_FILE, "Name": "a.pdf"}]}),
    bad_example=application(1, {"FireFileDtos": [{**_FILE, "Name": ""}]}, found=1),
    uses=partial(schema_uses, "document-value-missing"),
)
