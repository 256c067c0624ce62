"""Masking of stored violations: a run may have been stored with personal values in the open.

A row that was masked when it was stored stays as it is: masking twice changes nothing.
"""

from __future__ import annotations

import orjson

from validator.finding import BETWEEN
from validator.mask import masked
from validator.pack import Packs, Personal, Table
from validator.store import Row, StoredUse


def table_of(packs: Packs, use: StoredUse) -> Table | None:
    """The table of a use; None where no loaded pack has it."""
    for table in packs.tables():
        if table.name == use.table and table.standard == use.standard:
            return table
    return None


def veiled(table: Table | None, use: StoredUse, row: Row) -> Row:
    """The row with personal parts of value and key masked."""
    if table is None:
        return row
    number, record, line, value, key, params, fingerprint, division = row
    inside = _inside(params)
    kinds = {f.name: f.personal for f in table.fields if f.personal is not None}
    if not kinds:
        return row
    if value is not None and inside is not None:
        value = masked(Personal(inside), value) if inside else value
    elif value is not None and any(name in kinds for name in use.fields):
        value = _value([kinds.get(name) for name in use.fields], value)
    parts = orjson.loads(key)
    if any(name in kinds for name in parts):
        shown = {n: masked(kinds[n], v) if n in kinds else v for n, v in parts.items()}
        key = orjson.dumps(shown).decode()
    return number, record, line, value, key, params, fingerprint, division


def _inside(params: str | None) -> str | None:
    """What personal datum a value inside a document is, empty for none; None where the violation
    is of no document."""
    more = orjson.loads(params) if params is not None else {}
    return str(more.get("personal", "")) if "pointer" in more else None


def _value(kinds: list[Personal | None], value: str) -> str:
    """Several values are joined without their blanks: where parts and fields do not line up, every
    part is masked as a name is."""
    parts = value.split(BETWEEN) if len(kinds) > 1 else [value]
    if len(parts) != len(kinds):
        return BETWEEN.join(masked(Personal.NAME, part) for part in parts)
    return BETWEEN.join(
        part if kind is None else masked(kind, part)
        for kind, part in zip(kinds, parts, strict=True)
    )
