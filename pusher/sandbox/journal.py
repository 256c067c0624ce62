"""What had effect at a stand-in and what it holds now: the words of every oracle.

The HTTP sandbox and the collector of the exchange database answer in these same values.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from pusher.transport import Answer
from validator.records import Operation

#: One effect counted: standard, table, identity as JSON, operation, content digest.
Mark = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Effect:
    """One record that the stand-in took, in the order of taking.

    `repeat` is true when it changed nothing: the same content was held already, or nothing was
    there to withdraw. A repeat is a duplicate effect unless somebody meant it.
    """

    standard: str
    table: str
    identity: str
    operation: Operation
    version: str
    answer: Answer
    reason: str
    repeat: bool

    @property
    def mark(self) -> Mark:
        return (self.standard, self.table, self.identity, str(self.operation), self.version)


@dataclass(frozen=True, slots=True)
class Held:
    """One record that the stand-in holds as valid now."""

    standard: str
    table: str
    identity: str
    fields: Mapping[str, str]
    lsh: str


def identity_of(key: Mapping[str, str]) -> str:
    """A key as JSON with sorted names."""
    return orjson.dumps(dict(key), option=orjson.OPT_SORT_KEYS).decode()


def version_of(fields: Mapping[str, str]) -> str:
    """SHA-256 of a content, names sorted; the sandbox's own, not the ledger's."""
    return hashlib.sha256(orjson.dumps(dict(fields), option=orjson.OPT_SORT_KEYS)).hexdigest()


def counted(effects: Iterable[Effect]) -> Counter[Mark]:
    """How often each version had effect, refused ones left out."""
    return Counter(effect.mark for effect in effects if effect.answer is not Answer.REJECTED)


def repeats(effects: Iterable[Effect]) -> list[Effect]:
    """The effects that changed nothing: duplicates."""
    return [effect for effect in effects if effect.repeat]
