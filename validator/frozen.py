"""Dataclasses that are cheap to define: `from validator.frozen import dataclass`.

The standard library writes and compiles six methods for each dataclass, anew in every process,
which for the classes of a short run takes a fifth of its start. Here all but `__init__` are shared,
and `__init__` is compiled when the first instance is made. What is made is a dataclass: `replace`,
`fields` and `asdict` take it, and to a type checker it is the one of the standard library.

It does only what we use: slots, no base class, no order, no keyword-only fields, no InitVar.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool, eq: bool = True) -> Callable[[type], type]:
        """As `dataclasses.dataclass(frozen=…, slots=True, eq=…)`."""
        assert slots, "without slots, take the one of the standard library"
        return lambda of: _made(of, frozen=frozen, eq=eq)


def _made(of: type, *, frozen: bool, eq: bool) -> type:
    # Without a text of its own a class would get its signature, which is dear to find out.
    of.__doc__ = of.__doc__ or of.__name__
    cls: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(of)
    fields = dataclasses.fields(cls)
    methods: dict[str, Any] = {"__init__": _first_init(cls), "__repr__": _repr(fields)}
    if eq:
        methods |= _compared(cls, tuple(f.name for f in fields if f.compare), frozen=frozen)
    if frozen:
        methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
        methods |= {"__getstate__": _state, "__setstate__": _set_state}
    for name, method in methods.items():
        if name not in of.__dict__:
            setattr(cls, name, method)
    made: type = cls
    return made


def _first_init(cls: Any) -> Callable[..., None]:
    """Makes way for the real one when it is called first."""

    def first(self: object, *args: object, **named: object) -> None:
        cls.__init__ = made = _init(cls)
        made(self, *args, **named)

    return first


def _init(cls: Any) -> Callable[..., None]:
    """`__init__` with a parameter per field. Slots are set by their descriptors, also where
    `__setattr__` refuses."""
    known: dict[str, object] = {"_missing": dataclasses.MISSING}
    parameters, body = [], []
    for field in dataclasses.fields(cls):
        name, value = field.name, field.name
        known[f"_set_{name}"] = vars(cls)[name].__set__
        if field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            value = f"{name}=_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            value = f"{name}=_missing"
            body.append(f"if {name} is _missing: {name} = _make_{name}()")
        if field.init:
            parameters.append(value)
        elif value != name:
            body.insert(0, value)
        else:
            continue
        body.append(f"_set_{name}(self, {name})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n ".join(body or ["pass"])
    # Nothing but names of fields gets into the text.
    exec(f"def __init__({', '.join(['self', *parameters])}):\n {lines}", known)  # noqa: S102
    made: Any = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    init: Callable[..., None] = made
    return init


def _repr(fields: Iterable[dataclasses.Field[Any]]) -> Callable[[Any], str]:
    names = [f.name for f in fields if f.repr]

    def told(self: object) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({said})"

    return told


def _compared(cls: type, names: tuple[str, ...], *, frozen: bool) -> dict[str, Any]:
    """Equality by fields of the same class; what is frozen has a hash, what is not has none."""
    values: Callable[[Any], object] = attrgetter(*names) if names else lambda _: ()

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if type(other) is cls else NotImplemented

    def hashed(self: object) -> int:
        return hash((cls, values(self)))

    return {"__eq__": equal, "__hash__": hashed if frozen else None}


def _refuse_to_set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, f.name) for f in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
