"""Violations of one batch as columns: value, key, line and fingerprint, personal parts masked.

Runs only over what is bad; the clean path never comes here. Texts are filled in when a violation is
read back (`validator.store`), so that a stored one is small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from validator.canon import canonical_frame
from validator.lexical import is_blank
from validator.mask import keyed, masked
from validator.pack import Role, Table
from validator.records import Unreadable
from validator.rule import Use

SCHEMA: dict[str, type[pl.DataType]] = {
    "use": pl.UInt32,
    "record": pl.Int64,
    "line": pl.Int64,
    "value": pl.String,
    "key": pl.String,
    "params": pl.String,
    "fingerprint": pl.String,
}

#: Beside each: whose record it is, so that a stored run can be searched by project, case, division.
WHOSE: dict[str, tuple[str, ...]] = {
    "works": ("GCDM", "XMDM"),
    "case": ("SPSXSLBM",),
    "division": ("XZQHDM",),
}
STORED: dict[str, type[pl.DataType]] = {**SCHEMA, **dict.fromkeys(WHOSE, pl.String)}

#: Between the values of several fields.
BETWEEN = " / "

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Veil:
    """What becomes of personal values: shown or masked; `key` hashes them in fingerprints."""

    show: bool
    key: bytes

    def value(self, table: Table, fields: Sequence[str], values: Sequence[str]) -> str | None:
        """The values of the fields as one text, personal ones masked."""
        shown = [self._cell(table, f, v) for f, v in zip(fields, values, strict=True) if v]
        return BETWEEN.join(shown) if shown else None

    def pairs(self, table: Table, pairs: Mapping[str, str]) -> dict[str, str]:
        """Values by field name, personal ones masked."""
        return {name: self._cell(table, name, value) for name, value in pairs.items()}

    def _cell(self, table: Table, name: str, value: str) -> str:
        personal = table.by_name[name].personal
        return value if self.show or personal is None else masked(personal, value)

    def hashed(self, table: Table, pairs: Mapping[str, str]) -> dict[str, str]:
        """Values by field name, personal ones replaced by their keyed hash."""
        return {
            name: value if table.by_name[name].personal is None else keyed(self.key, value)
            for name, value in pairs.items()
        }


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the rows of a frame stand in their file."""

    frame: pl.DataFrame
    ordinals: Ints
    lines: Ints | None


def build(
    table: Table,
    uses: Sequence[Use],
    use: Ints,
    rows: Ints,
    spot: Spot,
    veil: Veil,
    params: Sequence[str | None] | None = None,
) -> pl.DataFrame:
    """One row per violation: `uses[use[i]]` is violated in row `rows[i]` of the spot's frame.

    `params[i]`: places of its message, as JSON.
    """
    distinct, at = np.unique(rows, return_inverse=True)
    cells = spot.frame[distinct] if len(distinct) else spot.frame.clear()
    keys = canonical_frame(table, cells, table.key.fields).to_dicts()
    keys = [{n: v for n, v in key.items() if v is not None} for key in keys]
    texts = [orjson.dumps(veil.pairs(table, key)).decode() for key in keys]
    columns = _Cells(cells)
    values, prints = [], []
    for number, i in zip(use, at, strict=True):
        of = uses[number]
        found = [columns.text(name, i) for name in of.fields]
        values.append(veil.value(table, of.fields, found))
        who = keys[i] or _other_identity(table, columns, i)
        what = dict(zip(of.fields, found, strict=True))
        prints.append(fingerprint(of, table, veil.hashed(table, who), veil.hashed(table, what)))
    return pl.DataFrame(
        {
            "use": use,
            "record": spot.ordinals[rows],
            "line": spot.lines[rows] if spot.lines is not None else [None] * len(rows),
            "value": values,
            "key": [texts[i] for i in at],
            "params": params if params is not None else [None] * len(rows),
            "fingerprint": prints,
            **{name: [of[i] for i in at] for name, of in _whose(table, cells).items()},
        },
        schema=STORED,
    )


def _whose(table: Table, cells: pl.DataFrame) -> dict[str, list[str | None]]:
    """Project or works, case and division of each record; the first field that is filled tells."""
    found: dict[str, list[str | None]] = {}
    for name, fields in WHOSE.items():
        there = [f for f in fields if f in cells.columns and table.by_name[f].personal is None]
        values = (
            cells.select(pl.coalesce(pl.col(f).replace("", None) for f in there)) if there else None
        )
        found[name] = values.to_series().to_list() if values is not None else [None] * cells.height
    return found


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells of bad records; a column is taken out of its frame when it is first asked for."""

    frame: pl.DataFrame
    taken: dict[str, list[str | None]] = field(default_factory=dict)

    def text(self, name: str, row: int) -> str:
        """The cell as written; empty when missing."""
        if name not in self.taken:
            there = name in self.frame.columns
            self.taken[name] = self.frame[name].to_list() if there else [None] * self.frame.height
        value = self.taken[name][row]
        return "" if value is None or is_blank(value) else value


def _other_identity(table: Table, cells: _Cells, row: int) -> dict[str, str]:
    """Without a key: DFSJZJ, else the content."""
    local = cells.text("DFSJZJ", row) if "DFSJZJ" in table.by_name else ""
    if local:
        return {"DFSJZJ": local}
    business = (f.name for f in table.fields if f.role is Role.BUSINESS)
    return {name: value for name in business if (value := cells.text(name, row))}


def fingerprint(
    use: Use, table: Table | None, who: Mapping[str, str], what: Mapping[str, str]
) -> str:
    """SHA-256 of standard, table, rule, fields, identity and value (decisions 19)."""
    place = [table.standard, table.name] if table is not None else [None, None]
    payload = [*place, use.rule, list(use.fields), dict(who), dict(what)]
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()


def of_source(use: int, of: Use, table: Table | None, values: Sequence[str]) -> pl.DataFrame:
    """File-level violations: one per value, without record."""
    return pl.DataFrame(
        {
            "use": [use] * len(values),
            "record": [None] * len(values),
            "line": [None] * len(values),
            "value": list(values),
            "key": ["{}"] * len(values),
            "params": [None] * len(values),
            "fingerprint": [fingerprint(of, table, {}, {"": v}) for v in values],
            **_nobody(len(values)),
        },
        schema=STORED,
    )


def of_unreadable(
    use: int, of: Use, table: Table, unreadable: Sequence[Unreadable], veil: Veil
) -> pl.DataFrame:
    """Unreadable records. Their excerpt is kept only where it can hold no personal value."""
    personal = any(f.personal for f in table.fields) and not veil.show
    reasons = [{"reason": u.reason.zh, "reason_en": u.reason.en} for u in unreadable]
    return pl.DataFrame(
        {
            "use": [use] * len(unreadable),
            "record": [u.record for u in unreadable],
            "line": [u.line for u in unreadable],
            "value": [None if personal else u.value for u in unreadable],
            "key": ["{}"] * len(unreadable),
            "params": [orjson.dumps(r).decode() for r in reasons],
            "fingerprint": [
                fingerprint(of, table, {"": keyed(veil.key, u.value)}, {}) for u in unreadable
            ],
            **_nobody(len(unreadable)),
        },
        schema=STORED,
    )


def _nobody(rows: int) -> dict[str, list[None]]:
    return {name: [None] * rows for name in WHOSE}
