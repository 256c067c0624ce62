"""`spgl push --dry-run`: the ledger as a copy in a temporary folder, and the plan in words.

The copy is gone afterwards; the ledger, the state folder and the target stay as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spgl.cli import Call
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.ledger.plan import Plan

_HEAD = Text(
    "试运行，未写入台账，未投送。与上次登记相比，将投送：",
    "dry run: nothing was written or sent. Against what was last entered, a push would send:",
)
_NOTHING = Text("没有新内容", "nothing new")
_BLOCKED = Text(
    "未放行，按规则（一条记录涉及多条规则时分别计数）：",
    "blocked, by rule (a record held by several counts under each):",
)
_OPEN = Text(
    "此前运行还有 {n} 个版本待投送", "earlier runs left {n} versions that are still to be sent"
)
_REFUSED = Text(
    "未变的记录中有 {n} 条仍被退回或已放弃：改正数据，或 spgl ledger retry",
    "{n} of the unchanged records stand refused or given up: correct them, or spgl ledger retry",
)
#: What the gate notes for the child of a record that does not conform (decisions 4).
_PARENT = Text("上级记录不合格", "a parent that does not conform")
_CHANGES = {
    "new": Text("新增", "new"),
    "changed": Text("变更", "changed"),
    "withdrawn": Text("删除", "withdrawn"),
    "released": Text("解除拦截", "released"),
}


@contextmanager
def copied_ledger(call: Call) -> Iterator[Ledger]:
    """A copy of the configured ledger, or an empty one where there is none. Raises LedgerError."""
    from pusher.ledger.core import open_ledger

    with tempfile.TemporaryDirectory(prefix="spgl-") as folder:
        path = Path(folder) / "ledger.db"
        call.settings.ledger.copy(path)
        ledger = open_ledger(path)
        try:
            yield ledger
        finally:
            ledger.close()


def held_by(rule: str, lang: Lang) -> str:
    """What held a record back, from the gate's note: a rule's name, or words for its parent."""
    return _PARENT[lang] if rule == "parent" else rule


def tell_plan(plan: Plan, lang: Lang) -> str:
    """The plan by table and change; the books are told by `pushing.tell_books`."""
    from pusher.ledger.plan import Change
    from validator.reports.plain import left, right

    lines = [_HEAD[lang]]
    titles = "".join(right(_CHANGES[c][lang], 12) for c in Change)
    tables = sorted({table for table, _ in plan.changes})
    if tables:
        lines.append("  " + left("", 44) + titles)
    for table in tables:
        counts = [plan.changes.get((table, change), 0) for change in Change]
        cells = "".join(right(f"{n:,}" if n else "·", 12) for n in counts)
        lines.append("  " + left(table, 44) + cells)
    if not tables:
        lines.append("  " + _NOTHING[lang])
    if plan.blocked:
        lines.append(_BLOCKED[lang])
        for (table, rule), n in sorted(plan.blocked.items()):
            lines.append("  " + left(table, 44) + right(f"{n:,}", 12) + f"  {held_by(rule, lang)}")
    if plan.books.refused:
        lines.append(_REFUSED.fill({"n": f"{plan.books.refused:,}"})[lang])
    if plan.open_before:
        lines.append(_OPEN.fill({"n": f"{plan.open_before:,}"})[lang])
    return "\n".join(lines)
