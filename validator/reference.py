"""The slow engine: every record through jsonschema, for `--engine reference` and as an oracle.

Field and record rules with a JSON Schema fragment are judged by it alone; the few that JSON Schema
cannot say are left to the bulk engine. Both report the first fault of a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.json_schema import ReferenceChecker, reference_checker
from validator.plan import Faults, Plan, judge
from validator.records import Batch
from validator.rule import Scope

Mask = npt.NDArray[np.bool_]
Engine = Callable[[Plan, Batch, pl.DataFrame, Mapping[str, pl.Series], Mask, Mask], Faults]


def schema_engine() -> Engine:
    """An engine that judges as `plan.judge` does; it keeps one checker per table."""
    checkers: dict[str, ReferenceChecker] = {}

    def judge_batch(
        plan: Plan,
        batch: Batch,
        frame: pl.DataFrame,
        wrong: Mapping[str, pl.Series],
        judged: Mask,
        invalid: Mask,
    ) -> Faults:
        name = plan.table.qualified
        if name not in checkers:
            pairs = [(c.rule, c.use) for c in plan.checks]
            checkers[name] = reference_checker(plan.packs, plan.table, pairs)
        return _judge(plan, checkers[name], batch, frame, wrong, judged, invalid)

    return judge_batch


def _judge(
    plan: Plan,
    checker: ReferenceChecker,
    batch: Batch,
    frame: pl.DataFrame,
    wrong: Mapping[str, pl.Series],
    judged: Mask,
    invalid: Mask,
) -> Faults:
    rest = [i for i, c in enumerate(plan.checks) if c.rule.json_schema is None]
    small = replace(plan, checks=tuple(replace(plan.checks[i], covered=None) for i in rest))
    others = judge(small, frame, wrong, judged, invalid)
    numbers = {id(c.use): i for i, c in enumerate(plan.checks)}
    uses, rows = [np.array(rest, dtype=np.int64)[others.use]], [others.row]
    for row in np.flatnonzero(judged | invalid).tolist():
        found = _first_faults(plan, checker, numbers, _record(batch, frame, wrong, row))
        kept = [i for i in found if judged[row] or plan.checks[i].on_invalid]
        uses.append(np.array(kept, dtype=np.int64))
        rows.append(np.full(len(kept), row, dtype=np.int64))
    use, at = np.concatenate(uses), np.concatenate(rows)
    order = np.lexsort((use, at))
    return Faults(use[order], at[order])


def _first_faults(
    plan: Plan, checker: ReferenceChecker, numbers: Mapping[int, int], record: Mapping[str, object]
) -> list[int]:
    broken = {
        int(str(error.absolute_schema_path[1])) for error in checker.validator.iter_errors(record)
    }
    found: list[int] = []
    judged: set[str] = set()
    keyless: int | None = None
    for number in sorted(broken):
        rule, use = checker.uses[number]
        if rule.name == "blank-key":
            keyless = use.severity.rank
        if rule.scope is Scope.FIELD:
            name = use.fields[0]
            missing_key = rule.order < 20 and name in plan.table.key.fields
            said = keyless is not None and missing_key and keyless <= use.severity.rank
            if said or name in judged:
                continue
            judged.add(name)
        found.append(numbers[id(use)])
    return sorted(found)


def _record(
    batch: Batch, frame: pl.DataFrame, wrong: Mapping[str, pl.Series], row: int
) -> dict[str, object]:
    """The record as JSON would give it; a native cell that its field takes stands in lexical form,
    because lengths and precisions are about the form that is sent."""
    found: dict[str, object] = {}
    for name in frame.columns:
        bad = wrong.get(name)
        native = bad is not None and bool(bad[row])
        found[name] = _native(batch.frame[name][row]) if native else frame[name][row]
    return found


def _native(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        return float(text)
