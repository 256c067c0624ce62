"""Pack table → the compiled checks of field and record rules; running them over a batch.

Stage A asks one aggregate per check whether anything can be bad at all; stage B evaluates only
those that can, and keeps the first fault of each cell. The result is columns, never objects. It
reads no source and knows no dataset rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.cells import listed
from validator.lexical import BLANK
from validator.pack import Packs, Role, Table
from validator.rule import Rule, Scope, Use, uses_in
from validator.rules import rules
from validator.severity import overridden
from validator.violation import Severity

Mask = npt.NDArray[np.bool_]

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
    """One use, compiled. `reads`: fields of the expression; `covered`: cannot fire unless the check
    of this position does; `on_invalid`: also judged in records marked invalid."""

    rule: Rule
    use: Use
    bad: pl.Expr
    may: pl.Expr
    reads: frozenset[str]
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
    return Check(rule, use, bad, may, reads, None, exchange or of_exchange)


def _covered(packs: Packs, table: Table, checks: Sequence[Check]) -> tuple[Check, ...]:
    """Let one question stand for several on a clean column.

    Where every code of a field's list passes its other checks, a column of nothing but listed codes
    cannot fail form, length or format; and the check digit's question includes the shape.
    """
    codes = {
        c.use.fields[0]: i
        for i, c in enumerate(checks)
        if c.rule.name == "code-not-in-list" and not table.by_name[c.use.fields[0]].separator
    }
    digits = {
        (c.use.fields[0], id(c.use.params["use"])): i
        for i, c in enumerate(checks)
        if c.rule.name == "wrong-check-digit"
    }
    found = []
    for i, check in enumerate(checks):
        name = check.use.fields[0]
        position = digits.get((name, id(check.use.params.get("use"))), codes.get(name))
        if position == i or check.rule.scope is not Scope.FIELD or check.rule.order < _FORM:
            position = None
        elif position == codes.get(name) and position is not None:
            if check.reads != {name} or not _passes_codes(packs, table, check):
                position = None
        elif check.rule.name != "wrong-format":
            position = None
        found.append(replace(check, covered=position))
    return tuple(found)


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
) -> list[int]:
    """Positions of the checks that may have something to say."""

    def idle(check: Check) -> bool:
        filled = check.rule.scope is Scope.FIELD and check.rule.order >= _FORM
        return filled and check.use.fields[0] not in present

    live = [i for i, c in enumerate(plan.checks) if not idle(c)]
    asked = [i for i in live if plan.checks[i].covered is None]
    row = frame.select(plan.checks[i].may.alias(str(i)) for i in asked).row(0) if asked else ()
    fired = {i for i, may in zip(asked, row, strict=True) if may}
    for i in live:
        check = plan.checks[i]
        by_native = check.rule.name == "wrong-type" and check.use.fields[0] in native_wrong
        if by_native or (check.covered is not None and check.covered in fired):
            fired.add(i)
    return sorted(fired)


def _stage_b(
    plan: Plan,
    frame: pl.DataFrame,
    fired: Iterable[int],
    native_wrong: Mapping[str, pl.Series],
    judged: Mask,
    invalid: Mask,
) -> Faults:
    checks = {i: plan.checks[i] for i in fired}
    if not checks:
        empty = np.empty(0, dtype=np.int64)
        return Faults(empty, empty)
    reads = sorted(set().union(*(c.reads for c in checks.values())))
    blank = [
        pl.when(pl.col(n).str.strip_chars(BLANK) != "").then(pl.col(n)).alias(n) for n in reads
    ]
    masks = frame.select(blank).select(
        c.bad.fill_null(False).alias(str(i)) for i, c in checks.items()
    )
    keyless, faulty = _blank_keys(plan, masks, frame.height), dict[str, Mask]()
    uses, rows = [], []
    for i, check in checks.items():
        bad: Mask = masks[str(i)].to_numpy()
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


def _blank_keys(plan: Plan, masks: pl.DataFrame, height: int) -> dict[int, Mask]:
    """Per severity rank of a missing key cell, the rows where blank-key says it as gravely."""
    found: dict[int, Mask] = {}
    for i, check in enumerate(plan.checks):
        if check.rule.name == "blank-key" and str(i) in masks.columns:
            mask: Mask = masks[str(i)].to_numpy()
            for rank in range(check.use.severity.rank, len(Severity)):
                found[rank] = mask
    return found
