"""A reference to a record that is neither in the run nor known from earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from validator.pack import Packs, Reference, Table
from validator.rule import Example, Need, Rule, Scope, Use, identity
from validator.severity import by_evidence
from validator.text import Text


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per reference; a table of a pack that is not loaded cannot be asked."""
    loaded = {t.qualified: t for t in packs.tables()}
    return tuple(
        Use("dangling-reference", table.qualified, ref.fields,
            {"use": ref, "names": "、".join(ref.fields), "parent": loaded[ref.table].name,
             "parent_title": loaded[ref.table].title.zh,
             "parent_fields": "、".join(ref.target_fields)},
            ref.provenance, by_evidence(ref.provenance), ref.reference)
        for ref in table.references if ref.table in loaded
    )  # fmt: skip


def reference_of(use: Use) -> Reference:
    """The pack's reference behind a compiled use."""
    ref = use.params["use"]
    assert isinstance(ref, Reference)
    return ref


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    """What the child points with, and what the parent is found by."""
    ref = reference_of(use)
    return (Need(use.table, (ref.fields,)), Need(ref.table, (ref.target_fields,)))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Children whose value no parent has. A reference with a missing part points nowhere."""
    ref = reference_of(use)
    child, parent = identity(ref.fields), identity(ref.target_fields)
    held = frames[1][parent].drop_nulls().unique().implode()
    return frames[0].filter(~pl.col(child).is_in(held)).select("row").unique().sort("row")


RULE = Rule(
    name="dangling-reference",
    scope=Scope.DATASET,
    title=Text("引用的记录不存在", "Reference to nothing"),
    message=Text(
        "{names} 的值“{value}”在 {parent}（{parent_title}）中没有对应记录",
        "No record of {parent} ({parent_title}) has {parent_fields} “{value}”, given in {names}",
    ),
    help=Text(
        "请先报送 {parent}（{parent_title}）的对应记录，或更正 {names}",
        "Report that record of {parent} ({parent_title}) first, or correct {names}",
    ),
    notes=Text(
        "被引用记录须有效（SJYXBS 不为 0，SJSCZT 不为 -1 或 2），"
        "在本次数据中或此前已报送。"
        "被引用记录本身不合格时不在此报告。使用 --partial 时，引用未导出的表只作提示。",
        "The parent must be valid (SJYXBS not 0, SJSCZT not -1 or 2), in this run or at the target "
        "already. A parent that does not conform is no fault of the child. With --partial a "
        "reference to a table that is not in the export is an info.",
    ),
    good=Example({
        "SPGL_XMJBXXB": ({"GCDM": "A"},),
        "SPGL_XMYDHXJZXXB": ({"XMDM": None},),
        "SPGL_XMSPSXBLXXB": ({"SPSXSLBM": "1", "GCDM": "A"},),
    }),
    bad_example=Example(
        {
            "SPGL_XMJBXXB": ({"GCDM": "A"}, {"GCDM": "B", "SJYXBS": "0", "SJWXYY": "更正"}),
            "SPGL_XMSPSXBLXXB": (
                {"SPSXSLBM": "1", "GCDM": "A"}, {"SPSXSLBM": "2", "GCDM": "B"},
            ),
        },
        (("SPGL_XMSPSXBLXXB", 2, ("GCDM",)),),
    ),
    uses=uses,
    needs=needs,
    query=query,
    apart=True,
)  # fmt: skip
