"""Parents before children, ties as attested."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from ledger_values import STANDARD, packs

from pusher.order import sending_order
from validator.pack import Direction, Pack, Packs, Provenance, Reference, Table
from validator.text import Text


def made(*tables: tuple[str, int, tuple[str, ...]]) -> Packs:
    model = packs().tables()[0]
    rows: list[Table] = [
        replace(
            model,
            name=name,
            order=order,
            references=tuple(
                Reference(("A",), f"{STANDARD}/{parent}", ("A",), Provenance.INFERRED)
                for parent in parents
            ),
        )
        for name, order, parents in tables
    ]
    return Packs((Pack(STANDARD, "3.0", Text("", ""), "", (), tuple(rows), (), ()),))


def names(found: Packs) -> list[str]:
    return [name.partition("/")[2] for name in sending_order(found)]


def test_references_go_before_the_attested_order() -> None:
    assert names(made(("CASE", 1, ("PROJECT",)), ("PROJECT", 2, ("PROJECT",)))) == [
        "PROJECT",
        "CASE",
    ]


def test_the_attested_order_breaks_ties() -> None:
    assert names(made(("C", 3, ()), ("A", 1, ()), ("B", 2, ()))) == ["A", "B", "C"]


def test_a_circle_is_entered_at_its_first_table() -> None:
    assert names(made(("A", 2, ("B",)), ("B", 1, ("A",)), ("C", 3, ("A",)))) == ["B", "A", "C"]


def test_feedback_tables_are_never_sent() -> None:
    found = made(("A", 1, ()), ("B", 2, ("A",)))
    inbound = replace(found.packs[0].tables[0], direction=Direction.IN)
    kept = replace(found.packs[0], tables=(inbound, found.packs[0].tables[1]))
    assert names(Packs((kept,))) == ["B"]


@given(st.lists(st.tuples(st.integers(0, 9), st.sets(st.integers(0, 9), max_size=3)), max_size=10))
def test_every_table_once_and_after_its_parents_where_that_is_possible(
    shape: list[tuple[int, set[int]]],
) -> None:
    tables = [
        # only earlier tables as parents: no circles
        (f"T{i}", order, tuple(f"T{p}" for p in parents if p < i))
        for i, (order, parents) in enumerate(shape)
    ]
    order = names(made(*tables))
    assert sorted(order) == sorted(name for name, _, _ in tables)
    for name, _, parents in tables:
        assert all(order.index(parent) < order.index(name) for parent in parents)
