"""Pack table → the compiled checks of field and record rules; running them over a batch.

Stage A asks one aggregate per check whether anything can be bad at all; stage B evaluates only
those that can, and keeps the first fault of each cell. The result is columns, never objects. It
reads no source and knows no dataset rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.cells import listed, odd_start
from validator.lexical import BLANK
from validator.pack import Packs, Role, Table
from validator.rule import Rule, Scope, Use, uses_in
from validator.rules import rules
from validator.severity import overridden
from validator.violation import Severity

Mask = npt.NDArray[np.bool_]

#: Checks that may find fault in less than one row of so many are asked of such rows only.
_FEW = 16
#: Order of the form check, the first that a filled cell can fail.
_FORM = 20


class RuleError(Exception):
    """A rule that failed instead of judging: a fault of ours, which stops the run."""

    def __init__(self, rule: str, table: str, row: int | None) -> None:
        where = table if row is None else f"{table}, record {row + 1} of its batch"
        super().__init__(
            f"rule {rule} failed on {where}; this is a fault of spgl, please report it"
        )
        self.rule = rule
        self.table = table
        self.row = row


@dataclass(frozen=True, slots=True)
class Check:
    """One use, compiled. `reads`: fields of the expression; `rows`: `may` row by row,
    None where it is no such question; `covered`: cannot fire in a row unless the check of this
    position may; `on_invalid`: also judged in records marked invalid."""

    rule: Rule
    use: Use
    bad: pl.Expr
    may: pl.Expr
    reads: frozenset[str]
    rows: pl.Expr | None
    covered: int | None = None
    on_invalid: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The checks of one table in the order of first faults."""

    packs: Packs
    table: Table
    checks: tuple[Check, ...]

    @property
    def uses(self) -> tuple[Use, ...]:
        return tuple(check.use for check in self.checks)


@dataclass(frozen=True, slots=True)
class Faults:
    """What is bad in one batch: parallel arrays of use (position in the plan) and row (position in
    the batch), sorted by row, then use."""

    use: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]


def final_uses(
    packs: Packs, table: Table, rule: Rule, overrides: Mapping[str, Severity]
) -> tuple[Use, ...]:
    """The uses of a rule in a table with their final severity."""
    found = uses_in(packs, table, rule)
    return tuple(
        replace(
            use,
            severity=overridden(
                use.severity, overrides, rule=use.rule, table=table.name, fields=use.fields
            ),
        )
        for use in found
    )


def compile(packs: Packs, table: Table, overrides: Mapping[str, Severity], today: str = "") -> Plan:
    """Compile every field and record rule of the table; `overrides` as in `severity.overridden`.

    `today` (yyyy-mm-dd) is told to the rules that are dated; without it they judge nothing.
    """
    scoped = [r for r in rules().values() if r.scope in (Scope.FIELD, Scope.RECORD) and r.bad]
    checks = [
        _compiled(packs, table, rule, _dated(rule, use, today))
        for rule in sorted(scoped, key=lambda r: (r.order, r.name))
        for use in final_uses(packs, table, rule, overrides)
    ]
    return Plan(packs, table, _covered(packs, table, checks))


def _dated(rule: Rule, use: Use, today: str) -> Use:
    return replace(use, params={**use.params, "today": today}) if rule.dated else use


def _compiled(packs: Packs, table: Table, rule: Rule, use: Use) -> Check:
    assert rule.bad is not None
    bad = rule.bad(packs, table, use)
    may = rule.may(packs, table, use) if rule.may else bad.any()
    reads = frozenset(bad.meta.root_names())
    exchange = rule.order in (0, 5, 70) and "SJWXYY" in use.fields
    field = table.by_name.get(use.fields[0])
    of_exchange = rule.scope is Scope.FIELD and field is not None and field.role is Role.EXCHANGE
    rows = _by_row(may)
    return Check(rule, use, bad, may, reads, rows, None, exchange or of_exchange)


def _by_row(may: pl.Expr) -> pl.Expr | None:
    """The question of each row behind an aggregate `question.any()`; None for any other."""
    inner = may.meta.pop()
    return inner[0] if len(inner) == 1 and inner[0].any().meta.eq(may) else None


