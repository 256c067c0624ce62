"""Every use of a run, numbered: plans of field and record rules, source rules, dataset rules.

Numbers are what stored violations point to. It evaluates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from validator.pack import Packs, Provenance, Table
from validator.plan import compile, final_uses
from validator.reading import Entry
from validator.rule import Need, Rule, Scope, Use
from validator.rules import rules
from validator.severity import overridden
from validator.violation import Severity

if TYPE_CHECKING:
    from validator.documents import Folder

#: Rules that always hold a record: without one identity there is nothing to send (decisions 5).
ALWAYS_HOLD = ("blank-key", "duplicate-key")


@dataclass(frozen=True, slots=True)
class Compiled:
    """`uses[i]` is use number i; `holds[i]` whether its violations hold a record back.

    `dataset`: (rule, use number, needs) of queries; `numbers[rule, table]`: first use of a rule
    that has one per table.
    """

    uses: tuple[Use, ...]
    holds: tuple[bool, ...]
    entries: Mapping[str, Entry]
    dataset: tuple[tuple[Rule, int, tuple[Need, ...]], ...]
    numbers: Mapping[tuple[str, str], int]
    unknown_table: int


#: Rules whose first need is the record that points: of no use on later nights.
_POINTING = (
    "application-without-fire-row", "business-row-without-case", "dangling-reference",
    "document-differs-from-record",
)  # fmt: skip


def needs_of(compiled: Compiled) -> tuple[Need, ...]:
    """What the dataset rules of a run read."""
    return tuple(need for _, _, needs in compiled.dataset for need in needs)


def every_need(packs: Packs) -> tuple[Need, ...]:
    """What the dataset rules of the packs read, whatever the export holds."""
    return tuple(need for _, needs in _needs(packs) for need in needs)


def lasting_needs(packs: Packs) -> tuple[Need, ...]:
    """What they read of records of earlier nights."""
    return tuple(need for rule, needs in _needs(packs) for need in needs[int(rule in _POINTING) :])


def _needs(packs: Packs) -> Iterator[tuple[str, tuple[Need, ...]]]:
    for table in packs.tables():
        for rule in rules().values():
            if rule.needs and rule.uses:
                for use in rule.uses(packs, table):
                    yield rule.name, rule.needs(packs, use)


def compile_uses(
    packs: Packs,
    tables: Sequence[Table],
    overrides: Mapping[str, Severity],
    gate: frozenset[str],
    partial: bool,
    today: str = "",
) -> Compiled:
    """Number the uses of the tables of an export.

    `gate`: rules (`rule`, `TABLE.rule`, `TABLE.FIELD.rule`) whose errors do not hold a record.
    `partial`: a query that needs a table outside the export only informs. `today` as in
    `plan.compile`.
    """
    uses: list[Use] = []
    numbers: dict[tuple[str, str], int] = {}
    entries: dict[str, Entry] = {}
    dataset: list[tuple[Rule, int, tuple[Need, ...]]] = []
    there = {t.qualified for t in tables}
    for table in tables:
        plan = compile(packs, table, overrides, today)
        base = len(uses)
        uses += plan.uses
        inside: list[tuple[int, Rule, Use]] = []
        for rule in rules().values():
            if rule.scope not in (Scope.SOURCE, Scope.DATASET, Scope.DOCUMENT):
                continue
            for use in final_uses(packs, table, rule, overrides):
                needs = rule.needs(packs, use) if rule.needs else ()
                if partial and any(n.table not in there for n in needs):
                    use = replace(use, severity=Severity.INFO)  # noqa: PLW2901
                numbers.setdefault((rule.name, table.qualified), len(uses))
                if rule.scope is Scope.DOCUMENT:
                    inside.append((len(uses), rule, use))
                if rule.query:
                    dataset.append((rule, len(uses), needs))
                uses.append(use)
        name = table.qualified
        entries[name] = Entry(
            table, plan, base, numbers["unknown-field", name], numbers["unreadable-record", name],
            _folders(packs, table, inside), numbers["value-normalised", name],
        )  # fmt: skip
    warning = overridden(Severity.WARNING, overrides, rule="unknown-table", table="", fields=())
    unknown = Use("unknown-table", "", (), {}, Provenance.INFERRED, warning)
    uses.append(unknown)
    holds = tuple(_holds(packs, use, gate) for use in uses)
    return Compiled(tuple(uses), holds, entries, tuple(dataset), numbers, len(uses) - 1)


def _folders(
    packs: Packs, table: Table, uses: Sequence[tuple[int, Rule, Use]]
) -> tuple[Folder, ...]:
    """The documents of a table; few tables have any."""
    if not uses:
        return ()
    from validator.documents import folders

    return folders(packs, table, uses)


def _holds(packs: Packs, use: Use, gate: frozenset[str]) -> bool:
    if use.rule in ALWAYS_HOLD:
        return True
    if use.severity is not Severity.ERROR or not use.table:
        return False
    table = packs.table(use.table).name
    names = {use.rule, f"{table}.{use.rule}", *(f"{table}.{f}.{use.rule}" for f in use.fields)}
    return not names & gate
