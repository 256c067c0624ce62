"""What other validators are asked: the conditions behind a table's errors, taken from the pack.

The same for every peer; each states what it can. No peer and no measurement is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from benchmarks import wide_table
from benchmarks.validate import known
from validator.cells import listed
from validator.formats import FORMATS
from validator.json_schema import record_uses
from validator.kernels import check_fails
from validator.lexical import PATTERNS
from validator.load import load_packs
from validator.pack import FormatUse, Packs, Table
from validator.violation import Severity


@dataclass(frozen=True, slots=True)
class Cell:
    """What is asked of one field; each pattern is an unanchored body."""

    name: str
    required: bool
    patterns: tuple[str, ...]
    codes: tuple[str, ...]
    longest: int | None


@dataclass(frozen=True, slots=True)
class Form:
    """A format of a field, asked only where field `when` has one of `values` (None: always)."""

    name: str
    field: str
    when: str | None
    values: tuple[str, ...]

    @property
    def pattern(self) -> str:
        return FORMATS[self.name].pattern

    @property
    def check(self) -> Callable[[str], bool] | None:
        return FORMATS[self.name].check


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything: single cells, formats, the key, and per referring field the values there are."""

    cells: tuple[Cell, ...]
    forms: tuple[Form, ...]
    key: tuple[str, ...]
    parents: tuple[tuple[str, pl.Series], ...]


def header(path: Path) -> list[str]:
    """The columns of a CSV file."""
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().split(",")


def the_table() -> tuple[Packs, Table]:
    packs = load_packs()
    return packs, packs.named(wide_table.TABLE)[0]


@cache
def asked(rows: int) -> Asked:
    """The conditions of a table of so many rows (its parents grow with it)."""
    packs, table = the_table()
    there = known(rows)
    parents = tuple(
        (name, there[f"{table.standard}/{parent}"][name])
        for name, parent in (("GCDM", "SPGL_XMJBXXB"), ("SPSXSLBM", "SPGL_XMSPSXBLXXB"))
    )
    return Asked(_cells(packs, table), _forms(packs, table), table.key.fields, parents)


def _cells(packs: Packs, table: Table) -> tuple[Cell, ...]:
    """The unconditional conditions of single cells that are errors."""
    required: set[str] = set()
    patterns: dict[str, str] = {}
    codes: dict[str, tuple[str, ...]] = {}
    longest: dict[str, int] = {}
    for rule, use in record_uses(packs, table):
        field = table.by_name[use.fields[0]]
        if use.severity is not Severity.ERROR or field.separator is not None:
            continue
        if rule.name in ("missing-value", "blank-key"):
            required.update(use.fields)
        elif rule.name == "wrong-type" and field.kind in PATTERNS:
            patterns[field.name] = PATTERNS[field.kind]
        elif rule.name == "too-long" and field.length is not None:
            longest[field.name] = field.length.max
        elif rule.name == "code-not-in-list":
            codes[field.name] = tuple(c.code for c in listed(packs, table, field))
    return tuple(
        Cell(f.name, f.name in required, tuple(filter(None, [patterns.get(f.name)])),
             codes.get(f.name, ()), longest.get(f.name))
        for f in table.fields
    )  # fmt: skip


def _forms(packs: Packs, table: Table) -> tuple[Form, ...]:
    found = []
    for rule, use in record_uses(packs, table):
        of = use.params.get("use")
        if rule.name != "wrong-format" or use.severity is not Severity.ERROR:
            continue
        assert isinstance(of, FormatUse)
        when = (of.when.field, of.when.values) if of.when else (None, ())
        found.append(Form(of.name, use.fields[0], *when))
    return tuple(found)


def expressions(of: Asked, columns: frozenset[str]) -> dict[str, pl.Expr]:
    """All of them as Polars expressions that hold for a good row, by a name."""
    good: dict[str, pl.Expr] = {}
    for cell in of.cells:
        column = pl.col(cell.name)
        if cell.name not in columns:
            continue
        if cell.required:
            good[f"{cell.name} required"] = column.is_not_null()
        for pattern in cell.patterns:
            good[f"{cell.name} type"] = column.str.contains(f"^(?:{pattern})$").fill_null(True)
        if cell.codes:
            good[f"{cell.name} code"] = column.is_in(list(cell.codes)).fill_null(True)
        if cell.longest is not None:
            good[f"{cell.name} length"] = (column.str.len_chars() <= cell.longest).fill_null(True)
    for form in of.forms:
        good |= _of_form(form)
    for name, values in of.parents:
        good[f"{name} refers"] = pl.col(name).is_in(values.implode()).fill_null(True)
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in of.key)
    good["key"] = pl.struct(of.key).is_first_distinct() | ~whole
    return good


def _of_form(form: Form) -> dict[str, pl.Expr]:
    column = pl.col(form.field)
    if form.when is not None:
        column = pl.when(pl.col(form.when).is_in(list(form.values))).then(column)
    label = f"{form.field} {form.name} {form.when}"
    found = {label: column.str.contains(f"^(?:{form.pattern})$").fill_null(True)}
    if form.check is not None:
        found[f"{label} check"] = ~check_fails(form.name, column).fill_null(False)
    return found