def _covered(packs: Packs, table: Table, checks: Sequence[Check]) -> tuple[Check, ...]:
    """Let one question stand for several on a clean column.

    Where every code of a field's list passes its other checks, a column of nothing but listed codes
    cannot fail form, length or format; the questions of check digits and of pairs of coordinates
    include the shape.
    """
    codes = {
        c.use.fields[0]: i
        for i, c in enumerate(checks)
        if c.rule.name == "code-not-in-list" and not table.by_name[c.use.fields[0]].separator
    }
    shapes = {key: i for i, c in enumerate(checks) for key in _shapes(table, c)}
    found = []
    for i, check in enumerate(checks):
        name = check.use.fields[0]
        position = shapes.get((name, id(check.use.params.get("use"))), codes.get(name))
        if position == i or check.rule.scope is not Scope.FIELD or check.rule.order < _FORM:
            position = None
        elif position == codes.get(name) and position is not None:
            if check.reads != {name} or not _passes_codes(packs, table, check):
                position = None
        elif check.rule.name != "wrong-format":
            position = None
        found.append(replace(check, covered=position))
    return tuple(found)


def _shapes(table: Table, check: Check) -> Iterator[tuple[str, int]]:
    """The format uses, by field and identity, whose shape the question of a check includes."""
    name = check.use.fields[0]
    if check.rule.name == "wrong-check-digit":
        yield name, id(check.use.params["use"])
    elif check.rule.name == "coordinates-outside-country" and not table.by_name[name].separator:
        yield from ((name, id(f)) for f in table.by_name[name].formats if f.name == "coordinates")


def _passes_codes(packs: Packs, table: Table, check: Check) -> bool:
    name = check.use.fields[0]
    values = [c.code for c in listed(packs, table, table.by_name[name])]
    frame = pl.DataFrame({name: values}, schema={name: pl.String})
    return not frame.select(check.bad.any()).item()


def judge(
    plan: Plan,
    frame: pl.DataFrame,
    native_wrong: Mapping[str, pl.Series],
    judged: Mask,
    invalid: Mask,
) -> Faults:
    """The first faults of a batch.

    `frame`: one String column per field found (native cells in lexical form); `native_wrong`: where
    a native cell is of the wrong JSON type; `judged`: rows to judge in full; `invalid`: rows marked
    invalid, in which only exchange columns are judged.
    """
    present = set(frame.columns)
    absent = [f.name for f in plan.table.fields if f.name not in present]
    frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    try:
        fired = _stage_a(plan, frame, present, native_wrong)
        return _stage_b(plan, frame, fired, native_wrong, judged, invalid)
    except Exception as error:
        raise _crash(plan, frame) from error


def _crash(plan: Plan, frame: pl.DataFrame) -> RuleError:
    """Find the rule and the first record on which it fails, by asking again one by one."""
    for check in plan.checks:
        for ask in (check.may, check.bad.any()):
            if _fails(frame, ask):
                rows = range(frame.height)
                row = next((i for i in rows if _fails(frame.slice(i, 1), ask)), None)
                return RuleError(check.rule.name, plan.table.qualified, row)
    return RuleError("(none alone)", plan.table.qualified, None)


def _fails(frame: pl.DataFrame, ask: pl.Expr) -> bool:
    try:
        frame.select(ask)
    except Exception:
        return True
    return False


def _stage_a(
    plan: Plan, frame: pl.DataFrame, present: set[str], native_wrong: Mapping[str, pl.Series]
) -> dict[int, pl.Series | None]:
    """The checks that may have something to say, by position, and the rows of which they may say it
    (None: any)."""

    def idle(check: Check) -> bool:
        filled = check.rule.scope is Scope.FIELD and check.rule.order >= _FORM
        return filled and check.use.fields[0] not in present

    checks = plan.checks
    live = [i for i, c in enumerate(checks) if not idle(c)]
    asked = [i for i in live if checks[i].covered is None]
    by_row = _asked(frame, {i: e for i in asked if (e := checks[i].rows) is not None})
    whole = _asked(frame, {i: checks[i].may for i in asked if checks[i].rows is None})
    fired: dict[int, pl.Series | None] = {i: None for i, may in whole.items() if may.any()}
    fired |= {i: rows for i, rows in by_row.items() if rows.any()}
    for i in live:
        check = checks[i]
        if check.covered is not None and check.covered in fired:
            fired[i] = fired[check.covered]
        elif check.rule.name == "wrong-type" and check.use.fields[0] in native_wrong:
            fired.setdefault(i, pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True))
    return dict(sorted(fired.items()))


