"""What explicit rules of documents share: their parameters, and where in a document they look.

A path is `Part/Member`; under a `list` it is the name of a member of its objects. Values of
conditions are texts, those of booleans `true` and `false`. It knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import cast

from validator.numbers import FIELD, VALUES, parameters
from validator.pack import Packs, Table
from validator.paper import Flaw, Paper, shown
from validator.rule import Use, explicit

TEXT: dict[str, object] = {"type": "string", "minLength": 1}
TEXTS = VALUES
NUMBER: dict[str, object] = {"type": "number"}
#: A condition on one member: `when = { "ProjectDto/IsPromise" = ["true"] }`.
WHEN: dict[str, object] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": VALUES,
}
#: Where an object stands, and its members by path.
Spot = tuple[str, Callable[[str], object]]


def document_parameters(required: Mapping[str, object], **optional: object) -> dict[str, object]:
    """JSON Schema of the parameters of a rule of documents: also its field and documents."""
    return parameters({"field": FIELD, "forms": TEXTS, **required}, **optional)


def document_uses(rule: str) -> Callable[[Packs, Table], tuple[Use, ...]]:
    """The explicit uses of a rule of documents."""
    return partial(_uses, rule)


def _uses(rule: str, _packs: Packs, table: Table) -> tuple[Use, ...]:
    return tuple(explicit(rule, table, lambda params: (str(params["field"]),)))


def spots(use: Use, paper: Paper) -> Iterator[Spot]:
    """The objects that a use looks at and in which its condition holds: those of its `list`, else
    the document as one."""
    when = cast("Mapping[str, list[str]]", use.params.get("when", {}))
    every: Iterator[Spot] = iter([("", paper.at)])
    if "list" in use.params:
        every = ((base, row.get) for base, row in paper.rows(str(use.params["list"])))
    for base, at in every:
        if all(shown(at(path)) in values for path, values in when.items()):
            yield base, at


def flaw(base: str, path: str, value: object, **places: object) -> Flaw:
    """A flaw at a path under a pointer; `places` fill the message."""
    return Flaw(f"{base}/{path}", shown(value), {n: str(p) for n, p in places.items()})
