"""What a rule is. The rules themselves are one file each under `validator/rules/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from validator.pack import Attests, Provenance
from validator.text import Text
from validator.violation import Severity

if TYPE_CHECKING:
    import polars as pl

    from validator.pack import Field, Packs, Table


class Scope(StrEnum):
    """What a rule looks at."""

    #: The source: a file, a header, a line.
    SOURCE = "source"
    #: One cell.
    FIELD = "field"
    #: Several cells of one record.
    RECORD = "record"
    #: Many records, possibly of several tables.
    DATASET = "dataset"
    #: The answer of a target.
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Use:
    """One compiled use of a rule in one table: what is checked, on what evidence, how grave.

    `params` fill the places of the rule's message; `severity` is final (overlay and settings
    applied). `when` of conditional uses is part of `params` for the check.
    """

    rule: str
    table: str
    fields: tuple[str, ...]
    params: Mapping[str, object]
    provenance: Provenance
    severity: Severity
    reference: str = ""
    attests: Attests | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """Records by bare table name; `violations` names `(table, record, fields)` that must be found.

    A good example has none. Fields that the rule does not look at may be left out: an example is
    judged for its own rule only.
    """

    records: Mapping[str, tuple[Mapping[str, object], ...]]
    violations: tuple[tuple[str, int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A named bad state.

    `order` (field scope): position in the chain of which only the first fault of a cell is
    reported: 10 missing, 20 form, 30 length, 40 code, 50 format, 60 check digit.
    `params`: JSON Schema of an explicit use's parameters; None for rules that field declarations
    use by themselves. `uses` lists the uses in a table. `bad` gives, for a use, a Boolean
    expression that is true where the rule is violated (field and record scope).
    `query` judges the whole dataset (see `validator.dataset`). `json_schema` and `xsd` give the
    rule's fragment for exports: a JSON Schema fragment for the field's value or the record.
    """

    name: str
    scope: Scope
    title: Text
    message: Text
    help: Text
    good: Example
    bad_example: Example
    order: int = 0
    params: Mapping[str, object] | None = None
    uses: Callable[[Packs, Table], tuple[Use, ...]] | None = None
    bad: Callable[[Packs, Table, Use], pl.Expr] | None = None
    query: Callable[..., pl.DataFrame] | None = None
    json_schema: Callable[[Packs, Table, Use], Mapping[str, object]] | None = None
    xsd: Callable[[Packs, Table, Field, Use], Mapping[str, str]] | None = None
    notes: Text = field(default_factory=lambda: Text("", ""))
