"""Texts in two languages."""

from __future__ import annotations

from validator.text import Text


def test_places_are_filled_by_texts_in_their_language() -> None:
    why = Text("现为{state}", "is {state}").fill({"state": Text("已接收", "accepted")})
    whole = Text("{n} 条：{why}；{open}", "{n} records: {why}; {open}").fill({"n": 3, "why": why})
    assert whole == Text("3 条：现为已接收；{open}", "3 records: is accepted; {open}")
