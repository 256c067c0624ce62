"""The slow engine: every record through jsonschema, for `--engine reference` and as an oracle.

Field and record rules with a JSON Schema fragment are judged by it alone; the few that JSON Schema
cannot say are left to the bulk engine. Both report the first fault of a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.json_schema import ReferenceChecker, reference_checker
from validator.plan import Faults, Plan, judge
from validator.records import Batch
from validator.rule import Scope

Mask = npt.NDArray[np.bool_]


def by_schema(
    plan: Plan,
    batch: Batch,
    frame: pl.DataFrame,
    wrong: Mapping[str, pl.Series],
    judged: Mask,
    invalid: Mask,
) -> Faults:
    """The faults of a batch, as `plan.judge` gives them."""
    rest = [i for i, c in enumerate(plan.checks) if c.rule.json_schema is None]
    small = replace(plan, checks=tuple(replace(plan.checks[i], covered=None) for i in rest))
    others = judge(small, frame, wrong, judged, invalid)
    checker = reference_checker(plan.packs, plan.table, [(c.rule, c.use) for c in plan.checks])
    numbers = {id(c.use): i for i, c in enumerate(plan.checks)}
    uses, rows = [np.array(rest, dtype=np.int64)[others.use]], [others.row]
    for row in np.flatnonzero(judged | invalid).tolist():
        found = _first_faults(plan, checker, numbers, _record(batch, row))
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


def _record(batch: Batch, row: int) -> dict[str, object]:
    """The record as JSON would give it: native cells as numbers and booleans."""
    found: dict[str, object] = {}
    for name in batch.frame.columns:
        text = batch.frame[name][row]
        native = batch.native.get(name)
        if text is not None and native is not None and native[row]:
            found[name] = _native(text)
        else:
            found[name] = text
    return found


def _native(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        return float(text)
