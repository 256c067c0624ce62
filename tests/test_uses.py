"""Every use of every rule has a conforming and a violating example, and judges them so."""

from __future__ import annotations

import pytest
from use_values import Pair, Place, derived, judged, pair_of, places, text_fields, written

_TEXT = {str(p) for p in text_fields()}
_RULES = sorted({p.rule.name for p in places()})


def _judge(place: Place, pair: Pair) -> None:
    assert judged(place, pair.good) == set(), f"{place}: its good example is found bad"
    assert judged(place, pair.bad) == set(pair.rows), f"{place}: its bad example is not found"


@pytest.mark.parametrize("rule", _RULES)
def test_every_use_judges_its_examples(rule: str) -> None:
    """A use without a pair fails: write one line into conformance/PACK/RULE/uses.jsonl."""
    for place in places():
        if place.rule.name == rule and str(place) not in _TEXT:
            pair = pair_of(place)
            assert pair is not None, (
                f"no example of {place} ({place.use.reference}): add a line with table, fields, "
                f"n, good, bad to tests/conformance/{place.table.standard}/{rule}/uses.jsonl"
            )
            _judge(place, pair)


def test_no_example_is_left_over() -> None:
    """An example whose use is gone, or whose pair is derived, is removed with it."""
    known = {(p.rule.name, *p.line): p for p in places()}
    assert set(written()) <= set(known)
    assert not [k for k in written() if derived(known[k])]
