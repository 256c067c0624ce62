"""Targets that are left alone for a while, as the pages of the ledger tell it: until when and why.

The state is kept by `pusher.ledger.circuits`; the words are those of `spgl push` and `spgl status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from spgl.pushing import away_text
from validator.text import Text

if TYPE_CHECKING:
    from pusher.circuit import Open


@dataclass(frozen=True, slots=True)
class Away:
    """A target that did not answer or asked for a pause (`openings` 0). `open`: nothing goes out to
    it now; else the next push probes it. `fault` is class and code of what it last did."""

    target: str
    since: datetime
    until: datetime
    openings: int
    fault: str
    open: bool
    text: Text


def away(found: Mapping[str, Open], now: datetime) -> tuple[Away, ...]:
    """Every target that is left alone or must be probed first; a pause that is over is neither."""
    return tuple(
        Away(
            target,
            one.since,
            one.until,
            one.openings,
            one.fault,
            now < one.until,
            away_text(target, one) if now < one.until else _probe(target, one),
        )
        for target, one in found.items()
        if one.openings or now < one.until
    )


def _probe(target: str, one: Open) -> Text:
    since = one.since.astimezone().isoformat(sep=" ", timespec="seconds")[:19]
    return _PROBE.fill({"name": target, "since": since, "fault": one.fault})


_PROBE = Text(
    "目标 {name} 自 {since} 起没有应答（{fault}）；下次投送先用一个批次试探",
    "target {name} has not answered since {since} ({fault}); the next push probes it with one "
    "batch",
)
