"""`spgl ledger explain FIELD=VALUE…`: why a record is not at the target yet, in sentences.

The whole life with every attempt is `spgl ledger show`; nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pusher.notes import in_words
from pusher.states import TITLES, State
from spgl.planning import held_by
from spgl.pushing import away_text
from validator.records import Operation
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.queries import Version
    from pusher.ledger.why import Because

_SENTENCES: Mapping[State, Text] = {
    State.BLOCKED: Text(
        "未放行，未通过的规则：{note}。改正数据后重新投送，或在 gate.pass 中放行",
        "blocked by the gate because of {note}; correct the data and push again, or let the rule "
        "pass in gate.pass",
    ),
    State.WAITING: Text("等待以下记录先到达目标：", "waiting until these reach the target:"),
    State.QUEUED: Text("待投送{due}{last}", "queued{due}{last}"),
    State.SENDING: Text(
        "自 {since} 起投送中；若没有投送在运行，下次运行会向目标核实",
        "being sent since {since}; if no push is running, the next one asks the target",
    ),
    State.IN_DOUBT: Text(
        "自 {since} 起结果不明{last}；再次投送前会先向目标核实{due}",
        "in doubt since {since}{last}; the target is asked before anything is sent again{due}",
    ),
    State.DELIVERED: Text(
        "已于 {since} 送达，尚待目标给出结论{lsh}",
        "delivered at {since}, the target's verdict is pending{lsh}",
    ),
    State.ACCEPTED: Text("已于 {since} 被目标接收{lsh}", "accepted at {since}{lsh}"),
    State.REJECTED: Text(
        "已于 {since} 被目标退回，原因：{note}。改正数据后重新投送，或 spgl ledger retry",
        "refused at {since} because: {note}; correct the data and push again, or spgl ledger retry",
    ),
    State.GIVEN_UP: Text(
        "已于 {since} 放弃，共投送 {attempts} 次{last}。查明原因后 spgl ledger retry",
        "given up at {since} after {attempts} attempts{last}; find the cause, then "
        "spgl ledger retry",
    ),
    State.HELD: Text(
        "自 {since} 起人工暂停（{note}）；spgl ledger retry 恢复",
        "held by a person since {since} ({note}); spgl ledger retry releases it",
    ),
    State.WITHDRAWN: Text("已于 {since} 撤回（{note}）", "withdrawn at {since} ({note})"),
}
_DELETION = Text("（删除）", " (a deletion)")
_DUE_AT = Text("，最早 {due} 再试", ", next try at {due}")
_DUE_NOW = Text("，下次运行即投送", ", goes with the next run")
_LAST = Text("；上次结果：{fault}", "; the last attempt: {fault}")
_OWN = Text("本记录较早的版本，其结果未定", "an earlier version of this record, not settled yet")
_UNKNOWN = Text("台账不再追查此链", "the ledger follows this chain no further")
_STANDS = Text(
    "目标现有的是 v{sequence}（{title}，{since}）",
    "the target holds v{sequence} ({title}, {since})",
)
_SUPERSEDED = Text(
    "v{old} 未投送即被 v{new} 取代", "v{old} was superseded by v{new} before it was sent"
)


def explained(found: Because, now: datetime, lang: Lang) -> list[str]:
    """The record, where it stands and why, a line each; times in the local zone."""
    key = " ".join(f"{k}={v}" for k, v in found.key.items())
    lines = [f"{found.target} · {found.table} · {key}"]
    lines += _lines(found, now, lang, "  ")
    standing = found.standing
    if standing is not None and standing is not found.newest:
        entry = standing.entry
        words = {
            "sequence": entry.sequence,
            "title": TITLES[entry.state][lang],
            "since": _when(entry.changed),
        }
        lines.append("  " + _STANDS.fill(words)[lang])
    numbers = {*found.superseded, found.newest.entry.sequence}
    for old in found.superseded:
        new = min(n for n in numbers if n > old)
        lines.append("  " + _SUPERSEDED.fill({"old": old, "new": new})[lang])
    return lines


def _lines(found: Because, now: datetime, lang: Lang, margin: str) -> Iterator[str]:
    entry = found.newest.entry
    deletion = _DELETION[lang] if entry.operation is Operation.INVALIDATE else ""
    yield f"{margin}v{entry.sequence}{deletion} {_sentence(found.newest, now, lang)}"
    stuck = entry.state in (State.QUEUED, State.IN_DOUBT)
    if stuck and found.away is not None and found.away.until > now:
        yield f"{margin}  - {away_text(found.target, found.away)[lang]}"
    if found.own:
        yield f"{margin}  - {_OWN[lang]}"
    for link, parent in found.waits:
        yield f"{margin}  - {link}"
        if parent is None:
            yield f"{margin}    {_UNKNOWN[lang]}"
        else:
            yield from _lines(parent, now, lang, margin + "    ")


def _sentence(version: Version, now: datetime, lang: Lang) -> str:
    entry = version.entry
    say: Callable[[Text, object], str] = lambda text, due: text.fill({"due": due})[lang]  # noqa: E731
    due = ""
    if entry.state in (State.QUEUED, State.IN_DOUBT):
        later = entry.due is not None and entry.due > now
        due = say(_DUE_AT, _when(entry.due)) if entry.due and later else _DUE_NOW[lang]
    last = version.attempts[-1] if version.attempts else None
    fault = ""
    if last is not None:
        fault = " ".join(p for p in (last.failure or last.outcome, last.code, last.detail) if p)
    note = (
        ", ".join(held_by(rule, lang) for rule in entry.note.split(", "))
        if entry.state is State.BLOCKED
        else in_words(entry.note)[lang]
    )
    words = {
        "note": note or "-",
        "since": _when(entry.changed),
        "due": due,
        "lsh": f" (LSH {entry.lsh})" if entry.lsh else "",
        "attempts": len(version.attempts),
        "last": _LAST.fill({"fault": fault})[lang] if fault else "",
    }
    return _SENTENCES[entry.state].fill(words)[lang]


def _when(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="seconds")[:19]