def _asked(frame: pl.DataFrame, asked: Mapping[int, pl.Expr]) -> dict[int, pl.Series]:
    """The answers. Lazily, so that what expressions share is computed once."""
    if not asked:
        return {}
    told = frame.lazy().select(e.alias(str(i)) for i, e in asked.items()).collect()
    return {i: told[str(i)] for i in asked}


def _where(frame: pl.DataFrame, asked: Mapping[int, Check]) -> dict[int, Mask]:
    """Where each check finds fault, blank cells taken as null."""
    reads = _reads(asked)
    odd = frame.select(odd_start(name).any().alias(name) for name in reads)
    filled = frame.with_columns(
        pl.when(pl.col(n).str.strip_chars(BLANK) != "").then(n).alias(n)
        for n in reads
        if odd[n].item()
    )
    told = _asked(filled, {i: c.bad.fill_null(False) for i, c in asked.items()})
    return {i: _whole(bad, frame.height) for i, bad in told.items()}


def _reads(asked: Mapping[int, Check]) -> list[str]:
    return sorted(set().union(*(c.reads for c in asked.values())))


def _whole(bad: pl.Series, height: int) -> Mask:
    mask: Mask = bad.to_numpy()
    return mask if len(mask) == height else np.full(height, mask[0])


def _answers(
    frame: pl.DataFrame, checks: Mapping[int, Check], fired: Mapping[int, pl.Series | None]
) -> dict[int, Mask]:
    """Where each check finds fault. Checks that may do so in few rows are asked of these only."""
    height = frame.height
    few = {
        i: rows
        for i, rows in fired.items()
        if rows is not None and len(rows) == height and rows.sum() * _FEW <= height
    }
    found = _where(frame, {i: c for i, c in checks.items() if i not in few})
    if not few:
        return found
    sparse = {i: checks[i] for i in few}
    told = pl.DataFrame({str(i): rows for i, rows in few.items()})
    at = told.select(pl.any_horizontal(pl.all())).to_series().arg_true().to_numpy()
    for i, bad in _where(frame.select(_reads(sparse))[at], sparse).items():
        found[i] = np.zeros(height, dtype=np.bool_)
        found[i][at] = bad
    return found


def _stage_b(
    plan: Plan,
    frame: pl.DataFrame,
    fired: Mapping[int, pl.Series | None],
    native_wrong: Mapping[str, pl.Series],
    judged: Mask,
    invalid: Mask,
) -> Faults:
    checks = {i: plan.checks[i] for i in fired}
    if not checks:
        empty = np.empty(0, dtype=np.int64)
        return Faults(empty, empty)
    masks = _answers(frame, checks, fired)
    keyless, faulty = _blank_keys(plan, masks), dict[str, Mask]()
    uses, rows = [], []
    for i, check in checks.items():
        bad = masks.get(i, np.zeros(frame.height, dtype=np.bool_))
        name = check.use.fields[0]
        if check.rule.name == "wrong-type" and name in native_wrong:
            bad = bad | native_wrong[name].fill_null(False).to_numpy()
        bad = bad & ((judged | invalid) if check.on_invalid else judged)
        if check.rule.scope is Scope.FIELD:
            seen = faulty.get(name)
            if check.rule.order < _FORM and name in plan.table.key.fields:
                seen = _more(seen, keyless.get(check.use.severity.rank))
            bad = bad & ~seen if seen is not None else bad
            faulty[name] = bad if seen is None else seen | bad
        found = np.flatnonzero(bad)
        uses.append(np.full(len(found), i, dtype=np.int64))
        rows.append(found)
    use, row = np.concatenate(uses), np.concatenate(rows)
    order = np.lexsort((use, row))
    return Faults(use[order], row[order])


def _more(one: Mask | None, other: Mask | None) -> Mask | None:
    return other if one is None else one if other is None else one | other


def _blank_keys(plan: Plan, masks: Mapping[int, Mask]) -> dict[int, Mask]:
    """Per severity rank of a missing key cell, the rows where blank-key says it as gravely."""
    found: dict[int, Mask] = {}
    for i, check in enumerate(plan.checks):
        if check.rule.name == "blank-key" and i in masks:
            for rank in range(check.use.severity.rank, len(Severity)):
                found[rank] = masks[i]
    return found
