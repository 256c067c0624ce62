"""Named crash points for the fault tests: `SPGL_CRASH=claimed:3` kills the process, without any
chance to clean up, when it passes the point `claimed` for the third time. Without that variable
this does nothing."""

from __future__ import annotations

import os
import signal
from collections import Counter

#: Every point, in the order in which a run passes them.
POINTS = (
    "entering",
    "recovered",
    "settling",
    "claiming",
    "claimed",
    "sending",
    "answered",
    "recorded",
    "committing",
    "committed",
    "verdicts_read",
    "verdicts",
    "unnotified",
    "notified",
)

#: Points that not every run passes: a step of bringing a ledger up to date, a batch cut in two,
#: rows of an exchange database written and not yet committed.
OTHER_POINTS = ("migrating", "halved", "written")

#: Points of taking over what a target wrote for us, where its pack has tables that come in.
INBOUND_POINTS = ("inbound_stored", "inbound_marked", "events_assigned", "events_placed")

_left: Counter[str] = Counter()


def arm(text: str) -> None:
    """Take `POINT` or `POINT:COUNT`; an empty text disarms."""
    _left.clear()
    point, _, count = text.partition(":")
    if point:
        _left[point] = int(count or 1)


def at(point: str) -> None:
    """Die here if told so."""
    if _left and point in _left:
        _left[point] -= 1
        if _left[point] <= 0:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


arm(os.environ.get("SPGL_CRASH", ""))
