"""Compares what stands at a target with what it took over, table by table, in pages. Read-only.

What a difference is says `pusher.drift`; what should stand there, `pusher.ledger.standing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pusher.drift import Difference, Drift, differences, told
from pusher.ledger.core import Ledger
from pusher.ledger.standing import pages
from pusher.target import Target
from pusher.transport import Readable, within

#: Records asked for at once.
PAGE = 500
#: Differences of one table that are listed; all are counted.
LISTED = 1_000


@dataclass(slots=True)
class Compared:
    """One table. `checked` records were looked for; of `untold` only the presence could be
    compared, the ledger keeps no content of them; `moving` were left out, they are on their way or
    were refused. `counts` are exact, `listed` is at most `LISTED`."""

    table: str
    checked: int = 0
    untold: int = 0
    moving: int = 0
    counts: Counter[Drift] = field(default_factory=Counter)
    listed: list[Difference] = field(default_factory=list)

    @property
    def drifted(self) -> bool:
        return any(self.counts.values())


async def verify(
    ledger: Ledger,
    target: Target,
    transport: Readable,
    tables: Iterable[str],
    on: Callable[[str, int], None],
) -> tuple[Compared, ...]:
    """Compare these tables (`standard/TABLE`); `on` hears table and records so far after each page.

    Raises TransportError when the target cannot be asked or does not answer, LedgerError.
    """
    await within(target.timeout, transport.open())
    return tuple([await _compare(ledger, target, transport, table, on) for table in tables])


async def _compare(
    ledger: Ledger,
    target: Target,
    transport: Readable,
    table: str,
    on: Callable[[str, int], None],
) -> Compared:
    made = Compared(table)
    for page in pages(ledger, target.name, table, PAGE):
        made.moving += page.moving
        if page.expected:
            looked = await within(target.timeout, transport.look_up(table, page.expected))
            for expected, found in zip(page.expected, looked, strict=True):
                made.untold += not told(expected, found)
                for difference in differences(expected, found):
                    made.counts[difference.drift] += 1
                    if len(made.listed) < LISTED:
                        made.listed.append(difference)
        made.checked += len(page.expected)
        on(table, made.checked)
    return made


def totals(compared: Iterable[Compared]) -> Mapping[Drift, int]:
    """Differences of all tables by kind, those that occur."""
    total: Counter[Drift] = Counter()
    for one in compared:
        total.update(one.counts)
    return {drift: total[drift] for drift in Drift if total[drift]}
