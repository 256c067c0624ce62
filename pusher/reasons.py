"""Reasons of a target, grouped: what differs from record to record is taken out of the text.

    项目代码2401-990100-04-01-000001不存在  →  项目代码…不存在

Pure: texts in, groups out. Where the texts come from is `pusher.ledger.refusals`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

#: Stands for a part that is particular to one record.
ANY = "…"
#: Codes, numbers, times and whatever stands in quotation marks.
_PARTICULAR = re.compile(
    r"“[^”]{1,200}”|‘[^’]{1,200}’|「[^」]{1,200}」|\"[^\"]{1,200}\"|'[^']{1,200}'"
    r"|(?:[A-Za-z0-9][A-Za-z0-9_./:+-]*)?[0-9][A-Za-z0-9_./:+-]*(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?"
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as it stands in some records of one table; `handle` is one of them."""

    table: str
    text: str
    count: int
    handle: int


@dataclass(slots=True)
class Group:
    """Records refused for the same reason: how many, in which tables, with one as example."""

    pattern: str
    example: str
    handle: int
    count: int = 0
    tables: dict[str, int] = field(default_factory=dict)


def pattern_of(reason: str) -> str:
    """The reason with its particulars taken out; never empty where the reason is not."""
    made = _PARTICULAR.sub(ANY, " ".join(reason.split()))
    return made if made.strip(f"{ANY} ,.;，。；") else reason.strip()


def grouped(reasons: Iterable[Reason]) -> tuple[Group, ...]:
    """Groups by pattern, the largest first."""
    groups: dict[str, Group] = {}
    for reason in reasons:
        pattern = pattern_of(reason.text)
        group = groups.setdefault(pattern, Group(pattern, reason.text, reason.handle))
        group.count += reason.count
        group.tables[reason.table] = group.tables.get(reason.table, 0) + reason.count
    return tuple(sorted(groups.values(), key=lambda g: (-g.count, g.pattern)))
