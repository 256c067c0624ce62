"""The states of a record version and the only changes that are legal between them.

Every change of state in the ledger passes `check`; an illegal one stops the run. Open circuits and
night windows are conditions of a target, never states. This module stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from validator.text import Text


class State(StrEnum):
    """Where a version stands; each version is in exactly one."""

    #: Held by the gate; the note names the rules.
    BLOCKED = "blocked"
    #: A parent has to reach the target first, or an earlier version of the same record to settle.
    WAITING = "waiting"
    #: Ready to go, now or when its batch is due.
    QUEUED = "queued"
    #: Claimed; the intent was committed before the first byte left.
    SENDING = "sending"
    #: May have been sent; the answer is lost and the target has to be asked.
    IN_DOUBT = "in_doubt"
    #: The target holds it; its verdict is pending.
    DELIVERED = "delivered"
    #: The target accepted it.
    ACCEPTED = "accepted"
    #: The target refused it; the note is the target's reason.
    REJECTED = "rejected"
    #: Attempts or age exhausted; never dropped.
    GIVEN_UP = "given_up"
    #: Held by a person.
    HELD = "held"
    #: Superseded before it was sent, or withdrawn by a person.
    WITHDRAWN = "withdrawn"


_BLOCKED, _WAITING, _QUEUED, _SENDING, _IN_DOUBT, _DELIVERED, _ACCEPTED, _REJECTED = list(State)[:8]
_GIVEN_UP, _HELD, _WITHDRAWN = list(State)[8:]

#: From each state, where a version may go.
TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        _BLOCKED: frozenset({_WAITING, _QUEUED, _WITHDRAWN}),
        _WAITING: frozenset({_QUEUED, _BLOCKED, _HELD, _WITHDRAWN}),
        _QUEUED: frozenset({_SENDING, _BLOCKED, _HELD, _WITHDRAWN}),
        _SENDING: frozenset(
            {_DELIVERED, _ACCEPTED, _REJECTED, _IN_DOUBT, _QUEUED, _WAITING, _GIVEN_UP}
        ),
        _IN_DOUBT: frozenset({_DELIVERED, _ACCEPTED, _REJECTED, _QUEUED, _GIVEN_UP}),
        _DELIVERED: frozenset({_ACCEPTED, _REJECTED}),
        _ACCEPTED: frozenset({_REJECTED}),
        _REJECTED: frozenset({_QUEUED, _WITHDRAWN}),
        _GIVEN_UP: frozenset({_QUEUED, _WITHDRAWN}),
        _HELD: frozenset({_WAITING, _QUEUED, _WITHDRAWN}),
        _WITHDRAWN: frozenset(),
    }
)

#: Not sent yet: a newer version takes its place.
UNSENT = frozenset({_WAITING, _QUEUED, _HELD})
#: May be on its way: a newer version waits for the outcome.
IN_FLIGHT = frozenset({_SENDING, _IN_DOUBT})
#: The target holds it.
AT_TARGET = frozenset({_DELIVERED, _ACCEPTED})
#: Dead letters: only `ledger retry` or new content sends the record again.
REFUSED = frozenset({_REJECTED, _GIVEN_UP})

TITLES: Mapping[State, Text] = MappingProxyType(
    {
        _BLOCKED: Text("未放行", "blocked"),
        _WAITING: Text("等待上级", "waiting"),
        _QUEUED: Text("待投送", "queued"),
        _SENDING: Text("投送中", "sending"),
        _IN_DOUBT: Text("结果不明", "in doubt"),
        _DELIVERED: Text("已送达", "delivered"),
        _ACCEPTED: Text("已接收", "accepted"),
        _REJECTED: Text("被退回", "rejected"),
        _GIVEN_UP: Text("已放弃", "given up"),
        _HELD: Text("人工暂停", "held"),
        _WITHDRAWN: Text("已撤回", "withdrawn"),
    }
)


class IllegalTransition(Exception):  # noqa: N818
    """A change of state that the table does not allow: a fault of this program, never of data."""


def check(before: State, after: State) -> None:
    """Raise IllegalTransition unless `before` may become `after`."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(f"a version may not go from {before} to {after}")
