"""Safe normalisation of a batch before it is judged (`--normalise`), field by field, in columns.

A cell is changed only where it does not have the form, list or format of its field and one of these
steps gives it: stray spaces, full-width characters, upper case of identifiers, other ways to write
a date, the label of a code; and `\\N`, `NULL`, `null` become missing. The first step that is enough
wins, so a cell either becomes right or stays as it is. Free text only loses spaces at its ends.
Nothing that can be read in two ways is touched, nor what stands in documents, nor native numbers
apart from dates such as 20240105. How changes are told is `validator.changes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import polars as pl

from validator.cells import any_part, holds, listed, matches
from validator.formats import FORMATS
from validator.lexical import BLANK, canonical_expr, matches_expr
from validator.pack import Field, Kind, Packs, Table
from validator.records import Batch, Changed


class Step(StrEnum):
    """What was enough to put a cell right; in the order in which they are tried."""

    #: A text that says "no value".
    NULL = "null"
    #: Spaces, line ends and characters of no width.
    SPACES = "spaces"
    #: Full-width characters.
    WIDTH = "width"
    #: Letters of an identifier that are capitals by its standard.
    CASE = "case"
    #: Another way to write a date.
    DATE = "date"
    #: The title of a code instead of the code.
    LABEL = "label"


#: What is stripped from the ends of a cell, and what has no width anywhere.
EDGES = BLANK + "\v\f\u200b\u200c\u200d\u2060\ufeff"
_NO_WIDTH = "[\u200b\u200c\u200d\u2060\ufeff]"
_SPACES = "[ \t\r\n\v\f\u00a0\u3000]"
NULLS = ("\\N", "NULL", "null")
_WIDE = [chr(code) for code in range(0xFF01, 0xFF5F)] + ["\u3000"]
_NARROW = [chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)] + [" "]
#: Identifiers of a fixed shape, in which no space can have a meaning.
_COMPACT = frozenset(
    {
        "division-code", "credit-code", "citizen-number", "project-code", "mobile-number",
        "item-code", "industry-code", "coordinates",
    }
)  # fmt: skip
#: Identifiers whose letters are capitals by their standard.
_CAPITALS = frozenset({"credit-code", "citizen-number", "project-code", "industry-code"})
_TEMPORAL = (Kind.DATE, Kind.DATETIME)
#: Rewritten in this order; each passes what it does not match. Years have four digits and come
#: first, so no day can be taken for a month.
_DATES = (
    (r"^([0-9]{4}) *年 *([0-9]{1,2}) *月 *([0-9]{1,2}) *日 *(.*)$", "${1}-${2}-${3} ${4}"),
    (r"^([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})(.*)$", "${1}-${2}-${3}${4}"),
    (r"^([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})([^.]*)$", "${1}-${2}-${3}${4}"),
    (r"^([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})$", "${1} ${2}:${3}:${4}"),
    (r"^([0-9]{4})([0-9]{2})([0-9]{2})([ T].*)?$", "${1}-${2}-${3}${4}"),
    (r"^([0-9]{4})-([0-9])-", "${1}-0${2}-"),
    (r"^([0-9]{4}-[0-9]{2})-([0-9])([^0-9].*)?$", "${1}-0${2}${3}"),
    (r"^([0-9-]{10})[ T]*([0-9]{1,2})时([0-9]{1,2})分(?:([0-9]{1,2})秒)?$", "${1} ${2}:${3}:${4}"),
    (r"^([0-9-]{10})[ T]+([0-9]):", "${1} 0${2}:"),
    (r"^([0-9-]{10}) +", "${1} "),
    (r"^([0-9-]{10}[ T][0-9]{2}):([0-9])(:.*)?$", "${1}:0${2}${3}"),
    (r"^([0-9-]{10}[ T][0-9]{2}:[0-9]{2}):([0-9])$", "${1}:0${2}"),
    (r"^([0-9-]{10}[ T][0-9]{2}:[0-9]{2}):?$", "${1}:00"),
    (r" +$", ""),
)

Expression = Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True, slots=True)
class Repair:
    """One field: where it needs repair, its value put right (null where it cannot be or is to be
    missing) and the step that did it (null: leave it). `may` costs less than `wrong` and is false
    where no cell is wrong, blank ones aside. `after`: needs other fields put right."""

    field: Field
    may: pl.Expr
    wrong: pl.Expr
    value: pl.Expr
    step: pl.Expr
    after: bool


def normalised(repairs: Sequence[Repair], batch: Batch) -> Batch:
    """The batch with its cells put right; `changed` says which, and how they were written."""
    there = [r for r in repairs if r.field.name in batch.frame.columns]
    for after in (False, True):
        batch = _repaired(batch, [r for r in there if r.after is after])
    return batch


def repairs_of(packs: Packs, table: Table) -> tuple[Repair, ...]:
    """What can be put right in each field of a table."""
    return tuple(_repair(packs, table, f) for f in table.fields if f.document is None)


def _repair(packs: Packs, table: Table, field: Field) -> Repair:
    column = pl.col(field.name)
    filled = column.str.strip_chars(BLANK) != ""
    stripped = column.str.strip_chars(EDGES)
    nothing = stripped.is_in(NULLS)
    conforms = _conforms(packs, table, field)
    if conforms is None:
        # A text that strips to "NULL" is that text, or differs from it.
        may = ((stripped != column) | column.is_in(NULLS)).any()
        wrong = (stripped != column) & filled | nothing
        value, step = stripped, pl.lit(Step.SPACES.value)
    else:
        good = conforms
        bad = any_part(field, lambda part: ~good(part))
        may, wrong = bad.any(), bad & filled
        value, step = _by_part(field, good, _steps(packs, table, field))
    nothing = nothing | (stripped == "")
    value = pl.when(~nothing & (value != "")).then(value)
    null = (
        pl.when(stripped == "").then(pl.lit(Step.SPACES.value)).otherwise(pl.lit(Step.NULL.value))
    )
    after = any(of.when is not None for of in field.formats)
    return Repair(field, may, wrong, value, pl.when(nothing).then(null).otherwise(step), after)


def _conforms(packs: Packs, table: Table, field: Field) -> Expression | None:
    """Whether a part of a cell has form, list and formats of the field; None for free text.

    A list that is not closed counts only where the field has no other form; a format under a
    condition holds where its condition does.
    """
    tests: list[Expression] = []
    if field.kind is not Kind.TEXT:
        tests.append(lambda part: matches_expr(field.kind, part))
    codes = [code.code for code in listed(packs, table, field)]
    bare = field.kind is Kind.TEXT and not field.formats
    if codes and field.codes and (bare or packs.code_list(table, field.codes.list).closed):
        decimal = field.kind is Kind.DECIMAL
        tests.append(
            lambda part: (canonical_expr(field.kind, part) if decimal else part).is_in(codes)
        )
    for of in field.formats:
        body = FORMATS[of.name].pattern
        if of.when is None:
            tests.append(lambda part, body=body: matches(body, part))  # type: ignore[misc]
        elif field.separator is None:
            held = holds(table, of.when)
            tests.append(lambda part, body=body, held=held: ~held | matches(body, part))  # type: ignore[misc]
    if not tests:
        return None
    return lambda part: pl.all_horizontal([test(part) for test in tests])


def _steps(packs: Packs, table: Table, field: Field) -> list[tuple[Step, Expression]]:
    """The steps that make sense for a field, each on top of those before it."""
    formats = {of.name for of in field.formats}

    def spaces(part: pl.Expr) -> pl.Expr:
        found = part.str.strip_chars(EDGES).str.replace_all(_NO_WIDTH, "")
        return found.str.replace_all(_SPACES, "") if formats & _COMPACT else found

    def width(part: pl.Expr) -> pl.Expr:
        return spaces(_narrow(spaces(part)))

    steps: list[tuple[Step, Expression]] = [(Step.SPACES, spaces), (Step.WIDTH, width)]
    if formats & _CAPITALS:
        steps.append((Step.CASE, lambda part: width(part).str.to_uppercase()))
    if field.kind in _TEMPORAL:
        steps.append((Step.DATE, lambda part: _dated(width(part))))
    titles = _titles(packs, table, field)
    if titles:
        steps.append((Step.LABEL, lambda part: _coded(_plain(width(part)), titles)))
    return steps


def _by_part(
    field: Field, good: Expression, steps: Sequence[tuple[Step, Expression]]
) -> tuple[pl.Expr, pl.Expr]:
    """Value and step of a cell; with a separator every part must come out right."""

    def value(part: pl.Expr) -> pl.Expr:
        return pl.coalesce(pl.when(good(step(part))).then(step(part)) for _, step in steps)

    def name(part: pl.Expr) -> pl.Expr:
        return pl.coalesce(
            pl.when(good(step(part))).then(pl.lit(name.value)) for name, step in steps
        )

    column = pl.col(field.name)
    if field.separator is None:
        return value(column), name(column)
    wide = dict(zip(_NARROW, _WIDE, strict=True)).get(field.separator, field.separator)
    parts = column.str.replace_all(wide, field.separator, literal=True).str.split(field.separator)
    every = parts.list.eval(value(pl.element()))
    first = parts.list.eval(
        pl.when(~good(pl.element())).then(name(pl.element())).drop_nulls()
    ).list.first()
    whole = every.list.join(field.separator, ignore_nulls=False)
    step = pl.when(whole.is_not_null()).then(pl.coalesce(first, pl.lit(Step.WIDTH.value)))
    return whole, step


def _narrow(part: pl.Expr) -> pl.Expr:
    return part.str.replace_many(_WIDE, _NARROW)


def _dated(part: pl.Expr) -> pl.Expr:
    for pattern, form in _DATES:
        part = part.str.replace(pattern, form)
    return part


def _plain(part: pl.Expr) -> pl.Expr:
    return part.str.replace_all(_SPACES, "")


def _coded(part: pl.Expr, titles: Mapping[str, str]) -> pl.Expr:
    return part.replace_strict(
        list(titles), list(titles.values()), default=None, return_dtype=pl.String
    )


def _titles(packs: Packs, table: Table, field: Field) -> dict[str, str]:
    """Code by title, as titles are compared; without titles that stand for two codes."""
    found: dict[str, set[str]] = {}
    for code in listed(packs, table, field):
        title = pl.select(_plain(_narrow(pl.lit(code.title.zh)))).item()
        if title:
            found.setdefault(title, set()).add(code.code)
    return {title: codes.pop() for title, codes in found.items() if len(codes) == 1}


def _repaired(batch: Batch, repairs: Sequence[Repair]) -> Batch:
    if not repairs:
        return batch
    there = set(batch.frame.columns)
    names = {n for r in repairs for n in r.wrong.meta.root_names()} - there
    frame = batch.frame.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in sorted(names))
    asked = frame.lazy().select(r.may.alias(r.field.name) for r in repairs).collect()
    columns, native, changed = [], dict(batch.native), dict(batch.changed)
    for repair in repairs:
        name = repair.field.name
        if not asked[name].item():
            continue
        told = _told(frame, repair, batch.native.get(name))
        if told is None:
            continue
        changed[name] = told
        columns.append(batch.frame[name].scatter(told.rows, told.after))
        if name in native:
            native[name] = native[name].scatter(told.rows, False)
    if not columns:
        return batch
    frame = batch.frame.with_columns(columns)
    return replace(batch, frame=frame, native=native, changed=changed)


def _told(frame: pl.DataFrame, repair: Repair, native: pl.Series | None) -> Changed | None:
    """What is to be changed in one field, None for nothing."""
    name = repair.field.name
    wrong = frame.select(repair.wrong.fill_null(False).alias(name))[name]
    if native is not None:
        day = frame[name].str.contains("^[0-9]{8}$").fill_null(False)
        wrong = wrong & (~native | day if repair.field.kind in _TEMPORAL else ~native)
    rows = wrong.arg_true()
    few = frame[rows].select(
        pl.col(name).alias("before"), repair.value.alias("after"), repair.step.alias("step")
    )
    few = few.with_columns(rows.alias("row")).filter(pl.col("step").is_not_null())
    if few.is_empty():
        return None
    at = few["row"].to_numpy().astype(np.int64)
    return Changed(at, few["before"], few["after"], few["step"])
