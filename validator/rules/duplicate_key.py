"""A record whose key an earlier record of the run has with other content.

Found by `validator.duplicates`, which compares keys and contents as they are in the sources.
"""

from __future__ import annotations

from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.severity import by_evidence
from validator.text import Text


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    if not table.key.fields:
        return ()
    titles = "、".join(f"{name}（{table.by_name[name].title.zh}）" for name in table.key.fields)
    return (
        Use("duplicate-key", table.qualified, table.key.fields,
            {"key_fields": titles, "key_names": ", ".join(table.key.fields)},
            table.key.provenance, by_evidence(table.key.provenance)),
    )  # fmt: skip


RULE = Rule(
    name="duplicate-key",
    scope=Scope.DATASET,
    title=Text("唯一标识重复", "Natural key stands twice"),
    message=Text(
        "{key_fields} 为“{value}”的记录已在 {first_file} 第 {first_record} 条出现，且内容不同",
        "A record with {key_names} “{value}” stands already as record {first_record} of "
        "{first_file}, with other content",
    ),
    help=Text(
        "请只保留正确的一条，或更正 {key_names}", "Keep the correct one, or correct {key_names}"
    ),
    notes=Text(
        "只比较有效记录；在后出现的每一条上报告，并且一律暂不报送。内容相同的见 repeated-record。",
        "Valid records only, reported on each later one, which the gate always holds. The same "
        "content again is repeated-record.",
    ),
    good=Example({"SPGL_XMJBXXB": (
        {"GCDM": "A", "XMMC": "甲"}, {"GCDM": "B", "XMMC": "甲"},
        {"GCDM": "A", "XMMC": "旧", "SJYXBS": "0", "SJWXYY": "更正"},
    )}),
    bad_example=Example(
        {"SPGL_XMJBXXB": ({"GCDM": "A", "XMMC": "甲"}, {"GCDM": "A", "XMMC": "乙"})},
        (("SPGL_XMJBXXB", 2, ("GCDM",)),),
    ),
    uses=uses,
)  # fmt: skip
