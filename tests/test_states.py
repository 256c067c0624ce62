"""Every change of state that is legal, and none besides."""

from __future__ import annotations

from itertools import product

import pytest

from pusher.states import (
    AT_TARGET,
    IN_FLIGHT,
    REFUSED,
    TITLES,
    TRANSITIONS,
    UNSENT,
    IllegalTransition,
    State,
    check,
)

LEGAL = """
blocked → waiting queued withdrawn
waiting → queued blocked held withdrawn
queued → sending blocked held withdrawn
sending → delivered accepted rejected in_doubt queued waiting given_up
in_doubt → delivered accepted rejected queued given_up
delivered → accepted rejected
accepted → rejected
rejected → queued withdrawn
given_up → queued withdrawn
held → waiting queued withdrawn
withdrawn →
"""


def legal() -> set[tuple[State, State]]:
    pairs: set[tuple[State, State]] = set()
    for line in LEGAL.strip().splitlines():
        before, _, after = line.partition("→")
        pairs |= {(State(before.strip()), State(name)) for name in after.split()}
    return pairs


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_the_table_is_what_people_were_told(before: State, after: State) -> None:
    if (before, after) in legal():
        check(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"{before} to {after}"):
            check(before, after)


def test_every_state_can_be_left_or_is_final_and_has_both_names() -> None:
    assert {s for s in State if not TRANSITIONS[s]} == {State.WITHDRAWN}
    assert set(TITLES) == set(State)
    assert all(t.zh and t.en for t in TITLES.values())


def test_nothing_that_may_be_at_the_target_is_withdrawn_without_asking() -> None:
    for state in (*IN_FLIGHT, *AT_TARGET):
        assert State.WITHDRAWN not in TRANSITIONS[state]
    for state in (*UNSENT, *REFUSED):
        assert State.WITHDRAWN in TRANSITIONS[state]
