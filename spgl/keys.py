"""Natural keys as people may see them: personal parts masked unless asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from validator.pack import Packs


def shown_key(
    packs: Packs, table: str, key: Mapping[str, str], *, personal: bool
) -> Mapping[str, str]:
    """The key of a record of `standard/TABLE`; of a table or field that no loaded pack has, every
    part is masked like a name."""
    from validator.mask import masked
    from validator.pack import Personal

    if personal:
        return key
    known = {t.qualified: t for t in packs.tables()}.get(table)
    made: dict[str, str] = {}
    for name, value in key.items():
        field = None if known is None else known.by_name.get(name)
        kind = Personal.NAME if field is None else field.personal
        made[name] = value if kind is None else masked(kind, value)
    return made


def key_text(key: Mapping[str, str]) -> str:
    """`FIELD=VALUE FIELD=VALUE`."""
    return " ".join(f"{name}={value}" for name, value in key.items())
