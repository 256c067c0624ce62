"""What a rule is. The rules themselves are one file each under `validator/rules/`.

A rule says which uses it has in a table (`uses`), and judges either one batch by a Polars
expression (`bad`) or the whole dataset by a query over the columns it asks for (`needs`, `query`).
Compiling and running rules is `validator.plan` and `validator.check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from validator.pack import Attests, Provenance
from validator.severity import by_evidence, overridden
from validator.text import Text
from validator.violation import Severity

if TYPE_CHECKING:
    import polars as pl

    from validator.pack import Field, Packs, RuleUse, Table
    from validator.paper import Flaw, Paper


class Scope(StrEnum):
    """What a rule looks at."""

    #: The source: a file, a header, a line.
    SOURCE = "source"
    #: One cell.
    FIELD = "field"
    #: Several cells of one record.
    RECORD = "record"
    #: A document inside a cell.
    DOCUMENT = "document"
    #: Many records, possibly of several tables.
    DATASET = "dataset"
    #: The answer of a target.
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Use:
    """One compiled use of a rule in one table: what is checked, on what evidence, how grave.

    `table` is a qualified name. `params` fill the places of the rule's message; those of an
    explicit use are as the pack wrote them. `severity` as `uses` returns it follows evidence; as
    `validator.plan` returns it, it is final (overlay and settings applied). `when` of conditional
    uses is part of `params` for the check.
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
    judged for its own rule only. `record` is 1-based, 0 for a violation of the file or header.
    Native JSON numbers and booleans are written as such.
    """

    records: Mapping[str, tuple[Mapping[str, object], ...]]
    violations: tuple[tuple[str, int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Columns of one table that a dataset rule reads; the query gets one frame per need.

    Each tuple of `identities` is a value to compare by equality: canonical parts, kept as a 64-bit
    hash, null when a part is missing; a single field with a separator gives a row per part. Each
    name in `values` is kept as canonical text, times as Datetime; null when missing or ill-formed;
    `FIELD#Part/Member` is the text of a member of a document.
    """

    table: str
    identities: tuple[tuple[str, ...], ...] = ()
    values: tuple[str, ...] = ()


def identity(fields: Sequence[str]) -> str:
    """Column name of an identity in the frame of a need."""
    return "+".join(fields)


@dataclass(frozen=True, slots=True)
class Rule:
    """A named bad state.

    `order` (field scope): position in the chain of which only the first fault of a cell is
    reported: 10 missing, 20 form, 25 precision, 30 length, 40 code, 50 format, 60 check digit.
    `params`: JSON Schema of an explicit use's parameters; None for rules that field declarations
    use by themselves. `uses` lists the uses in a table, derived and explicit.

    `bad` (field and record scope) gives, for a use, a Boolean expression that is true where the
    rule is violated, over one String column per field of the table in which blank cells are null.
    `may` gives a cheap aggregate over the cells as read: false only if surely nothing is bad;
    without it `bad(...).any()` is asked. It sees blank cells as they are written. Best is the form
    `question.any()` with a question of each row: then `bad` is asked only where it is true.

    `needs` and `query` (dataset scope): the query gets a frame per need, with a column `row`
    (Int64, position in its table, below zero for known rows of earlier nights) beside the rest.
    Only valid rows that do not repeat an earlier key are in it. It returns a frame of `row` (in
    `use.table`) and any further text columns, which fill places of the message. `apart` promises
    that each row of the first need is judged by itself beside the other frames: of that need the
    query gets tonight's rows only, part by part.

    `document` (document scope) gives, for an explicit use, a judge of one document that was read;
    demands that the JSON Schema of a document makes have none.

    `dated` (field and record scope): uses have the day of the run as `today` among their parameters
    (yyyy-mm-dd, empty when unknown).

    `json_schema` gives the use as a fragment for the schema of a *record* (`properties`,
    `required`, `if`…) that fails exactly where `bad` is true and passes missing cells. `xsd` gives
    facets of the field's simple type (`pattern`: unanchored body, `maxLength`) or `minOccurs`.
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
    may: Callable[[Packs, Table, Use], pl.Expr] | None = None
    needs: Callable[[Packs, Use], tuple[Need, ...]] | None = None
    query: Callable[[Use, Sequence[pl.DataFrame]], pl.DataFrame] | None = None
    document: Callable[[Use], Callable[[Paper], Iterable[Flaw]]] | None = None
    json_schema: Callable[[Packs, Table, Use], Mapping[str, object]] | None = None
    xsd: Callable[[Packs, Table, Field, Use], Mapping[str, str]] | None = None
    dated: bool = False
    apart: bool = False
    notes: Text = field(default_factory=lambda: Text("", ""))


def uses_in(packs: Packs, table: Table, rule: Rule) -> tuple[Use, ...]:
    """The uses of a rule in a table: severity by evidence, then as the overlays of the pack say."""
    found = rule.uses(packs, table) if rule.uses else ()
    severities = packs.pack(table.standard).severities
    if not severities:
        return found
    said = {name: Severity(value) for name, value in severities.items()}
    return tuple(
        replace(
            use,
            severity=overridden(
                use.severity, said, rule=use.rule, table=table.name, fields=use.fields
            ),
        )
        for use in found
    )


def explicit(
    name: str, table: Table, fields: Callable[[Mapping[str, object]], tuple[str, ...]]
) -> Iterator[Use]:
    """The explicit uses of a rule that stand in the table's own file."""
    for use in table.rules:
        if use.rule == name:
            yield explicit_use(use, table, fields(use.params))


def explicit_use(use: RuleUse, table: Table, fields: tuple[str, ...]) -> Use:
    """A pack's explicit use, compiled for one table."""
    return Use(
        use.rule,
        table.qualified,
        fields,
        dict(use.params),
        use.provenance,
        by_evidence(use.provenance, attests=use.attests),
        use.reference,
        use.attests,
    )


def named_table(packs: Packs, standard: str, name: str) -> str:
    """Qualified name of a bare table name as a pack writes it: its own, else one of those it uses.

    Raises KeyError when neither has it.
    """
    if "/" in name:
        return packs.table(name).qualified
    own = packs.pack(standard)
    for pack in (own, *(p for p in packs if p.name in own.uses)):
        for table in pack.tables:
            if table.name == name:
                return table.qualified
    raise KeyError(name)


def text_param(use: Use, name: str) -> str:
    """A parameter as text; parameters were checked against the rule's schema at load."""
    return str(use.params[name])


def texts_param(use: Use, name: str) -> tuple[str, ...]:
    """A list parameter as texts; empty when it is absent."""
    value = use.params.get(name, ())
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else (str(value),)
