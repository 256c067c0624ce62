"""What a target wrote back on a case, for `spgl ledger show`, `explain` and the inspector.

Opinions and names of persons stay in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.ledger.inbound import Entry
    from validator.pack import Packs

#: The fields that name a case: in the fire channel, and in the national records.
CASE_FIELDS = ("LSH", "SPSXSLBM")


def of_key(ledger: Ledger, target: str | None, key: Mapping[str, str]) -> tuple[Entry, ...]:
    """What came in for the case that a key names, in order of arrival; none where it names none."""
    from pusher.ledger.inbound import of_case

    cases = [key[name] for name in CASE_FIELDS if key.get(name)]
    return of_case(ledger, target, cases[0]) if cases else ()


def lines(entries: Sequence[Entry], packs: Packs, lang: Lang) -> list[str]:
    """A head and the rows; empty without any."""
    if not entries:
        return []
    return [_HEAD.fill({"case": entries[0].case})[lang], *(_line(e, packs, lang) for e in entries)]


def _line(entry: Entry, packs: Packs, lang: Lang) -> str:
    at = entry.at.astimezone().isoformat(sep=" ", timespec="seconds")[:19]
    table = entry.table.partition("/")[2]
    state, fate = state_of(entry, packs)[lang], FATES[entry.fate][lang]
    parts = [f"{entry.target} {table}", state, fate, entry.note]
    if entry.marked is None:
        parts.append(_UNMARKED[lang])
    if entry.written is not None:
        parts.append(_WRITTEN.fill({"file": entry.file or ""})[lang])
    return f"  {at}  " + " · ".join(part for part in parts if part)


def state_of(entry: Entry, packs: Packs) -> Text:
    """The state that a process row brought, with its title; empty for other rows."""
    standard, _, name = entry.table.partition("/")
    pack = next((pack for pack in packs if pack.name == standard), None)
    if pack is None or pack.feedback is None or pack.feedback.table != name:
        return Text("", "")
    code = entry.fields.get(pack.feedback.state, "")
    use = packs.table(entry.table).by_name[pack.feedback.state].codes
    codes = {} if use is None else packs.code_list(packs.table(entry.table), use.list).by_code
    title = codes[code].title if code in codes else Text("", "")
    word = f"{pack.feedback.state}={code}"
    return Text(f"{word} {title.zh}".rstrip(), f"{word} {title.en}".rstrip())


_HEAD = Text("办件 {case} 的反馈：", "feedback on case {case}:")
#: What became of a row, in words.
FATES = {
    "consumed": Text("已接收", "taken over"),
    "refused": Text("已拒收", "refused by us"),
}
_UNMARKED = Text("尚未在对方库中标记", "not marked at the target yet")
_WRITTEN = Text("办理环节已写入 {file}", "case events in {file}")
