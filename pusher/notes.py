"""What the ledger itself notes beside a state, and how a person reads it.

Notes are stored in English, as one text; what a target said is its own and stays as it is.
"""

from __future__ import annotations

import re

from validator.text import Text

SUPERSEDED = "superseded"
IDLE = "the target stands as this would leave it"
CRASHED = "found after a crash"
ADOPTED = "adopted"
#: What a person did, as it is noted.
WITHDRAWN, HELD, RETRIED = "withdrawn by {who}", "held by {who}", "retried by {who}"

_READ: dict[str, str] = {
    SUPERSEDED: "已被新内容取代",
    IDLE: "与目标系统现有内容一致，无须投送",
    CRASHED: "上次运行中断后发现",
    ADOPTED: "首次接管，目标系统已有",
    WITHDRAWN: "由 {who} 撤回",
    HELD: "由 {who} 暂停",
    RETRIED: "由 {who} 重新投送",
}
_PATTERNS = tuple(
    (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(note))), Text(read, note))
    for note, read in _READ.items()
)


def in_words(note: str) -> Text:
    """A stored note in both languages; one that is not the ledger's own stays as it is."""
    for pattern, text in _PATTERNS:
        found = pattern.fullmatch(note)
        if found is not None:
            return text.fill(found.groupdict())
    return Text(note, note)
