"""Message and help of a violation as one text, for formats that have room for one."""

from __future__ import annotations

from collections.abc import Mapping

from validator.reports.plain import excerpt, visible
from validator.text import Lang
from validator.violation import Violation

_LENGTH = 1000
_END: Mapping[Lang, str] = {"zh": "。", "en": ". "}


def told(violation: Violation, lang: Lang) -> str:
    """`message. help.` with excerpts of very long texts and unseen characters as escapes."""
    parts = (excerpt(visible(t[lang]), _LENGTH) for t in (violation.message, violation.help))
    ended = (part.rstrip("。.") + _END[lang] for part in parts if part)
    return "".join(ended).strip()
