"""A table of the export that no loaded pack has. Found where the inputs are opened."""

from __future__ import annotations

from validator.rule import Example, Rule, Scope
from validator.text import Text

RULE = Rule(
    name="unknown-table",
    scope=Scope.SOURCE,
    title=Text("未知的表", "Unknown table"),
    message=Text(
        "“{value}”不是已加载标准中的表，其中的记录未检查",
        "“{value}” is no table of the loaded standards; its records were not checked",
    ),
    help=Text(
        "请核对表名，或在设置 [tables] 中指明对应的表，或加载含有该表的标准包",
        "Check the name, map it under [tables], or load a pack that has it",
    ),
    notes=Text(
        "未知的表从不悄悄丢弃。地方草稿表（_EDIT、_EDIT_R）也在此列。",
        "Unknown tables are never dropped silently; local drafts (_EDIT, _EDIT_R) are among them.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"GCDM": "A"},)}),
    bad_example=Example({"SPGL_BCZDB": ({"GCDM": "A"},)}, (("SPGL_BCZDB", 0, ()),)),
)
