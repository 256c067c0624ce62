"""Notes of the ledger, as a person reads them."""

from __future__ import annotations

import pytest

from pusher import notes
from validator.text import Text


@pytest.mark.parametrize(
    ("note", "read"),
    [
        (notes.SUPERSEDED, "已被新内容取代"),
        (notes.IDLE, "与目标系统现有内容一致，无须投送"),
        (notes.HELD.format(who="张工 {x}"), "由 张工 {x} 暂停"),
        (notes.WITHDRAWN.format(who="a by b"), "由 a by b 撤回"),
    ],
)
def test_our_own_notes_are_read_in_both_languages(note: str, read: str) -> None:
    assert notes.in_words(note) == Text(read, note)


@pytest.mark.parametrize("said", ["", "项目代码不存在", "not superseded", "{who}", "HTTP 502: x"])
def test_what_a_target_said_stays_as_it_is(said: str) -> None:
    assert notes.in_words(said) == Text(said, said)
