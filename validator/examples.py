"""Records of examples that rules share. It knows no rule."""

from __future__ import annotations

import json

from validator.rule import Example

APPLICATION = "fire-application/SPGL_XMJBXXB"


def application(item: int, document: object, *, found: int = 0, **cells: str) -> Example:
    """One fire application with this document; `found`: violations in it."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    record = {"LSH": "LSH-1", "SPLCLX": str(item), "FORMS_JSON": text, **cells}
    table = APPLICATION.rpartition("/")[2]
    return Example({APPLICATION: (record,)}, ((table, 1, ("FORMS_JSON",)),) * found)
