"""Cheap dataclasses do what those of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from validator.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    """A value of every sort of field."""

    a: int
    b: str = "b"
    c: dict[str, int] = field(default_factory=dict, compare=False)
    d: list[int] = field(default_factory=list, init=False, repr=False, compare=False)
    e: int = field(default=5, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "e", self.e + self.a)


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """The same, of the standard library."""

    a: int
    b: str = "b"
    c: dict[str, int] = field(default_factory=dict, compare=False)
    d: list[int] = field(default_factory=list, init=False, repr=False, compare=False)
    e: int = field(default=5, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "e", self.e + self.a)


@dataclass(slots=True)
class Growing:
    """Changes as it is filled."""

    n: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Itself:
    """Equal to nothing but itself, and told in its own words."""

    n: int

    def __repr__(self) -> str:
        return f"<{self.n}>"


@pytest.mark.parametrize("made", [Ours, Theirs])
def test_both_behave_alike(made: Any) -> None:
    one = made(1, c={"x": 1})
    assert (one.a, one.b, one.c, one.d, one.e) == (1, "b", {"x": 1}, [], 6)
    assert repr(one) == f"{made.__name__}(a=1, b='b', c={{'x': 1}}, e=6)"
    assert one == made(1), "c is not compared"
    assert hash(one) == hash(made(1))
    assert one != made(2)
    assert one != (1, "b", 6)
    assert one != SimpleNamespace(a=1, b="b", e=6)
    assert replace(one, b="z") == made(1, "z")
    assert replace(one, b="z").c == {"x": 1}
    assert made(1).c is not made(1).c
    assert asdict(one) == {"a": 1, "b": "b", "c": {"x": 1}, "d": [], "e": 6}
    assert [f.name for f in dataclasses.fields(one)] == ["a", "b", "c", "d", "e"]
    assert not hasattr(one, "__dict__")
    for again in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert again == one
        assert again.c == {"x": 1}
        assert again.c is not one.c
    match one:
        case made(a, b):
            assert (a, b) == (1, "b")
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("made", [Ours, Theirs])
def test_what_is_frozen_stays_as_it_is(made: Any) -> None:
    one = made(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'a'"):
        one.a = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'a'"):
        del one.a
    assert one.a == 1


@pytest.mark.parametrize("made", [Ours, Theirs])
@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "missing 1 required positional argument: 'a'"),
        ({"a": 1, "z": 2}, "unexpected keyword argument 'z'"),
        ({"a": 1, "e": 2}, "unexpected keyword argument 'e'"),
    ],
)
def test_wrong_arguments_are_refused_by_name(made: Any, args: dict[str, int], said: str) -> None:
    with pytest.raises(TypeError, match=rf"{made.__name__}\.__init__\(\).*{said}"):
        made(**args)


def test_what_is_not_frozen_changes_and_has_no_hash() -> None:
    one = Growing()
    one.n += 1
    assert one == Growing(1)
    assert one != Growing()
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_identity_and_methods_of_its_own_are_kept() -> None:
    one = Itself(1)
    assert one != Itself(1)
    assert len({one, one, Itself(1)}) == 2
    assert repr(one) == "<1>"


def test_the_signature_is_told_once_there_is_an_instance() -> None:
    Ours(1)
    assert list(inspect.signature(Ours).parameters) == ["a", "b", "c"]
