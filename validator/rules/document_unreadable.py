"""A cell that should hold a JSON document and holds none, or one that readers take differently."""

from __future__ import annotations

from validator.examples import application
from validator.pack import Packs, Table
from validator.rule import Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One per field of documents. What cannot be carried is always an error (decisions 10)."""
    return tuple(
        Use("document-unreadable", table.qualified, (f.name,), {}, f.provenance, Severity.ERROR)
        for f in table.fields
        if f.document is not None
    )


RULE = Rule(
    name="document-unreadable",
    scope=Scope.DOCUMENT,
    order=20,
    title=Text("文档读不出来", "Document cannot be read"),
    message=Text(
        "{field}（{title}）不是可读的 JSON：{reason}",
        "{field} is no readable JSON document: {reason_en}",
    ),
    help=Text(
        "请由系统重新生成 {field}，不要手工拼接 JSON",
        "Let the system write {field} again; do not put JSON together by hand",
    ),
    notes=Text(
        "同一个键出现两次、NaN、嵌套或大小超过上限，也算读不出来：各系统的读法不同。",
        "A name that stands twice, NaN, and what is too deep or too large count as unreadable: "
        "readers take them differently.",
    ),
    good=application(1, {}),
    bad_example=application(1, '{"ProjectDto": ', found=1),
    uses=uses,
)
