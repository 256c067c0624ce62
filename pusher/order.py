"""The order of sending: parents before children, from the packs' references (decisions 21).

Inside a table (a project refers to projects) and between records the ledger keeps the order: a
child is `waiting` until its parent arrived. This module therefore orders tables only.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from validator.pack import Direction, Packs


def sending_order(packs: Packs) -> tuple[str, ...]:
    """Qualified names of the tables we send, each after the tables it refers to.

    Ties follow the attested order of the packs. Where references form a circle, the attested order
    decides which table of the circle goes first.
    """
    tables = {t.qualified: t for t in packs.tables() if t.direction is Direction.OUT}
    rank = {name: (_place(packs, name), tables[name].order) for name in tables}
    parents = {
        name: {r.table for r in table.references if r.table in tables and r.table != name}
        for name, table in tables.items()
    }
    return tuple(_topological(parents, rank))


def _place(packs: Packs, qualified: str) -> int:
    standard = qualified.partition("/")[0]
    return [p.name for p in packs].index(standard)


def _topological(parents: dict[str, set[str]], rank: dict[str, tuple[int, int]]) -> Iterable[str]:
    """Names by rank, each after its parents; a circle is entered at its lowest rank."""
    missing = {name: set(above) for name, above in parents.items()}
    children: dict[str, list[str]] = {name: [] for name in parents}
    for name, above in parents.items():
        for parent in above:
            children[parent].append(name)
    ready = [(rank[name], name) for name, above in missing.items() if not above]
    heapq.heapify(ready)
    while missing:
        name = heapq.heappop(ready)[1] if ready else min((rank[n], n) for n in missing)[1]
        if name not in missing:
            continue
        del missing[name]
        yield name
        for child in children[name]:
            if child in missing:
                missing[child].discard(name)
                if not missing[child]:
                    heapq.heappush(ready, (rank[child], child))
