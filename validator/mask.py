"""Masking of personal values: what is left to recognise a value by, and no more.

It decides nothing about when to mask; fields say what they hold (`Field.personal`).
"""

from __future__ import annotations

import hashlib
import hmac

from validator.pack import Personal

_STAR = "*"


def masked(kind: Personal, text: str) -> str:
    """The text with its middle starred: 张*, 138****5678, 3708************1X.

    A short text keeps at most its first character, so that nothing can be read back. Of a document
    only its brackets and its length in characters are left.
    """
    if kind is Personal.DOCUMENT:
        return f"{text[:1]}…{text[-1:]} ({len(text)})" if len(text) > 1 else text
    head, tail = {Personal.NAME: (1, 0), Personal.PHONE: (3, 4), Personal.ID_NUMBER: (4, 2)}[kind]
    if kind is Personal.NAME:
        return text[:1] + _STAR * max(len(text) - 1, 1) if text else text
    if len(text) < head + tail + 4:
        return text[:1] + _STAR * max(len(text) - 1, 1) if text else text
    return text[:head] + _STAR * (len(text) - head - tail) + text[len(text) - tail :]


def keyed(key: bytes, text: str) -> str:
    """A keyed hash that stands for a personal value in a fingerprint; 64 hexadecimal digits."""
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()
