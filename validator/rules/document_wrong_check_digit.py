"""An identifier of a document whose check digit is wrong (XF-C04)."""

from __future__ import annotations

from functools import partial

from validator.documents import schema_uses
from validator.examples import application
from validator.rule import Rule, Scope
from validator.text import Text

RULE = Rule(
    name="document-wrong-check-digit",
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中的编号校验位不对", "Check digit in the document is wrong"),
    message=Text(
        "{field} 的 {pointer}（{member_title}）的值“{value}”校验位不对",
        "The check digit of “{value}” at {pointer} of {field} ({member_title_en}) is wrong",
    ),
    help=Text("请对照证照核对 {member}", "Compare {member} with the certificate"),
    notes=Text(
        "格式正确才检查校验位。",
        "Judged only where the shape is right.",
    ),
    good=application(1, {"ProjectDto": {"ConstructionUscc": "91350100M000100Y43"}}),
    bad_example=application(1, {"ProjectDto": {"ConstructionUscc": "91350100M000100Y44"}}, found=1),
    uses=partial(schema_uses, "document-wrong-check-digit"),
)
