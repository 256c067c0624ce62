"""A member of a document that no public source shows."""

from __future__ import annotations

from functools import partial

from validator.documents import schema_uses
from validator.rule import Example, Rule, Scope
from validator.text import Text

RULE = Rule(
    name="document-unknown-member",
    scope=Scope.DOCUMENT,
    order=70,
    title=Text("文档中有未知的键", "Unknown member in the document"),
    message=Text(
        "{field} 的 {pointer} 不在已知的键中",
        "{pointer} of {field} is no known member",
    ),
    help=Text(
        "请核对拼写；确有此键时无需处理",
        "Check the spelling; nothing need be done if the member is meant",
    ),
    notes=Text(
        "只提示：接口文档未见，键的清单取自一个在用系统。单位意见只属于验收和备案，设计审查中出现也在此提示。",
        "It only informs: no interface document was seen, the names are those of one running "
        "system. Opinions belong to acceptance and filing; in a design review they are told here.",
    ),
    good=Example(
        {
            "fire-application/SPGL_XMJBXXB": (
                {"LSH": "1", "SPLCLX": "1", "FORMS_JSON": '{"ProjectDto": {"ProjectCode": "1"}}'},
            )
        }
    ),
    bad_example=Example(
        {
            "fire-application/SPGL_XMJBXXB": (
                {
                    "LSH": "1",
                    "SPLCLX": "1",
                    "FORMS_JSON": '{"ProjectDto": {"ProjectCode": "1", "ProjectKode": "1"}}',
                },
            )
        },
        (("SPGL_XMJBXXB", 1, ("FORMS_JSON",)),),
    ),
    uses=partial(schema_uses, "document-unknown-member"),
)
