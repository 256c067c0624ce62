"""Which versions are meant, as a value and as the condition of a query; nothing is asked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from pusher.batch import canonical
from pusher.states import State


@dataclass(frozen=True, slots=True)
class Selector:
    """Which versions are meant; everything that is set must hold. `reason` is a part of the note,
    `run` the run that entered the version, `key` the natural key as written in the pack.

    `rule`: held by the gate for it; `notes`: refused with one of these texts; of these two one is
    enough. `linked`: a FIELD=VALUE of which one stands in the key or the kept columns.
    """

    target: str | None = None
    table: str | None = None
    states: tuple[State, ...] = ()
    run: str | None = None
    reason: str | None = None
    division: str | None = None
    key: Mapping[str, str] | None = None
    handles: tuple[int, ...] = ()
    rule: str | None = None
    notes: tuple[str, ...] = ()
    linked: tuple[tuple[str, str], ...] = ()


def conditions(selector: Selector) -> tuple[str, list[object]]:
    """A WHERE text with parameters for `v` (version), `p` (place), `i` (identity), `r` (run)."""
    tests: list[str] = ["1 = 1"]
    values: list[object] = []

    def add(test: str, *given: object) -> None:
        tests.append(test)
        values.extend(given)

    if selector.target is not None:
        add("p.target = ?", selector.target)
    if selector.table is not None:
        add(
            "(p.name = ? OR p.name LIKE ? ESCAPE '\\')",
            selector.table,
            f"%/{_like(selector.table)}",
        )
    if selector.states:
        # as text, one test each: so the partial indexes can serve
        add("(" + " OR ".join(f"v.state = '{State(s).value}'" for s in selector.states) + ")")
    if selector.run is not None:
        add("r.name = ?", selector.run)
    if selector.reason is not None:
        add("v.note LIKE ? ESCAPE '\\'", f"%{_like(selector.reason)}%")
    if selector.division is not None:
        add("v.division = ?", selector.division)
    if selector.key is not None:
        add("i.key = ?", canonical(selector.key).decode())
    if selector.rule is not None:
        held = "(v.state = 'blocked' AND ', ' || v.note || ', ' LIKE ? ESCAPE '\\')"
        some = ", ".join("?" * len(selector.notes)) or "NULL"
        refused = f"(v.state = 'rejected' AND v.note IN ({some}))"
        add(f"({held} OR {refused})", f"%, {_like(selector.rule)}, %", *selector.notes)
    if selector.linked:
        pairs = [f"%{_like(_pair(name, value))}%" for name, value in selector.linked]
        one = "i.key LIKE ? ESCAPE '\\' OR v.known LIKE ? ESCAPE '\\'"
        add(f"({' OR '.join([one] * len(pairs))})", *(p for pair in pairs for p in (pair, pair)))
    if selector.handles:
        add("v.id IN (SELECT value FROM json_each(?))", orjson.dumps(selector.handles).decode())
    return " AND ".join(tests), values


def _pair(name: str, value: str) -> str:
    """A member of a JSON object as `canonical` writes it."""
    return canonical({name: value}).decode()[1:-1]


def _like(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return text
