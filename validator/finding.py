"""Violations of one batch as columns: value, key, line and fingerprint, personal parts masked.

Runs only over what is bad; the clean path never comes here. Texts are filled in when a violation is
read back (`validator.store`), so that a stored one is small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from validator.documents import Flaws
    from validator.paper import Flaw

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

#: Violations that are built at once; bounds memory where every record fails.
AT_ONCE = 50_000

#: Characters of a value that stands in a document.
_EXCERPT = 1000

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

    def flaw(self, flaw: Flaw) -> str | None:
        """The value at a place of a document; an excerpt where it is long, personal ones masked."""
        if flaw.value is None or flaw.personal is None or self.show:
            return None if flaw.value is None else flaw.value[:_EXCERPT]
        return masked(flaw.personal, flaw.value)

    def flawed(self, flaw: Flaw) -> dict[str, str]:
        """Where and what, a personal value replaced by its keyed hash."""
        value = flaw.value or ""
        what = value if flaw.personal is None else keyed(self.key, value)
        return {"pointer": flaw.pointer, "value": what, "more": flaw.say_more}

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


def told_by(table: Table, uses: Iterable[Use]) -> frozenset[str]:
    """The fields that `build` reads of records with a key."""
    whose = (name for names in WHOSE.values() for name in names)
    return frozenset((*table.key.fields, *whose, *(name for u in uses for name in u.fields)))


def build(
    table: Table,
    uses: Sequence[Use],
    use: Ints,
    rows: Ints,
    spot: Spot,
    veil: Veil,
    params: Sequence[str | None] | None = None,
) -> Iterator[pl.DataFrame]:
    """One row per violation, in frames of bounded size: `uses[use[i]]` is violated in row `rows[i]`
    of the spot's frame.

    `params[i]`: places of its message, as JSON.
    """
    for start in range(0, len(rows), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        said = params[part] if params is not None else None
        yield _build(table, uses, use[part], rows[part], spot, veil, said)


def _build(
    table: Table,
    uses: Sequence[Use],
    use: Ints,
    rows: Ints,
    spot: Spot,
    veil: Veil,
    params: Sequence[str | None] | None,
) -> pl.DataFrame:
    distinct, at = np.unique(rows, return_inverse=True)
    keys, who = _identities(table, spot.frame, distinct, veil)
    values: list[str | None] = [None] * len(rows)
    prints = [""] * len(rows)
    for number in np.unique(use).tolist():
        of = uses[number]
        mine = np.flatnonzero(use == number)
        cells = [_texts(spot.frame, name, rows[mine]) for name in of.fields]
        head, personal = _place(of, table), _personal(table, of.fields)
        said: dict[tuple[str, ...], tuple[str | None, bytes]] = {}
        found = zip(*cells, strict=True) if cells else repeat(())
        for i, row, texts in zip(mine.tolist(), at[mine].tolist(), found, strict=False):
            if texts not in said:
                what = dict(zip(of.fields, texts, strict=True))
                shown = BETWEEN.join(filter(None, texts)) or None
                if personal:
                    shown = veil.value(table, of.fields, texts)
                    what = veil.hashed(table, what)
                said[texts] = shown, _json(what)
            values[i], what_json = said[texts]
            prints[i] = _digest(head, who[row], what_json)
    return pl.DataFrame(
        {
            "use": use,
            "record": spot.ordinals[rows],
            "line": spot.lines[rows] if spot.lines is not None else [None] * len(rows),
            "value": values,
            "key": [keys[i] for i in at.tolist()],
            "params": params if params is not None else [None] * len(rows),
            "fingerprint": prints,
            **_whose(table, spot.frame, rows),
        },
        schema=STORED,
    )


def _whose(table: Table, frame: pl.DataFrame, rows: Ints) -> dict[str, pl.Series]:
    """Works, case and division of each violation; the first field that is filled tells."""
    found = {}
    for name, fields in WHOSE.items():
        there = [f for f in fields if f in frame.columns and table.by_name[f].personal is None]
        if there:
            cells = frame.select(there)[rows]
            first = pl.coalesce(pl.col(f).replace("", None) for f in there)
            found[name] = cells.select(first).to_series()
        else:
            found[name] = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    return found


def _identities(
    table: Table, frame: pl.DataFrame, rows: Ints, veil: Veil
) -> tuple[list[str], list[bytes]]:
    """Per row: its key as JSON with personal parts masked, and what identifies it in a fingerprint:
    the key, else DFSJZJ, else the content."""
    names = table.key.fields
    cells = pl.DataFrame(
        frame[n].gather(rows)
        if n in frame.columns
        else pl.repeat(None, len(rows), dtype=pl.String, eager=True).alias(n)
        for n in names
    )
    shown, who = list[str](), list[bytes]()
    personal = _personal(table, names)
    for i, key in enumerate(canonical_frame(table, cells, names).iter_rows()):
        there = {n: v for n, v in zip(names, key, strict=True) if v is not None}
        if there and not personal:
            who.append(_json(there))
            shown.append(who[-1].decode())
            continue
        shown.append(_json(veil.pairs(table, there)).decode())
        who.append(_json(veil.hashed(table, there or _other(table, frame, int(rows[i])))))
    return shown, who


def _other(table: Table, frame: pl.DataFrame, row: int) -> dict[str, str]:
    """What identifies a record without a key: DFSJZJ, else its content."""
    cells = {n: v for n, v in frame.row(row, named=True).items() if v and not is_blank(v)}
    if "DFSJZJ" in cells:
        return {"DFSJZJ": cells["DFSJZJ"]}
    return {n: v for n, v in cells.items() if table.by_name[n].role is Role.BUSINESS}


def _texts(frame: pl.DataFrame, name: str, rows: Ints) -> list[str]:
    """Cells as written; empty where missing."""
    if name not in frame.columns:
        return [""] * len(rows)
    return [c if c and not is_blank(c) else "" for c in frame[name].gather(rows).to_list()]


def _personal(table: Table, fields: Sequence[str]) -> bool:
    return any(table.by_name[name].personal is not None for name in fields)


def _json(pairs: Mapping[str, str]) -> bytes:
    return orjson.dumps(dict(pairs), option=orjson.OPT_SORT_KEYS)


def _place(use: Use, table: Table | None) -> bytes:
    named = [table.standard, table.name] if table is not None else [None, None]
    return orjson.dumps([*named, use.rule, list(use.fields)])


def _digest(place: bytes, who: bytes, what: bytes) -> str:
    return hashlib.sha256(b"\n".join((place, who, what))).hexdigest()


def fingerprint(
    use: Use, table: Table | None, who: Mapping[str, str], what: Mapping[str, str]
) -> str:
    """SHA-256 of standard, table, rule, fields, identity and value (decisions 19)."""
    return _digest(_place(use, table), _json(who), _json(what))


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


def of_documents(
    table: Table, uses: Sequence[Use], found: Flaws, spot: Spot, veil: Veil
) -> Iterator[pl.DataFrame]:
    """Flaws of documents, one row each, in frames of bounded size. Pointer and places of the
    message stand in `params`; the value is that of the place, not the cell."""
    for start in range(0, len(found.row), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        rows, use, flaws = found.row[part], found.use[part], found.flaws[part]
        distinct, at = np.unique(rows, return_inverse=True)
        keys, who = _identities(table, spot.frame, distinct, veil)
        yield pl.DataFrame(
            {
                "use": use,
                "record": spot.ordinals[rows],
                "line": spot.lines[rows] if spot.lines is not None else [None] * len(rows),
                "value": [veil.flaw(flaw) for flaw in flaws],
                "key": [keys[i] for i in at.tolist()],
                "params": [_said(flaw) for flaw in flaws],
                "fingerprint": [
                    _digest(_place(uses[u], table), who[i], _json(veil.flawed(flaw)))
                    for u, i, flaw in zip(use.tolist(), at.tolist(), flaws, strict=True)
                ],
                **_whose(table, spot.frame, rows),
            },
            schema=STORED,
        )


def _said(flaw: Flaw) -> str:
    """Places of the message; what datum the value is, for whoever masks it later."""
    personal = {} if flaw.personal is None else {"personal": str(flaw.personal)}
    return _json({**flaw.places, "pointer": flaw.pointer, **personal}).decode()


def _nobody(rows: int) -> dict[str, list[None]]:
    return {name: [None] * rows for name in WHOSE}
