"""What the target refused, told to people: stored as a run of its own, grouped by reason, and held
against our own rules.

A stored run of refusals stands beside the validation run, so that reports and the inspector show it
like any other. It judges nothing: the words are the target's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import mapping
from spgl.cli import Call
from spgl.refused_run import spoken, store
from validator.pack import Packs
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.ledger.refusals import Silent
    from pusher.reasons import Group
    from pusher.target import Target

#: Reasons named one by one on a screen.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refusals of one run: grouped, and against our rules. `said`: a mapped rule of ours had spoken
    of the record; `silent`: it had not; `beyond`: people say that no rule can know; `unmapped`: a
    reason nobody has tied to a rule."""

    groups: tuple[Group, ...]
    said: int
    silent: int
    beyond: int
    unmapped: int
    proposed: tuple[Group, ...]
    run_id: str | None = None

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)


def show(
    call: Call,
    ledger: Ledger,
    target: Target,
    packs: Packs,
    run_id: str,
    since: datetime | None = None,
) -> None:
    """Store and tell what was refused in a run (from its start, else from `since`), then which
    rows get no answer. Raises ConfigError for a bad mapping."""
    from pusher.ledger.refusals import started

    began = since or started(ledger, target.name, run_id) or datetime.now().astimezone()
    found = collect(call, ledger, target, packs, run_id, began)
    for line in (*lines(found, call.lang), *overdue(call, ledger, target.name, began)):
        print(line)


def collect(
    call: Call, ledger: Ledger, target: Target, packs: Packs, run_id: str, since: datetime
) -> Refusals:
    """Store and group what was refused since a moment. Raises ConfigError for a bad mapping."""
    from pusher.ledger.refusals import refused
    from pusher.reasons import Reason, grouped

    known = mapping_of(call)
    rows = list(refused(ledger, target.name, since))
    groups = grouped(Reason(r.table, r.reason, 1, r.handle) for r in rows)
    if not rows:
        return Refusals((), 0, 0, 0, 0, ())
    stored = store(call, target, packs, f"{run_id}-refused", since, rows)
    said = spoken(call, packs, rows, known)
    counts: Counter[str] = Counter()
    for row in rows:
        rule = known.rule(row.reason)
        if not rule:
            counts["unmapped" if rule is mapping.UNKNOWN else "beyond"] += 1
        else:
            counts["said" if row.handle in said else "silent"] += 1
    return Refusals(
        groups,
        counts["said"],
        counts["silent"],
        counts["beyond"],
        counts["unmapped"],
        tuple(g for g in groups if known.rule(g.example) is mapping.UNKNOWN),
        stored,
    )


def mapping_of(call: Call) -> mapping.Mapping:
    """The configured mapping; empty without one."""
    path = call.settings.values["feedback.mapping"]
    return mapping.read(Path(str(path)), call.lang) if path else mapping.Mapping()


def lines(found: Refusals, lang: Lang) -> list[str]:
    """The reasons, the largest first, and how our own rules did."""
    if not found.groups:
        return []
    made = group_lines(found.groups, lang)
    counts = {
        n: f"{getattr(found, n):,}" for n in ("count", "said", "silent", "beyond", "unmapped")
    }
    made.append(_SCORE.fill(counts)[lang])
    if found.proposed:
        texts = "; ".join(g.pattern for g in found.proposed[:SHOWN])
        made.append(_PROPOSED.fill({"texts": texts})[lang])
    made.append(_STORED.fill({"run": found.run_id or ""})[lang])
    return made


def group_lines(groups: Sequence[Group], lang: Lang) -> list[str]:
    """`312 records: 项目代码不存在 (SPGL_XMJBXXB)`, the largest first."""
    from pusher.transports.answer import mask

    made = []
    for group in groups[:SHOWN]:
        tables = ", ".join(table.rpartition("/")[2] for table in group.tables)
        places = {"count": f"{group.count:,}", "reason": mask(group.pattern), "tables": tables}
        made.append(_GROUP.fill(places)[lang])
    if len(groups) > SHOWN:
        left = groups[SHOWN:]
        places = {"reasons": f"{len(left):,}", "count": f"{sum(g.count for g in left):,}"}
        made.append(_MORE.fill(places)[lang])
    return made


def overdue(call: Call, ledger: Ledger, target: str | None, now: datetime) -> list[str]:
    """An alarm line per table with rows that were delivered long ago and never answered."""
    days = call.settings.number("feedback.answer_days")
    return [_alarm(late, days, call.lang) for late in silent_since(ledger, target, now, days)]


def silent_since(
    ledger: Ledger, target: str | None, now: datetime, days: int
) -> tuple[Silent, ...]:
    from pusher.ledger.refusals import silent

    return silent(ledger, now - timedelta(days=days), target)


def _alarm(late: Silent, days: int, lang: Lang) -> str:
    oldest = "" if late.oldest is None else f"{late.oldest.astimezone():%Y-%m-%d %H:%M}"
    table = late.table.rpartition("/")[2]
    places = {"count": f"{late.count:,}", "table": table, "days": days, "oldest": oldest}
    return _SILENT.fill({**places, "target": late.target})[lang]


_GROUP = Text("  被退回 {count} 条：{reason}（{tables}）", "  {count} records: {reason} ({tables})")
_MORE = Text(
    "  另有 {reasons} 种原因共 {count} 条",
    "  and {reasons} reasons more, {count} records",
)
_SCORE = Text(
    "本次退回 {count} 条：我们的规则报送前已指出 {said} 条，有对应规则而未指出 {silent} 条，"
    "规则无法判断 {beyond} 条，原因尚无对应规则 {unmapped} 条",
    "of {count} refusals our rules had named {said} before, missed {silent}, cannot know {beyond}; "
    "{unmapped} have a reason that no rule is tied to",
)
_PROPOSED = Text(
    "可新增规则的原因（写入 feedback.mapping）：{texts}",
    "reasons that could become rules (tie them in feedback.mapping): {texts}",
)
_STORED = Text("退回明细：spgl report {run}", "each of them: spgl report {run}")
_SILENT = Text(
    "告警：目标 {target} 的 {table} 有 {count} 条送达超过 {days} 天仍无答复，最早 {oldest}",
    "alarm: {count} records of {table} at {target} have no answer after {days} days, the oldest "
    "of {oldest}",
)
